"""Files of fields as microscopes and people leave them."""

import pickle
import re
import sys
import zipfile

import numpy as np
import pytest
import tifffile
from PIL import Image

from nucrec.errors import DatasetError, DatasetNotFoundError, DataWarning, ImageError
from nucrec.fields import FieldSet, load_fields

RNG = np.random.default_rng(7)


def pixels(*shape: int, dtype: type = np.uint16) -> np.ndarray:
    return RNG.integers(0, 250, shape).astype(dtype)


def save(folder, *names: str, dtype: type = np.uint16) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels(140, 150, dtype=dtype)).save(folder / name)


def why(fields: FieldSet) -> dict[str, str]:
    return {one.name: one.reason for one in fields.quarantined}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_pixels_keep_their_depth(tmp_path, dtype):
    image = pixels(140, 150, dtype=dtype)
    tifffile.imwrite(tmp_path / "a.tif", image)
    field = load_fields(tmp_path)[0]
    assert field.shape == (140, 150)
    assert field.read().dtype == dtype
    assert np.array_equal(field.read(), image)
    assert (field.has_mask, field.labels()) == (False, None)


@pytest.mark.parametrize(
    ("stored", "read"), [("int16", "uint16"), ("int32", "uint16"), ("float64", "float32")]
)
def test_other_depths_become_one_of_three(tmp_path, stored, read):
    pytest.importorskip("imagecodecs")
    image = pixels(140, 150).astype(stored)
    tifffile.imwrite(tmp_path / "a.tif", image)
    assert load_fields(tmp_path)[0].read().dtype == read
    assert np.array_equal(load_fields(tmp_path)[0].read(), image)


def test_a_folder_a_zip_a_file_a_list_and_arrays(tmp_path):
    save(tmp_path / "plate", "day 1/a.tif", "e.png")
    with zipfile.ZipFile(tmp_path / "plate.zip", "w") as archive:
        for name in ("day 1/a.tif", "e.png"):
            archive.write(tmp_path / "plate" / name, f"plate/{name}")
    folder = load_fields(tmp_path / "plate")
    archived = load_fields(str(tmp_path / "plate.zip"))
    listed = load_fields([tmp_path / "plate/day 1/a.tif", str(tmp_path / "plate/e.png")])
    single = load_fields(tmp_path / "plate" / "e.png")
    assert [field.file for field in folder] == ["day 1/a.tif", "e.png"]
    assert [field.file for field in archived] == ["plate/day 1/a.tif", "plate/e.png"]
    assert folder.names == archived.names == listed.names == ("a", "e")
    assert single.names == ("e",)
    arrays = load_fields([field.read() for field in folder], pixel_size=0.5)
    assert arrays.names == ("1", "2")
    assert load_fields(folder[0].read()).names == ("1",)
    for fields in (archived, listed, arrays):
        assert np.array_equal(fields[0].read(), folder[0].read())
    assert isinstance(folder[:1], FieldSet)
    assert folder[:1].names == ("a",)


def test_fields_survive_pickling_so_that_processes_can_read_them(tmp_path):
    save(tmp_path, "a.png")
    field = load_fields(tmp_path)[0]
    assert np.array_equal(pickle.loads(pickle.dumps(field)).read(), field.read())


def test_nothing_is_decoded_at_loading(tmp_path):
    save(tmp_path, "a.png")
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[: len(content) // 2])
    field = load_fields(tmp_path)[0]
    with pytest.raises(ImageError, match=r"^a.png: damaged image"):
        field.read()


@pytest.mark.parametrize(
    ("unit", "size", "um"),
    [("µm", 0.325, 0.325), ("nm", 325.0, 0.325), ("mm", 0.000325, 0.325), ("pixel", 1.0, None)],
)
def test_ome_tiff_channel_by_name_and_pixel_size(tmp_path, unit, size, um):
    image = pixels(2, 140, 150)
    metadata = {"axes": "CYX", "Channel": {"Name": ["GFP", "DAPI"]}}
    metadata |= {f"PhysicalSize{axis}": size for axis in "XY"}
    metadata |= {f"PhysicalSize{axis}Unit": unit for axis in "XY"}
    tifffile.imwrite(tmp_path / "a.ome.tif", image, photometric="minisblack", metadata=metadata)
    (field,) = load_fields(tmp_path, channel="dapi")
    assert field.name == "a"
    assert field.pixel_size == pytest.approx(um) if um else field.pixel_size is None
    assert np.array_equal(field.read(), image[1])
    assert load_fields(tmp_path, channel=0, pixel_size=0.5)[0].pixel_size == 0.5
    assert np.array_equal(load_fields(tmp_path, channel=0)[0].read(), image[0])
    with pytest.raises(DatasetError, match="a.ome.tif: holds 2 channels .*channel='DAPI'"):
        load_fields(tmp_path)
    with pytest.raises(DatasetError, match="has no channel 'Cy5'; it has 2, called GFP, DAPI"):
        load_fields(tmp_path, channel="Cy5")


@pytest.mark.parametrize("axes", ["ZCYX", "CZYX"])
def test_z_stacks_by_maximum_said_once(tmp_path, axes):
    image = pixels(3, 2, 140, 150) if axes == "ZCYX" else pixels(2, 3, 140, 150)
    for name in ("a.ome.tif", "b.ome.tif"):
        tifffile.imwrite(tmp_path / name, image, photometric="minisblack", metadata={"axes": axes})
    with pytest.warns(DataWarning, match="maximum projection .2 fields: a.ome.tif"):
        fields = load_fields(tmp_path, channel=1)
    expected = image[:, 1].max(0) if axes == "ZCYX" else image[1].max(0)
    assert np.array_equal(fields[0].read(), expected)
    assert any("several z positions" in remark for remark in fields.remarks)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(("unit", "um"), [("um", 0.65), ("micron", 0.65), ("nm", None)])
def test_imagej_hyperstacks(tmp_path, compression, unit, um):
    image = pixels(3, 2, 140, 150)
    tifffile.imwrite(
        tmp_path / "a.tif",
        image,
        imagej=True,
        compression=compression,
        resolution=(1 / 0.65, 1 / 0.65),
        metadata={"axes": "ZCYX", "unit": unit},
    )
    with pytest.warns(DataWarning, match="maximum"):
        (field,) = load_fields(tmp_path, channel=1)
    assert field.pixel_size == (None if um is None else pytest.approx(um))
    assert np.array_equal(field.read(), image[:, 1].max(axis=0))


def test_resolutions_of_screens_are_no_pixel_sizes(tmp_path):
    for name, unit, resolution in (("a", "INCH", 72), ("b", "CENTIMETER", 1 / 0.65e-4)):
        tifffile.imwrite(
            tmp_path / f"{name}.tif",
            pixels(140, 150),
            resolution=(resolution, resolution),
            resolutionunit=unit,
        )
    fields = load_fields(tmp_path)
    assert fields[0].pixel_size is None
    assert fields[1].pixel_size == pytest.approx(0.65, rel=1e-4)
    assert any("pixel size unknown (1 field: a.tif)" in text for text in fields.remarks)


def test_pixel_size_of_metamorph(tmp_path):
    text = (
        '<MetaData><prop id="spatial-calibration-x" type="float" value="0.325"/>'
        '<prop id="spatial-calibration-units" type="string" value="um"/></MetaData>'
    )
    tifffile.imwrite(tmp_path / "a.tif", pixels(140, 150), description=text, metadata=None)
    assert load_fields(tmp_path)[0].pixel_size == 0.325


def test_multi_channel_samples_and_pages(tmp_path):
    pytest.importorskip("imagecodecs")
    image = pixels(140, 150, 4)
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="minisblack", planarconfig="contig")
    tifffile.imwrite(tmp_path / "b.tif", np.moveaxis(image, 2, 0), photometric="minisblack")
    fields = load_fields(tmp_path, channel=2)
    for field in fields:
        assert np.array_equal(field.read(), image[..., 2])
    with pytest.raises(DatasetError, match="a.tif: holds 4 channels.*channel=0 to channel=3"):
        load_fields(tmp_path)


@pytest.mark.parametrize(
    ("axes", "reason"),
    [
        ("TYX", "a time series of 5 frames: save the frames"),
        (None, "holds 5 pages, and nothing says whether they are channels, z positions or times"),
    ],
)
def test_what_cannot_be_one_field_is_refused_and_the_rest_goes_on(tmp_path, axes, reason):
    save(tmp_path, "good.tif")
    more = {"imagej": True, "metadata": {"axes": axes}} if axes else {"photometric": "minisblack"}
    tifffile.imwrite(tmp_path / "bad.tif", pixels(5, 140, 150), **more)
    with pytest.warns(DataWarning, match=r"^bad.tif was left out: "):
        fields = load_fields(tmp_path)
    assert fields.names == ("good",)
    assert reason in why(fields)["bad.tif"]


def test_several_positions_in_one_file_are_refused(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as file:
        for _ in range(2):
            file.write(pixels(140, 150))
    with pytest.raises(DatasetError, match=r"a.ome.tif: holds 2 images, such as positions"):
        load_fields(tmp_path)


@pytest.mark.parametrize("share", [0.3, 0.9])
@pytest.mark.parametrize("kind", ["ome", "imagej", "plain"])
def test_truncated_files_are_found_at_loading(tmp_path, kind, share):
    more = {"ome": {"metadata": {"axes": "ZYX"}}, "imagej": {"imagej": True}, "plain": {}}[kind]
    image = pixels(140, 150) if kind == "plain" else pixels(3, 140, 150)
    ending = "ome.tif" if kind == "ome" else "tif"
    tifffile.imwrite(tmp_path / f"cut.{ending}", image, photometric="minisblack", **more)
    content = (tmp_path / f"cut.{ending}").read_bytes()
    (tmp_path / f"cut.{ending}").write_bytes(content[: int(share * len(content))])
    with pytest.raises(DatasetError, match=rf"cut.{ending}: (truncated|damaged)"):
        load_fields(tmp_path)


def test_bad_input_is_named_and_the_other_fields_go_on(tmp_path):
    save(tmp_path, "good.tif", "same.tif", "same.png")
    Image.fromarray(pixels(3, 3, dtype=np.uint8)).save(tmp_path / "tiny.png")
    Image.fromarray(pixels(60, 64, dtype=np.uint8)).save(tmp_path / "crop.png")
    (tmp_path / "empty.tif").touch()
    (tmp_path / "text.png").write_text("no image")
    with pytest.warns(DataWarning) as caught:
        fields = load_fields(tmp_path)
    said = [str(one.message) for one in caught]
    assert sorted(said) == [
        f"{one.name} was left out: {one.reason}"
        for one in sorted(fields.quarantined, key=lambda one: one.name)
    ]
    assert len(said) == 6
    assert fields.names == ("good",)
    reasons = why(fields)
    assert reasons["tiny.png"] == "3 x 3 pixels are too few for a field of view"
    assert "64 x 60 pixels: this looks like a crop of a single nucleus" in reasons["crop.png"]
    assert "two fields have the same name: there is also same.tif" in reasons["same.png"]
    assert "two fields have the same name: there is also same.png" in reasons["same.tif"]
    assert reasons["empty.tif"] == "the file is empty (0 bytes)"
    assert "not an image of a known format" in reasons["text.png"]


def test_one_value_and_pictures_of_screens_are_refused_when_read(tmp_path):
    Image.new("L", (150, 140), 7).save(tmp_path / "flat.png")
    Image.fromarray(pixels(140, 150, 3, dtype=np.uint8)).save(tmp_path / "screen.png")
    flat, screen = load_fields(tmp_path)
    with pytest.raises(ImageError, match=r"^flat.png: every pixel is 7, so the image is empty"):
        flat.read()
    with pytest.raises(ImageError, match=r"^screen.png: a picture of several colours"):
        screen.read()
    assert np.array_equal(
        load_fields(tmp_path / "screen.png", channel="blue")[0].read(),
        np.asarray(Image.open(tmp_path / "screen.png"))[..., 2],
    )


def test_a_picture_of_one_colour_is_its_one_channel(tmp_path):
    y, x = np.mgrid[:140, :150]
    image = np.zeros((140, 150, 3), np.uint8)
    image[..., 2] = 9 + 200 * np.exp(-((x - 70) ** 2 + (y - 60) ** 2) / 900)
    Image.fromarray(image).save(tmp_path / "blue.png")
    Image.fromarray(image).save(tmp_path / "lossy.jpg", quality=95)
    Image.fromarray(image).save(tmp_path / "lossy 2.webp", quality=95)
    Image.fromarray(image).save(tmp_path / "exact.webp", lossless=True)
    Image.fromarray(image[..., 2]).convert("RGBA").save(tmp_path / "grey.png")
    with pytest.warns(DataWarning) as caught:
        files = {field.file: field.read() for field in load_fields(tmp_path)}
    assert [str(each.message) for each in caught if "lossy" in str(each.message)] == [
        "lossy compression, such as JPEG, blurs small micronuclei (2 fields: lossy.jpg, lossy 2.webp)"
    ]
    for name in ("blue.png", "exact.webp", "grey.png"):
        np.testing.assert_array_equal(files[name], image[..., 2])
    for name in ("lossy.jpg", "lossy 2.webp"):
        assert np.abs(files[name].astype(int) - image[..., 2]).max() < 20


def test_pictures_that_cannot_be_read_are_left_out_before_they_are_read(tmp_path, monkeypatch):
    image = pixels(140, 150, 3, dtype=np.uint8)
    save(tmp_path, "good.tif")
    Image.fromarray(image).save(tmp_path / "a.png", "TGA")
    imagecodecs = pytest.importorskip("imagecodecs")
    (tmp_path / "b.png").write_bytes(imagecodecs.png_encode(image.astype(np.uint16) * 257))
    tifffile.imwrite(tmp_path / "c.tif", image[..., 0].astype(np.float64))
    monkeypatch.setitem(sys.modules, "imagecodecs", None)  # as if it were not installed
    with pytest.warns(DataWarning, match="was left out"):
        fields = load_fields(tmp_path)
    assert fields.names == ("good",)
    assert why(fields)["a.png"] == "a TGA image: save it as PNG or TIFF"
    assert why(fields)["b.png"].startswith("16-bit colour is not supported")
    assert why(fields)["c.tif"].startswith("a TIFF of 64-bit float grey needs the extra microscopy")
    assert repr(fields) == "FieldSet(1 field, 3 left out)"


@pytest.mark.parametrize("channel", [1, "blue", "GFP"])
def test_a_channel_that_a_grey_file_lacks_is_missed_before_it_is_read(channel, tmp_path):
    save(tmp_path, "grey 1.tif", "grey 2.png")
    colour = np.dstack([pixels(140, 150, dtype=np.uint8)] * 3)
    Image.fromarray(colour).save(tmp_path / "colour.png")
    with pytest.warns(DataWarning, match="was left out: has no channel"):
        fields = load_fields(tmp_path, channel=channel)
    assert fields.names == ("colour",)
    assert why(fields) == dict.fromkeys(
        ("grey 1.tif", "grey 2.png"), f"has no channel {channel!r}; it has 1"
    )
    assert load_fields(tmp_path / "grey 1.tif", channel=0)[0].read().ndim == 2


def test_min_is_white_is_bright_for_much_stain(tmp_path):
    image = pixels(140, 150, dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="miniswhite")
    assert np.array_equal(load_fields(tmp_path)[0].read(), 255 - image)


def test_vendor_files_are_named_and_thumbnails_passed_over(tmp_path):
    save(tmp_path, "a_s1.tif", "a_s1_thumb.tif")
    (tmp_path / "b.czi").touch()
    with pytest.warns(DataWarning, match=r"1 file of microscopes was passed over \(1 .czi\)"):
        fields = load_fields(tmp_path)
    assert fields.names == ("a_s1",)
    assert fields.remarks == ("1 thumbnails were skipped, such as a_s1_thumb.tif",)


@pytest.mark.parametrize("zipped", [False, True])
def test_copies_of_a_field_are_said(tmp_path, zipped):
    plate = tmp_path / "plate"
    save(plate, "B05.tif", "B06.tif", "other/C05.tif")
    for copy in ("B05 - Copy.tif", "other/C05.tif"):  # the second lies in another folder
        (plate / copy).write_bytes((plate / "B05.tif").read_bytes())
    if zipped:
        plate = tmp_path / "plate.zip"
        with zipfile.ZipFile(plate, "w") as archive:
            for path in sorted((tmp_path / "plate").rglob("*.tif")):
                archive.write(path, path.relative_to(tmp_path / "plate"))
    told = r"^2 fields are copies of each other, .* \(B05.tif = B05 - Copy.tif\). Keep one of each$"
    with pytest.warns(DataWarning, match=told):
        fields = load_fields(plate)
    assert len(fields) == 4
    assert any("2 fields are copies" in remark for remark in fields.remarks)


def test_nothing_there(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="there is no such"):
        load_fields(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="no images were found"):
        load_fields(tmp_path)
    with pytest.raises(DatasetNotFoundError, match="there is no such file"):
        load_fields([tmp_path / "a.tif"])


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("path", 3),
        ("path", []),
        ("channel", -1),
        ("pixel_size", 0),
        ("pixel_size", "0.5"),
        ("well_pattern", "("),
        ("well_pattern", "B03"),
        ("masks", 3),
    ],
)
def test_parameters_are_checked(tmp_path, parameter, value):
    save(tmp_path, "a.png")
    arguments = {"path": tmp_path, parameter: value}
    with pytest.raises(ValueError, match=rf"^{parameter}: expected "):
        load_fields(**arguments)


def test_a_field_larger_than_pictures_of_the_web(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 15_000)
    image = pixels(140, 150)
    tifffile.imwrite(tmp_path / "a.tif", image)
    assert np.array_equal(load_fields(tmp_path)[0].read(), image)


def test_of_many_files_that_are_left_out_the_first_are_named(tmp_path):
    save(tmp_path, "good.tif")
    for i in range(12):
        (tmp_path / f"empty {i:02d}.tif").touch()
    with pytest.warns(DataWarning) as caught:
        load_fields(tmp_path)
    assert len(caught) == 11
    assert str(caught[9].message) == "empty 09.tif was left out: the file is empty (0 bytes)"
    assert str(caught[10].message) == "2 more files left out; fields.quarantined lists all"


def test_from_arrays_checks_what_it_is_given():
    image = pixels(40, 50)
    labels = np.zeros((40, 50), np.uint16)
    labels[5:10, 5:10], labels[20:30, 20:30] = 4, 9
    fields = FieldSet.from_arrays([image, image], ["x", "y"], [labels, None], pixel_size=0.3)
    assert [field.has_mask for field in fields] == [True, False]
    assert np.unique(fields[0].labels()).tolist() == [0, 4, 9]
    assert repr(fields) == "FieldSet(2 fields)"
    for bad, message in [
        ({"names": ["x"]}, "names: expected one per image (2 images)"),
        ({"masks": [None]}, "masks: expected one per image (2 images)"),
        (
            {"names": ["x", "x"]},
            "names: expected different names. Received: \"'x' more than once\"",
        ),
        ({"names": ["x", 3]}, "names[1]: expected a non-empty string. Received: 3"),
        ({"names": ["", "x"]}, "names[0]: expected a non-empty string. Received: ''"),
        ({"names": "xy"}, "names: expected a list of strings. Received: 'xy'"),
        ({"masks": [None, labels / 3]}, "masks[1]: expected a label image (H, W) of whole numbers"),
    ]:
        with pytest.raises(ValueError, match=re.escape(message)):
            FieldSet.from_arrays([image, image], **bad)
    for image in (np.zeros((4, 5, 3)), np.full((4, 5), np.nan), np.zeros((4, 5), bool)):
        with pytest.raises(ValueError, match=re.escape("images[0]")):
            FieldSet.from_arrays([image])

"""TIFF files of every kind that tifffile writes: every pixel is right, or the kind is refused."""

import io
import itertools
import re
import sys
from typing import NamedTuple

import numpy as np
import pytest
import tifffile
from PIL import Image

from nucrec.datasets import ImageFiles, load_images
from nucrec.errors import DataWarning

pytest.importorskip("imagecodecs")

HEIGHT, WIDTH = 17, 21
DTYPES = ("bool", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8")
LOSSLESS = ("none", "lzw", "zlib", "packbits", "zstd", "lzma", "png")
LOSSY = ("jpeg", "webp", "jpeg2000")


class Kind(NamedTuple):
    """One combination of tags."""

    dtype: str
    samples: int
    order: str
    compression: str
    planar: int
    photometric: str
    tiled: bool
    predictor: bool
    big: bool


def kinds() -> list[Kind]:
    """Return all combinations that could be written."""
    photometrics = {1: ("minisblack", "miniswhite"), 2: ("minisblack", "miniswhite")}
    found = []
    for dtype, samples, order, compression in itertools.product(
        DTYPES, (1, 2, 3, 4, 5), "<>", LOSSLESS + LOSSY
    ):
        for planar, photometric, tiled, predictor, big in itertools.product(
            (1, 2), photometrics.get(samples, ("minisblack", "rgb")), *[(False, True)] * 3
        ):
            if predictor and compression not in ("lzw", "zlib"):
                continue
            if big and (compression, tiled) != ("none", False):
                continue
            found.append(
                Kind(dtype, samples, order, compression, planar, photometric, tiled, predictor, big)
            )
    return found


def pixels(kind: Kind) -> np.ndarray:
    """Return random values, over the whole range of the type."""
    rng = np.random.default_rng(list(str(kind).encode()))
    shape = (HEIGHT, WIDTH) if kind.samples == 1 else (HEIGHT, WIDTH, kind.samples)
    dtype = np.dtype(kind.dtype)
    if dtype.kind == "f":
        return (rng.random(shape) * 1000 - 300).astype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) > 0.5
    ends = np.iinfo(dtype)
    return rng.integers(ends.min, ends.max, shape, dtype=dtype, endpoint=True)


def write(kind: Kind, array: np.ndarray) -> bytes:
    """Return the file; raises where tifffile writes no such kind."""
    options = {"tile": (16, 16)} if kind.tiled else {}
    if kind.compression != "none":
        options |= {"compression": kind.compression, "predictor": kind.predictor}
    if kind.samples > 1:
        options["planarconfig"] = "contig" if kind.planar == 1 else "separate"
        array = np.moveaxis(array, -1, 0) if kind.planar == 2 else array
    file = io.BytesIO()
    tifffile.imwrite(
        file, array, byteorder=kind.order, photometric=kind.photometric, bigtiff=kind.big,
        metadata=None, **options,
    )  # fmt: skip
    data = file.getvalue()
    # tifffile leaves the planar configuration of one sample out: the resolution unit's place is free
    return with_tag(data, 296, 2, 284) if (kind.samples, kind.planar) == (1, 2) else data


def with_tag(data: bytes, number: int, value: int, other_number: int | None = None) -> bytes:
    """Return a TIFF with another value of a short tag, which may get another number as well."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tag, order = file.pages[0].tags[number], file.byteorder
    changed = bytearray(data)
    for at, content in ((tag.offset, other_number or number), (tag.valueoffset, value)):
        changed[at : at + 2] = np.array([content], f"{order}u2").tobytes()
    return bytes(changed)


def stored(kind: Kind, data: bytes, array: np.ndarray) -> np.ndarray:
    """Return the samples that a file holds: what was written, or what tifffile makes of lossy ones."""
    if kind.compression not in LOSSY:
        return array
    found = tifffile.imread(io.BytesIO(data))
    return np.moveaxis(found, 0, -1) if (kind.samples > 1 and kind.planar == 2) else found


def right(kind: Kind, samples: np.ndarray) -> np.ndarray:
    """Return the values that a data set should hold: 0 is black, and small types are wider."""
    if kind.dtype == "bool":
        samples = samples.astype(np.uint8) * np.uint8(255)
    wider = {"int8": "int32", "int16": "int32", "float16": "float32"}
    samples = samples.astype(wider.get(samples.dtype.name, samples.dtype))
    if kind.photometric == "miniswhite":
        if samples.dtype.kind == "f":
            return samples.max() - samples
        if samples.dtype.kind == "i":
            return -1 - samples
        return np.iinfo(samples.dtype).max - samples
    return samples


def is_not_supported(kind: Kind) -> bool:
    return kind.dtype == "bool" and kind.samples > 1


def has_unnamed_samples(kind: Kind) -> bool:
    return kind.samples > (4 if kind.photometric == "rgb" else 1)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[ImageFiles, dict[str, tuple[Kind, np.ndarray]]]:
    """A folder with a file of each kind, and the values that they hold."""
    folder = tmp_path_factory.mktemp("kinds")
    held = {}
    for kind in kinds():
        array = pixels(kind)
        try:
            data = write(kind, array)
            samples = stored(kind, data, array)
        except Exception:  # noqa: BLE001 - tifffile writes no such kind
            continue
        name = f"{len(held):04}.tif"
        (folder / name).write_bytes(data)
        held[name] = kind, right(kind, samples)
    assert len(held) > 3000
    return folder, held


def read(folder, names, channel=None) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return images and reasons by name."""
    (part,) = ImageFiles(folder, list(names), channel=channel).parts(len(names))
    images = dict(zip(part.ids.tolist(), part.images, strict=True))
    return images, dict(part.quarantined)


def assert_right(images, held, wanted) -> None:
    for name, image in images.items():
        expected = wanted(held[name][1])
        assert image.dtype == expected.dtype, held[name][0]
        np.testing.assert_array_equal(image, expected, err_msg=str(held[name][0]))


def test_with_the_extra_every_kind_is_right(written):
    folder, held = written
    images, refused = read(folder, held)
    for name, (kind, _) in held.items():
        if is_not_supported(kind):
            assert re.match("a TIFF of 1-bit integer (RGB|grey), .*not supp", refused.pop(name)), (
                kind
            )
        elif has_unnamed_samples(kind):
            assert "choose one with channel=0 to channel=" in refused.pop(name), kind
    assert not refused
    assert_right(images, held, lambda values: values)


@pytest.mark.parametrize("channel", [0, 1, 4])
def test_one_of_the_channels_of_every_kind_is_right(written, channel):
    folder, held = written
    some = [
        name
        for name, (kind, _) in held.items()
        if kind.samples > channel and not is_not_supported(kind)
    ]
    images, refused = read(folder, some, channel)
    assert not refused
    assert_right(images, held, lambda v: v[..., channel] if v.ndim == 3 else v)


def test_without_the_extra_every_kind_is_right_or_refused_by_name(written, monkeypatch):
    monkeypatch.setitem(sys.modules, "tifffile", None)  # as if it were not installed
    folder, held = written
    images, refused = read(folder, held, channel=0)
    assert_right(images, held, lambda v: v[..., 0] if v.ndim == 3 else v)
    for name, reason in refused.items():
        kind = held[name][0]
        extra = 'pip install "nucrec[microscopy]"' in reason
        assert extra or (is_not_supported(kind) and "not supported" in reason), (kind, reason)
        assert reason.startswith("a TIFF of "), (kind, reason)
    kept = {held[name][0] for name in images}
    for common in ("u1", "u2", "i4", "f4"):
        assert Kind(common, 1, "<", "lzw", 1, "minisblack", False, False, False) in kept
        assert Kind(common, 1, ">", "none", 2, "minisblack", False, False, False) in kept
    assert not [kind for kind in kept if kind.dtype in ("u8", "i8", "f2", "f8", "i1")]


def test_the_reason_names_the_kind(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tifffile", None)
    cases = {
        "a": (np.zeros((4, 5), "f8"), {}, "64-bit float grey"),
        "b": (np.zeros((4, 5), "i1"), {}, "8-bit signed integer grey"),
        "c": (np.zeros((3, 4, 5), "u2"), {"photometric": "rgb", "planarconfig": "separate"},
              "16-bit integer RGB, 3 samples, planar"),
        "d": (np.zeros((4, 5), "f4"), {"byteorder": ">", "compression": "lzw"},
              "32-bit float grey, big endian, LZW-compressed"),
        "e": (np.zeros((4, 5), "u2"), {"byteorder": ">", "bigtiff": True},
              "16-bit integer grey, big endian, BigTIFF"),
    }  # fmt: skip
    for name, (array, options, _) in cases.items():
        tifffile.imwrite(tmp_path / f"{name}.tif", array, **options)
    _, refused = read(tmp_path, [f"{name}.tif" for name in cases])
    for name, (*_, kind) in cases.items():
        assert refused[f"{name}.tif"].startswith(f"a TIFF of {kind} needs the extra microscopy")


def packed(samples: np.ndarray, bits: int, photometric: int) -> bytes:
    """Return an uncompressed TIFF of samples of a few bits, packed by hand."""
    rows = []
    for row in samples:
        digits = "".join(format(int(value), f"0{bits}b") for value in row)
        digits += "0" * (-len(digits) % 8)
        rows.append(int(digits, 2).to_bytes(len(digits) // 8))
    file = io.BytesIO()
    tifffile.imwrite(file, np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1),
                     metadata=None)  # fmt: skip
    data = with_tag(file.getvalue(), 258, bits)
    with tifffile.TiffFile(io.BytesIO(data)) as parsed:
        at = parsed.pages[0].tags[256].valueoffset
    data = data[:at] + np.array([samples.shape[1]], "<u4").tobytes() + data[at + 4 :]
    return with_tag(data, 262, photometric)


@pytest.mark.parametrize("bits", [1, 2, 4, 10, 12, 14])
@pytest.mark.parametrize("photometric", [0, 1])
def test_samples_of_a_few_bits(bits, photometric, tmp_path):
    top = 2**bits - 1
    samples = np.random.default_rng(bits).integers(0, top, (5, 8), endpoint=True)
    (tmp_path / "a.tif").write_bytes(packed(samples, bits, photometric))
    images, _ = read(tmp_path, ["a.tif"])
    expected = samples if photometric else top - samples
    np.testing.assert_array_equal(images["a.tif"], expected * (255 // top if bits < 8 else 1))


def test_undefined_sample_format_is_unsigned(tmp_path):
    values = np.array([[1, 40_000]], np.uint16)
    file = io.BytesIO()
    tifffile.imwrite(file, values.astype(np.int16), metadata=None)
    (tmp_path / "a.tif").write_bytes(with_tag(file.getvalue(), 339, 4))
    images, _ = read(tmp_path, ["a.tif"])
    np.testing.assert_array_equal(images["a.tif"], values)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("of_bytes", [False, True])
def test_colour_tables(dtype, of_bytes, tmp_path):
    n = 2 ** (8 * np.dtype(dtype).itemsize)
    values = np.random.default_rng(0).integers(0, n, (6, 7)).astype(dtype)
    table = np.zeros((3, n), np.uint16)
    table[0], table[2] = np.arange(n) * 65535 // (n - 1), np.arange(n)[::-1] * 65535 // (n - 1)
    written = table // 257 if of_bytes else table
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="palette", colormap=written)
    images, _ = read(tmp_path, ["a.tif"])
    colours = np.moveaxis((written * 257 if of_bytes else written)[:, values], 0, -1)
    expected = (colours >> 8).astype("u1") if dtype == "u1" else colours
    np.testing.assert_array_equal(images["a.tif"], expected)


def test_transparency_is_what_the_file_calls_so(tmp_path):
    rgba = np.random.default_rng(0).integers(0, 256, (6, 7, 4), dtype=np.uint8)
    for name, extra in (("alpha", "unassalpha"), ("unnamed", "unspecified")):
        tifffile.imwrite(tmp_path / f"{name}.tif", rgba, photometric="rgb", extrasamples=[extra])
    images, refused = read(tmp_path, ["alpha.tif", "unnamed.tif"])
    np.testing.assert_array_equal(images["alpha.tif"], rgba)
    assert "8-bit integer RGB, 4 samples, and nothing says which" in refused["unnamed.tif"]
    images, _ = read(tmp_path, ["alpha.tif", "unnamed.tif"], channel=3)
    for image in images.values():
        np.testing.assert_array_equal(image, rgba[..., 3])


def test_a_tile_larger_than_the_page_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((16, 16), np.uint8), tile=(256, 256),
                     compression="zlib")  # fmt: skip
    _, refused = read(tmp_path, ["a.tif"])
    assert "MAX_IMAGE_PIXELS" in refused["a.tif"]


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_channels_that_imagej_keeps_as_pages(dtype, compression, tmp_path):
    stack = np.random.default_rng(0).integers(0, 200, (3, 2, 6, 7)).astype(dtype)  # ZCYX
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": "ZCYX"},
                     compression=compression)  # fmt: skip
    for channel in (0, 1):
        images, _ = read(tmp_path, ["a.tif"], channel)
        np.testing.assert_array_equal(images["a.tif"], stack[0, channel])
    _, refused = read(tmp_path, ["a.tif"], channel=2)
    assert refused["a.tif"] == "has no channel 2; it has 2, which have no names"


@pytest.mark.parametrize("axes", ["CZYX", "ZCYX", "TCZYX"])
def test_channels_that_ome_names(axes, tmp_path):
    shape = [{"C": 3, "Z": 2, "T": 2}[axis] for axis in axes[:-2]] + [6, 7]
    stack = np.random.default_rng(0).integers(0, 60_000, shape).astype("u2")
    names = ["DAPI", "FITC & more", "Cy5"]
    tifffile.imwrite(tmp_path / "a.ome.tif", stack, ome=True,
                     metadata={"axes": axes, "Channel": {"Name": names}})  # fmt: skip
    for number, name in enumerate(names):
        place = tuple(number if axis == "C" else 0 for axis in axes[:-2])
        for channel in (number, name, f" {name.lower()} "):
            images, _ = read(tmp_path, ["a.ome.tif"], channel)
            np.testing.assert_array_equal(images["a.ome.tif"], stack[place])
    _, refused = read(tmp_path, ["a.ome.tif"], channel="GFP")
    assert "has no channel 'GFP'; it has 3, called DAPI, FITC & more, Cy5" in refused["a.ome.tif"]


@pytest.mark.parametrize("bits", [3, 5, 6, 7])
@pytest.mark.parametrize("photometric", [0, 1])
def test_odd_bits_fill_the_range(bits, photometric, tmp_path):
    top = 2**bits - 1
    samples = np.arange(top + 1).reshape(-1, 8)
    (tmp_path / "a.tif").write_bytes(packed(samples, bits, photometric))
    images, _ = read(tmp_path, ["a.tif"])
    shares = samples / top if photometric else 1 - samples / top
    np.testing.assert_array_equal(images["a.tif"], np.rint(255 * shares))


@pytest.mark.parametrize("order", "<>")
def test_24_bits_are_refused_by_name(order, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 5), "u4"), byteorder=order, metadata=None)
    data = with_tag((tmp_path / "a.tif").read_bytes(), 258, 24)
    (tmp_path / "a.tif").write_bytes(data)
    _, refused = read(tmp_path, ["a.tif"])
    assert refused["a.tif"].startswith("a TIFF of 24-bit integer grey")
    assert refused["a.tif"].endswith(
        "is not supported: save it as RGB of 8 bits, or grey of 8 or 16 bits"
    )


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_where_0_is_white_transparency_stays(dtype, tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (6, 7, 2)).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="miniswhite", planarconfig="contig",
                     extrasamples=["unassalpha"], metadata=None)  # fmt: skip
    images, _ = read(tmp_path, ["a.tif"])
    grey = values[..., 0]
    white = grey.max() if dtype == "f4" else np.iinfo(dtype).max
    np.testing.assert_array_equal(images["a.tif"][..., 0], white - grey)
    np.testing.assert_array_equal(images["a.tif"][..., 1], values[..., 1])


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("extra", ["unspecified", "unassalpha"])
@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_rgb_and_a_fourth_sample(dtype, extra, planar, compression, tmp_path):
    shape = (4, 6, 7) if planar == "separate" else (6, 7, 4)
    values = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", planarconfig=planar,
                     extrasamples=[extra], compression=compression, metadata=None)  # fmt: skip
    samples = np.moveaxis(values, 0, -1) if planar == "separate" else values
    names = ["red", "green", "blue", "alpha" if extra == "unassalpha" else "unnamed"]
    for number, name in enumerate(names):
        for channel in (number, name):
            images, _ = read(tmp_path, ["a.tif"], channel)
            np.testing.assert_array_equal(images["a.tif"], samples[..., number])
    images, refused = read(tmp_path, ["a.tif"])
    if extra == "unassalpha":
        np.testing.assert_array_equal(images["a.tif"], samples)
    else:
        assert "choose one with channel=0 to channel=3" in refused["a.tif"]


def test_samples_of_grey_have_no_names(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((6, 7, 4), "u1"), photometric="minisblack",
                     planarconfig="contig", metadata=None)  # fmt: skip
    _, refused = read(tmp_path, ["a.tif"], "red")
    assert refused["a.tif"] == "has no channel 'red'; it has 4, which have no names"


def test_many_samples_count_as_more_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    for n in (4, 13, 20):
        tifffile.imwrite(tmp_path / f"{n}.tif", np.zeros((16, 16, n), "u1"), metadata=None,
                         photometric="minisblack", planarconfig="contig")  # fmt: skip
    images, refused = read(tmp_path, ["4.tif", "13.tif", "20.tif"], 1)
    assert list(images) == ["4.tif"]
    for reason in refused.values():
        assert reason.startswith("16 x 16 pixels, with its tiles and samples, are more than PIL")


def one_colour(shape: tuple[int, int] = (64, 64)) -> np.ndarray:
    """Return a blue picture of a nucleus on a dim background."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    nucleus = 200 * np.exp(-((x - 32) ** 2 + (y - 30) ** 2) / 200)
    noise = np.random.default_rng(0).normal(8, 2, shape)
    rgb = np.zeros((*shape, 3), np.uint8)
    rgb[..., 2] = (nucleus + noise).clip(0, 255)
    return rgb


@pytest.mark.parametrize("compression", LOSSY)
@pytest.mark.parametrize("level", [60, 90])
def test_a_blue_picture_is_its_one_channel_in_lossy_tiff(compression, level, tmp_path):
    blue = one_colour()
    tifffile.imwrite(tmp_path / "a.tif", blue, photometric="rgb", compression=compression,
                     compressionargs={"level": level}, metadata=None)  # fmt: skip
    (part,) = ImageFiles(tmp_path, ["a.tif"]).parts(1)
    assert part.channels == 1
    difference = part.to_array()[0, ..., 0].astype(int) - blue[..., 2]
    assert np.abs(difference).mean() < 4  # luma would be 90 % darker


@pytest.mark.parametrize("container", ["tif", "webp"])
@pytest.mark.parametrize("has_exif", [False, True])
@pytest.mark.parametrize("lossless", [False, True])
def test_lossless_webp_is_told_from_lossy(lossless, has_exif, container, tmp_path):
    weak = one_colour()[..., [2, 2, 2]]
    weak[..., 2] += 15  # another colour, but within what a lossy compression does
    path = tmp_path / f"a.{container}"
    if container == "tif":
        tifffile.imwrite(path, weak, photometric="rgb", compression="webp", metadata=None,
                         compressionargs={"lossless": lossless, "level": 90})  # fmt: skip
    else:
        exif = Image.Exif()
        exif[0x010E] = "a cell"
        Image.fromarray(weak).save(path, lossless=lossless, **({"exif": exif} if has_exif else {}))
    (part,) = ImageFiles(tmp_path, [path.name]).parts(1)
    assert part.channels == (3 if lossless else 1)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colours_are_not_divided_by_their_transparency(planar, compression, tmp_path):
    rgba = np.random.default_rng(0).integers(0, 256, (6, 7, 4), dtype=np.uint8)
    stored = np.moveaxis(rgba, -1, 0) if planar == "separate" else rgba
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar,
                     extrasamples=["assocalpha"], compression=compression, metadata=None)  # fmt: skip
    images, _ = read(tmp_path, ["a.tif"])
    np.testing.assert_array_equal(images["a.tif"], rgba)


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
@pytest.mark.parametrize("photometric", [0, 1])
def test_fax_compressions(compression, photometric, tmp_path):
    values = np.random.default_rng(0).random((9, 21)) > 0.5
    Image.fromarray(values).save(
        tmp_path / "a.tif", compression=compression, tiffinfo={262: photometric}
    )
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages[0].photometric == photometric
    images, _ = read(tmp_path, ["a.tif"])
    np.testing.assert_array_equal(images["a.tif"], values * np.uint8(255))


@pytest.mark.parametrize(
    ("number", "kind"),
    [(32809, "ThunderScan-compressed"), (34661, "JBIG-compressed"), (12345, "compression 12345")],
)
def test_compressions_that_nothing_undoes_are_named(number, kind, tmp_path):
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((4, 5), "u1"), metadata=None)
    (tmp_path / "a.tif").write_bytes(with_tag(file.getvalue(), 259, number))
    _, refused = read(tmp_path, ["a.tif"])
    assert refused["a.tif"].startswith(
        f"a TIFF of 8-bit integer grey, {kind} is not supported: save it as"
    )


@pytest.mark.parametrize("photometric", ["separated", "icclab", "logluv"])
def test_no_channel_is_offered_where_none_can_be_read(photometric, tmp_path):
    n = 5 if photometric == "separated" else 4
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 5, n), "u1"), photometric=photometric,
                     planarconfig="contig", metadata=None)  # fmt: skip
    for channel in (None, 0):
        _, refused = read(tmp_path, ["a.tif"], channel)
        assert refused["a.tif"].endswith(
            "is not supported: save it as RGB of 8 bits, or grey of 8 or 16 bits"
        )


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_page_that_nothing_describes_is_chosen_by_number(compression, tmp_path):
    stack = np.random.default_rng(0).integers(0, 60_000, (4, 6, 7)).astype("u2")
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for i, page in enumerate(stack):  # the third is a smaller copy of another page
            file.write(page, metadata=None, compression=compression, subfiletype=i == 2,
                       photometric="minisblack")  # fmt: skip
    for number, page in enumerate((0, 1, 3)):
        images, _ = read(tmp_path, ["a.tif"], number)
        np.testing.assert_array_equal(images["a.tif"], stack[page])
    for channel in (3, "DAPI"):
        _, refused = read(tmp_path, ["a.tif"], channel)
        assert refused["a.tif"] == f"has no channel {channel!r}; it has 3, which have no names"


def test_planes_of_metamorph_are_more_pages(tmp_path):
    planes_tag = (33629, 5, 3, [1] * 6, True)  # three fractions: as many as planes
    values = np.arange(20, dtype="u2").reshape(4, 5)
    tifffile.imwrite(tmp_path / "a.tif", values, metadata=None, extratags=[planes_tag])
    with pytest.warns(DataWarning, match="1 TIFF file holds several pages; the first page of each"):
        dataset = load_images(tmp_path)
    np.testing.assert_array_equal(dataset.images[0], values)


CUT = [
    "none",
    "lzw",
    "zlib",
    "packbits",
    "zstd",
    "lzma",
    "png",
    "jpeg",
    "webp",
    "jpeg2000",
    "jpegxr",
]


@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("compression", CUT)
def test_a_file_that_ends_too_early_is_called_truncated(compression, tiled, tmp_path, capfd):
    y, x = np.mgrid[:64, :96]
    values = np.dstack([y + x, y, x]).astype("u1")
    options = {"tile": (32, 32)} if tiled else {"rowsperstrip": 16}
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", compression=compression,
                     metadata=None, **options)  # fmt: skip
    data = (tmp_path / "a.tif").read_bytes()
    for share in (0.6, 0.97, 0.999):
        n_bytes = int(share * len(data))
        (tmp_path / "a.tif").write_bytes(data[:n_bytes])
        _, refused = read(tmp_path, ["a.tif"])
        told = f"truncated: {n_bytes} of {len(data)} bytes; copy or export it again"
        assert refused == {"a.tif": told}
    assert capfd.readouterr().err == ""


def test_the_length_of_uncompressed_samples_may_be_overstated(tmp_path):
    values = np.arange(70, dtype="u1").reshape(7, 10)
    file = io.BytesIO()
    tifffile.imwrite(file, values, metadata=None, rowsperstrip=7)
    (tmp_path / "a.tif").write_bytes(with_tag(file.getvalue(), 279, 80))
    images, _ = read(tmp_path, ["a.tif"])
    np.testing.assert_array_equal(images["a.tif"], values)

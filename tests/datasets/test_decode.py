"""Every format and mode that users have, and every way a file can be broken."""

import io
import re
import struct
import sys
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from nucrec.datasets import ImageDataset, ImageFiles, load_images
from nucrec.errors import DataWarning, InvalidParameterError


def encode(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "GIF", "WEBP"])
def test_lossless_grey(kind, random_image, read):
    values = random_image((20, 30))
    options = {"lossless": True} if kind == "WEBP" else {}
    array = read(encode(Image.fromarray(values), kind, **options))
    # GIF stores a palette and WebP colour; both hold the same grey values in each channel
    grey = array if array.ndim == 2 else array[..., 0]
    np.testing.assert_array_equal(grey, values)
    assert array.dtype == np.uint8


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_lossless_colour(kind, random_image, read):
    values = random_image((20, 30, 3))
    np.testing.assert_array_equal(read(encode(Image.fromarray(values), kind)), values)


def test_jpeg_is_what_pillow_decodes(random_image, read):
    data = encode(Image.fromarray(random_image((16, 24, 3))), "JPEG")
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(image)
    np.testing.assert_array_equal(read(data, "a.jpg"), expected)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_stays_16_bit(kind, random_image, read):
    values = random_image((20, 30), "uint16")
    array = read(encode(Image.fromarray(values), kind))
    assert array.dtype == np.uint16
    np.testing.assert_array_equal(array, values)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate"])
def test_16_bit_big_endian_tiff(compression, random_image, read):
    values = random_image((5, 7), "uint16")
    image = Image.frombytes("I;16B", (7, 5), values.astype(">u2").tobytes())
    array = read(encode(image, "TIFF", compression=compression), "a.tif")
    assert array.dtype == np.uint16
    assert array.dtype.isnative
    np.testing.assert_array_equal(array, values)


def tiff(pixels: np.ndarray, bits: int, sample_format: int, description: bytes = b"") -> bytes:
    """Return an uncompressed grey TIFF, with tags that Pillow does not write."""
    data = pixels.tobytes()
    text = description + b"\0" * 5
    start = 8 + 2 + 12 * 11 + 4
    tags = [(256, pixels.shape[1]), (257, pixels.shape[0]), (258, bits), (259, 1), (262, 1)]
    tags += [(270, None), (273, start + len(text)), (277, 1), (278, pixels.shape[0])]
    tags += [(279, len(data)), (339, sample_format)]
    entries = b""
    for tag, value in tags:
        kind, count, content = (2, len(text), start) if value is None else (4, 1, value)
        entries += struct.pack("<HHII", tag, kind, count, content)
    header = b"II*\0" + struct.pack("<IH", 8, len(tags))
    return header + entries + b"\0" * 4 + text + data


def test_unsigned_32_bit_tiff(read):
    values = np.array([[5, 3_000_000_000]], dtype="<u4")
    array = read(tiff(values, 32, 1), "a.tif")
    assert array.dtype == np.uint32
    assert array.tolist() == [[5, 3_000_000_000]]
    signed = np.array([[5, -3]], dtype="<i4")
    assert read(tiff(signed, 32, 2), "a.tif").tolist() == [[5, -3]]


def test_stack_behind_one_page_of_imagej(tmp_path):
    values = np.array([[1, 2]], dtype="<u2")
    for images, several in ((3, True), (12, True), (1, False)):
        description = f"ImageJ=1.54f\nimages={images}\nslices={images}\n".encode()
        (tmp_path / "a.tif").write_bytes(tiff(values, 16, 1, description))
        assert warned_of_pages(tmp_path) is several


def test_float_tiff(random_image, read):
    values = random_image((6, 4), "float32")
    np.testing.assert_array_equal(read(encode(Image.fromarray(values), "TIFF")), values)


def test_float_tiff_with_nan_is_refused(refusal):
    values = np.array([[0.0, np.nan]], dtype=np.float32)
    assert "holds NaN" in refusal(encode(Image.fromarray(values), "TIFF"), "a.tif")


def test_palette_becomes_colour(read):
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putdata([0, 1])
    np.testing.assert_array_equal(read(encode(image, "PNG")), [[[255, 0, 0], [0, 0, 255]]])


def test_transparent_palette_becomes_rgba(read):
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putdata([0, 1])
    array = read(encode(image, "PNG", transparency=b"\x00\xff"))
    np.testing.assert_array_equal(array, [[[255, 0, 0, 0], [0, 0, 255, 255]]])


def test_rgba_and_grey_alpha_are_kept(random_image, read):
    for channels in (2, 4):
        values = random_image((3, 5, channels))
        mode = {2: "LA", 4: "RGBA"}[channels]
        image = Image.frombytes(mode, (5, 3), values.tobytes())
        np.testing.assert_array_equal(read(encode(image, "PNG")), values)


def test_one_bit_becomes_black_and_white(read):
    image = Image.new("1", (2, 1))
    image.putdata([0, 1])
    np.testing.assert_array_equal(read(encode(image, "PNG")), [[0, 255]])


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk_becomes_rgb(kind, read):
    image = Image.new("CMYK", (8, 8), (255, 0, 0, 0))  # cyan
    array = read(encode(image, kind))
    assert array.shape == (8, 8, 3)
    np.testing.assert_allclose(array[0, 0], [0, 255, 255], atol=2)


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [
        (1, lambda a: a),
        (2, lambda a: a[:, ::-1]),
        (3, lambda a: a[::-1, ::-1]),
        (4, lambda a: a[::-1]),
        (5, lambda a: a.T),
        (6, lambda a: np.rot90(a, -1)),
        (7, lambda a: a[::-1, ::-1].T),
        (8, lambda a: np.rot90(a, 1)),
    ],
)
@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("PNG", "uint8"),
        ("PNG", "uint16"),
        ("TIFF", "uint8"),
        ("TIFF", "uint16"),
        ("TIFF", "float32"),
    ],
)
def test_exif_orientation(orientation, turned, kind, dtype, random_image, read):
    values = random_image((4, 6), dtype)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(Image.fromarray(values), kind, exif=exif)
    np.testing.assert_array_equal(read(data), turned(values))


def warned_of_pages(folder) -> bool:
    """Load the images of a folder, and return whether a warning of several pages came."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_images(folder)
    return [w.category for w in caught if "several pages" in str(w.message)] == [DataWarning]


def test_first_page_of_a_tiff(random_image, read, tmp_path):
    pages = [Image.fromarray(random_image((4, 5)) // (i + 1)) for i in range(3)]
    array = read(encode(pages[0], "TIFF", save_all=True, append_images=pages[1:]), "a.tif")
    np.testing.assert_array_equal(array, np.asarray(pages[0]))
    assert warned_of_pages(tmp_path)
    read(encode(pages[0], "TIFF"), "a.tif")
    assert not warned_of_pages(tmp_path)


def test_first_frame_of_a_gif(read, tmp_path):
    frames = [Image.new("L", (4, 4), value) for value in (10, 200)]
    array = read(encode(frames[0], "GIF", save_all=True, append_images=frames[1:]), "a.gif")
    assert np.unique(array).tolist() == [10]
    assert not warned_of_pages(tmp_path)


def test_result_is_read_only(random_image, read):
    array = read(encode(Image.fromarray(random_image((4, 4))), "PNG"))
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "BMP"])
def test_truncated(kind, random_image, refusal):
    whole = encode(Image.fromarray(random_image((64, 64, 3))), kind)
    for share in (0.1, 0.5, 0.9):
        reason = refusal(whole[: int(len(whole) * share)], "a.x")
        assert reason.startswith(("truncated: ", "damaged image", "not an image of a known format"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"this is text, whatever its name says", "not an image of a known format"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "image"),
        (b"II*\0" + b"\xff" * 40, "image"),
    ],
)
def test_no_image(data, reason, refusal):
    assert re.search(reason, refusal(data, "a.png"))


def test_formats_beyond_the_list_are_refused(refusal):
    data = encode(Image.new("L", (4, 4)), "ICO")
    assert refusal(data, "a.png") == "an icon: save it as PNG or TIFF"


KINDS = [
    (b"OLYMPUSRAWFORMAT", "an Olympus OIR file"),
    (bytes(96) + b"\xc0\xa0", "a DeltaVision file"),
    (bytes(208) + b"MAP DD\0\0", "an MRC file"),
    (b"NRRD0004\n", "an NRRD file"),
    (b"ObjectType = Image\nNDims = 2\n", "a MetaImage file"),
    (b"\x5c\x01" + bytes(342) + b"n+1\0", "a NIfTI file"),
    (b"MATLAB 5.0 MAT-file", "a MATLAB file"),
    (bytes(128) + b"DICM", "a DICOM file"),
    (b"II\xbc\x01", "a JPEG XR image"),
    (b"P5\n2 2\n255\n1234", "a PNM image"),
    (b"%!PS-Adobe-3.0", "a PostScript file"),
    (b"RIFF\x10\0\0\0AVI LIST", "a video"),
    (b"\x1f\x8b\x08", "a gzip file"),
    (b"BZh91AY", "a bzip2 file"),
    (b"a.tif" + bytes(252) + b"ustar\x0000", "a tar archive"),
    (b"L\0\0\0\x01\x14\x02\0", "a Windows shortcut, not the image"),
    (b"\xef\xbb\xbf\n  <!doctype HTML>", "a web page, not an image"),
    (bytes(5000), "nothing but zeros"),
    (b"\xff\xd8\xff\xf7\0\x0b\x08\0\x10\0\x10\x01", "a near-lossless (LS) JPEG"),
    (b"\xff\xd8\xff\xc3\0\x0b\x10\0\x10\0\x10\x01", "a lossless 16-bit JPEG"),
    (b"\xff\xd8\xff\xc1\0\x0b\x0c\0\x10\0\x10\x01", "a 12-bit JPEG"),
]


@pytest.mark.parametrize(("data", "kind"), KINDS, ids=[kind for _, kind in KINDS])
def test_other_kinds_are_named_with_what_to_do(data, kind, refusal):
    reason = refusal(data, "a.tif")
    assert reason.startswith((f"{kind}: ", f"{kind}, which is not supported: "))
    assert re.search("export|save|unpack|copy|download", reason.partition(": ")[2])


@pytest.mark.parametrize("kind", ["TGA", "PCX", "DDS", "ICO", "SGI", "PDF", "JPEG2000", "PPM"])
def test_formats_that_pillow_alone_reads_are_named(kind, refusal):
    reason = refusal(encode(Image.new("RGB", (16, 16), (9, 8, 7)), kind))
    assert reason.endswith(": save it as PNG or TIFF")


def test_a_blue_picture_is_its_one_channel_in_a_jpeg_of_several_pictures(tmp_path):
    y, x = np.mgrid[:64, :64]
    blue = np.zeros((64, 64, 3), np.uint8)
    blue[..., 2] = 9 + 200 * np.exp(-((x - 30) ** 2 + (y - 32) ** 2) / 200)
    picture = Image.fromarray(blue)
    picture.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[picture])
    assert load_images(tmp_path).to_array(64).shape == (1, 64, 64, 1)


def test_marks_for_missing_data_beyond_32_bit_floats_are_refused(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    values = np.ones((4, 5))
    tifffile.imwrite(tmp_path / "good.tif", values)
    values[1, 2] = -np.finfo(np.float64).max
    tifffile.imwrite(tmp_path / "mark.tif", values)
    with pytest.warns(DataWarning, match=r"mark\.tif: holds values beyond 3\.4e38, such as a mark"):
        assert load_images(tmp_path).ids.tolist() == ["good.tif"]
    with pytest.raises(InvalidParameterError, match=r"images\[0\]: holds values beyond 3\.4e38"):
        ImageDataset([values], [0])


def png_header(width: int, height: int, bits: int = 8, colour: int = 0) -> bytes:
    """Return a PNG file of these dimensions, with next to no data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_enormous_image_is_refused_before_decoding(refusal):
    assert "more pixels than PIL.Image.MAX_IMAGE_PIXELS" in refusal(
        png_header(50_000, 50_000), "a.png"
    )


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_limit_is_pillows_own(refusal):
    assert "10000 x 10000 pixels are more than PIL.Image.MAX" in refusal(
        png_header(10_000, 10_000), "a.png"
    )


DEEP = [("colour", 2, 3), ("colour", 6, 4), ("grey with transparency", 4, 2)]


@pytest.mark.parametrize(("kind", "colour", "channels"), DEEP)
def test_16_bit_colour_is_refused_rather_than_cut(kind, colour, channels, refusal, monkeypatch):
    monkeypatch.setitem(sys.modules, "imagecodecs", None)  # as if it were not installed
    reason = refusal(png_header(2, 2, bits=16, colour=colour))
    assert reason.startswith(f"16-bit {kind} is not supported, and cutting it to 8 bits would lose")
    assert 'pip install "nucrec[microscopy]"' in reason


@pytest.mark.parametrize(("kind", "colour", "channels"), DEEP)
def test_16_bit_colour_is_read_with_the_extra(kind, colour, channels, read, refusal):
    imagecodecs = pytest.importorskip("imagecodecs")
    values = np.random.default_rng(0).integers(0, 2**16, (6, 7, channels), dtype=np.uint16)
    data = imagecodecs.png_encode(values)
    assert data[25] == colour
    np.testing.assert_array_equal(read(data), values)
    assert refusal(data[:-60]).startswith("damaged image")


def bmp_of_16_bits(values: np.ndarray) -> bytes:
    """Return a BMP whose pixels share 16 bits: 5 of red, 6 of green and 5 of blue."""
    height, width = values.shape
    stored = values[::-1].astype("<u2").tobytes()
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 16, 3, len(stored), 0, 0, 0, 0)
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    return struct.pack("<2sIHHI", b"BM", 66 + len(stored), 0, 0, 66) + info + masks + stored


def test_colours_that_share_16_bits_are_not_16_bit_colours(read):
    red, green, blue = np.random.default_rng(0).integers(0, (32, 64, 32), (6, 8, 3)).T
    data = bmp_of_16_bits((red << 11 | green << 5 | blue).T)
    shares = np.stack([red / 31, green / 63, blue / 31]).T
    np.testing.assert_allclose(read(data, "a.bmp"), 255 * shares, atol=1)
    with Image.open(io.BytesIO(data)) as picture:
        np.testing.assert_array_equal(ImageDataset([picture], [0]).images[0], read(data, "a.bmp"))


def test_the_orientation_of_16_bit_colour_is_applied(read):
    imagecodecs = pytest.importorskip("imagecodecs")
    values = np.random.default_rng(0).integers(0, 2**16, (6, 7, 3), dtype=np.uint16)
    data = imagecodecs.png_encode(values)
    exif = Image.Exif()
    exif[0x0112] = 6
    content = exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = b"eXIf" + content
    whole = struct.pack(">I", len(content)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    np.testing.assert_array_equal(read(data[:33] + whole + data[33:]), np.rot90(values, -1))


def test_a_blue_picture_of_16_bits_is_its_one_channel(tmp_path):
    imagecodecs = pytest.importorskip("imagecodecs")
    grey = np.random.default_rng(0).integers(0, 2**16, (6, 7), dtype=np.uint16)
    blue = np.dstack([np.zeros_like(grey), np.zeros_like(grey), grey])
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(blue))
    np.testing.assert_array_equal(load_images(tmp_path).to_array()[0, ..., 0], grey)


@pytest.mark.parametrize("ending", ["tf2", "tf8", "btf", "ome.tf8"])
def test_endings_of_large_tiff_files(ending, tmp_path):
    tifffile = pytest.importorskip("tifffile")
    values = np.arange(20, dtype=np.uint16).reshape(4, 5)
    tifffile.imwrite(tmp_path / f"a.{ending}", values, bigtiff=True)
    np.testing.assert_array_equal(load_images(tmp_path).images[0], values)


def test_the_small_picture_in_a_vsi_file_is_not_taken_for_its_image(tmp_path):
    Image.new("L", (4, 4), 9).save(tmp_path / "a.vsi", "TIFF")
    (part,) = ImageFiles(tmp_path, ["a.vsi"]).parts(1)
    assert part.quarantined[0].reason.startswith("an Olympus VSI file, whose pixels are in other")


def test_images_are_known_by_their_names(tmp_path):
    for name in ("a.png", "a.TIFF", "a b.Jpeg", "a.txt", "png"):
        Image.new("L", (4, 4)).save(tmp_path / name, "PNG")
    assert ImageFiles(tmp_path).names == ("a b.Jpeg", "a.TIFF", "a.png")


def test_a_jpeg_that_goes_over_its_pixels_again_and_again_is_refused(read, refusal):
    buffer = io.BytesIO()
    Image.new("L", (64, 64), 128).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    scans = data.count(b"\xff\xda")
    more = data[:end] + data[last:end] * (100 - scans) + data[end:]
    np.testing.assert_array_equal(read(more, "a.jpg"), read(data, "a.jpg"))
    too_many = data[:end] + data[last:end] * (101 - scans) + data[end:]
    assert "a JPEG of more than 100 scans" in refusal(too_many, "a.jpg")


def test_a_jpeg_of_many_scans_that_is_not_progressive_is_refused(refusal):
    buffer = io.BytesIO()
    Image.new("L", (16, 16), 128).save(buffer, "JPEG")
    data = buffer.getvalue()
    frame, scan = data.index(b"\xff\xc0"), data.index(b"\xff\xda")
    size = data[frame + 5 : frame + 9]
    three = b"\xff\xc0\0\x11\x08" + size + b"\3" + b"\1\x11\0\2\x11\0\3\x11\0"
    head = data[:frame] + three + data[frame + 13 : scan]
    one_colour = data[scan:-2]  # a scan of the first of three, which the others wait for
    assert "a JPEG of more than 100 scans" in refusal(head + one_colour * 101 + data[-2:], "a.jpg")


def test_a_png_of_empty_chunks_is_refused(read, refusal):
    buffer = io.BytesIO()
    Image.new("L", (4, 4), 9).save(buffer, "PNG")
    data = buffer.getvalue()
    for name, most in ((b"teSt", 9_990), (b"IDAT", 9_990)):
        chunk = bytes(4) + name + zlib.crc32(name).to_bytes(4, "big")
        assert (read(data[:33] + chunk * most + data[33:], "a.png") == 9).all()
        too_many = data[:33] + chunk * 10_001 + data[33:]
        assert "a PNG of more than 10000 chunks" in refusal(too_many, "a.png")


def test_a_colour_table_with_transparency_is_refused_by_name_and_others_go_on(tmp_path):
    grey = Image.fromarray(np.arange(16, dtype=np.uint8).reshape(4, 4))
    grey.convert("P").convert("PA").save(tmp_path / "table.tif")
    grey.save(tmp_path / "grey.tif")
    with pytest.warns(DataWarning, match="table.tif: a TIFF of .* is not supported"):
        dataset = load_images(tmp_path)
    assert dataset.ids.tolist() == ["grey.tif"]


def test_a_file_of_a_set_that_holds_its_channels_together_is_refused(tmp_path):
    of_one = '<TiffData FirstC="{0}" IFD="0"><UUID FileName="{1}.ome.tif">u{0}</UUID></TiffData>'
    listed = of_one.format(0, "a") + of_one.format(1, "b")
    text = (
        '<OME><Image><Pixels DimensionOrder="XYCZT" SizeC="2" SizeZ="1" SizeT="1">'
        f'<Channel Name="DAPI"/><Channel Name="GFP"/>{listed}</Pixels></Image></OME>'
    )
    for name in "ab":
        Image.new("L", (4, 4), 9).save(tmp_path / f"{name}.ome.tif", description=text)
    Image.new("L", (4, 4), 9).save(tmp_path / "c.tif")
    with pytest.warns(DataWarning, match="one of 2 files that hold the channels of an OME-TIFF"):
        assert load_images(tmp_path).ids.tolist() == ["c.tif"]


def test_two_dim_colours_are_two_channels_in_jpeg_too(tmp_path):
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, :32, 2] = pixels[:, 32:, 1] = 28
    Image.fromarray(pixels).save(tmp_path / "dim.jpg", quality=95, subsampling=0)
    assert load_images(tmp_path).to_array(64).shape == (1, 64, 64, 3)

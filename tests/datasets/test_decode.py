"""Every format and mode that users have, and every way a file can be broken."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from nucrec.datasets._decode import decode, is_image_name
from nucrec.errors import ImageError


def encode(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "GIF", "WEBP"])
def test_lossless_grey(kind, random_image):
    values = random_image((20, 30))
    options = {"lossless": True} if kind == "WEBP" else {}
    array = decode(encode(Image.fromarray(values), kind, **options), "a").array
    # GIF stores a palette and WebP colour; both hold the same grey values in each channel
    grey = array if array.ndim == 2 else array[..., 0]
    np.testing.assert_array_equal(grey, values)
    assert array.dtype == np.uint8


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_lossless_colour(kind, random_image):
    values = random_image((20, 30, 3))
    np.testing.assert_array_equal(decode(encode(Image.fromarray(values), kind), "a").array, values)


def test_jpeg_is_what_pillow_decodes(random_image):
    data = encode(Image.fromarray(random_image((16, 24, 3))), "JPEG")
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(image)
    np.testing.assert_array_equal(decode(data, "a.jpg").array, expected)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_stays_16_bit(kind, random_image):
    values = random_image((20, 30), "uint16")
    array = decode(encode(Image.fromarray(values), kind), "a").array
    assert array.dtype == np.uint16
    np.testing.assert_array_equal(array, values)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate"])
def test_16_bit_big_endian_tiff(compression, random_image):
    values = random_image((5, 7), "uint16")
    image = Image.frombytes("I;16B", (7, 5), values.astype(">u2").tobytes())
    array = decode(encode(image, "TIFF", compression=compression), "a.tif").array
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


def test_unsigned_32_bit_tiff():
    values = np.array([[5, 3_000_000_000]], dtype="<u4")
    array = decode(tiff(values, 32, 1), "a.tif").array
    assert array.dtype == np.uint32
    assert array.tolist() == [[5, 3_000_000_000]]
    signed = np.array([[5, -3]], dtype="<i4")
    assert decode(tiff(signed, 32, 2), "a.tif").array.tolist() == [[5, -3]]


def test_signed_8_bit_tiff_is_refused():
    with pytest.raises(ImageError, match="signed 8-bit values"):
        decode(tiff(np.array([[-5, 100]], dtype="i1"), 8, 2), "a.tif")


def test_stack_behind_one_page_of_imagej():
    values = np.array([[1, 2]], dtype="<u2")
    for images, several in ((3, True), (12, True), (1, False)):
        description = f"ImageJ=1.54f\nimages={images}\nslices={images}\n".encode()
        assert decode(tiff(values, 16, 1, description), "a.tif").has_more_pages is several


def test_float_tiff(random_image):
    values = random_image((6, 4), "float32")
    np.testing.assert_array_equal(
        decode(encode(Image.fromarray(values), "TIFF"), "a").array, values
    )


def test_float_tiff_with_nan_is_refused():
    values = np.array([[0.0, np.nan]], dtype=np.float32)
    with pytest.raises(ImageError, match=r"a\.tif: holds NaN"):
        decode(encode(Image.fromarray(values), "TIFF"), "a.tif")


def test_palette_becomes_colour():
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putdata([0, 1])
    np.testing.assert_array_equal(
        decode(encode(image, "PNG"), "a").array, [[[255, 0, 0], [0, 0, 255]]]
    )


def test_transparent_palette_becomes_rgba():
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putdata([0, 1])
    array = decode(encode(image, "PNG", transparency=b"\x00\xff"), "a").array
    np.testing.assert_array_equal(array, [[[255, 0, 0, 0], [0, 0, 255, 255]]])


def test_rgba_and_grey_alpha_are_kept(random_image):
    for channels in (2, 4):
        values = random_image((3, 5, channels))
        mode = {2: "LA", 4: "RGBA"}[channels]
        image = Image.frombytes(mode, (5, 3), values.tobytes())
        np.testing.assert_array_equal(decode(encode(image, "PNG"), "a").array, values)


def test_one_bit_becomes_black_and_white():
    image = Image.new("1", (2, 1))
    image.putdata([0, 1])
    np.testing.assert_array_equal(decode(encode(image, "PNG"), "a").array, [[0, 255]])


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk_becomes_rgb(kind):
    image = Image.new("CMYK", (8, 8), (255, 0, 0, 0))  # cyan
    array = decode(encode(image, kind), "a").array
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
    ("kind", "dtype"), [("PNG", "uint8"), ("PNG", "uint16"), ("TIFF", "uint8")]
)
def test_exif_orientation(orientation, turned, kind, dtype, random_image):
    values = random_image((4, 6), dtype)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(Image.fromarray(values), kind, exif=exif)
    np.testing.assert_array_equal(decode(data, "a").array, turned(values))


def test_first_page_of_a_tiff(random_image):
    pages = [Image.fromarray(random_image((4, 5)) // (i + 1)) for i in range(3)]
    decoded = decode(encode(pages[0], "TIFF", save_all=True, append_images=pages[1:]), "a.tif")
    assert decoded.has_more_pages
    np.testing.assert_array_equal(decoded.array, np.asarray(pages[0]))
    assert not decode(encode(pages[0], "TIFF"), "a.tif").has_more_pages


def test_first_frame_of_a_gif():
    frames = [Image.new("L", (4, 4), value) for value in (10, 200)]
    decoded = decode(encode(frames[0], "GIF", save_all=True, append_images=frames[1:]), "a.gif")
    assert not decoded.has_more_pages
    assert np.unique(decoded.array).tolist() == [10]


def test_result_is_read_only(random_image):
    array = decode(encode(Image.fromarray(random_image((4, 4))), "PNG"), "a").array
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "BMP"])
def test_truncated(kind, random_image):
    whole = encode(Image.fromarray(random_image((64, 64, 3))), kind)
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(ImageError, match=r"^b/a\.x: "):
            decode(whole[: int(len(whole) * share)], "b/a.x")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"this is text, whatever its name says", "not an image of a known format"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "image"),
        (b"II*\0" + b"\xff" * 40, "image"),
    ],
)
def test_no_image(data, reason):
    with pytest.raises(ImageError, match=reason):
        decode(data, "a.png")


def test_formats_beyond_the_list_are_refused():
    data = encode(Image.new("L", (4, 4)), "ICO")
    with pytest.raises(ImageError, match="not an image of a known format"):
        decode(data, "a.png")


def png_header(width: int, height: int, bits: int = 8, colour: int = 0) -> bytes:
    """Return a PNG file of these dimensions, with next to no data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_enormous_image_is_refused_before_decoding():
    with pytest.raises(ImageError, match=r"a\.png: more pixels than PIL\.Image\.MAX_IMAGE_PIXELS"):
        decode(png_header(50_000, 50_000), "a.png")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_limit_is_pillows_own():
    with pytest.raises(ImageError, match=r"10000 x 10000 pixels are more than PIL\.Image\.MAX"):
        decode(png_header(10_000, 10_000), "a.png")


@pytest.mark.parametrize(("kind", "colour"), [("rgb", 2), ("rgba", 6), ("grey and alpha", 4)])
def test_16_bit_colour_is_refused_rather_than_cut(kind, colour):
    with pytest.raises(ImageError, match="16-bit colour is not supported"):
        decode(png_header(2, 2, bits=16, colour=colour), f"{kind}.png")


def test_16_bit_colour_tiff_is_refused():
    pixels = np.arange(12, dtype="<u2").tobytes()
    tags = [
        (256, 2),
        (257, 2),
        (258, 0),
        (259, 1),
        (262, 2),
        (273, 0),
        (277, 3),
        (278, 2),
        (279, 24),
    ]
    bits_at = 8 + 2 + 12 * len(tags) + 4
    entries = b""
    for tag, value in tags:
        if tag == 258:
            entries += struct.pack("<HHII", tag, 3, 3, bits_at)
        else:
            entries += struct.pack("<HHII", tag, 4, 1, bits_at + 6 if tag == 273 else value)
    data = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + b"\0" * 4
    data += struct.pack("<HHH", 16, 16, 16) + pixels
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "RGB"  # the file is sound: it is its depth that is refused
    with pytest.raises(ImageError, match="16-bit colour is not supported"):
        decode(data, "a.tif")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.png", True), ("a.TIFF", True), ("a b.Jpeg", True), ("a.txt", False), ("png", False)],
)
def test_names(name, expected):
    assert is_image_name(name) is expected


def test_a_jpeg_that_goes_over_its_pixels_again_and_again_is_refused():
    buffer = io.BytesIO()
    Image.new("L", (64, 64), 128).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    scans = data.count(b"\xff\xda")
    more = data[:end] + data[last:end] * (100 - scans) + data[end:]
    np.testing.assert_array_equal(decode(more, "a.jpg").array, decode(data, "a.jpg").array)
    too_many = data[:end] + data[last:end] * (101 - scans) + data[end:]
    with pytest.raises(ImageError, match=r"^a\.jpg: a progressive JPEG of more than 100 scans"):
        decode(too_many, "a.jpg")

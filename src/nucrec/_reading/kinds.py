"""Recognition of other file kinds, by name or first bytes."""

import codecs

from nucrec._endings import IMAGES

MICROSCOPE_SUFFIXES = frozenset(
    [
        ".czi",
        ".lsm",
        ".zvi",
        ".nd2",
        ".lif",
        ".xlef",
        ".oib",
        ".oif",
        ".oir",
        ".vsi",
        ".ets",
        ".ims",
        ".dv",
        ".r3d",
        ".stk",
        ".sld",
        ".sldy",
        ".mvd2",
        ".flex",
        ".c01",
        ".scn",
        ".svs",
        ".ndpi",
        ".mrxs",
        ".bif",
        ".qptiff",
        ".mrc",
        ".dcm",
        ".h5",
        ".hdf5",
        ".zarr",
    ]
)
"""Endings of the formats of microscopes and their programs."""

PICTURE_SUFFIXES = frozenset(
    [
        ".jp2", ".j2k", ".jpx", ".jxl", ".jxr", ".heic", ".heif", ".avif", ".psd", ".xcf", ".tga",
        ".pgm", ".ppm", ".pnm", ".pbm", ".dib", ".pcx", ".exr", ".qoi", ".dds",
        ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".raf",
        ".nrrd", ".nhdr", ".mha", ".mhd", ".nii", ".fits", ".fit", ".fts", ".dm3", ".dm4",
    ]
)  # fmt: skip
"""Endings of formats of pictures that are not read."""

_EXPORT = "export it as TIFF or PNG, for example with Fiji (File > Import > Bio-Formats)"
_CONVERT = "save it as PNG or TIFF"
_FRAMES = "save its frames as PNG or TIFF"
_SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"ZISRAWFILE", "a Zeiss CZI file", _EXPORT),
    (0, b"\xda\xce\xbe\x0a", "a Nikon ND2 file", _EXPORT),
    (0, b"\x70\x00\x00\x00", "a Leica LIF file", _EXPORT),
    (0, b"\xd0\xcf\x11\xe0", "an OLE file (Olympus OIB, Zeiss ZVI, old Office)", _EXPORT),
    (0, b"\x89HDF", "an HDF5 file", _EXPORT),
    (128, b"DICM", "a DICOM file", _EXPORT),
    (0, b"SIMPLE  =", "a FITS file", _EXPORT),
    (4, b"ftypavif", "an AVIF image", _CONVERT),
    (4, b"ftyphei", "a HEIC image", _CONVERT),
    (4, b"ftypmif1", "a HEIC image", _CONVERT),
    (4, b"ftyp", "a video", _FRAMES),
    (4, b"jP  ", "a JPEG 2000 image", _CONVERT),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 image", _CONVERT),
    (4, b"JXL ", "a JPEG XL image", _CONVERT),
    (0, b"\xff\x0a", "a JPEG XL image", _CONVERT),
    (0, b"OLYMPUSRAWFORMAT", "an Olympus OIR file", _EXPORT),
    (0, b"SIS\0", "an Olympus ETS file", _EXPORT),
    (96, b"\xa0\xc0", "a DeltaVision file", _EXPORT),
    (96, b"\xc0\xa0", "a DeltaVision file", _EXPORT),
    (208, b"MAP DD\0", "an MRC file", _EXPORT),
    (208, b"MAP DA\0", "an MRC file", _EXPORT),
    (0, b"\0\0\0\x03\0", "a Gatan DM3 file", _EXPORT),
    (0, b"\0\0\0\x04\0\0\0\0", "a Gatan DM4 file", _EXPORT),
    (0, b"NRRD", "an NRRD file", _EXPORT),
    (0, b"ObjectType = Image", "a MetaImage file", _EXPORT),
    (344, b"n+1\0", "a NIfTI file", _EXPORT),
    (0, b"MATLAB 5", "a MATLAB file", "save its images as PNG or TIFF"),
    (0, b"\x0e\x03\x13\x01", "an HDF4 file", _EXPORT),
    (0, b"II\xbc\x01", "a JPEG XR image", _CONVERT),
    (0, b"8BPS", "a Photoshop file", _CONVERT),
    (0, b"gimp xcf", "a GIMP file", _CONVERT),
    (0, b"qoif", "a QOI image", _CONVERT),
    (0, b"DDS ", "a DDS image", _CONVERT),
    (0, b"icns", "an icon", _CONVERT),
    (0, b"#?RADIANCE", "a Radiance HDR image", _CONVERT),
    (0, b"%!PS", "a PostScript file", _CONVERT),
    (0, b"\x01\xda", "an SGI image", _CONVERT),
    (0, b"\x0a\x05\x01", "a PCX image", _CONVERT),
    (8, b"AVI LIST", "a video", _FRAMES),
    (0, b"\x1aE\xdf\xa3", "a video", _FRAMES),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR image", _CONVERT),
    (0, b"\x00\x00\x01\x00", "an icon", _CONVERT),
    (0, b"%PDF", "a PDF file", _CONVERT),
    (0, b"\x93NUMPY", "a NumPy array", "load it yourself and pass the arrays to ImageDataset"),
    (0, b"version https://git-lfs", "a Git LFS pointer, not the image", "run: git lfs pull"),
    (0, b"PK\x03\x04", "a zip archive", "unpack it, or load the archive itself"),
    (0, b"\x1f\x8b", "a gzip file", "unpack it first"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (0, b"Rar!", "a RAR archive", "unpack it first"),
    (0, b"\xfd7zXZ", "an xz file", "unpack it first"),
    (0, b"BZh", "a bzip2 file", "unpack it first"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard file", "unpack it first"),
    (257, b"ustar\0", "a tar archive", "unpack it first"),
    (257, b"ustar  \0", "a tar archive", "unpack it first"),
    (0, b"L\0\0\0\x01\x14\x02\0", "a Windows shortcut, not the image", "copy the file that it names"),
)  # fmt: skip
_TEXTS: tuple[tuple[bytes, str, str], ...] = (
    (b"<svg", "an SVG drawing", _CONVERT),
    (b"<!doctype", "a web page, not an image", "download it again"),
    (b"<html", "a web page, not an image", "download it again"),
    (b"<?xml", "an XML file", _CONVERT),
)
"""Beginnings of texts in lower case, after blanks and a byte order mark."""
_ZEROS = "nothing but zeros", "the copy or download failed, copy the file again"
_PNM = {b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"}
_FRAMES_OF_JPEG = {  # markers of frames without an available decoder
    0xC3: "lossless", 0xC7: "lossless", 0xCB: "lossless", 0xC9: "arithmetic-coded",
    0xCA: "arithmetic-coded", 0xC5: "hierarchical", 0xC6: "hierarchical", 0xF7: "near-lossless (LS)",
}  # fmt: skip


def is_image_name(name: str) -> bool:
    """Return whether a file with this name is treated as an image."""
    return name.lower().endswith(IMAGES)


def why_not_by_name(name: str) -> str:
    """Return why a file with this name is not read, whatever it holds; empty if it is."""
    if name.lower().endswith(".vsi"):
        return f"an Olympus VSI file, whose pixels are in other files: {_EXPORT}"
    return ""


def other_kind(data: bytes) -> str:
    """Return the kind of a file that is no image that is read, and what to do; empty if unknown."""
    for at, signature, what, advice in _SIGNATURES:
        if data[at : at + len(signature)] == signature:
            return f"{what}: {advice}"
    text = data[:512].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    for beginning, what, advice in _TEXTS:
        if text.startswith(beginning):
            return f"{what}: {advice}"
    if data[:2] in _PNM and data[2:3].isspace():
        return f"a PNM image: {_CONVERT}"
    if data[-18:-2] == b"TRUEVISION-XFILE":
        return f"a TGA image: {_CONVERT}"
    return ": ".join(_ZEROS) if data and not data[:].strip(b"\0") else ""


def too_large(size: int, most: int) -> str:
    """Return why a file of this size in bytes is not read, and what to do."""
    return (
        f"{size / 2**20:,.0f} MB, and files of up to {most / 2**20:.0f} MB are read: save one channel "
        "alone, cut it into tiles, or compress it without loss (TIFF with Deflate)"
    )


def is_lossy_webp(data: bytes) -> bool:
    """Return whether a WebP image is lossy, that is, unless its first frame is lossless."""
    at = 12
    while data[:4] == b"RIFF" and at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if kind in (b"VP8 ", b"VP8L"):
            return kind == b"VP8 "
        # an animation frame has a 16-byte header, followed by an image
        at += 8 + (16 if kind == b"ANMF" else size + size % 2)
    return True


def unusual_jpeg(data: bytes) -> str:
    """Return the unusual property of a JPEG that cannot be decoded; empty for others."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 < len(data) and data[at] == 0xFF:
        marker, depth = data[at + 1], data[at + 4]
        if (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)) or marker == 0xF7:
            depth_of = "" if depth == 8 else f"{depth}-bit "
            coding = _FRAMES_OF_JPEG.get(marker, "")
            return f"{coding} {depth_of}".strip() if coding or depth_of else ""
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return ""

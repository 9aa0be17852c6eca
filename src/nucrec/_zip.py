"""Reading of zip archives that may be damaged or made to exhaust memory."""

import zipfile

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PLENTY = 512 * 2**20  # in bytes
_MOST_RATIO = 100


def is_bomb(unpacked: int, packed: int) -> bool:
    """Return whether an archive is a decompression bomb, by its ratio of unpacked to packed size."""
    return unpacked > max(_PLENTY, _MOST_RATIO * packed)


def check_method(member: zipfile.ZipInfo) -> None:
    """Raise unless a member can be unpacked incrementally.

    Raises
    ------
    zipfile.BadZipFile
        The member is compressed otherwise: with bzip2 and LZMA, a few bytes can become gigabytes at
        once.
    """
    if member.compress_type not in _METHODS:
        raise zipfile.BadZipFile(
            f"packed by method {member.compress_type}; only stored and deflated members are read"
        )


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return the content of a member, unpacking no more than its stated size.

    `zipfile.ZipFile.read` first unpacks everything, whatever size is stated.
    """
    check_method(member)
    with archive.open(member) as file:
        return file.read(member.file_size)

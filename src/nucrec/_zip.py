"""Reading zip archives that may be damaged, or made to fill memory."""

import zipfile

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PLENTY = 512 * 2**20  # bytes
_MOST_RATIO = 100


def is_bomb(unpacked: int, packed: int) -> bool:
    """Tell whether an archive would unpack to so much more than it is that it is made for that."""
    return unpacked > max(_PLENTY, _MOST_RATIO * packed)


def check_method(member: zipfile.ZipInfo) -> None:
    """Raise unless a member can be unpacked piece by piece.

    Raises
    ------
    zipfile.BadZipFile
        It is packed otherwise: of bzip2 and LZMA a few bytes can become gigabytes at once.
    """
    if member.compress_type not in _METHODS:
        raise zipfile.BadZipFile(
            f"packed by method {member.compress_type}; only stored and deflated members are read"
        )


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return what a member holds, and unpack no more than the archive says it is.

    `zipfile.ZipFile.read` unpacks all of it first, whatever size is stated.
    """
    check_method(member)
    with archive.open(member) as file:
        return file.read(member.file_size)

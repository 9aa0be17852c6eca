"""Files with identical content in one folder."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence

from nucrec._reading.roots import Archive, Root
from nucrec.errors import ImageError

_PIECE = 4096  # bytes


def identical_files(root: Root, names: Sequence[str]) -> list[list[str]]:
    """Return the files of each folder that have the same content, in the order given.

    Of files of the same size, a few pieces are compared first, so that a folder of uncompressed images
    is not read twice.

    Parameters
    ----------
    root : Root
        The folder or archive.
    names : sequence of str
        The files.

    Returns
    -------
    list of list of str
        Files with the same content, at least two each. Files that cannot be read are left out.
    """
    groups = _alike(names, lambda name: (name.rpartition("/")[0], *_size(root, name)))
    if isinstance(root, Archive):  # their stamps hold checksums
        return groups
    for key in (_pieces, _digest):
        groups = [part for group in groups for part in _alike(group, _reader(root, key))]
    return groups


def _alike(names: Iterable[str], key: Callable[[str], Hashable]) -> list[list[str]]:
    groups: dict[Hashable, list[str]] = defaultdict(list)
    for name in names:
        groups[key(name)].append(name)
    return [group for group in groups.values() if len(group) > 1]


def _size(root: Root, name: str) -> tuple[Hashable, ...]:
    stamp = root.stamp(name)
    if stamp is None:
        return (name,)
    return stamp if isinstance(root, Archive) else stamp[:1]


def _reader(root: Root, key: Callable[[bytes], Hashable]) -> Callable[[str], Hashable]:
    def of_file(name: str) -> Hashable:
        try:
            return key(root.view(name))
        except ImageError:
            return name

    return of_file


def _pieces(content: bytes) -> Hashable:
    n = len(content)
    return tuple(
        content[start : start + _PIECE] for start in (0, n // 3, n // 2, n - _PIECE) if start >= 0
    )


def _digest(content: bytes) -> Hashable:
    return hashlib.sha256(content).digest()

"""Turn a list of labelled files into a data set; unreadable files are left out and reported."""

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy.typing as npt

from nucrec._endings import IMAGES
from nucrec._pixels.image import KEEP_DECODED_BYTES
from nucrec._reading.channels import Channel
from nucrec._reading.decode import Decoded, decode
from nucrec._reading.listing import Quarantined
from nucrec._reading.roots import Root
from nucrec._text import listed, many
from nucrec._threads import ordered_map, workers_for
from nucrec._validation import check_choice
from nucrec._warnings import warn
from nucrec.datasets._dataset import ImageDataset
from nucrec.datasets._images import FileImage, LazyImages
from nucrec.errors import DatasetError, DataWarning, ImageError

OnError = Literal["quarantine", "raise"]

_AHEAD, _AHEAD_BYTES = 64, 2**20  # of files that are read before the first of them is decoded


Reader = Callable[[str, bytes | ImageError], Decoded | ImageError]


class Entry(NamedTuple):
    """One file of a data set; without a group, it forms its own."""

    name: str
    class_name: str
    group: str | None = None


def load_entries(
    root: Root,
    entries: Sequence[Entry],
    class_names: Sequence[str],
    *,
    on_error: OnError,
    channel: Channel | None = None,
    quarantined: Sequence[Quarantined] = (),
    metadata: Mapping[str, npt.NDArray[Any]] | None = None,
    missing: str = "",
) -> ImageDataset:
    """Decode each entry once, and return the readable ones as a data set.

    Parameters
    ----------
    root : Root
        Where the files are.
    entries : sequence of Entry
        The files, in the order of the data set.
    class_names : sequence of str
        The classes, in the order of their labels.
    on_error : {"quarantine", "raise"}
        What to do with a file that cannot be read.
    channel : int or str, optional
        The channel to read.
    quarantined : sequence of Quarantined
        The files that were left out earlier.
    metadata : mapping of str to ndarray of shape (len(entries),), optional
        Further columns.
    missing : str
        What to do about files that are not there.

    Raises
    ------
    ImageError
        With ``on_error="raise"``, the first file that cannot be read.
    DatasetError
        A class has no image that can be read.
    """
    check_choice("on_error", on_error, ("quarantine", "raise"))
    found = read_files(root, [entry.name for entry in entries], channel)
    problems = [*quarantined, *found.quarantined]
    if problems and on_error == "raise":
        raise ImageError(f"{problems[0].name}: {problems[0].reason}")
    kept = found.kept
    readable = [entries[i] for i in kept]
    _check_classes(readable, class_names, problems, missing or _advice(found.quarantined, channel))
    warn_of_files(problems, found.several_pages, len(entries))
    numbers = {name: k for k, name in enumerate(class_names)}
    return ImageDataset(
        LazyImages(found.images),
        [numbers[entry.class_name] for entry in readable],
        class_names,
        ids=[entry.name for entry in readable],
        groups=[entry.name if entry.group is None else entry.group for entry in readable],
        metadata={name: column[kept] for name, column in (metadata or {}).items()},
        quarantined=problems,
    )


class Files(NamedTuple):
    """The result of reading files: images, their indices in the list, and further findings."""

    images: list[FileImage]
    kept: list[int]
    quarantined: list[Quarantined]
    several_pages: list[str]


def read_files(root: Root, names: Sequence[str], channel: Channel | None = None) -> Files:
    """Decode each file once, and cache the pixels of as many as fit into memory."""
    read = functools.partial(_try_decode, channel)
    found = Files([], [], [], [])
    room_left = KEEP_DECODED_BYTES
    decoded = _decoded(root, names, read, _workers(root, names, read))
    for i, (name, result) in enumerate(zip(names, decoded, strict=True)):
        if isinstance(result, ImageError):
            found.quarantined.append(Quarantined(name, _reason(result, name)))
            continue
        if result.has_more_pages:
            found.several_pages.append(name)
        keep = result.array.nbytes <= room_left
        room_left -= result.array.nbytes if keep else 0
        found.images.append(FileImage(root, name, result, channel, keep=keep))
        found.kept.append(i)
    return found


def _decoded(
    root: Root, names: Sequence[str], read: Reader, n_jobs: int
) -> Iterator[Decoded | ImageError]:
    """Yield the content of each file, or the reason why it cannot be read."""
    if n_jobs > 1:
        yield from ordered_map(lambda name: read(name, _try_read(root, name)), names, n_jobs)
        return
    ahead: list[tuple[str, bytes | ImageError]] = []
    n_bytes = 0
    for name in names:  # some at a time: calls of the system make what comes after them slower
        content = _try_read(root, name)
        ahead.append((name, content))
        n_bytes += len(content) if isinstance(content, bytes) else 0
        if len(ahead) == _AHEAD or n_bytes > _AHEAD_BYTES:
            yield from itertools.starmap(read, ahead)
            ahead, n_bytes = [], 0
    yield from itertools.starmap(read, ahead)


def _try_read(root: Root, name: str) -> bytes | ImageError:
    try:
        return root.read(name)
    except ImageError as error:
        return error


def _try_decode(
    channel: Channel | None, name: str, content: bytes | ImageError
) -> Decoded | ImageError:
    if isinstance(content, ImageError):
        return content
    try:
        return decode(content, name, channel)
    except ImageError as error:
        return error


def _workers(root: Root, names: Sequence[str], read: Reader) -> int:
    """Return the number of threads that pays, judged by the first readable image."""
    tried = (read(name, _try_read(root, name)) for name in names[:10])
    first = next((result for result in tried if not isinstance(result, ImageError)), None)
    return workers_for(0 if first is None else first.array.size)


def _reason(error: ImageError, name: str) -> str:
    return str(error).removeprefix(f"{name}: ")


def _check_classes(
    readable: Sequence[Entry],
    class_names: Sequence[str],
    problems: Sequence[Quarantined],
    advice: str,
) -> None:
    counts = dict.fromkeys(class_names, 0)
    for entry in readable:
        counts[entry.class_name] += 1
    empty = [name for name, count in counts.items() if not count]
    if not empty:
        return
    found = [name for name, count in counts.items() if count]
    because = f" ({problems[0].name}: {problems[0].reason})" if problems else ""
    raise DatasetError(
        f"no image that can be read in class {listed(empty)}{because}. "
        f"{f'Images were found in: {listed(found)}. ' if found else ''}{advice}"
    )


def _advice(unreadable: Sequence[Quarantined], channel: Channel | None) -> str:
    """Return what to do about a class without images."""
    if unreadable and channel is not None:
        return f"Choose another channel than {channel!r}, or leave it out."
    return f"Add images ({', '.join(IMAGES)}), or leave the class out."


def warn_of_files(problems: Sequence[Quarantined], several_pages: Sequence[str], n: int) -> None:
    """Warn of files that were left out, and of files with several pages."""
    if problems:
        shown = "; ".join(f"{name}: {reason}" for name, reason in problems[:3])
        more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
        was = "was" if len(problems) == 1 else "were"
        warn(
            f"{many(len(problems), 'file')} {was} left out ({many(n, 'image')} listed): {shown}{more}. "
            "All are in dataset.quarantined.",
            DataWarning,
        )
    warn_of_pages(several_pages)


def warn_of_pages(several_pages: Sequence[str]) -> None:
    """Warn of files with several pages, of which one is read."""
    if several_pages:
        shown = ", ".join(several_pages[:3]) + (", ..." if len(several_pages) > 3 else "")
        hold = "hold" if len(several_pages) > 1 else "holds"
        warn(
            f"{many(len(several_pages), 'TIFF file')} {hold} several pages; the first page of each, "
            f"or of its channel, is used: {shown}. Where the pages are channels, choose the one "
            "to read by its number or name.",
            DataWarning,
        )

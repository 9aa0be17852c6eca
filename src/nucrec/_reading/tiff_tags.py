"""The tags of a TIFF's pages, read without pixels."""

import itertools
import struct
from collections.abc import Sequence
from dataclasses import dataclass

_BYTE_ORDERS = {b"II": "<", b"MM": ">"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_LETTERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q"}
_RATIONAL = 5
_MOST_ENTRIES = 4096
_MOST_VALUES = 3 * 65536  # maximum number of values of a tag: that of a 16-bit colour table

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
DESCRIPTION, ORIENTATION, SAMPLES, PLANAR, PREDICTOR = 270, 274, 277, 284, 317
COLOUR_MAP, TILE_WIDTH, TILE_HEIGHT, EXTRA_SAMPLES, SAMPLE_FORMAT = 320, 322, 323, 338, 339
STRIP_OFFSETS, TILE_OFFSETS, SUBSAMPLING = 273, 324, 530
STRIP_BYTES, TILE_BYTES, METAMORPH_STACK = 279, 325, 33629
X_RESOLUTION, RESOLUTION_UNIT, SUBFILE = 282, 296, 254
_STORED = ((STRIP_OFFSETS, STRIP_BYTES), (TILE_OFFSETS, TILE_BYTES))
_REDUCED = 1  # flag of the tag NewSubfileType: a smaller copy of another page


@dataclass(frozen=True)
class Entry:
    """One tag: the offset, type and number of its values."""

    at: int
    kind: int
    count: int


@dataclass(frozen=True)
class Tags:
    """The tags of a page.

    Attributes
    ----------
    data : bytes
        The file.
    order : {"<", ">"}
        Its byte order.
    is_big : bool
        Whether it is a BigTIFF, with offsets of 64 bits.
    entries : dict of int to Entry
        The tags by number.
    next_page : int
        The offset of the next page's tags; 0 if there is none.
    """

    data: bytes
    order: str
    is_big: bool
    entries: dict[int, Entry]
    next_page: int

    def values(self, tag: int) -> tuple[int, ...]:
        """Return the whole numbers of a tag; none if it is missing."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in _LETTERS or entry.count > _MOST_VALUES:
            return ()
        return struct.unpack_from(
            f"{self.order}{entry.count}{_LETTERS[entry.kind]}", self.data, entry.at
        )

    def value(self, tag: int, default: int) -> int:
        """Return the first number of a tag."""
        return (*self.values(tag), default)[0]

    def rational(self, tag: int) -> float:
        """Return the first number of a tag of fractions; 0 if there is none."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind != _RATIONAL:
            return 0.0
        above, below = struct.unpack_from(f"{self.order}II", self.data, entry.at)
        return above / below if below else 0.0

    @property
    def description(self) -> str:
        """The text of the tag ImageDescription, in which ImageJ and OME store metadata."""
        entry = self.entries.get(DESCRIPTION)
        if entry is None:
            return ""
        return self.data[entry.at : entry.at + entry.count].decode("utf-8", "replace").strip("\0 ")

    def with_values(self, changes: dict[int, int]) -> bytes:
        """Return the file with new values for those of the given tags that it has."""
        changed = None
        for tag, value in changes.items():
            found = self.values(tag)
            if set(found) - {value}:
                entry = self.entries[tag]
                changed = changed or bytearray(self.data)
                letters = f"{self.order}{entry.count}{_LETTERS[entry.kind]}"
                struct.pack_into(letters, changed, entry.at, *[value] * entry.count)
        return self.data if changed is None else bytes(changed)


def is_tiff(data: bytes) -> bool:
    """Return whether the file begins like a TIFF or BigTIFF."""
    order = _BYTE_ORDERS.get(data[:2])
    return order is not None and data[2:4] in (
        struct.pack(order + "H", 42),
        struct.pack(order + "H", 43),
    )


def read_tags(data: bytes, page: int = 0) -> Tags:
    """Return the tags of a page.

    Raises
    ------
    ValueError
        The file ends before the tags, or there is no such page.
    """
    order = _BYTE_ORDERS[data[:2]]
    is_big = struct.unpack_from(order + "H", data, 2)[0] == 43
    number = order + ("Q" if is_big else "I")
    try:
        (at,) = struct.unpack_from(number, data, 8 if is_big else 4)
        for _ in range(page):
            at = _read_page(data, order, is_big, at)[1]
            if not at:
                raise ValueError(f"there is no page {page}")
        entries, next_page = _read_page(data, order, is_big, at)
    except struct.error as error:
        raise ValueError("the file ends before its tags") from error
    return Tags(data, order, is_big, entries, next_page)


def read_pages(data: bytes, most: int = 10_000) -> list[Tags]:
    """Return the tags of all pages.

    Raises
    ------
    ValueError
        The file ends before the tags, or there are more pages than `most`.
    """
    pages = [read_tags(data)]
    while pages[-1].next_page:
        last = pages[-1]
        try:
            entries, following = _read_page(data, last.order, last.is_big, last.next_page)
        except struct.error as error:
            raise ValueError(f"the file ends before its page {len(pages)}") from error
        pages.append(Tags(data, last.order, last.is_big, entries, following))
        if len(pages) > most:
            raise ValueError(f"more than {most} pages")
    return pages


def full_size_pages(pages: Sequence[Tags]) -> list[int]:
    """Return the numbers of the pages that are not smaller copies of others."""
    return [i for i, page in enumerate(pages) if not page.value(SUBFILE, 0) & _REDUCED]


def end_of_pixels(tags: Tags) -> int:
    """Return the offset at which the last strip or tile of a page ends; 0 if none is stated."""
    ends = (
        map(sum, zip(tags.values(at), tags.values(lengths), strict=False))
        for at, lengths in _STORED
    )
    return max(itertools.chain(*ends), default=0)


def truncated(n_bytes: int, needed: int) -> str:
    """Return why a file that ends before its last pixel is not read, and what to do."""
    return f"truncated: {n_bytes} of {needed} bytes; copy or export it again"


def is_metamorph_stack(tags: Tags) -> bool:
    """Return whether MetaMorph stored further planes after the first one, without tags."""
    stack = tags.entries.get(METAMORPH_STACK)
    return stack is not None and stack.count > 1


def _read_page(data: bytes, order: str, is_big: bool, at: int) -> tuple[dict[int, Entry], int]:
    """Return the entries of the page whose tags are at an offset, and the offset of the next page."""
    number = "Q" if is_big else "I"
    inline = struct.calcsize(order + number)
    (count,) = struct.unpack_from(order + ("Q" if is_big else "H"), data, at)
    if count > _MOST_ENTRIES:
        raise ValueError(f"{count} tags")
    at += 8 if is_big else 2
    entries = {}
    for _ in range(count):
        tag, kind, values = struct.unpack_from(f"{order}HH{number}", data, at)
        value_at = at + 4 + inline
        n_bytes = _SIZES.get(kind, 1) * values
        if n_bytes > inline:
            (value_at,) = struct.unpack_from(order + number, data, value_at)
        if value_at + n_bytes <= len(data):
            entries[tag] = Entry(value_at, kind, values)
        at += 4 + 2 * inline
    return entries, struct.unpack_from(order + number, data, at)[0]

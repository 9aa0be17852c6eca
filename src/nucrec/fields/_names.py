"""Parsing of microscope file names: which files form one field, and in which channel."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

Span = tuple[int, int]

_END = r"(?=$|[_\-. )])"
_GUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", re.IGNORECASE)
_STAINS = (
    r"dapi|hoechst ?\d*|draq5|gfp|egfp|fitc|tritc|cy[357]|mcherry|rfp|yfp|cfp|texas ?red|alexa ?\d{3}"
    r"|pi|h2b|bf|brightfield|phase|blue|green|red"
)
_SURE = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        # Opera and Operetta: r02c03f01p02-ch1sk1fk1fl1
        (r"(?<=f\d\d)p(?P<z>\d\d)-(?P<channel>ch\d+)(sk(?P<time>\d+))?(fk\d+)?(fl\d+)?$", 0),
        # CellVoyager: _B03_T0001F001L01A01Z01C01
        (r"(?<=L\d\d)A\d\dZ(?P<z>\d\d)(?P<channel>C\d\d)$", 0),
        # IN Cell Analyzer: A - 01(fld 1 wv UV - DAPI)
        (r" wv (?P<channel>[^()]+?)( z (?P<z>\d+))?(?=\))", 0),
        # Cellomics: _B03f00d0
        (r"(?<=[A-P]\d\df\d\d)(?P<channel>d\d)$", 0),
        # ImageXpress: _B03_s4_w1DAPI
        (rf"_(?P<channel>w\d{{1,2}}([A-Za-z][\w .-]*?)?)(_z(?P<z>\d+))?{_END}(?![\w .-]*_w\d)", 0),
        # Leica, Zeiss and many programs: _ch00, -ch1, _channel2
        (rf"(^|[_\-. ])(?P<channel>ch(annel)?[_ ]?\d{{1,2}}){_END}", re.IGNORECASE),
        # Fiji, Image > Color > Split Channels: C1-name
        (r"^(?P<channel>C\d)-", 0),
    )
)
_MAYBE = (
    re.compile(r"[_\- ](?P<channel>C\d{1,2})$", re.IGNORECASE),
    re.compile(rf"[_\-. ](?P<channel>{_STAINS}){_END}", re.IGNORECASE),
)
"""Taken for a channel only where the same name comes with another one, too."""
_DEPTH = re.compile(rf"[_\-. ](z|slice)_?(?P<z>\d{{1,3}}){_END}", re.IGNORECASE)
_CHANNEL_FOLDER = re.compile(
    r"(dapi|hoechst ?\d*|draq5|e?gfp|fitc|tritc|cy[357]|mcherry|[rcy]fp|texas ?red|alexa ?\d{3}|bf"
    r"|brightfield|phase|w\d|ch(annel)?[_ -]?\d{1,2}|red|green|blue)",
    re.IGNORECASE,
)
_DEPTH_FOLDER = re.compile(r"z[_ -]?(step|slice|stack|plane)?[_ -]?(?P<z>\d{1,3})", re.IGNORECASE)
_ROWS = re.compile(r"[_\- ][ABD-P]\d{1,2}$", re.IGNORECASE)


@dataclass
class FieldFiles:
    """The files of one field.

    Attributes
    ----------
    key : str
        Their common name without channel, z position and ending, including folders.
    channels : dict of str to list of str
        The files of each channel, in the order of their z positions; "" for files without a channel.
    twice : list of str
        Files with the same channel and position as another one.
    """

    key: str
    channels: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    twice: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Parsed:
    file: str
    key: str
    channel: str = ""
    z: int | None = None


def group_files(files: Sequence[str], reserved: Sequence[Sequence[Span]]) -> list[FieldFiles]:
    """Group files by field, in the order of their names.

    Parameters
    ----------
    files : sequence of str
        File names, including folders.
    reserved : sequence of sequence of (int, int)
        Parts of each name that cannot be a channel, because a user's pattern matched them.
    """
    parsed = [_parse_sure(file, spans) for file, spans in zip(files, reserved, strict=True)]
    if not any(reserved):
        for pattern in _MAYBE:
            parsed = _parse_maybe(parsed, pattern)
    parsed = _parse_folders(_parse_depth(parsed))
    groups: dict[str, FieldFiles] = {}
    places = Counter((one.key, one.channel, one.z) for one in parsed)
    for one in sorted(parsed, key=lambda one: (one.key, one.channel, one.z or 0, one.file)):
        group = groups.setdefault(one.key, FieldFiles(one.key))
        is_twice = places[one.key, one.channel, one.z] > 1
        (group.twice if is_twice else group.channels[one.channel]).append(one.file)
    return list(groups.values())


def stem_of(file: str) -> str:
    """Return the name of a file without folders and endings; ".ome.tif" is one ending."""
    stem = PurePosixPath(file).stem
    return stem[:-4] if stem.lower().endswith(".ome") else stem


def folder_of(file: str) -> str:
    """Return the folders of a file, with a trailing slash."""
    return file[: len(file) - len(PurePosixPath(file).name)]


def _parse_sure(file: str, reserved: Sequence[Span]) -> _Parsed:
    stem = stem_of(file) if reserved else _GUID.sub("", stem_of(file))
    for pattern in _SURE:
        found = pattern.search(stem)
        if found and not _overlaps(found, reserved):
            return _without(_Parsed(file, folder_of(file) + stem), stem, found)
    return _Parsed(file, folder_of(file) + stem)


def _without(one: _Parsed, stem: str, found: re.Match[str]) -> _Parsed:
    """Return the parts of a file name, with the channel and z position found in its stem."""
    z, time = found.groupdict().get("z"), found.groupdict().get("time")
    rest = stem[: found.start()] + (f"sk{time}" if time not in (None, "1") else "")
    key = one.key[: len(one.key) - len(stem)] + rest + stem[found.end() :]
    if not key:  # nothing would remain of the name
        return one
    return _Parsed(
        one.file,
        key.rstrip("/"),
        found.groupdict().get("channel") or one.channel,
        int(z) if z else one.z,
    )


def _overlaps(found: re.Match[str], reserved: Sequence[Span]) -> bool:
    """Return whether a channel lies in a reserved part of the name."""
    start, end = found.span("channel")
    return any(low < end and start < high for low, high in reserved)


def _parse_maybe(parsed: list[_Parsed], pattern: re.Pattern[str]) -> list[_Parsed]:
    """Interpret a part of the names as the channel if the files would otherwise have the same name."""
    stems = {one.file: PurePosixPath(one.key).name for one in parsed if not one.channel}
    found = {file: match for file, stem in stems.items() if (match := pattern.search(stem))}
    if pattern is _MAYBE[0] and any(_ROWS.search(stem) for stem in stems.values()):
        return parsed  # C1 is a well in these names
    tried = {one.file: _without(one, stems[one.file], found[one.file]) for one in parsed
             if one.file in found}  # fmt: skip
    return _confirmed_channels(parsed, tried)


def _confirmed_channels(parsed: list[_Parsed], tried: dict[str, _Parsed]) -> list[_Parsed]:
    """Return the names with those channels that occur beside another channel of the same field."""
    channels: dict[str, set[str]] = defaultdict(set)
    for one in tried.values():
        channels[one.key].add(one.channel.casefold())
    confirmed = {name for names in channels.values() if len(names) > 1 for name in names}
    return [
        tried[one.file]
        if one.file in tried and tried[one.file].channel.casefold() in confirmed
        else one
        for one in parsed
    ]


def _parse_depth(parsed: list[_Parsed]) -> list[_Parsed]:
    """Interpret ``_z3`` as a z position if the same name also occurs with another one."""
    tried: dict[str, _Parsed] = {}
    for one in parsed:
        stem = PurePosixPath(one.key).name
        found = _DEPTH.search(stem)
        if found and one.z is None:
            tried[one.file] = _without(one, stem, found)
    return _confirmed_depths(parsed, tried)


def _parse_folders(parsed: list[_Parsed]) -> list[_Parsed]:
    """Interpret folders such as "DAPI" and "ZStep_1" if the same name also occurs in another one."""
    tried = {one.file: rest for one in parsed if (rest := _without_channel_folder(one))}
    parsed = _confirmed_channels(parsed, tried)
    deep = {one.file: rest for one in parsed if (rest := _without_depth_folder(one))}
    return _confirmed_depths(parsed, deep)


def _without_channel_folder(one: _Parsed) -> _Parsed | None:
    *folders, name = PurePosixPath(one.key).parts
    place = next((i for i, part in enumerate(folders) if _CHANNEL_FOLDER.fullmatch(part)), None)
    if place is None or one.channel:
        return None
    key = "/".join((*folders[:place], *folders[place + 1 :], name))
    return _Parsed(one.file, key, folders[place], one.z)


def _without_depth_folder(one: _Parsed) -> _Parsed | None:
    *folders, name = PurePosixPath(one.key).parts
    matches = [_DEPTH_FOLDER.fullmatch(part) for part in folders]
    found = next((match for match in matches if match), None)
    if found is None or one.z is not None:
        return None
    place = matches.index(found)
    key = "/".join((*folders[:place], *folders[place + 1 :], name))
    return _Parsed(one.file, key, one.channel, int(found["z"]))


def _confirmed_depths(parsed: list[_Parsed], tried: dict[str, _Parsed]) -> list[_Parsed]:
    """Return the names with those z positions without which several would be the same."""
    positions: dict[tuple[str, str], set[int | None]] = defaultdict(set)
    for one in tried.values():
        positions[one.key, one.channel].add(one.z)
    return [
        tried[one.file]
        if one.file in tried and len(positions[tried[one.file].key, one.channel]) > 1
        else one
        for one in parsed
    ]

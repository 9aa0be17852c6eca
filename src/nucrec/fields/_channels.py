"""Choice of the file of each field, if every channel is a separate file."""

import re
from collections.abc import Sequence

from nucrec._reading.channels import Channel
from nucrec.errors import DatasetError
from nucrec.fields._names import FieldFiles

_NUMBERED = re.compile(r"(?P<number>\D*?0*(?P<value>\d+))(?P<name>.*)", re.DOTALL)


def choose_files(
    groups: Sequence[FieldFiles], channel: Channel | None
) -> tuple[str | None, Channel | None]:
    """Return the channel whose files are read, and the channel within those files.

    Raises
    ------
    DatasetError
        The files belong to several channels, and `channel` is none of them.
    """
    labels = sorted({label for group in groups for label in group.channels if label})
    if not labels:
        return None, channel
    chosen = None if channel is None else _label_of(labels, channel)
    if chosen is not None:
        return chosen, None
    if len(labels) == 1:
        return labels[0], channel
    named = ", ".join(map(repr, labels[:8]))
    received = "" if channel is None else f" Received: channel={channel!r}."
    raise DatasetError(
        f"each channel is a separate file ({named}): choose the nuclear stain, such as "
        f"channel={labels[0]!r}.{received} If these are not channels, pass well_pattern."
    )


def files_of(group: FieldFiles, label: str | None) -> list[str]:
    """Return the files of a field's channel, or those without a channel if it has no others."""
    if label is not None and label in group.channels:
        return group.channels[label]
    return group.channels[""] if set(group.channels) == {""} else []


def _label_of(labels: Sequence[str], channel: Channel) -> str | None:
    """Return the label that a channel refers to: w1DAPI by its full name, by "w1" or by "DAPI"."""
    if not isinstance(channel, str):
        return _label_of_number(labels, int(channel))
    wanted = channel.strip().casefold()
    found = [label for label in labels if wanted in _aliases(label)]
    return found[0] if len(found) == 1 else None


def _label_of_number(labels: Sequence[str], number: int) -> str | None:
    """Return the label of a channel number, unless the labels count from another number than 0."""
    values = [_NUMBERED.fullmatch(label) for label in labels]
    counted = [int(found["value"]) for found in values if found]
    if len(counted) < len(labels):
        return labels[number] if number < len(labels) else None
    return labels[counted.index(number)] if 0 in counted and number in counted else None


def _aliases(label: str) -> set[str]:
    found = _NUMBERED.fullmatch(label)
    parts = {label, *(part.strip() for part in label.split(" - "))}
    if found and found["name"]:
        parts |= {found["number"], found["name"].strip(" -_")}
    return {part.casefold() for part in parts if part}

"""Selection of one channel of an image, by number or name."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._spelling import did_you_mean
from nucrec._validation import invalid
from nucrec.errors import ImageError

Array = npt.NDArray[Any]
Channel = int | str

_NAMES = {3: ("red", "green", "blue"), 4: ("red", "green", "blue", "alpha")}


def check_channel(channel: object) -> None:
    """Raise unless `channel` is None, a non-negative number, or a name."""
    if channel is None or (isinstance(channel, str) and channel.strip()):
        return
    is_number = isinstance(channel, int | np.integer) and not isinstance(channel, bool)
    if not is_number or channel < 0:  # type: ignore[operator]
        raise invalid("channel", "a number from 0, or a name such as 'DAPI' or 'blue'", channel)


def channel_number(channel: Channel, n: int, names: Sequence[str], name: str) -> int:
    """Return the number of a channel among `n`, whose `names` may be known.

    Raises
    ------
    ImageError
        The file `name` has no such channel.
    """
    if isinstance(channel, str):
        known = [each.strip().casefold() for each in names]
        if known.count(channel.strip().casefold()) == 1:
            return known.index(channel.strip().casefold())
    elif channel < n:
        return int(channel)
    called = (
        f", called {', '.join(names)}" if any(names) else ", which have no names" if n > 1 else ""
    )
    hint = did_you_mean(channel, filter(None, names))
    raise ImageError(
        f"{name}: has no channel {channel!r}; it has {n}{called}{hint and f'. {hint}'}"
    )


def pick_channel(samples: Array, channel: Channel, names: Sequence[str], name: str) -> Array:
    """Return one channel of an image, (H, W)."""
    bands = samples[..., np.newaxis] if samples.ndim == 2 else samples
    n = bands.shape[2]
    known = names if len(names) == n else _NAMES.get(n, ())
    return np.ascontiguousarray(bands[..., channel_number(channel, n, known, name)])

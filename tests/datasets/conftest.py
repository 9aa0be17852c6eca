"""Reading one file as a user does."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nucrec.datasets import ImageFiles, Quarantined


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., np.ndarray]:
    """Return what a data set holds of a file of these bytes."""

    def image(data: bytes, name: str = "a.png") -> np.ndarray:
        (tmp_path / name).write_bytes(data)
        (part,) = ImageFiles(tmp_path, [name]).parts(1)
        assert not part.quarantined, part.quarantined
        return part.images[0]

    return image


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[..., str]:
    """Return why a file of these bytes is left out."""

    def reason(data: bytes, name: str = "a.png") -> str:
        (tmp_path / name).write_bytes(data)
        (part,) = ImageFiles(tmp_path, [name]).parts(1)
        assert not len(part)
        assert isinstance(part.quarantined[0], Quarantined)
        assert part.quarantined[0].name == name
        return part.quarantined[0].reason

    return reason

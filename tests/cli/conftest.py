"""Images for the commands."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def images(tmp_path) -> Path:
    """A folder of two classes, 10 images of 12 x 12 pixels each."""
    rng = np.random.default_rng(0)
    for k, name in enumerate(("nucleus", "micronucleus")):
        (tmp_path / "cells" / name).mkdir(parents=True)
        for i in range(10):
            values = rng.integers(0, 60, (12, 12)) + 150 * k
            Image.fromarray(values.astype(np.uint8)).save(tmp_path / "cells" / name / f"{i}.png")
    return tmp_path / "cells"

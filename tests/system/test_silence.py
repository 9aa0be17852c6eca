"""TensorFlow says nothing on standard error: where it starts here, in children, and afterwards."""

import subprocess
import sys

import pytest

SCRIPT = """
import os
import numpy as np
from nucrec.datasets import load_mnfinder_crops
from nucrec.models import Embeddings, cnn, cross_validate
crops = load_mnfinder_crops()[::12]
Embeddings("mobilenet-v3-large", weights=None, image_size=32).fit_transform(crops[:1])
for _ in crops.stream(16, 8, shuffle=False):  # TensorFlow notes the end of its input as a warning
    pass
network = cnn(image_size=16, epochs=1, random_state=0)
found = cross_validate({"network": network}, crops, n_splits=2, random_state=0, n_jobs=1)
assert found["network"].status == "ok", found
assert not {"TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS"} & set(os.environ)
"""


@pytest.mark.slow
def test_the_library_and_its_children_are_silent(plain_environment, tmp_path):
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        env=plain_environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert (result.stdout, result.stderr) == ("", "")

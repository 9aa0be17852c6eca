"""What of a training part is in a test part."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.audit.planted import turned

from nucrec.audit import leakage
from nucrec.augment import paper_pipeline
from nucrec.datasets import ImageDataset, split
from nucrec.errors import InvalidParameterError, LeakageWarning


def test_honest_split_has_no_leak(crops):
    found = leakage(*split(crops[::6], by="group", random_state=0))
    assert found.leaked == found.twins == found.shared_groups == found.shared_parents == 0
    assert found.share == 0
    assert "no leak was found" in str(found)


def test_augmenting_before_the_split_leaks(crops):
    enlarged = paper_pipeline(random_state=0).expand(crops[1148:1188], copies=4)
    with pytest.warns(LeakageWarning):
        train, test = split(enlarged, by="image", random_state=0)
    found = leakage(train, test, min_overlap=1)
    shared = np.isin(test.parents, train.parents)
    assert found.shared_parents == shared.sum() > 0.9 * len(test)
    assert found.leaked >= found.shared_parents
    assert found.share > 0.9
    assert "the same original in training" in str(found)


def test_twins_are_found_whatever_they_are_called(crops):
    train = ImageDataset(list(crops[:30].images), crops.labels[:30])
    test = ImageDataset([turned(crops.images[3], 2), crops.images[200]], [0, 1])
    found = leakage(train, test)
    assert (found.twins, found.shared_parents, found.shared_groups, found.leaked) == (1, 0, 0, 1)
    assert [(pair.a, pair.b, pair.kind) for pair in found.pairs] == [("3", "0", "turned")]
    assert json.loads(json.dumps(found.to_dict()))["pairs"][0]["kind"] == "turned"


def test_stated_groups_and_parents_count(crops):
    train = ImageDataset([crops.images[0]], [0], ids=["a"], groups=["slide 1"])
    test = ImageDataset(
        [crops.images[100], crops.images[300]],
        [0, 0],
        ids=["b", "c"],
        groups=["slide 1", "slide 2"],
        parents=["b", "a"],
    )
    found = leakage(train, test)
    assert (found.twins, found.shared_parents, found.shared_groups, found.leaked) == (0, 1, 1, 2)


def test_bad_parts(crops):
    with pytest.raises(InvalidParameterError, match="test"):
        leakage(crops[:3], crops[:0])
    with pytest.raises(InvalidParameterError, match="train"):
        leakage([1], crops[:3])


@pytest.mark.slow
def test_labels_drawn_by_coin_are_learned_only_by_leaking(tmp_path):
    example = Path(__file__).parents[2] / "examples" / "leakage.py"
    told = subprocess.run(
        [sys.executable, example], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = re.findall(r"accuracy (\S+) \((\S+) to ([\d.]+)\)", told.stdout)
    (_, leaked_low, _), (_, low, high) = [[float(number) for number in each] for each in found]
    assert leaked_low > 0.8
    assert low < 0.5 < high

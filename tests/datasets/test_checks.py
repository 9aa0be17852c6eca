"""What is told before a training: shortcuts in the files, contradicting labels, copies."""

import json
import warnings

import numpy as np
import pytest
from PIL import Image

from nucrec.datasets import (
    ImageDataset,
    check_training_data,
    find_contradictions,
    find_shortcuts,
    folds,
    load_folder,
    split,
)
from nucrec.errors import DataWarning, InvalidParameterError, LeakageWarning
from nucrec.models import classical_zoo, run_zoo


def noise(n, side=12, dtype="uint8", seed=0) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).integers(0, 200, (n, side, side)).astype(dtype))


def save(folder, label, images, ending, **options) -> None:
    (folder / label).mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / label / f"{i}.{ending}", **options)


def found_in(folder) -> dict[str, float]:
    """Return the properties that tell the class, with their accuracy."""
    return {each.name: each.accuracy for each in find_shortcuts(load_folder(folder)) if each.tells}


def test_noise_saved_in_two_depths(tmp_path):
    save(tmp_path, "nucleus", noise(15), "png")
    save(tmp_path, "micronucleus", noise(15, dtype="uint16", seed=1), "png")
    told = found_in(tmp_path)
    assert told["bit depth"] == 1.0
    assert "colour" not in told


def test_noise_saved_in_two_formats_and_colours(tmp_path):
    save(tmp_path, "nucleus", noise(15), "png")
    save(tmp_path, "micronucleus", [np.stack([i] * 3, 2) for i in noise(15, seed=1)], "bmp")
    told = found_in(tmp_path)
    assert told["file format"] == told["colour"] == 1.0


def test_noise_saved_with_two_qualities_and_compressions(tmp_path):
    save(tmp_path / "a", "nucleus", noise(15, 40), "jpg", quality=95)
    save(tmp_path / "a", "micronucleus", noise(15, 40, seed=1), "jpg", quality=50)
    assert set(found_in(tmp_path / "a")) == {"file size", "bytes for each pixel"}
    save(tmp_path / "b", "nucleus", noise(15), "tif", compression="tiff_lzw")
    save(tmp_path / "b", "micronucleus", noise(15, seed=1), "tif")
    assert found_in(tmp_path / "b")["file format"] == 1.0


def test_noise_cut_in_two_sizes():
    images = [image[: 20 + i % 9 + 10 * (i // 30)] for i, image in enumerate(noise(60, 40))]
    shortcuts = find_shortcuts(ImageDataset(images, [0] * 30 + [1] * 30))
    assert [each.name for each in shortcuts if each.tells] == ["height"]
    assert shortcuts[0].usual == {"nucleus": "23.5", "micronucleus": "34"}
    assert len(shortcuts) == 4


def test_accuracy_by_hand():
    # 3 of 4 and 4 of 4 in their class's size; each is guessed by the others
    images = [np.full((4 + (i in (0, 1, 2)), 5), i, np.uint8) for i in range(8)]
    dataset = ImageDataset(images, [0, 0, 0, 0, 1, 1, 1, 1])
    assert find_shortcuts(dataset)[0].accuracy == pytest.approx((3 / 4 + 4 / 4) / 2)
    assert not find_shortcuts(dataset)[0].tells  # too few to say so


def test_chance_tells_nothing(crops):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        images = [image[: rng.integers(6, 12), : rng.integers(6, 12)] for image in noise(40)]
        shortcuts = find_shortcuts(ImageDataset(images, rng.permutation([0, 1] * 20)))
        assert not any(each.tells for each in shortcuts)
        assert shortcuts.chance == 0.5
    assert not any(each.tells for each in find_shortcuts(crops))


def test_a_table_and_plain_values(crops):
    shortcuts = find_shortcuts(crops)
    assert len(shortcuts) == len(list(shortcuts)) == 7
    assert str(shortcuts).splitlines()[0].split() == [
        "property",
        "accuracy",
        "nucleus",
        "micronucleus",
    ]
    found = json.loads(json.dumps(shortcuts.to_dict()))
    assert found["properties"][0]["name"] == shortcuts[0].name
    assert shortcuts[:2] == tuple(shortcuts)[:2]


@pytest.fixture
def telling() -> ImageDataset:
    images = [*noise(20), *noise(20, dtype="uint16", seed=1)]
    return ImageDataset(images, [0] * 20 + [1] * 20)


@pytest.mark.parametrize(
    "use",
    [
        lambda data: split(data, random_state=0),
        lambda data: folds(data, 2, random_state=0),
        lambda data: run_zoo({"GNB": classical_zoo()["GNB"]}, data[::2], data[1::2]),
        check_training_data,
    ],
    ids=["split", "folds", "run_zoo", "check_training_data"],
)
def test_shortcuts_are_warned_of(use, telling):
    with pytest.warns(LeakageWarning, match="the bit depth of the files alone tells") as caught:
        use(telling)
    assert {w.filename for w in caught} == {__file__}
    assert len(caught) == 1


def test_contradictions_are_warned_of(crops):
    images = [*crops.images[:6], crops.images[0], crops.images[0], crops.images[1]]
    dataset = ImageDataset(images, [0, 0, 0, 1, 1, 1, 1, 0, 0])
    assert find_contradictions(dataset) == [("0", "6", "7")]
    message = "images with the same pixels have different labels: 0 and 6 and 7"
    for use in (split, check_training_data):
        with pytest.warns(DataWarning, match=message):
            use(dataset)
    assert find_contradictions(dataset[:6]) == []


def test_good_data_are_passed_without_a_word(crops):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_training_data(crops)
        check_training_data(*split(crops, random_state=0))
        check_training_data(crops[:0])


def test_only_data_sets(crops):
    for use in (find_shortcuts, find_contradictions, check_training_data):
        with pytest.raises(InvalidParameterError, match="expected an ImageDataset"):
            use(list(crops.images))
    with pytest.raises(InvalidParameterError, match="expected an ImageDataset with images"):
        find_shortcuts(crops[:0])

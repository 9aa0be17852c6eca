"""Checks of arguments: what passes, what does not, and what they say."""

import numpy as np
import pytest

from nucrec.assay import summarize
from nucrec.augment import Noise, Pipeline, Rotate
from nucrec.datasets import ImageDataset, load_mnfinder_crops, split
from nucrec.errors import InvalidParameterError, NucrecError
from nucrec.evaluate import report
from nucrec.fields import FieldSet


@pytest.fixture(scope="module")
def images() -> ImageDataset:
    pixels = np.repeat(np.arange(8, dtype=np.uint8), 36).reshape(8, 6, 6)
    return ImageDataset(pixels, np.arange(8) % 2)


def test_a_message_says_parameter_expected_received_and_what_to_do():
    with pytest.raises(InvalidParameterError) as caught:
        Pipeline([Noise(0.1)])(np.zeros((4, 4)))
    assert str(caught.value) == (
        "images: expected a batch: (n, H, W), (n, H, W, C) or a list of images. "
        "Received: 'shape (4, 4)'. For one image pass [image]."
    )
    assert isinstance(caught.value, NucrecError)
    assert isinstance(caught.value, ValueError)


def test_long_values_are_shortened():
    with pytest.raises(InvalidParameterError, match=r"Received: \[0, 1, .*\.\.\.\.$") as caught:
        Pipeline(list(range(1000)))
    assert len(str(caught.value)) < 160


def test_numbers_of_numpy_are_numbers(images):
    expected = images.to_array(4, n_jobs=1)
    for size in (np.int8(4), [np.int64(4), 4], (4, np.uint8(4))):
        np.testing.assert_array_equal(images.to_array(size, n_jobs=np.int8(1)), expected)
    assert len(split(images, np.float32(0.5), random_state=np.uint32(0))[1]) == 4


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "1"])
def test_whole_numbers(images, value):
    with pytest.raises(InvalidParameterError, match="^n_jobs: expected a whole number of at least"):
        images.to_array(4, n_jobs=value)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), True, "1", None])
def test_numbers_in_a_range(value):
    with pytest.raises(InvalidParameterError, match="^p: expected a number between 0 and 1"):
        Rotate(10, p=value)


@pytest.mark.parametrize("value", [0, 1, -0.1, 2, float("nan"), True, None])
def test_numbers_strictly_in_a_range(value):
    with pytest.raises(InvalidParameterError, match="^confidence: expected a number strictly betw"):
        report([0, 1], [0, 1], confidence=value)


@pytest.mark.parametrize("value", ["some", ["all"], None, 1])
def test_choices(value):
    with pytest.raises(InvalidParameterError, match="^subset: expected one of 'paper', 'all'"):
        load_mnfinder_crops(value)


@pytest.mark.parametrize(
    ("value", "question"),
    [
        ("papers", "Received: 'papers'. Did you mean 'paper'?"),
        ("ALL", "Received: 'ALL'. Did you mean 'all'?"),
        ("micronuclei", "Received: 'micronuclei'."),
        (3, "Received: 3."),
    ],
)
def test_a_misspelt_choice_is_answered_with_a_question(value, question):
    with pytest.raises(InvalidParameterError) as caught:
        load_mnfinder_crops(value)
    assert str(caught.value) == f"subset: expected one of 'paper', 'all'. {question}"


@pytest.mark.parametrize("value", [-1, 2**32, 0.5, True, "0"])
def test_seeds(value):
    with pytest.raises(InvalidParameterError, match="^random_state: expected a whole number"):
        Pipeline([Rotate(10)], random_state=value)


def test_without_a_seed_one_is_drawn():
    image = np.random.default_rng(0).integers(0, 255, (1, 20, 20), dtype=np.uint8)
    first, second = (Pipeline([Rotate((-180, 180))])(image) for _ in range(2))
    assert (first != second).any()


@pytest.mark.parametrize("value", [(1,), (1, 2, 3), 0, "64", 1 << 20])
def test_sizes(images, value):
    with pytest.raises(InvalidParameterError, match="^size: expected"):
        images.to_array(value)


def test_values_that_are_not_finite():
    scores = np.array([[0.5, 0.5], [np.nan, -np.inf]])
    with pytest.raises(
        InvalidParameterError,
        match="^y_score: expected finite values. Received: 2 NaN or infinite of 4. Remove",
    ):
        report([0, 1], [0, 1], scores)


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_missing_values(missing):
    with pytest.raises(
        InvalidParameterError, match="^groups: expected a value for each image. Received: '1 None"
    ):
        report([0, 1, 1], [0, 1, 1], groups=np.array(["a", missing, "b"], object))


MASKED = np.ma.array([0.25, 0.75, 0.5], mask=[False, True, False])


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("y_pred", lambda masked: report([0, 1, 1], masked > 0.5)),
        ("y_score", lambda masked: report([0, 1, 1], [0, 1, 1], masked)),
        ("groups", lambda masked: report([0, 1, 1], [0, 1, 1], groups=masked)),
        ("groups", lambda masked: ImageDataset(np.zeros((3, 4, 4)), [0, 1, 1], groups=masked)),
        ("cells", lambda masked: summarize({"well": list("abc"), "n_micronuclei": masked})),
        ("images", lambda masked: FieldSet.from_arrays([np.ma.outer(masked, masked)])),
    ],
)
def test_masked_values_are_not_taken_for_ordinary_ones(name, use):
    with pytest.raises(InvalidParameterError, match=rf"^{name}.*without masked values"):
        use(MASKED)


def test_masked_arrays_without_a_masked_value_are_arrays():
    assert report([0, 1, 1], [0, 1, 1], np.ma.array(MASKED.data)).auc.value == 1


@pytest.mark.parametrize("name", ["NA", "NaT"])
def test_missing_values_of_pandas_are_no_classes_and_no_groups(name):
    pandas = pytest.importorskip("pandas")
    column = pandas.Series(["a", getattr(pandas, name), "b"], dtype=object)
    with pytest.raises(InvalidParameterError, match="^groups: .*Received: '1 None or NaN'"):
        report([0, 1, 1], [0, 1, 1], groups=column)
    with pytest.raises(InvalidParameterError, match="^y_true: .*Received: '1 None or NaN'"):
        report(column, [0, 1, 1])
    with pytest.raises(InvalidParameterError, match="^labels: expected whole numbers"):
        ImageDataset(np.zeros((3, 4, 4)), column)
    assay = summarize(
        {"cell_id": [1, 2, 3], "well": list("ABC"), "n_micronuclei": [0, 1, 2], "condition": column}
    )
    assert [each.name for each in assay.conditions] == ["a", "b"]

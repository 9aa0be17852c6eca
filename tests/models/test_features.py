"""Pixels as features, under scikit-learn's own estimator checks."""

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from nucrec.datasets import ImageDataset
from nucrec.errors import DataWarning, InvalidParameterError, LeakageWarning
from nucrec.models import PixelFeatures


@parametrize_with_checks([PixelFeatures(), PixelFeatures(size=3, channels=3)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_data_set_arrays_and_lists_are_the_same(crops):
    part = crops[:6]
    expected = part.to_array(32, 1, "float32").reshape(6, -1)
    features = PixelFeatures().fit(part)
    assert features.n_features_in_ == 1024
    np.testing.assert_array_equal(features.transform(part), expected)
    np.testing.assert_array_equal(features.transform(list(part.images)), expected)
    stacked = part.to_array(50)
    same = ImageDataset(list(stacked), part.labels).to_array(32, 1, "float32").reshape(6, -1)
    np.testing.assert_array_equal(features.transform(stacked), same)
    np.testing.assert_array_equal(features.transform(stacked[..., 0]), same)


def test_rows_are_passed_on(crops):
    features = PixelFeatures(size=4).fit(crops)
    rows = features.transform(crops)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(features.transform(rows), rows)
    with pytest.raises(ValueError, match="16 features"):
        features.transform(rows[:, :3])


def test_fitted_on_rows_of_another_length_refuses_images(crops):
    features = PixelFeatures(size=4).fit(np.zeros((3, 5)))
    with pytest.raises(ValueError, match="was fitted on rows of 5 numbers"):
        features.transform(crops)


def test_colour(random_image):
    images = [random_image((20, 20, 4)), random_image((9, 9))]
    assert PixelFeatures(size=5, channels=3).fit_transform(images).shape == (2, 75)


def test_16_bit_is_scaled_by_percentiles(random_image):
    image = random_image((32, 32), "uint16") // 64
    row = PixelFeatures().fit_transform([image])
    assert (row.min(), row.max()) == (0, 1)


@pytest.mark.parametrize("options", [{"size": 0}, {"size": 1.5}, {"channels": 2}])
def test_parameters_are_checked_when_fitting(options, crops):
    with pytest.raises(InvalidParameterError, match=f"^{next(iter(options))}: expected"):
        PixelFeatures(**options).fit(crops)


def test_cross_validation_with_a_data_set(crops):
    model = make_pipeline(PixelFeatures(size=8), GaussianNB())
    by_array = cross_val_score(model, crops.to_array(8), crops.labels, cv=3)
    np.testing.assert_array_equal(cross_val_score(model, crops, crops.labels, cv=3), by_array)
    lazy = PixelFeatures(size=8).fit_transform(crops.images)
    np.testing.assert_array_equal(lazy, PixelFeatures(size=8).fit_transform(crops))
    objects = np.empty(3, dtype=object)
    objects[:] = list(crops.images[:3])
    np.testing.assert_array_equal(PixelFeatures(size=8).fit_transform(objects), lazy[:3])


def test_cross_validation_with_images(crops):
    model = make_pipeline(PixelFeatures(size=8), GaussianNB())
    scores = cross_val_score(model, crops.to_array(32), crops.labels, cv=3)
    assert scores.shape == (3,)
    assert (scores > 0.3).all()


def test_a_pipeline_warns_of_shortcuts_and_contradictions_and_refuses_one_class(crops):
    model = make_pipeline(PixelFeatures(4), GaussianNB())
    labels = np.arange(60) % 2
    deep = [
        image.astype(np.uint16) * 16 if label else image
        for image, label in zip(crops[:60].images, labels, strict=True)
    ]
    with pytest.warns(LeakageWarning, match="bit depth of the files alone tells the classes"):
        model.fit(deep, labels)
    twice = [*crops[:60].images, crops.images[0]]
    with pytest.warns(DataWarning, match="same pixels have different labels: 0 and 60"):
        model.fit(twice, [*labels, 1])
    for one in (np.ones(306, int), ["nucleus"] * 306):
        with pytest.raises(
            InvalidParameterError, match="y: expected images of at least two classes"
        ):
            model.fit(crops, one)
    rows = PixelFeatures(4).fit(crops).transform(crops)
    assert model.fit(rows, np.ones(306, int)).predict(rows).all()  # rows are scikit-learn's matter
    assert PixelFeatures(4).fit(crops, np.linspace(0, 1, 306)).n_features_in_ == 16


@pytest.mark.parametrize(
    ("y", "told"),
    [
        (["a", "b", None], "a value for each image"),
        (["mn", "a", "MN"], "one spelling of each class.*'mn' and 'MN'"),
        (["a", "b", "none"], "a class for each image"),
    ],
)
def test_missing_classes_and_several_spellings_are_refused(y, told, crops):
    with pytest.raises(InvalidParameterError, match=f"^y: expected {told}"):
        PixelFeatures(4).fit_transform(list(crops[:3].images), y)

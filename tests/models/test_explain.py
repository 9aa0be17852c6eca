"""What a network looks at: gradients by hand, planted spots, annotated micronuclei."""

import pickle

import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.exceptions import NotFittedError
from tests.models.small import convolution, noise, plainly

from nucrec.datasets import ImageDataset, load_mnfinder_crops, split
from nucrec.errors import InvalidParameterError, NucrecError
from nucrec.models import Explanation, ImageClassifier, cnn, load, transfer

SIZE = 48


def spots(n: int, seed: int) -> tuple[ImageDataset, np.ndarray]:
    """Return noise with 36 bright pixels: a bar, or a spot in each second image; and the spots' (x, y).

    Both classes have the same intensities. With scattered pixels in place of bars, networks learn that
    nothing is scattered, and look at the background of images with a spot.
    """
    rng = np.random.default_rng(seed)
    images = rng.normal(60, 12, (n, SIZE, SIZE))
    corners = rng.integers(2, SIZE - 8, (n, 2))
    for i, (x, y) in enumerate(corners):
        if i % 2:
            images[i, y : y + 6, x : x + 6] += 110
        else:
            left = rng.integers(0, SIZE - 18)
            images[i, y : y + 2, left : left + 18] += 110
    dataset = ImageDataset(np.clip(images, 0, 255).astype(np.uint8), np.arange(n) % 2)
    return dataset, corners + 3


@pytest.fixture(scope="module")
def fitted() -> ImageClassifier:
    train, _ = spots(96, 0)
    options = {"epochs": 10, "batch_size": 16, "augment": None, "random_state": 0}
    return cnn(image_size=SIZE, **options).fit(train)


def hottest(heat: np.ndarray) -> tuple[int, int]:
    """Return (x, y) of the maximum."""
    y, x = np.unravel_index(heat.argmax(), heat.shape)
    return int(x), int(y)


def test_heat_is_where_the_spot_was_planted(fitted):
    images, places = spots(60, 1)
    with_spot, places = images[1::2], places[1::2]
    assert fitted.score(images) > 0.9
    heat = fitted.explain(with_spot, "micronucleus").heat
    found = np.array([hottest(each) for each in heat])
    distance = np.hypot(*(found - places).T)
    rng = np.random.default_rng(2)
    anywhere = rng.integers(0, SIZE, (1000, len(places), 2))
    chance = np.hypot(*(anywhere - places).transpose(2, 0, 1)).mean()
    assert distance.mean() < chance / 2
    assert (distance < 10).mean() > 0.8  # a place of the 6 x 6 is 8 pixels wide


def test_heat_is_that_of_gradients_by_hand(fitted):
    """The weights of the maps are differences of the score when a map changes everywhere a little."""
    # images as large as the maps, so that nothing is interpolated: 6 x 6 is what three halvings leave
    images = np.random.default_rng(3).integers(0, 256, (3, 6, 6), dtype=np.uint8)
    pixels = ImageDataset(images, [0, 1, 0]).to_array(SIZE, 1)
    body = fitted.model_.get_layer("backbone")
    scaled = keras.Model(fitted.model_.input, fitted.model_.get_layer("preprocess").output)
    to_maps = keras.Model(body.input, body.get_layer("block3a_relu").output)
    after = keras.Sequential(body.layers[body.layers.index(body.get_layer("block3a_relu")) + 1 :])
    maps = to_maps.predict_on_batch(scaled.predict_on_batch(pixels)).astype(float)
    kernel, bias = fitted.model_.get_layer("classes").get_weights()

    def score(maps: np.ndarray) -> np.ndarray:
        means = after(maps.astype(np.float32)).numpy().mean((1, 2), dtype=float)
        return means @ kernel[:, 1] + bias[1]

    step = 1e-2
    weights = np.empty((3, maps.shape[-1]))
    for channel in range(maps.shape[-1]):
        change = np.zeros(maps.shape[-1])
        change[channel] = step
        weights[:, channel] = (score(maps + change) - score(maps - change)) / (2 * step)
    expected = np.maximum(np.einsum("nhwc,nc->nhw", maps, weights), 0)
    heat = fitted.explain(images, 1).heat
    assert heat.any(axis=(1, 2)).sum() >= 2
    for own, theirs in zip(heat, expected, strict=True):
        np.testing.assert_allclose(own, theirs / max(theirs.max(), 1e-9), atol=0.03)


@pytest.fixture(scope="module")
def shallow() -> ImageClassifier:
    """One convolution: the last maps have 7 x 7 places."""
    return plainly(convolution(), epochs=2, learning_rate=0.01).fit(noise(40))


def test_of_the_last_maps_it_is_the_class_activation_map(shallow):
    """The last maps of all have gradients that are the weights of the class: Zhou et al., 2016."""
    images = np.random.default_rng(0).integers(0, 256, (9, 7, 7), dtype=np.uint8)
    pixels = ImageDataset(images, np.zeros(9, int)).to_array(16, 3)
    maps = shallow.model_.get_layer("backbone").predict_on_batch(pixels.astype(np.float32))
    assert maps.shape == (9, 7, 7, 4)
    kernel, _ = shallow.model_.get_layer("classes").get_weights()
    for target in range(3):
        expected = np.maximum(maps @ kernel[:, target], 0)
        found = shallow.explain(images, target)
        highest = expected.max(axis=(1, 2), keepdims=True)
        np.testing.assert_allclose(found.heat, expected / np.maximum(highest, 1e-9), atol=1e-4)
        np.testing.assert_allclose(found.probabilities, shallow.predict_proba(images), atol=1e-5)
    assert {int(heat.any()) for heat in shallow.explain(images, 0).heat} <= {0, 1}


def test_maps_with_too_few_places_are_passed_over():
    """Of 16, 8 and 4 places along a side, heat is of the 8; where all have too few, of the first."""

    def halving(start: int) -> keras.Model:
        x = images = keras.Input((16, 16, 3))
        if start > 1:
            x = keras.layers.AveragePooling2D(start)(x)
        for filters in (3, 4):
            begin = keras.initializers.GlorotUniform(seed=filters)
            x = keras.layers.Conv2D(
                filters, 3, padding="same", activation="tanh", kernel_initializer=begin
            )(x)
            x = keras.layers.AveragePooling2D(2)(x)
        return keras.Model(images, x)

    large = np.random.default_rng(1).integers(0, 256, (12, 64, 64), dtype=np.uint8)
    for start, places in ((1, 8), (4, 4)):
        model = plainly(halving(start), epochs=1).fit(noise(20))
        heats = np.concatenate([model.explain(large, target).heat for target in range(3)])
        # interpolated from so many places, a heat has no higher rank
        rank = max(np.linalg.matrix_rank(heat, tol=1e-3) for heat in heats)
        assert places // 2 < rank <= places


def test_targets_and_probabilities(fitted):
    images, _ = spots(10, 5)
    found = fitted.explain(images)
    probabilities = fitted.predict_proba(images)
    np.testing.assert_allclose(found.probabilities, probabilities, atol=1e-6)
    assert found.targets == tuple(np.array(fitted.class_names_)[probabilities.argmax(axis=1)])
    assert set(found.targets) == {"nucleus", "micronucleus"}
    by_name, by_number = fitted.explain(images, "nucleus"), fitted.explain(images, np.int64(0))
    np.testing.assert_array_equal(by_name.heat, by_number.heat)
    assert by_name.targets == ("nucleus",) * 10
    is_nucleus = np.array(found.targets) == "nucleus"
    np.testing.assert_allclose(found.heat[is_nucleus], by_name.heat[is_nucleus], atol=1e-6)
    assert np.abs(found.heat[~is_nucleus] - by_name.heat[~is_nucleus]).max() > 0.5


def test_batches_do_not_matter(fitted):
    images, _ = spots(9, 6)
    whole = fitted.explain(images, "micronucleus")
    parts = fitted.explain(images, "micronucleus", batch_size=4)
    np.testing.assert_allclose(parts.heat, whole.heat, atol=1e-4)


def test_images_of_several_sizes_and_kinds(fitted):
    images, _ = spots(4, 7)
    wide = np.kron(images.images[1], np.ones((1, 2), np.uint8))
    colour = np.repeat(images.images[3][..., None], 3, axis=2)
    deep = images.images[3].astype(np.uint16) * 257
    found = fitted.explain([wide, colour, deep], "micronucleus")
    assert isinstance(found.heat, list)
    assert [heat.shape for heat in found.heat] == [(48, 96), (48, 48), (48, 48)]
    assert all(heat.dtype == np.float32 for heat in found.heat)
    assert [picture.shape for picture in found.overlay()] == [(48, 96, 3), (48, 48, 3), (48, 48, 3)]
    x, y = hottest(fitted.explain(images[1:2], "micronucleus").heat[0])
    assert np.hypot(*np.subtract(hottest(found.heat[0]), (2 * x, y))) < 8


def test_nothing_that_speaks_for_a_class_is_no_heat(shallow):
    altered = pickle.loads(pickle.dumps(shallow))
    layer = altered.model_.get_layer("classes")
    kernel, bias = layer.get_weights()
    layer.set_weights([np.zeros_like(kernel), bias])
    images = noise(2, seed=8)
    found = altered.explain(images)
    np.testing.assert_array_equal(found.heat, np.zeros((2, 16, 16), np.float32))
    grey = np.repeat(images.to_array(channels=1), 3, axis=3)
    np.testing.assert_array_equal(found.overlay(), grey)


def test_saved_loaded_pickled_and_calibrated_networks_agree(fitted, tmp_path):
    images, _ = spots(20, 9)
    expected = fitted.explain(images, "micronucleus")
    fitted.save(tmp_path / "model.keras")
    again = load(tmp_path / "model.keras")
    np.testing.assert_allclose(again.explain(images, 1).heat, expected.heat, atol=1e-4)
    copied = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_allclose(copied.explain(images, 1).heat, expected.heat, atol=1e-4)
    one_mistake = np.where(np.arange(20) == 0, 1 - images.labels, images.labels)
    again.calibrate(list(images.images), again.classes_[one_mistake])
    calibrated = again.explain(images, "micronucleus")
    np.testing.assert_allclose(calibrated.heat, expected.heat, atol=1e-4)
    np.testing.assert_allclose(calibrated.probabilities, again.predict_proba(images), atol=1e-6)
    assert np.abs(calibrated.probabilities - expected.probabilities).max() > 1e-4


def test_bfloat16_looks_at_the_same_places():
    heats = []
    for precision in ("float32", "bfloat16"):
        options = {"epochs": 1, "learning_rate": 1e-20, "precision": precision}
        model = plainly(convolution(), **options).fit(noise(20))
        heats.append(model.explain(noise(6, seed=10), 0).heat)
        assert heats[-1].dtype == np.float32
    assert heats[0].any()
    for full, half in zip(*heats, strict=True):
        assert not np.array_equal(full, half) or not full.any()
        assert not full.any() or np.corrcoef(full.ravel(), half.ravel())[0, 1] > 0.99


@pytest.mark.slow
def test_heat_is_at_annotated_micronuclei():
    train, _ = split(load_mnfinder_crops(), random_state=0)
    model = transfer(mode="features", image_size=96, epochs=30, random_state=0).fit(train)
    others = load_mnfinder_crops("all")
    new = others[~np.isin(others.groups, train.groups)]
    shown = new[new.labels == 1][::8]
    places = [
        np.array(xy) / side
        for xy, side in zip(shown.metadata["micronuclei_xy"], shown.metadata["side"], strict=True)
    ]
    heat = model.explain(shown, "micronucleus").heat
    centres = np.array([centre_of_mass(each) for each in heat])
    # of each centre from the nearest micronucleus of each image
    distance = np.array([[np.hypot(*(xy - centre).T).min() for xy in places] for centre in centres])
    rng = np.random.default_rng(0)
    own = np.diag(distance).mean()
    n = len(shown)
    elsewhere = [distance[np.arange(n), rng.permutation(n)].mean() for _ in range(999)]
    assert own < min(elsewhere)


def centre_of_mass(heat: np.ndarray) -> tuple[float, float]:
    """Return (x, y) as shares of the width and the height; the middle where there is no heat."""
    if not heat.any():
        return 0.5, 0.5
    height, width = heat.shape
    x = (heat.sum(axis=0) * (np.arange(width) + 0.5)).sum() / heat.sum() / width
    y = (heat.sum(axis=1) * (np.arange(height) + 0.5)).sum() / heat.sum() / height
    return float(x), float(y)


def test_overlay(fitted):
    images, _ = spots(2, 11)
    found = fitted.explain(images, "micronucleus")
    whole = found.overlay()
    assert whole.shape == (2, SIZE, SIZE, 3)
    assert whole.dtype == np.uint8
    np.testing.assert_array_equal(found.overlay(1), whole[1])
    x, y = hottest(found.heat[1])
    grey = float(images.images[1][y, x])
    expected = 0.4 * grey + 0.6 * np.array([252, 255, 164])  # the brightest of the colours
    np.testing.assert_allclose(whole[1][y, x], expected, atol=1)
    for wrong in (2, -1, "a", True):
        with pytest.raises(InvalidParameterError, match="k: expected"):
            found.overlay(wrong)
    with pytest.raises(InvalidParameterError, match="opacity"):
        found.overlay(opacity=2)


def test_colours_are_those_of_matplotlib_and_rise_in_lightness():
    matplotlib = pytest.importorskip("matplotlib")
    heat = np.linspace(0, 1, 64, dtype=np.float32)[np.newaxis]
    black = ImageDataset(np.zeros((1, 1, 64), np.uint8), [0])
    made = Explanation(heat[np.newaxis], ("a",), np.ones((1, 2)), black.images, black.ids)
    picture = made.overlay(0, opacity=1)  # the colour of each heat, as opaque as that is high
    colours = matplotlib.colormaps["inferno"](heat[0])[:, :3] * 255
    assert np.abs(picture[0] - colours * heat[0, :, np.newaxis]).max() < 8
    lightness = (picture[0] / 255) ** 2.2 @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness)[3:] > 0).all()


def test_save(fitted, tmp_path):
    images, _ = spots(2, 12)
    named = ImageDataset(images.images, images.labels, ids=["../../well A/<b>.png", "x" * 300])
    found = fitted.explain(named, "micronucleus")
    files = found.save(tmp_path / "new" / "heat")
    assert sorted((tmp_path / "new" / "heat").iterdir()) == files
    assert [file.name[:5] for file in files] == ["00000", "00001"]
    with Image.open(files[1]) as picture:
        beside = np.asarray(picture)
        assert picture.info["dpi"] == pytest.approx((200, 200), abs=0.01)
    width = images.images[1].shape[1]
    grey = np.repeat(images.images[1][..., np.newaxis], 3, axis=2)
    np.testing.assert_array_equal(beside[:, :width], grey)
    assert (beside[:, width : width + 4] == 255).all()
    np.testing.assert_array_equal(beside[:, width + 4 :], found.overlay(1))
    assert found.save(tmp_path / "new" / "heat") == files  # replaced
    (tmp_path / "file").write_text("")
    with pytest.raises(NucrecError, match="cannot write"):
        found.save(tmp_path / "file")


def test_it_is_frozen(fitted):
    found = fitted.explain(spots(2, 13)[0])
    with pytest.raises(AttributeError):
        found.heat = None
    assert repr(found) == "Explanation(2 images)"
    assert len(found) == 2


def test_errors(fitted):
    images, _ = spots(2, 14)
    with pytest.raises(NotFittedError):
        cnn().explain(images)
    for wrong in ("mitosis", 2, -1, 1.5, True):
        with pytest.raises(InvalidParameterError, match="target: expected"):
            fitted.explain(images, wrong)
    with pytest.raises(InvalidParameterError, match="batch_size"):
        fitted.explain(images, batch_size=0)
    for wrong in ([], np.zeros((3, 4)), None):
        with pytest.raises(InvalidParameterError, match="images: expected"):
            fitted.explain(wrong)

"""Networks that a classifier can begin with: those known by name, and those of the user's own."""

import inspect
import pickle
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.base import clone
from tests.models.small import SIDE, Beginning, convolution, noise, plainly, trained_by_keras

from nucrec.__main__ import main
from nucrec.errors import InvalidParameterError
from nucrec.models import Embeddings, ImageClassifier, backbones, load, transfer

ROOT = Path(__file__).parents[2]
TRAIN, TEST = noise(40), noise(20, seed=1)


def test_the_table_of_the_documentation_is_that_of_the_registry():
    text = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| (\d+) \| (.+) \| (\S+) \|$", text, re.MULTILINE)
    assert [(name, int(size), licence) for name, size, _, licence in rows] == [
        (name, entry.image_size, entry.licence) for name, entry in backbones().items()
    ]
    for (*_, source, _), entry in zip(rows, backbones().values(), strict=True):
        is_package = source.startswith("package ")
        assert is_package == entry.weights_from.startswith("installed with the package ")
        assert not is_package or entry.weights_from.endswith(source.split()[-1])


def test_help_and_docstring_name_all_of_them(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    words = set(re.findall(r"[\w-]+", capsys.readouterr().out))
    named = set(re.findall(r'"([\w-]+)"', inspect.getdoc(transfer)))
    assert set(backbones()) <= words & named


def test_each_is_described():
    for name, entry in backbones().items():
        assert entry.name == name
        assert 16 <= entry.min_image_size <= entry.image_size
        assert entry.licence in ("Apache-2.0", "MIT", "BSD-3-Clause")
        assert re.search(r"\d{4}", entry.reference)


def test_a_misspelt_name_is_answered_with_a_question():
    for model in (transfer("resnet5O"), Embeddings("resnet5O")):
        with pytest.raises(InvalidParameterError, match="Did you mean 'resnet50'"):
            model.fit(TRAIN)


@pytest.fixture
def uncompiled():
    """Run what is compiled step by step: compiling a large network takes longer than a few images."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def by_keras(name: str):
    """Return the module of Keras with a network's preprocessing; None for those it does not have."""
    return {
        "inception-resnet-v2": keras.applications.inception_resnet_v2,
        "efficientnet-v2-b0": keras.applications.efficientnet_v2,
        "resnet50": keras.applications.resnet,
        "mobilenet-v3-large": keras.applications.mobilenet_v3,
        "densenet121": keras.applications.densenet,
    }.get(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", backbones())
def test_each_can_be_built_used_and_explained_at_its_smallest_size(name, uncompiled):
    entry = backbones()[name]
    size = entry.min_image_size
    options = {"weights": None, "mode": "features", "recipe": "paper", "epochs": 1}
    model = transfer(name, image_size=size, random_state=0, **options).fit(TRAIN[:4])
    assert model.embed(TEST[:2]).shape == (2, entry.n_features)
    large = np.random.default_rng(0).integers(0, 256, (2, 60, 70), dtype=np.uint8)
    heats = [model.explain(large, target).heat for target in range(3)]
    for heat in heats:
        assert heat.shape == (2, 60, 70)
        assert np.isfinite(heat).all()
        assert heat.min() >= 0
        assert set(heat.max(axis=(1, 2)).tolist()) <= {0.0, 1.0}
    # interpolated from h x w places, a heat has no higher rank than the smaller of the two
    assert max(np.linalg.matrix_rank(heat, tol=1e-3) for heat in np.concatenate(heats)) >= 6
    if by_keras(name):
        network = model.model_
        taken = network.operations[network.operations.index(network.get_layer("backbone")) - 1]
        pixels = np.random.default_rng(1).integers(0, 256, (2, size, size, 1)).astype("float32")
        found = keras.Model(network.input, taken.output)(pixels)
        expected = by_keras(name).preprocess_input(np.repeat(pixels, 3, axis=3))
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.fixture(scope="module")
def own() -> keras.Model:
    return convolution()


@pytest.fixture(scope="module")
def fitted(own) -> ImageClassifier:
    return plainly(own, epochs=2, learning_rate=0.01).fit(TRAIN, validation=TEST)


def test_a_network_of_ones_own_is_never_changed(own, fitted):
    for weights, before in zip(own.get_weights(), convolution().get_weights(), strict=True):
        np.testing.assert_array_equal(weights, before)
    assert own.trainable
    trained = fitted.model_.get_layer("backbone").get_weights()
    assert not np.array_equal(trained[0], own.get_weights()[0])


def test_clones_share_it(own, fitted):
    again = clone(fitted)
    assert again.backbone is own
    assert again.get_params() == fitted.get_params()
    np.testing.assert_allclose(
        again.fit(TRAIN).predict_proba(TEST), fitted.predict_proba(TEST), atol=1e-6
    )


def test_saved_and_loaded_it_predicts_the_same(own, fitted, tmp_path):
    fitted.save(tmp_path / "own.keras")
    again = load(tmp_path / "own.keras")
    np.testing.assert_array_equal(again.predict_proba(TEST), fitted.predict_proba(TEST))
    np.testing.assert_allclose(
        again.explain(TEST, "b").heat, fitted.explain(TEST, "b").heat, atol=1e-5
    )
    assert again.backbone == own.name
    with pytest.raises(InvalidParameterError, match="backbone: expected one of .* pass it again"):
        again.fit(TRAIN)  # a file holds the network, and not what it began as
    again.set_params(backbone=own).fit(TRAIN)
    copied = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copied.predict_proba(TEST), fitted.predict_proba(TEST))


def test_a_network_of_ones_own_is_not_taken_for_one_of_its_name(tmp_path):
    images = keras.Input((SIDE, SIDE, 3))
    named = keras.Model(images, keras.layers.Conv2D(3, 3)(images), name="resnet50")
    plainly(named, epochs=1).fit(TRAIN).save(tmp_path / "own.keras")
    again = load(tmp_path / "own.keras")
    assert again.backbone == "own resnet50"
    with pytest.raises(InvalidParameterError, match="Received: 'own resnet50'.* pass it again"):
        again.fit(TRAIN)


def function(size: int) -> keras.Model:
    """Return a network for images of a size, with arithmetic on tensors and weights like no other."""
    images = keras.Input((size, size, 3))
    x = keras.layers.Conv2D(3, 3, kernel_initializer="he_normal")(images / 127.5 - 1)
    return keras.Model(images, keras.layers.LeakyReLU()(x))


def test_a_function_gets_the_image_size(tmp_path):
    with pytest.raises(
        InvalidParameterError, match="image_size: expected the size of the backbone"
    ):
        plainly(function, epochs=1).fit(TRAIN)
    model = plainly(function, epochs=1, image_size=20).fit(TRAIN)
    assert model.model_.input_shape == (None, 20, 20, 1)
    model.save(tmp_path / "own.keras")
    again = load(tmp_path / "own.keras")
    np.testing.assert_array_equal(again.predict_proba(TEST), model.predict_proba(TEST))
    assert again.backbone == "function"


@pytest.mark.parametrize("size", [None, SIDE, 24])
def test_networks_for_any_size_take_the_one_that_is_asked_for(size):
    images = keras.Input((None, None, 3))
    own = keras.Model(images, keras.layers.Conv2D(3, 3)(images))
    model = plainly(own, epochs=1, image_size=size)
    if size is None:
        with pytest.raises(InvalidParameterError, match="image_size: expected the size"):
            model.fit(TRAIN)
        return
    model.fit(TRAIN)
    assert model.model_.input_shape == (None, size, size, 1)
    assert model.explain(TEST[:2]).heat.shape == (2, SIDE, SIDE)


def test_a_network_for_one_size_takes_no_other(own):
    with pytest.raises(
        InvalidParameterError, match="image_size: expected 16, the size that the backbone takes"
    ):
        plainly(own, image_size=20).fit(TRAIN)
    with pytest.raises(
        InvalidParameterError, match="image_size: expected 20, the size that the backbone takes"
    ):
        plainly(lambda size: function(20), image_size=16).fit(TRAIN)


def nested() -> keras.Model:
    """Return a network in a network, each with batch normalisation."""
    inner = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            keras.layers.Conv2D(3, 3, name="first"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.ReLU(),
            keras.layers.Conv2D(3, 3, name="second"),
        ]
    )
    images = keras.Input((SIDE, SIDE, 3))
    return keras.Model(images, keras.layers.ReLU()(inner(images)))


def test_networks_within_a_network_are_frozen_and_saved_like_others(tmp_path):
    own = nested()
    model = transfer(own, epochs=1, random_state=0).fit(TRAIN)
    names = [weight.path.split("/")[-2] for weight in own.weights]
    trained = model.model_.get_layer("backbone").get_weights()
    for name, before, after in zip(names, own.get_weights(), trained, strict=True):
        # of six layers, the first two are frozen, and batch normalisation stays as it came
        assert np.array_equal(before, after) == (name != "second"), name
    model.save(tmp_path / "nested.keras")
    again = load(tmp_path / "nested.keras")
    np.testing.assert_array_equal(again.predict_proba(TEST), model.predict_proba(TEST))


def test_penalties_of_layers_count_as_in_keras():
    def penalised() -> keras.Model:
        images = keras.Input((SIDE, SIDE, 3))
        own = convolution()
        x = keras.layers.Conv2D(3, 3, kernel_regularizer=keras.regularizers.L2(0.5))
        network = keras.Model(images, x(own(images)))
        seeded = np.random.default_rng(0)
        network.set_weights([seeded.normal(0, 0.2, w.shape) for w in network.get_weights()])
        return network

    beginning = Beginning()
    options = {"epochs": 3, "batch_size": 16, "learning_rate": 0.01}
    model = plainly(penalised(), callbacks=[beginning], **options).fit(TRAIN)
    expected = trained_by_keras(penalised(), beginning.weights, TRAIN, **options)
    for own, theirs in zip(model.model_.get_weights(), expected, strict=True):
        np.testing.assert_allclose(own, theirs, atol=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_the_precision_is_that_of_the_classifier(policy):
    images = keras.Input((SIDE, SIDE, 3))
    mine = keras.Model(images, keras.layers.Conv2D(3, 3, dtype=policy)(images))
    probabilities = {}
    for precision in ("float32", "bfloat16"):
        model = plainly(mine, epochs=1, learning_rate=1e-20, precision=precision).fit(TRAIN)
        layer = model.model_.get_layer("backbone").layers[-1]
        assert layer.compute_dtype == precision
        assert layer.variable_dtype == "float32"
        probabilities[precision] = model.predict_proba(TEST)
    difference = np.abs(probabilities["float32"] - probabilities["bfloat16"]).max()
    assert 0 < difference < 0.1


class Twice(keras.layers.Layer):
    """A layer that is not Keras's."""

    def call(self, x):
        return x * 2


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (keras.layers.RandomFlip(), "keras.layers.RandomFlip"),
        (keras.layers.Lambda(lambda x: x * 2, output_shape=(SIDE, SIDE, 3)), "keras.layers.Lambda"),
        (Twice(), "tests.models.test_backbones.Twice"),
    ],
    ids=["random", "code", "own"],
)
def test_layers_that_load_refuses_are_refused_by_save(tmp_path, layer, name):
    images = keras.Input((SIDE, SIDE, 3))
    model = plainly(keras.Model(images, layer(images)), epochs=1).fit(TRAIN)
    assert model.predict(TEST).shape == (20,)
    with pytest.raises(
        InvalidParameterError, match=f"backbone: expected layers .*{name}"
    ) as caught:
        model.save(tmp_path / "own.keras")
    assert "classifier.model_.save" in str(caught.value)
    assert not list(tmp_path.iterdir())


def shaped(taken: tuple, *, pooled: bool = False) -> keras.Model:
    images = keras.Input(taken)
    pool = keras.layers.GlobalAveragePooling2D()
    return keras.Model(images, pool(images) if pooled else keras.layers.ReLU()(images))


def two_inputs() -> keras.Model:
    images = [keras.Input((SIDE, SIDE, 3)) for _ in range(2)]
    return keras.Model(images, keras.layers.Add()(images))


class Bare(keras.Model):
    """A network that is not built of layers by name."""


@pytest.mark.parametrize(
    "wrong",
    [
        shaped((SIDE, SIDE, 1)),
        shaped((SIDE, 20, 3)),
        shaped((SIDE, 3)),
        shaped((SIDE, SIDE, 3), pooled=True),
        two_inputs(),
        Bare(),
        lambda size: 3,
        lambda size: shaped((size, size, 1)),
        print,
    ],
    ids=["grey", "oblong", "flat", "pooled", "two", "bare", "number", "grey function", "print"],
)
def test_networks_of_other_shapes_are_refused(wrong):
    with pytest.raises(InvalidParameterError, match="backbone: expected a Keras model, or a func"):
        plainly(wrong, image_size=SIDE, epochs=1).fit(TRAIN)


@pytest.mark.parametrize("wrong", [3, None, ["cnn"]])
def test_what_is_no_network_is_refused(wrong):
    with pytest.raises(InvalidParameterError, match="backbone: expected one of 'cnn'"):
        plainly(wrong).fit(TRAIN)


def test_embeddings_are_of_networks_with_names(own):
    with pytest.raises(InvalidParameterError, match="backbone: expected one of"):
        Embeddings(own).fit(TRAIN)

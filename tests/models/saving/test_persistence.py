"""Saved models: the same in a new process; refused when damaged, foreign or hostile."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from tests.models.saving.rewriting import rewritten

import nucrec
from nucrec.augment import Flip, Noise, Pipeline, Rotate
from nucrec.errors import InvalidParameterError, ModelFileError, NucrecError
from nucrec.models import PixelFeatures, classical_zoo, cnn, load, model_info, save

PREDICT = """
import sys, numpy as np
from nucrec.datasets import load_mnfinder_crops
from nucrec.models import load
np.save(sys.argv[2], load(sys.argv[1]).predict_proba(load_mnfinder_crops()[:40]))
"""


@pytest.fixture(scope="module")
def network(crops):
    augment = Pipeline([Flip(p=0.3), Rotate((-9, 9)), Noise(0.02)], random_state=5)
    model = cnn(image_size=16, epochs=2, augment=augment, class_weight={0: 1.0, 1: 2.0})
    return model.fit(crops[::3], validation=crops[1::3])


@pytest.fixture(scope="module")
def classical(crops):
    return classical_zoo(random_state=0)["RF"].fit(crops, crops.labels)


@pytest.fixture(scope="module")
def saved(network, classical, crops, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    network.save(folder / "model.keras")
    save(classical, folder / "model.skops", class_names=crops.class_names, fingerprint="f")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ["model.keras", "model.skops"])
def test_a_new_process_predicts_the_same(saved, network, classical, crops, tmp_path, name):
    model = network if name == "model.keras" else classical
    command = [sys.executable, "-W", "error", "-c", PREDICT, saved / name, tmp_path / "p.npy"]
    subprocess.run(command, check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), model.predict_proba(crops[:40]))


def test_everything_that_is_needed_travels_inside(saved, network, crops):
    info = model_info(saved / "model.keras")
    assert info.kind == "network"
    assert info.class_names == crops.class_names
    assert info.classes == (0, 1)
    assert info.preprocessing == {"image_size": 16, "channels": 1, "dtype": "uint8"}
    assert info.fingerprint == crops[::3].fingerprint
    assert info.versions["nucrec"] == nucrec.__version__
    assert {"keras", "tensorflow", "numpy", "python"} <= set(info.versions)
    again = load(saved / "model.keras")
    assert repr(again.get_params()) == repr(network.get_params())
    assert again.history_ == network.history_
    assert again.fingerprint_ == network.fingerprint_
    np.testing.assert_array_equal(again.embed(crops[:5]), network.embed(crops[:5]))
    info = model_info(saved / "model.skops")
    assert (info.kind, info.class_names, info.fingerprint) == ("classical", crops.class_names, "f")


def test_a_classical_model_keeps_the_names_of_its_classes(saved, crops, tmp_path):
    again = load(saved / "model.skops")
    assert again.class_names_ == crops.class_names
    save(again, tmp_path / "again.skops")
    assert model_info(tmp_path / "again.skops").class_names == crops.class_names


def test_names_as_classes(crops, tmp_path):
    some = crops[::5]
    names = np.array(crops.class_names)[some.labels]
    model = cnn(image_size=16, epochs=1).fit(list(some.images), names)
    model.save(tmp_path / "a.keras")
    again = load(tmp_path / "a.keras")
    assert again.classes_.tolist() == ["nucleus", "micronucleus"]
    assert (again.predict(crops[:9]) == model.predict(crops[:9])).all()


def test_keras_itself_opens_the_file(saved, network, crops):
    import keras

    plain = keras.models.load_model(saved / "model.keras")
    images = crops[:5].to_array(16, 1, "uint8")
    np.testing.assert_allclose(plain(images), network.predict_proba(crops[:5]), atol=1e-6)


@pytest.mark.parametrize("name", list(classical_zoo()))
def test_every_classical_model(name, crops, tmp_path):
    model = classical_zoo(random_state=0)[name].fit(crops, crops.labels)
    save(model, tmp_path / "model.skops")
    again = load(tmp_path / "model.skops")
    np.testing.assert_array_equal(again.predict(crops), model.predict(crops))


@pytest.mark.parametrize("kind", ["model.keras", "model.skops"])
def test_a_changed_member_is_found(saved, tmp_path, kind):
    with zipfile.ZipFile(saved / kind) as archive:
        names = [name for name in archive.namelist() if name != "nucrec.json"]
    for name in names[:6]:

        def flip(members, name=name):
            middle = len(members[name]) // 2
            content = bytearray(members[name])
            content[middle] ^= 1
            members[name] = bytes(content)

        changed = rewritten(saved / kind, tmp_path / kind, flip)
        with pytest.raises(ModelFileError, match="damaged or was changed"):
            load(changed)


@pytest.mark.parametrize("kind", ["model.keras", "model.skops"])
def test_members_too_many_or_too_few(saved, tmp_path, kind):
    more = rewritten(saved / kind, tmp_path / kind, lambda m: m.update({"more.py": b"1"}))
    with pytest.raises(ModelFileError, match="was changed: its parts"):
        load(more)
    fewer = rewritten(saved / kind, tmp_path / kind, lambda m: m.pop(next(iter(m))))
    with pytest.raises(ModelFileError, match="was changed: its parts"):
        load(fewer)


@pytest.mark.parametrize("kind", ["model.keras", "model.skops"])
def test_every_truncation_is_found(saved, tmp_path, kind):
    content = (saved / kind).read_bytes()
    for share in (0, 0.1, 0.5, 0.9, 0.999):
        (tmp_path / kind).write_bytes(content[: int(share * len(content))])
        with pytest.raises(ModelFileError):
            load(tmp_path / kind)


def test_flipped_bits_anywhere_are_found_or_harmless(saved, network, crops, tmp_path):
    content = (saved / "model.keras").read_bytes()
    rng = np.random.default_rng(0)
    expected = network.predict_proba(crops[:3])
    for position in rng.integers(0, len(content), 40):
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(rng.integers(8))
        (tmp_path / "a.keras").write_bytes(bytes(damaged))
        try:
            found = load(tmp_path / "a.keras").predict_proba(crops[:3])
        except ModelFileError:
            continue
        np.testing.assert_array_equal(found, expected)


def test_a_lambda_with_code_is_refused_even_with_fitting_hashes(saved, tmp_path):
    import keras

    mark = tmp_path / "was here"
    code = f"__import__('os').mkdir({str(mark)!r})"
    inputs = keras.Input((16, 16, 1))
    layer = keras.layers.Lambda(eval(f"lambda x: ({code}, x)[1]"), output_shape=(16, 16, 1))
    evil = keras.Model(inputs, layer(inputs))
    evil.save(tmp_path / "evil.keras")
    evil(np.zeros((1, 16, 16, 1)))
    assert mark.exists()  # it does what it is meant to do
    mark.rmdir()
    with zipfile.ZipFile(tmp_path / "evil.keras") as archive:
        config = archive.read("config.json")
    forged = rewritten(
        saved / "model.keras",
        tmp_path / "forged.keras",
        lambda members: members.update({"config.json": config}),
        forge=True,
    )
    with pytest.raises(ModelFileError, match="asks for .*Lambda"):
        load(forged)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("keras.utils", "get_file"),
        ("os", "system"),
        ("builtins", "eval"),
        ("keras.layers", "TFSMLayer"),
    ],
)
def test_any_other_class_is_refused(saved, tmp_path, module, name):
    def change(members):
        config = json.loads(members["config.json"])
        config["config"]["layers"][1]["module"] = module
        config["config"]["layers"][1]["class_name"] = name
        members["config.json"] = json.dumps(config).encode()

    forged = rewritten(saved / "model.keras", tmp_path / "f.keras", change, forge=True)
    with pytest.raises(ModelFileError, match=f"asks for {module}.{name}"):
        load(forged)


class Evil(LogisticRegression):
    """A classifier of a type that a reader does not know."""


def test_a_classical_model_of_a_strange_type_is_refused(crops, saved, tmp_path):
    import skops.io

    model = Evil().fit(np.zeros((4, 2)), [0, 1, 0, 1])
    with pytest.raises(InvalidParameterError, match="can be loaded safely"):
        save(model, tmp_path / "evil.skops")
    assert not list(tmp_path.iterdir())
    skops.io.dump(model, tmp_path / "plain.skops")
    with pytest.raises(ModelFileError, match="was not saved by nucrec"):
        load(tmp_path / "plain.skops")
    with zipfile.ZipFile(tmp_path / "plain.skops") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}

    def change(own):
        about = own["nucrec.json"]
        own.clear()
        own.update({**members, "nucrec.json": about})

    forged = rewritten(saved / "model.skops", tmp_path / "f.skops", change, forge=True)
    with pytest.raises(ModelFileError, match="asks for .*Evil"):
        load(forged)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"classes": [0, 1, 2]},
        {"preprocessing": {"image_size": 32, "channels": 1}},
        {"preprocessing": {}},
        {"kind": "other"},
        {"parameters": {"backbone": "cnn", "nonsense": 1}},
        {"members": 3},
    ],
    ids=repr,
)
def test_a_description_that_does_not_fit(saved, tmp_path, change):
    def rewrite(members):
        about = json.loads(members["nucrec.json"]) | change
        members["nucrec.json"] = json.dumps(about).encode()

    with pytest.raises(ModelFileError):
        load(rewritten(saved / "model.keras", tmp_path / "a.keras", rewrite))


def test_foreign_files(tmp_path):
    for name, content in {"a.keras": b"", "b.keras": b"PK nothing", "c.skops": b"hello"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelFileError, match="damaged or not a model"):
            load(tmp_path / name)
    with pytest.raises(ModelFileError, match="no such file"):
        load(tmp_path / "missing.keras")
    with pytest.raises(ModelFileError, match="not a regular file"):
        model_info(tmp_path)


def test_saving_what_cannot_be_saved(network, classical, tmp_path):
    with pytest.raises(InvalidParameterError, match=r"ends in '.keras'"):
        network.save(tmp_path / "model.h5")
    with pytest.raises(InvalidParameterError, match=r"ends in '.skops'"):
        save(classical, tmp_path / "model.keras")
    with pytest.raises(InvalidParameterError, match="class_names"):
        save(classical, tmp_path / "model.skops", class_names=("one",))
    with pytest.raises(InvalidParameterError, match="model: expected a classifier"):
        save(PixelFeatures(), tmp_path / "model.skops")
    with pytest.raises(NotFittedError):
        cnn().save(tmp_path / "model.keras")
    with pytest.raises(NucrecError, match="cannot write"):
        network.save(tmp_path / "missing" / "model.keras")
    assert not list(tmp_path.iterdir())

"""Reports say what tells the classes of their images apart besides the cells."""

import pickle

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from nucrec.datasets import ImageDataset, find_shortcuts, load_folder
from nucrec.errors import LeakageWarning
from nucrec.models import cross_validate, evaluate, run_zoo

LABELS = np.arange(48) % 2
TOLD = "the used bit depth of the files alone tells the classes with an accuracy of 1.00"


def cells(brightest) -> ImageDataset:
    """Noise of 16 bits, up to a value for each class."""
    pixels = np.random.default_rng(0).random((48, 16, 16)) * np.array(brightest)[LABELS, None, None]
    return ImageDataset(pixels.astype(np.uint16), LABELS, ("nucleus", "micronucleus"))


def test_bits_that_are_used_tell_the_classes():
    found = find_shortcuts(cells([4095, 65535]))[0]
    assert (found.name, found.accuracy, found.tells) == ("used bit depth", 1.0, True)
    assert found.usual == {"nucleus": "12 bit", "micronucleus": "16 bit"}
    alike = {each.name: each for each in find_shortcuts(cells([4095, 3500]))}
    assert set(alike["used bit depth"].usual.values()) == {"12 bit"}
    assert not alike["used bit depth"].tells


def test_bits_count_as_cameras_have_them():
    def used(images) -> str | None:
        found = {each.name: each for each in find_shortcuts(ImageDataset(images, LABELS))}
        return found["used bit depth"].usual["nucleus"] if "used bit depth" in found else None

    noise = np.random.default_rng(0).integers(0, 4096, (48, 16, 16))
    assert used(noise.astype("u2")) == "12 bit"
    assert used((noise * 16).astype("u2")) == "12 bit"  # in the upper bits
    assert used(noise.astype(">i4")) == "12 bit"
    assert used((noise // 4).astype("u2")) == "10 bit"
    assert used((noise // 16).astype("u2")) == "8 bit"
    assert used((noise * 5).astype("u2")) == "16 bit"
    assert used((noise * 5000).astype("u4")) == "32 bit"
    assert used(np.zeros((48, 4, 4), "u2")) == "8 bit"
    for no_bits in ((noise // 16).astype("u1"), noise / 4095, (noise - 2048).astype("i2")):
        assert used(no_bits) is None
    assert used([*noise[:24].astype("u2"), *noise[24:].astype("u4")]) is None  # told by bit depth


def test_bits_of_files(tmp_path):
    from PIL import Image

    images = cells([4095, 65535])
    for k, image in enumerate(images.images):
        folder = tmp_path / images.class_names[LABELS[k]]
        folder.mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / f"{k}.png")
    found = {each.name: each for each in find_shortcuts(load_folder(tmp_path))}
    assert found["used bit depth"].accuracy == 1


@pytest.mark.filterwarnings("ignore::nucrec.errors.LeakageWarning")
def test_reports_remark_on_files_that_tell_the_classes():
    images = cells([4095, 65535])
    zoo = {"constant": DummyClassifier()}
    model = DummyClassifier().fit(np.zeros((2, 1)), [0, 1])
    reports = [
        evaluate(model, images),
        run_zoo(zoo, images[:24], images[24:])["constant"].report,
        cross_validate(zoo, images, n_splits=2, random_state=0)["constant"].report,
    ]
    for report in reports:
        assert report.remarks[-1].startswith(TOLD)
        assert f"Note: {TOLD}" in str(report)
        assert report.to_dict()["remarks"][-1] == report.remarks[-1]
        assert pickle.loads(pickle.dumps(report)).data_remarks == report.data_remarks


def test_reports_on_files_that_are_alike_do_not():
    model = DummyClassifier().fit(np.zeros((2, 1)), [0, 1])
    assert evaluate(model, cells([65535, 65535])).data_remarks == ()


def test_the_warning_says_the_same():
    shortcuts = find_shortcuts(cells([4095, 65535]))
    assert shortcuts.verdict.startswith(TOLD)
    with pytest.warns(LeakageWarning, match=f"^{TOLD}"):
        shortcuts.warn()
    assert find_shortcuts(cells([65535, 65535])).verdict is None

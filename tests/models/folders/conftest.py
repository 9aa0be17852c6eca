"""Models, and a plate of images, for everything that predicts folders."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from nucrec.models import ImageClassifier, cnn, load

N = 23


@pytest.fixture(scope="session")
def network(crops) -> ImageClassifier:
    """A calibrated network."""
    model = cnn(image_size=16, epochs=60, random_state=0).fit(crops[::3])
    return model.calibrate(crops[1::3])


@pytest.fixture(scope="session")
def files(tmp_path_factory, crops, network, gnb_file) -> Path:
    """A folder with files of models, and `N` images in two wells."""
    folder = tmp_path_factory.mktemp("files")
    network.save(folder / "cnn.keras")
    shutil.copy(gnb_file, folder)
    for i in range(N):
        well = folder / "plate" / ("well A" if i < 9 else "well B/deep")
        well.mkdir(parents=True, exist_ok=True)
        Image.fromarray(crops.images[11 * i]).save(well / f"{i:02d}.png")
    return folder


@pytest.fixture(scope="session")
def uncalibrated(files, crops) -> Path:
    """The file of a network that was not calibrated."""
    path = files / "plain.keras"
    cnn(image_size=16, epochs=1, random_state=0).fit(crops[::9]).save(path)
    return path


@pytest.fixture(scope="session")
def named_gnb(files):
    """The classical model, with the names of its classes."""
    return load(files / "gnb.skops")


@pytest.fixture
def plate(files, tmp_path) -> Path:
    """A copy of the images, to be changed."""
    return Path(shutil.copytree(files / "plate", tmp_path / "plate"))

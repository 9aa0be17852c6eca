"""Networks in model files, written and read by Keras."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from nucrec._keras import keras_defaults, layer_seeds
from nucrec._validation import invalid
from nucrec.errors import ModelFileError
from nucrec.models._saving.info import ModelInfo, unlisted_layers, write_model

if TYPE_CHECKING:
    import keras


def save_network(path: Path, network: "keras.Model", info: ModelInfo) -> None:
    """Write a network and its description to one file."""

    @keras_defaults()
    def write(where: Path) -> None:
        import keras

        with warnings.catch_warnings():
            # Keras converts variables in a way that newer versions of NumPy warn of
            warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
            # as a new one, so that nothing of the training is written
            keras.Model(network.input, network.output, name=network.name).save(where)
        unlisted = unlisted_layers(where)
        if unlisted:
            hint = "Save a network with such layers by Keras: classifier.model_.save(...)."
            raise invalid("backbone", "layers of the kinds that load() opens", unlisted, hint)

    write_model(path, ".keras", write, info)


def load_network(path: Path, info: ModelInfo) -> "keras.Model":
    """Return the network of a file whose description was checked.

    Raises
    ------
    ModelFileError
        The network does not fit the description.
    """
    with keras_defaults(), layer_seeds(0):  # drawn for weights that the file replaces
        import keras

        network = keras.models.load_model(path, compile=False, safe_mode=True)
    size, channels = (int(info.preprocessing[key]) for key in ("image_size", "channels"))
    if network.input_shape != (None, size, size, channels):
        raise ModelFileError(f"{path}: its network does not take images as it says")
    if network.output_shape != (None, len(info.classes)):
        raise ModelFileError(f"{path}: its network does not have the classes that it says")
    return network

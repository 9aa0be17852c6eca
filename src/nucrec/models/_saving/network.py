"""Networks in model files, written and read by Keras."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nucrec._keras import keras_defaults, layer_seeds
from nucrec._text import shown
from nucrec._validation import invalid
from nucrec.errors import ModelFileError
from nucrec.models._saving.half import halve_kernels
from nucrec.models._saving.info import ModelInfo, unlisted_layers, write_model

if TYPE_CHECKING:
    import keras


def save_network(
    path: Path, network: "keras.Model", info: ModelInfo, *, half_precision: bool = False
) -> None:
    """Write a network and its description to one file, its kernels with 16 bits if asked for.

    Raises
    ------
    InvalidParameterError
        The network has layers that could not be loaded again, or weights that are not finite.
    """
    name = _not_finite(network)
    if name is not None:
        hint = "The training diverged: train again, with a smaller learning_rate."
        raise invalid("model", "a network with finite weights", f"no numbers in {name}", hint)

    @keras_defaults()
    def write(where: Path) -> None:
        import keras

        with warnings.catch_warnings():
            # newer versions of NumPy warn about the way Keras converts variables
            warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
            # as if untrained, so that no training state is written
            keras.Model(network.input, network.output, name=network.name).save(where)
        unlisted = unlisted_layers(where)
        if unlisted:
            hint = "Save a network with such layers by Keras: classifier.model_.save(...)."
            raise invalid("backbone", "layers of the kinds that load() opens", unlisted, hint)
        if half_precision:
            halve_kernels(where)

    write_model(path, ".keras", write, info)


def load_network(path: Path, info: ModelInfo, where: Path) -> "keras.Model":
    """Return the network of a file whose description was checked; messages call the file `where`.

    Raises
    ------
    ModelFileError
        The network does not match the description, or its weights are not all finite.
    """
    with keras_defaults(), layer_seeds(0):  # drawn as initial weights, which the file replaces
        network = _loaded(path, where)
    size, channels = (int(info.preprocessing[key]) for key in ("image_size", "channels"))
    if network.input_shape != (None, size, size, channels):
        raise ModelFileError(
            f"{where}: its network does not accept the images that the file describes"
        )
    if network.output_shape != (None, len(info.classes)):
        raise ModelFileError(
            f"{where}: its network does not have the classes that the file describes"
        )
    name = _not_finite(network)
    if name is not None:
        raise ModelFileError(f"{where}: the weights {shown(name)} are not all finite")
    return network


def _loaded(path: Path, where: Path) -> "keras.Model":
    import keras
    import tensorflow as tf

    try:
        with warnings.catch_warnings():
            # for layers without stored weights, Keras only warns and draws new ones
            warnings.simplefilter("error", UserWarning)
            return keras.models.load_model(path, compile=False, safe_mode=True)
    except (UserWarning, tf.errors.OpError) as error:  # OpError: for example, too little memory
        raise ModelFileError(f"{where} cannot be read as a model: {shown(error)}") from error


def _not_finite(network: "keras.Model") -> str | None:
    """Return the name of weights that are infinite or NaN, if there are any."""
    for weight in network.weights:
        values = np.asarray(weight)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            return str(weight.path)
    return None

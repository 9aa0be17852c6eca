"""Presets: the effort spent on the networks of Tables III to VI."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sklearn.base import clone

from nucrec.models import ImageClassifier, backbones, cnn, inception_transfer, transfer
from nucrec.paper._specification import TableSpec

PresetName = Literal["quick", "overnight", "full"]


@dataclass(frozen=True)
class Preset:
    """The networks of the paper, unfitted, and how they are trained.

    Attributes
    ----------
    cnn : ImageClassifier
        The CNN of Tables III and IV.
    pretrained : ImageClassifier
        The pre-trained network of Tables V and VI, either fine-tuned or as a frozen feature extractor;
        the paper mentions both.
    is_long : bool
        Whether a training takes so long that it saves checkpoints and uses all cores.
    """

    cnn: ImageClassifier
    pretrained: ImageClassifier
    is_long: bool

    def network(self, table: TableSpec, seed: int) -> ImageClassifier:
        """Return the unfitted network of a table from III to VI."""
        network: ImageClassifier = clone(self.of(table)).set_params(random_state=seed)
        return network

    def setting(self, table: TableSpec) -> str:
        """Return the settings that differ from the paper, or that it leaves open."""
        if not table.is_network:
            return ""
        network = self.of(table)
        name = _NAMES.get(str(network.backbone), str(network.backbone))
        frozen = "as a frozen extractor of features" if network.mode == "features" else ""
        size, length = f"{network.image_size} px", f"{network.epochs} epochs"
        parts = ("" if table.kind == "cnn" else name, frozen, size, length, _weights(network))
        return ", ".join(part for part in parts if part)

    def of(self, table: TableSpec) -> ImageClassifier:
        """Return the network of a table, without a seed."""
        return self.cnn if table.kind == "cnn" else self.pretrained


_NAMES = {"efficientnet-lite0": "EfficientNet-Lite0", "inception-resnet-v2": "InceptionResNetV2"}


def _weights(network: ImageClassifier) -> str:
    """Return which file the weights come from, where that is not ImageNet's own."""
    if network.weights in (None, "imagenet"):
        return ""
    name = Path(network.weights).name
    known = backbones().get(str(network.backbone))
    return "" if known and name == known.weights_file else f"weights of {name}"


PRESETS: dict[str, Preset] = {
    "quick": Preset(
        cnn(image_size=24, epochs=100, batch_size=64, recipe="paper"),
        transfer("efficientnet-lite0", mode="features", image_size=128, epochs=100, recipe="paper"),
        is_long=False,
    ),
    "overnight": Preset(
        cnn(image_size=128, epochs=100, recipe="paper"),
        inception_transfer(image_size=299, epochs=20, recipe="paper"),
        is_long=True,
    ),
    "full": Preset(
        cnn(image_size=128, epochs=100, recipe="paper"),
        inception_transfer(image_size=299, epochs=100, recipe="paper"),
        is_long=True,
    ),
}


def make_preset(name: PresetName, backbone: str | None, weights: str) -> Preset:
    """Return a preset, with the user's own choice of the pre-trained network.

    Parameters
    ----------
    name : {"quick", "overnight", "full"}
        Which one.
    backbone : str or None
        The name of the pre-trained network, which then takes images of its own default size.
    weights : str
        "imagenet", or the path of a file.
    """
    preset = PRESETS[name]
    network: ImageClassifier = clone(preset.pretrained).set_params(weights=weights)
    if backbone not in (None, network.backbone):
        size = backbones()[str(backbone)].image_size
        network.set_params(backbone=backbone, image_size=size)
    return Preset(preset.cnn, network, preset.is_long)

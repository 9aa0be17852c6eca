"""Presets: the effort spent on the networks of Tables III to VI."""

from dataclasses import dataclass

from sklearn.base import clone

from nucrec.models import ImageClassifier, cnn, inception_transfer, transfer
from nucrec.paper._specification import TableSpec


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
        network: ImageClassifier = clone(self._network(table)).set_params(random_state=seed)
        return network

    def setting(self, table: TableSpec) -> str:
        """Return the settings that differ from the paper, or that it leaves open."""
        if not table.is_network:
            return ""
        network = self._network(table)
        name = _NAMES.get(str(network.backbone))
        frozen = "as a frozen extractor of features" if network.mode == "features" else None
        size, length = f"{network.image_size} px", f"{network.epochs} epochs"
        return ", ".join(part for part in (name, frozen, size, length) if part)

    def _network(self, table: TableSpec) -> ImageClassifier:
        return self.cnn if table.kind == "cnn" else self.pretrained


_NAMES = {"efficientnet-lite0": "EfficientNet-Lite0", "inception-resnet-v2": "InceptionResNetV2"}

PRESETS: dict[str, Preset] = {
    "quick": Preset(
        cnn(image_size=24, epochs=20, recipe="paper"),
        transfer("efficientnet-lite0", mode="features", image_size=128, epochs=100, recipe="paper"),
        is_long=False,
    ),
    "full": Preset(
        cnn(image_size=128, epochs=100, recipe="paper"),
        inception_transfer(image_size=299, epochs=100, recipe="paper"),
        is_long=True,
    ),
}

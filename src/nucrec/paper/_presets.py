"""How much work to put into the tables: data."""

from dataclasses import dataclass

from nucrec.models import ImageClassifier, cnn, transfer
from nucrec.models._training.recipes import Mode

AUGMENTED = {1: False, 2: True, 3: False, 4: True, 5: False, 6: True}
"""The tables, and whether their images are augmented."""

CLASSICAL = (1, 2)
CNN = (3, 4)


@dataclass(frozen=True)
class Preset:
    """What the deep tables are made with.

    Attributes
    ----------
    backbone : str
        The pre-trained network of Tables V and VI.
    mode : {"finetune", "features"}
        Whether it learns, too, or is a frozen extractor of features; the paper speaks of both.
    image_size, epochs : int
        Height and width of its images, and how long it is trained.
    cnn_image_size, cnn_epochs : int
        The same for the CNN of Tables III and IV.
    """

    backbone: str
    mode: Mode
    image_size: int
    epochs: int
    cnn_image_size: int
    cnn_epochs: int

    def epochs_of(self, number: int) -> int:
        """Return how long the network of a table is trained."""
        return self.cnn_epochs if number in CNN else self.epochs

    def classifier(self, number: int, seed: int) -> ImageClassifier:
        """Return the unfitted classifier of a table from III to VI."""
        if number in CNN:
            return cnn(
                image_size=self.cnn_image_size,
                recipe="paper",
                epochs=self.cnn_epochs,
                random_state=seed,
            )
        return transfer(
            self.backbone,
            mode=self.mode,
            image_size=self.image_size,
            recipe="paper",
            epochs=self.epochs,
            random_state=seed,
        )

    def setting(self, number: int) -> str:
        """Return what is otherwise than in the paper, or left open there."""
        if number in CLASSICAL:
            return ""
        if number in CNN:
            return f"{self.cnn_image_size} px, {self.cnn_epochs} epochs"
        frozen = ["as a frozen extractor of features"] if self.mode == "features" else []
        size, length = f"{self.image_size} px", f"{self.epochs} epochs"
        return ", ".join([_NAMES[self.backbone], *frozen, size, length])


_NAMES = {"efficientnet-lite0": "EfficientNet-Lite0", "inception-resnet-v2": "InceptionResNetV2"}

PRESETS: dict[str, Preset] = {
    "quick": Preset("efficientnet-lite0", "features", 128, 100, 24, 20),
    "full": Preset("inception-resnet-v2", "finetune", 299, 100, 128, 100),
}

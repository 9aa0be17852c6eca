"""Training recipes, as data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from nucrec.augment import Blur, Flip, Gamma, Noise, Operation, Rotate, Shift, Zoom

Mode = Literal["finetune", "features"]
RecipeName = Literal["default", "paper"]
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class Recipe:
    """The recipe for training a network.

    Attributes
    ----------
    image_size : int or None
        Height and width of the images; None for the backbone's default.
    standardise : bool
        Whether each image is standardised to one mean and standard deviation.
    dropout : float
        Share of the embedding that dropout sets to 0 in training.
    head_epochs : int
        Number of epochs in which the classification head is trained on cached features first.
    head_copies : int
        Number of augmented copies of each image whose features are cached besides its own.
    epochs : int
        Number of epochs in which the whole network is trained; 0 for a frozen backbone.
    least_steps, most_epochs : int
        Few images are trained on for more epochs, at most `most_epochs`, until there are as many
        steps; 0 and 0 if not.
    learning_rate : float
        Peak learning rate of the schedule.
    unhurried_steps : int
        Number of steps from which a training reaches the peak rate. A shorter one reaches a
        proportionally lower rate: Adam's first steps change each weight by the full rate, and few steps
        cannot compensate for that.
    tried_below : int
        Fine-tuning of fewer steps, at whatever learning rate, is tried first without some of the
        images, and undone if these show that it is no better than the head on frozen features.
    warm_up : float
        Share of the steps over which the learning rate rises from 0.
    decays : bool
        Whether the rate then falls to 0 along a cosine, or stays constant.
    weight_decay : float
        Weight decay of AdamW; 0 for plain Adam.
    frozen : float
        Share of the backbone's layers, from the first, that are never trained.
    batch_norm : bool
        Whether batch normalisation is trained and uses the statistics of the batch.
    augment : sequence of Operation
        The operations that augment images on the fly.
    """

    image_size: int | None = None
    standardise: bool = True
    dropout: float = 0.2
    head_epochs: int = 0
    head_copies: int = 0
    epochs: int = 0
    least_steps: int = 0
    most_epochs: int = 0
    learning_rate: float = 1e-3
    unhurried_steps: int = 0
    tried_below: int = 0
    warm_up: float = 0.0
    decays: bool = True
    weight_decay: float = 0.0
    frozen: float = 0.0
    batch_norm: bool = True
    augment: Sequence[Operation] = ()

    def epochs_of(self, steps: int) -> int:
        """Return for how many epochs of so many steps the whole network is trained."""
        enough = -(-self.least_steps // steps)
        return max(self.epochs, min(self.most_epochs, enough))


_MICROSCOPE = (
    Flip(),
    Rotate((-180.0, 180.0)),
    Zoom((0.65, 1.45)),
    Shift((-0.06, 0.06)),
    Gamma((0.6, 1.7)),
    Noise((0.0, 0.06), p=0.4),
    Blur((0.0, 1.0), p=0.25),
)
"""Any way round, other scales, contrasts, cameras and focus."""

HEAD_RECIPE = Recipe(learning_rate=1e-3)
HEAD_BATCH_SIZE = 64

RECIPES: dict[tuple[str, str], Recipe] = {
    ("finetune", "default"): Recipe(
        head_epochs=20,
        head_copies=1,
        epochs=12,
        least_steps=400,
        most_epochs=40,
        learning_rate=6e-4,
        unhurried_steps=80,
        tried_below=80,
        warm_up=0.1,
        weight_decay=0.01,
        frozen=0.2,
        batch_norm=False,
        augment=_MICROSCOPE,
    ),
    ("features", "default"): Recipe(head_epochs=100, head_copies=4, augment=_MICROSCOPE),
    ("cnn", "default"): Recipe(
        image_size=64,
        epochs=60,
        learning_rate=1e-3,
        warm_up=0.05,
        weight_decay=0.01,
        augment=_MICROSCOPE,
    ),
    ("finetune", "paper"): Recipe(
        standardise=False, epochs=100, decays=False, dropout=0.0, learning_rate=1e-3
    ),
    ("features", "paper"): Recipe(standardise=False, head_epochs=100, dropout=0.0),
    ("cnn", "paper"): Recipe(
        image_size=64, standardise=False, epochs=100, decays=False, dropout=0.0
    ),
}
"""For each way to train ("cnn" trains from random weights) and each recipe."""

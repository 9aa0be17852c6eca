"""What a classifier's parameters come down to, checked."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nucrec._validation import check_choice, check_int, check_real, check_seed, invalid
from nucrec.augment import Pipeline
from nucrec.models._training.recipes import RECIPES, Recipe
from nucrec.models._weights import BACKBONES

if TYPE_CHECKING:
    from nucrec.models._classifier import ImageClassifier


@dataclass(frozen=True)
class Settings:
    """The recipe with what the user changed, checked.

    Attributes
    ----------
    recipe : Recipe
        How to train.
    image_size : int
        Height and width that images are brought to.
    seed : int
        Of everything that is drawn.
    """

    recipe: Recipe
    image_size: int
    seed: int

    @classmethod
    def of(cls, given: "ImageClassifier") -> "Settings":
        """Return the settings of a classifier, or raise `InvalidParameterError`."""
        check_choice("backbone", given.backbone, ("cnn", *BACKBONES))
        check_choice("mode", given.mode, ("finetune", "features"))
        check_choice("recipe", given.recipe, ("default", "paper"))
        check_choice("precision", given.precision, ("float32", "bfloat16"))
        check_int("batch_size", given.batch_size, low=1)
        if given.early_stopping is not None:
            check_int("early_stopping", given.early_stopping, low=1)
        if given.augment not in ("default", None) and not isinstance(given.augment, Pipeline):
            raise invalid("augment", "'default', a nucrec.augment.Pipeline or None", given.augment)
        is_cnn = given.backbone == "cnn"
        if is_cnn and given.mode == "features":
            raise invalid("mode", "'finetune': the CNN has no pre-trained features", given.mode)
        recipe = RECIPES["cnn" if is_cnn else given.mode, given.recipe]
        if given.epochs is not None:
            check_int("epochs", given.epochs, low=1)
            changed = "head_epochs" if given.mode == "features" else "epochs"
            recipe = replace(recipe, **{changed: given.epochs})  # type: ignore[arg-type]
        if given.learning_rate is not None:
            check_real("learning_rate", given.learning_rate, low=0, high=10, open_ends=True)
            recipe = replace(recipe, learning_rate=float(given.learning_rate))
        if given.augment is None:
            recipe = replace(recipe, augment=(), head_copies=0)
        elif isinstance(given.augment, Pipeline):
            recipe = replace(recipe, augment=given.augment.operations)
        if given.strategy is not None:
            _check_strategy(given.strategy)
        least = 16 if is_cnn else BACKBONES[given.backbone].minimum
        usual = recipe.image_size or BACKBONES[given.backbone].image_size
        size = given.image_size if given.image_size is not None else usual
        return cls(
            recipe,
            image_size=check_int("image_size", size, low=least, high=4096),
            seed=check_seed("random_state", given.random_state),
        )


def _check_strategy(value: object) -> None:
    import tensorflow as tf

    if not isinstance(value, tf.distribute.Strategy):
        raise invalid("strategy", "a tf.distribute.Strategy or None", value)

"""Validated training settings: everything that a training depends on, checked once."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from nucrec._progress import Progress, progress_function
from nucrec._validation import check_choice, check_int, check_real, check_seed, invalid
from nucrec._version import __version__
from nucrec.augment import Pipeline
from nucrec.models._backbones import LEAST_SIZE, find_backbone
from nucrec.models._training.recipes import HEAD_RECIPE, RECIPES, Precision, Recipe
from nucrec.models._weights.registry import Backbone, Body

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

Parameters = Mapping[str, Any]
"""The parameters of an `ImageClassifier` by name, as ``get_params`` returns them."""

_OF_THE_PROCESS = ("progress", "strategy", "callbacks")
"""Parameters that belong to the running process: they are not saved, and tell no trainings apart."""


@dataclass(frozen=True)
class Settings:
    """Validated settings of a training.

    Attributes
    ----------
    backbone : Body or None
        The initial network; None for the small CNN.
    weights : "imagenet", path or None
        The source of its weights.
    recipe : Recipe
        The training recipe, with the user's changes.
    image_size : int
        Height and width that images are resized to, in pixels.
    batch_size : int
        Number of images per step of the last stage.
    class_weight : None, "balanced" or dict of class to float
        Class weights in the loss, not yet checked against the classes of the data.
    early_stopping : int or None
        Number of epochs of the last stage without an improvement in the validation loss after which
        training stops.
    seed : int
        Seed of all random numbers.
    is_seeded : bool
        Whether the user chose the seed.
    precision : {"float32", "bfloat16"}
        Number format in which the backbone computes feature maps.
    strategy : tf.distribute.Strategy or None
        The strategy for training on several devices.
    callbacks : tuple of keras.callbacks.Callback
        The user's own callbacks.
    show : Progress
        The function that shows progress.
    parameters : dict of str to Any
        The parameters that the result depends on, as given.
    """

    backbone: Body | None
    weights: Any
    recipe: Recipe
    image_size: int
    batch_size: int
    class_weight: Mapping[Any, float] | Literal["balanced"] | None
    early_stopping: int | None
    seed: int
    is_seeded: bool
    precision: Precision
    strategy: "tf.distribute.Strategy | None"
    callbacks: "tuple[keras.callbacks.Callback, ...]"
    show: Progress
    parameters: dict[str, Any]

    @classmethod
    def of(cls, given: Parameters) -> "Settings":
        """Return the settings described by the parameters of a classifier.

        Raises
        ------
        InvalidParameterError
            A parameter is of the wrong type or out of range.
        """
        backbone = find_backbone(given["backbone"])
        recipe = _recipe(given, is_cnn=backbone is None)
        if given["early_stopping"] is not None:
            check_int("early_stopping", given["early_stopping"], low=1)
        if given["views"] not in (1, 8):
            raise invalid("views", "1 or 8", given["views"])
        return cls(
            backbone=backbone,
            weights=given["weights"],
            recipe=recipe,
            image_size=_image_size(given["image_size"], recipe, backbone),
            batch_size=check_int("batch_size", given["batch_size"], low=1),
            class_weight=given["class_weight"],
            early_stopping=given["early_stopping"],
            seed=check_seed("random_state", given["random_state"]),
            is_seeded=given["random_state"] is not None,
            precision=_precision(given["precision"]),
            strategy=_strategy(given["strategy"]),
            callbacks=_callbacks(given["callbacks"], recipe),
            show=progress_function(given["progress"]),
            parameters=lasting_parameters(given),
        )

    def key(self, *data: str | None) -> str:
        """Return a hash of everything that the result of the training depends on.

        Parameters
        ----------
        data : str or None
            The fingerprints of the images, and a key that distinguishes the user's own backbone.
        """
        import keras
        import tensorflow as tf

        known = self.backbone.name if isinstance(self.backbone, Backbone) else None
        named = {**self.parameters, "backbone": known}
        del named["views"]  # these come after the training
        parts = (
            sorted((name, repr(value)) for name, value in named.items()),
            self.seed,
            data,
            (__version__, keras.__version__, tf.__version__),
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def lasting_parameters(given: Parameters) -> dict[str, Any]:
    """Return the parameters that the result of a training depends on."""
    return {name: value for name, value in given.items() if name not in _OF_THE_PROCESS}


def _recipe(given: Parameters, *, is_cnn: bool) -> Recipe:
    """Return the recipe with the user's changes."""
    mode = check_choice("mode", given["mode"], ("finetune", "features"))
    name = check_choice("recipe", given["recipe"], ("default", "paper"))
    if is_cnn and mode == "features":
        raise invalid("mode", "'finetune': the CNN has no pre-trained features", mode)
    changes: dict[str, Any] = {}
    if given["epochs"] is not None:
        n = check_int("epochs", given["epochs"], low=1)
        changes["head_epochs" if mode == "features" else "epochs"] = n
        changes["least_steps"] = 0
    if given["learning_rate"] is not None:
        rate = given["learning_rate"]
        changes["learning_rate"] = check_real("learning_rate", rate, low=0, high=10, open_ends=True)
        changes["unhurried_steps"] = 0
    augment = given["augment"]
    if augment is None:
        changes |= {"augment": (), "head_copies": 0}
    elif isinstance(augment, Pipeline):
        changes["augment"] = augment.operations
    elif augment != "default":
        raise invalid("augment", "'default', a nucrec.augment.Pipeline or None", augment)
    return replace(RECIPES["cnn" if is_cnn else mode, name], **changes)


def _image_size(given: object, recipe: Recipe, backbone: Body | None) -> int:
    usual = recipe.image_size or (backbone.image_size if backbone else None)
    size = usual if given is None else given
    if size is None:
        raise invalid("image_size", "the size of the backbone's images in pixels", given)
    return check_int(
        "image_size", size, low=backbone.minimum if backbone else LEAST_SIZE, high=4096
    )


def _precision(given: object) -> Precision:
    return cast(Precision, check_choice("precision", given, get_args(Precision)))


def _strategy(given: Any) -> "tf.distribute.Strategy | None":
    if given is None:
        return None
    import tensorflow as tf

    if not isinstance(given, tf.distribute.Strategy):
        raise invalid("strategy", "a tf.distribute.Strategy or None", given)
    return given


def _callbacks(given: Any, recipe: Recipe) -> "tuple[keras.callbacks.Callback, ...]":
    if given is None:
        return ()
    import keras

    expected = "a list of keras.callbacks.Callback"
    if not isinstance(given, Sequence):
        raise invalid("callbacks", expected, given)
    for callback in given:
        if not isinstance(callback, keras.callbacks.Callback):
            raise invalid("callbacks", expected, callback)
    last = recipe if recipe.epochs else HEAD_RECIPE
    setters = (keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler)
    if last.decays and any(isinstance(callback, setters) for callback in given):
        names = [type(callback).__name__ for callback in given]
        fine = "none that sets the learning rate, which follows the schedule of the recipe"
        hint = "Leave it out, or use recipe='paper' without mode='features': its rate is constant."
        raise invalid("callbacks", fine, names, hint)
    return tuple(given)

"""A scikit-learn classifier around a Keras network."""

import copy
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from nucrec._keras import start_tensorflow
from nucrec._paths import output_file
from nucrec._progress import Progress
from nucrec._validation import invalid
from nucrec._warnings import warn
from nucrec.augment import Pipeline
from nucrec.datasets import ImageDataset, check_training_data
from nucrec.errors import TrainingWarning
from nucrec.models._backbones import OwnBackbone
from nucrec.models._domain import TrainingDomain
from nucrec.models._fitted import FittedNetwork
from nucrec.models._history import History
from nucrec.models._inputs import (
    Images,
    check_several_classes,
    held_out_part,
    labelled,
    some_of_each_class,
)
from nucrec.models._saving.info import ModelInfo, now, versions
from nucrec.models._saving.network import save_network
from nucrec.models._saving.parameters import parameters_from_json, parameters_to_json
from nucrec.models._training.recipes import Mode, Precision, RecipeName
from nucrec.models._training.settings import Settings, lasting_parameters

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


_JUDGED = 32
"""Training images of each class by which it is judged whether a network answers with one class only."""


class ImageClassifier(FittedNetwork):
    """A neural network as a scikit-learn classifier of images.

    Usually made by `cnn`, `transfer` or `inception_transfer`, which set these parameters. It takes data
    sets, arrays and lists of images, grey or colour, of any size and dtype.

    Parameters
    ----------
    backbone : str, keras.Model or callable, default="efficientnet-lite0"
        "cnn" for a small convolutional network; the name of a pre-trained network, one of
        `backbones`; or a network of your own. That is a Keras model, or a function from the image size
        to one, that takes images of shape (size, size, 3) and range 0 to 255 and ends in feature maps
        of shape (h, w, channels). It brings its own weights and is never changed; a copy is trained.
    weights : "imagenet", path or None, default="imagenet"
        What a pre-trained network begins with; None for random weights. Not used for "cnn" and for
        a network of your own.
    mode : {"finetune", "features"}, default="finetune"
        Whether the backbone learns, too, or stays as it is.
    recipe : {"default", "paper"}, default="default"
        "default" is for small sets: each image is standardised; the classification head is trained on
        cached features first; then everything with batch normalisation frozen, the learning rate rising
        and falling, on images augmented on the fly. "paper" trains everything from the first step
        with batch normalisation live and Adam at a constant rate, without augmentation.
    image_size : int, optional
        Height and width in pixels that images are resized to; by default what suits the backbone.
    epochs : int, optional
        Epochs of the last stage; by default the recipe's.
    batch_size : int, default=32
        Images in a step.
    learning_rate : float, optional
        The highest of the schedule; by default the recipe's, and less where a pre-trained network is
        fine-tuned in fewer than 80 steps.
    augment : "default", Pipeline or None, default="default"
        What augments images on the fly; "default" is what the recipe says.
    class_weight : None, "balanced" or dict of class to float, default=None
        Weights of the classes in the loss, as in scikit-learn.
    early_stopping : int, optional
        Epochs of the last stage without a smaller validation loss, after which training ends and
        the weights with the smallest are taken. Needs ``fit(..., validation=...)``.
    random_state : int, optional
        Seed of everything; by default another each time.
    callbacks : sequence of keras.callbacks.Callback, optional
        Callbacks of your own. They see the last stage of the recipe, the one that `epochs` counts, as
        one Keras training of the whole network; their ``logs`` have the names of `history_`. The recipe
        sets the learning rate: callbacks that change it need ``recipe="paper"``. Clones share them,
        files leave them out, and with `checkpoint_dir` their own state is not kept.
    progress : bool or callable, default=False
        True shows progress on standard error. A callable gets (batches done, batches in all, what).
        Of several workers, only the first shows it.
    precision : {"float32", "bfloat16"}, default="float32"
        What the backbone computes its feature maps with. "bfloat16" has 8 instead of 24 significant
        bits, takes half the memory, and is faster on GPUs and on CPUs that multiply it by themselves
        (AMX or AVX-512 BF16; on others it is slower). Weights stay float32, whatever
        Keras's own settings say.
    strategy : tf.distribute.Strategy, optional
        What to train with several devices by: a ``MirroredStrategy`` for the GPUs of one machine, a
        ``MultiWorkerMirroredStrategy`` for several machines, each of which runs the same script with
        the same `random_state`. By default one device. The devices share each batch, of `batch_size`
        in all; the result is that of one device, but for rounding, for dropout, which leaves out other
        units, and for live batch normalisation ("cnn", or ``recipe="paper"``), which uses the
        statistics of each device's share. Once fitted, the network is on one device. Clones keep the
        strategy; files, pickles and copies do not.
    views : {1, 8}, default=1
        Views of each image that `predict_proba` averages over: the image as it is, or its four quarter
        turns, each as it is and mirrored, which takes eight times as long. It can be changed after
        ``fit`` by ``set_params``; call `calibrate` after that. Saved with the model.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        What `predict` answers with: the labels of the data set, or what was in `y`.
    class_names_ : tuple of str
        Names of the classes, in the order of `classes_`.
    history_ : dict of str to list
        Columns "epoch", "stage", "loss", "accuracy", "precision", "recall", "auc", "precision_macro",
        "recall_macro" and "f1_macro", each with a value for each epoch, and the same with "val_" in
        front where there was a validation set. Precision and recall are Keras's on a softmax, equal to
        the accuracy for two classes; those called macro are means over the classes.
    validation_proba_ : ndarray of float32, shape (n_epochs, n_validation, n_classes)
        The probabilities of the validation images after each epoch of the history.
    model_ : keras.Model
        The network, from images of range 0 to 255 to probabilities.
    image_size_, channels_ : int
        Size and number of channels that images are converted to.
    fingerprint_ : str
        Fingerprint of the training images.
    domain_ : TrainingDomain or None
        What the training images look like; None for a model of a file that nucrec 0.1.0 wrote.
    temperature_ : Temperature or None
        What calibrates the probabilities, after `calibrate`.
    calibration_ : (ndarray of shape (n, n_classes), ndarray of shape (n,)) or None
        The probabilities, before that, and the labels of the images it was calibrated with.
    interrupted_ : bool
        Whether training was ended by Ctrl-C.
    undone_ : bool
        Whether fine-tuning was undone, since fewer training images were classified correctly after it
        than before (McNemar's exact test, one-sided, at 5 %, on augmented copies). The network is then
        what it was after the stage "head": the backbone as it came, and the classification head that
        was trained on its features.

    Examples
    --------
    >>> from nucrec.datasets import load_mnfinder_crops, split
    >>> from nucrec.models import ImageClassifier
    >>> train, test = split(load_mnfinder_crops(), random_state=0)
    >>> classifier = ImageClassifier("cnn", image_size=32, epochs=1, random_state=0)
    >>> classifier.fit(train, validation=test).predict_proba(test).shape == (len(test), 2)
    True
    >>> classifier.history_["epoch"]
    [1]
    """

    domain_: TrainingDomain | None

    def __init__(
        self,
        backbone: str | OwnBackbone = "efficientnet-lite0",
        *,
        weights: str | os.PathLike[str] | None = "imagenet",
        mode: Mode = "finetune",
        recipe: RecipeName = "default",
        image_size: int | None = None,
        epochs: int | None = None,
        batch_size: int = 32,
        learning_rate: float | None = None,
        augment: Pipeline | Literal["default"] | None = "default",
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        early_stopping: int | None = None,
        random_state: int | None = None,
        callbacks: "Sequence[keras.callbacks.Callback] | None" = None,
        progress: Progress | bool = False,
        precision: Precision = "float32",
        strategy: "tf.distribute.Strategy | None" = None,
        views: Literal[1, 8] = 1,
    ) -> None:
        self.backbone = backbone
        self.weights = weights
        self.mode = mode
        self.recipe = recipe
        self.image_size = image_size
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.augment = augment
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.random_state = random_state
        self.callbacks = callbacks
        self.progress = progress
        self.precision = precision
        self.strategy = strategy
        self.views = views

    def fit(
        self,
        X: Images,
        y: npt.ArrayLike | ImageDataset | None = None,
        validation: ImageDataset | tuple[Images, npt.ArrayLike] | None = None,
        *,
        checkpoint_dir: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : ImageDataset, array of shape (n, H, W) or (n, H, W, C), or list of images
            What to train on.
        y : array_like of shape (n,), optional
            The classes, as numbers or names; by default the labels of the data set. A data set in this
            place is taken as `validation`.
        validation : ImageDataset or pair (X, y), optional
            What to evaluate on after each epoch. It does not take part in the training, but for
            `early_stopping`.
        checkpoint_dir : path, optional
            Folder for the state of the training after each epoch. The same call with the same folder
            goes on where a killed one was, and ends with the same result; finished, it returns
            at once. Of several workers, the first writes to it and all read it. A second training
            that would write to it at the same time is refused.

        Returns
        -------
        ImageClassifier
            This object.

        Raises
        ------
        InvalidParameterError
            A parameter is out of range, `y` does not fit `X`, or the checkpoint is of another
            training.
        WeightsNotAvailableError, WeightsError
            The weights cannot be had, or are damaged. None take their place.
        DatasetError, ImageError
            The images cannot be used.

        Warns
        -----
        LeakageWarning
            Images to validate on are copies of training images, or a property of the files alone tells
            the classes apart (`nucrec.datasets.find_shortcuts`).
        DataWarning
            Images with the same pixels have different labels.
        TrainingWarning
            Fine-tuning did harm and was undone (`undone_`), or the network assigns training images of
            all classes to one class.
        UserWarning
            Ctrl-C after the first epoch: the weights with the smallest validation loss so far are kept,
            without `validation` the latest ones, and ``interrupted_`` is True.
        """
        if isinstance(y, ImageDataset):
            y, validation = None, y
        settings = Settings.of(self.get_params(deep=False))
        train, classes = labelled("X", X, y)
        held_out = None
        if validation is not None:
            held_out = held_out_part("validation", validation, train.class_names, classes)
        check_training_data(train, held_out)
        if settings.early_stopping is not None and held_out is None:
            raise invalid("validation", "images to stop early by", None)
        check_several_classes("y", train.labels, train)
        if checkpoint_dir is not None and not settings.is_seeded:
            raise invalid("random_state", "a seed, so that the same training can go on", None)
        start_tensorflow()
        from nucrec.models._training.fit import train_network

        trained = train_network(settings, train, held_out, classes, checkpoint_dir)
        self._set_fitted(trained.network, classes, train.class_names)
        self.fingerprint_ = trained.fingerprint
        self.domain_ = TrainingDomain.of(train)
        self.history_ = trained.history
        self.validation_proba_ = trained.validation
        self.interrupted_ = trained.interrupted
        self.undone_ = trained.undone is not None
        if trained.interrupted:
            warnings.warn(
                f"training was interrupted after {len(trained.history['epoch'])} epochs; the "
                f"{'latest' if held_out is None else 'best'} weights so far are kept",
                UserWarning,
                stacklevel=2,
            )
        if trained.undone is not None:
            self._warn_of_harm(*trained.undone)
        self._warn_of_one_answer(train)
        return self

    def _warn_of_harm(self, before: float, after: float) -> None:
        warn(
            f"fine-tuning lowered the accuracy on training images from {before:.2f} to {after:.2f} and "
            "was undone: the network is its backbone as it came, with a classification head. Train for "
            "more epochs or with a lower learning rate, or choose mode='features'.",
            TrainingWarning,
        )

    def _warn_of_one_answer(self, train: ImageDataset) -> None:
        """Warn if the network assigns training images of all classes to one class."""
        from nucrec.models._networks.inference import run_model

        few = some_of_each_class(train, _JUDGED)
        predict = self.model_.predict_on_batch
        probabilities = run_model(predict, few, self.image_size_, self.channels_)
        answers = np.unique(probabilities.argmax(axis=1))
        if len(answers) == 1:
            warn(
                f"the network classifies all of {len(few)} training images, of all classes, as "
                f"{self.class_names_[answers[0]]}: it has not learnt to tell the classes apart. Train "
                "it for more epochs, with another learning rate, or on more images.",
                TrainingWarning,
            )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the fitted classifier to one file that `nucrec.models.load` reads.

        Parameters
        ----------
        path : path
            Its ending must be ".keras". An older file is replaced as a whole or not at all.

        Raises
        ------
        InvalidParameterError
            The ending is another one.
        NucrecError
            The file cannot be written.
        sklearn.exceptions.NotFittedError
            It is not fitted.
        """
        check_is_fitted(self, "model_")
        save_network(output_file("path", path), self.model_, self._info())

    @classmethod
    def _of_file(cls, network: "keras.Model", info: ModelInfo) -> Self:
        """Return the classifier that a model file describes."""
        classifier = cls(**parameters_from_json(info.parameters))
        classifier._set_fitted(network, np.asarray(info.classes), info.class_names)
        classifier.fingerprint_ = info.fingerprint or ""
        classifier.domain_ = None if info.domain is None else TrainingDomain.from_json(info.domain)
        classifier.history_ = History.of_file(info.history)
        if info.calibration is not None:
            probabilities = np.array(info.calibration["probabilities"], np.float32)
            classifier._set_calibration(probabilities, np.array(info.calibration["labels"], int))
        classifier.interrupted_ = False
        classifier.undone_ = info.undone
        return classifier

    def _info(self) -> ModelInfo:
        """Return the description that goes into a model file."""
        calibration = None
        if self.calibration_ is not None:
            probabilities, labels = self.calibration_
            calibration = {"probabilities": probabilities.tolist(), "labels": labels.tolist()}
        return ModelInfo(
            kind="network",
            class_names=self.class_names_,
            classes=tuple(self.classes_.tolist()),
            preprocessing={
                "image_size": self.image_size_,
                "channels": self.channels_,
                "dtype": "uint8",
            },
            parameters=parameters_to_json(lasting_parameters(self.get_params(deep=False))),
            versions=versions(),
            fingerprint=self.fingerprint_,
            created=now(),
            history=dict(self.history_),
            undone=self.undone_,
            calibration=calibration,
            domain=None if self.domain_ is None else self.domain_.to_json(),
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.non_deterministic = self.random_state is None
        return tags

    def __sklearn_clone__(self) -> Self:
        # shared: a network never changes, and neither strategies nor callbacks that were used, with
        # the files they wrote, can be copied
        shared = {name: getattr(self, name) for name in ("backbone", "strategy", "callbacks")}
        plain = copy.copy(self)
        plain.backbone, plain.callbacks = "cnn", None
        bare = super(ImageClassifier, plain).__sklearn_clone__()
        return cast(Self, bare.set_params(**shared))

    def __getstate__(self) -> dict[str, Any]:
        # nor can what was compiled
        return {**super().__getstate__(), "strategy": None, "_grad_cam": None}

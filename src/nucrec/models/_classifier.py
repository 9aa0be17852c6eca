"""A scikit-learn classifier around a Keras network."""

import copy
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy.typing as npt

from nucrec._keras import start_tensorflow
from nucrec._progress import Progress
from nucrec._validation import invalid
from nucrec._warnings import warn
from nucrec.augment import Pipeline
from nucrec.datasets import ImageDataset, check_training_data
from nucrec.errors import TrainingWarning
from nucrec.models._backbones import OwnBackbone
from nucrec.models._domain import learn_domain
from nucrec.models._inputs import (
    Images,
    check_several_classes,
    held_out_part,
    labelled,
    some_of_each_class,
)
from nucrec.models._one_answer import warn_of_one_answer
from nucrec.models._saved import SavedNetwork
from nucrec.models._training.recipes import Mode, Precision, RecipeName
from nucrec.models._training.settings import Settings
from nucrec.models._training_images import kept_marks

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


_JUDGED = 32
"""Training images of each class by which it is judged whether a network answers with one class only."""


class ImageClassifier(SavedNetwork):
    """Classify images with a neural network, as a scikit-learn classifier.

    Use `cnn`, `transfer` or `inception_transfer` to create one: they set these parameters. The
    classifier accepts data sets, arrays and lists of images, grey or colour, of any size and dtype.

    Parameters
    ----------
    backbone : str, keras.Model or callable, default="efficientnet-lite0"
        "cnn" for a small convolutional network; the name of a pre-trained network listed by
        `backbones`; or your own network. The latter is a Keras model, or a function that returns one
        for an image size. It takes images of shape (size, size, 3) with values from 0 to 255 and ends
        in feature maps of shape (h, w, channels). It brings its own weights and is never changed: a
        copy is trained.
    weights : "imagenet", path or None, default="imagenet"
        Initial weights of a pre-trained network; None for random weights. Ignored for "cnn" and for
        your own network.
    mode : {"finetune", "features"}, default="finetune"
        "finetune" trains the backbone as well; "features" keeps it frozen.
    recipe : {"default", "paper"}, default="default"
        "default" suits small data sets: it standardises each image, trains the classification head on
        cached features first, and then trains all layers on images augmented on the fly, with batch
        normalisation frozen and a learning rate that warms up and decays. "paper" trains all layers
        from the first step, with batch normalisation live and Adam at a constant rate, without
        augmentation.
    image_size : int, optional
        Height and width in pixels that images are resized to; by default the backbone's own size.
    epochs : int, optional
        Number of epochs of the last training stage; by default the recipe's: 12 of fine-tuning, or up
        to 40 until there are 400 steps; 60 of the CNN; 100 of the head on frozen features.
    batch_size : int, default=32
        Number of images per training step.
    learning_rate : float, optional
        Peak learning rate of the schedule; by default the recipe's, reduced if a pre-trained network
        is fine-tuned in fewer than 80 steps.
    augment : "default", Pipeline or None, default="default"
        The pipeline that augments training images on the fly; "default" uses the recipe's.
    class_weight : None, "balanced" or dict of class to float, default=None
        Class weights in the loss, as in scikit-learn.
    early_stopping : int, optional
        Number of epochs of the last stage without an improvement in the validation loss after which
        training stops; the weights with the smallest validation loss are then restored. Requires
        ``fit(..., validation=...)``.
    random_state : int, optional
        Seed of all random numbers; by default, results differ between runs.
    callbacks : sequence of keras.callbacks.Callback, optional
        Your own Keras callbacks. They see the last stage of the recipe, the one that `epochs` counts,
        as one Keras training of the whole network; their ``logs`` have the names of `history_`. The
        recipe sets the learning rate, so callbacks that change it require ``recipe="paper"``. Clones
        share the callbacks, saved models omit them, and `checkpoint_dir` does not store their state.
    progress : bool or callable, default=False
        True shows progress on standard error. A callable receives (batches done, total batches,
        message). With several workers, only the first shows progress.
    precision : {"float32", "bfloat16"}, default="float32"
        Number format in which the backbone computes feature maps. "bfloat16" has 8 instead of 24
        significant bits, takes half the memory, and is faster on GPUs and on CPUs with hardware support
        (AMX or AVX-512 BF16; on other CPUs it is slower). Weights stay float32, whatever Keras's global
        settings are.
    strategy : tf.distribute.Strategy, optional
        Strategy for training on several devices: a ``MirroredStrategy`` for the GPUs of one machine, or
        a ``MultiWorkerMirroredStrategy`` for several machines, each of which runs the same script with
        the same `random_state`. By default, training uses one device. The devices share each batch of
        `batch_size` images. The result equals that of one device except for rounding, for dropout,
        which drops other units, and for live batch normalisation ("cnn", or ``recipe="paper"``), which
        uses the statistics of each device's share. The fitted network resides on one device. Clones
        keep the strategy; files, pickles and copies do not.
    views : {1, 8}, default=1
        Number of views of each image that `predict_proba` averages over: the image itself, or its four
        quarter turns, each with its mirror image, which takes eight times as long. It can be changed
        after ``fit`` with ``set_params``; call `calibrate` again afterwards. Saved with the model.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The values that `predict` returns: the labels of the data set, or the classes in `y`.
    class_names_ : tuple of str
        Names of the classes, in the order of `classes_`.
    history_ : dict of str to list
        One value per epoch in each of the columns "epoch", "stage", "loss", "accuracy", "precision",
        "recall", "auc", "precision_macro", "recall_macro" and "f1_macro"; with a validation set, the
        same columns again, prefixed with "val_". "precision" and "recall" are those that Keras
        computes for a softmax output, which equal the accuracy for two classes; the macro columns are
        means over the classes.
    validation_proba_ : ndarray of float32, shape (n_epochs, n_validation, n_classes)
        The probabilities of the validation images after each epoch in the history.
    model_ : keras.Model
        The network, from images with values from 0 to 255 to probabilities.
    image_size_, channels_ : int
        Size and number of channels that images are converted to.
    fingerprint_ : str
        Fingerprint of the training images.
    domain_ : TrainingDomain or None
        The range of properties of the training images; None for a model saved by nucrec 0.1.0. By it,
        whole fields of view are refused; without it (``classifier.domain_ = None``), every image gets
        an answer.
    card_ : ModelCard or None
        What the classifier was trained on and how well it does on other images. None after `fit`;
        set it before `save`, and the file contains it.
    marks_ : tuple of str
        Hashes of the training images, by which `evaluate` recognizes them; empty for a model saved by
        nucrec 0.1.0, and for more than 200,000 training images.
    temperature_ : Temperature or None
        The calibration of the probabilities, set by `calibrate`.
    calibration_ : (ndarray of shape (n, n_classes), ndarray of shape (n,)) or None
        The uncalibrated probabilities and the labels of the calibration images.
    calibration_groups_ : ndarray of shape (n,) or None
        The number of the group of each calibration image, if images share groups.
    interrupted_ : bool
        Whether training was interrupted with Ctrl-C.
    undone_ : bool
        Whether fine-tuning was undone because the classification head on frozen features was better.
        The network is then restored to its state after the stage "head": the original backbone, with
        the head that was trained on its features. See Notes.

    Notes
    -----
    Fine-tuning must not end below the frozen features that it began with. If it has fewer than 80
    steps (batches times epochs), it is tried first without a fifth of the training images, whole
    groups of them, which takes as long again. It is undone unless, on these images and an augmented
    copy of each, the loss is smaller and the accuracy no lower at its end than at its beginning. There
    is no trial if fewer than 10 images of a class would be kept back. Longer fine-tuning, and
    fine-tuning without a trial, is undone if it classifies significantly fewer training images
    correctly (McNemar's exact test, one-sided, at 5 %, on augmented copies).

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
            The training images.
        y : array_like of shape (n,), optional
            The classes, as numbers or names; by default the labels of the data set. A data set passed
            here is used as `validation`.
        validation : ImageDataset or pair (X, y), optional
            The validation set, evaluated after each epoch. It does not influence the training, except
            through `early_stopping`.
        checkpoint_dir : path, optional
            Folder for the training state, which is saved after each epoch. The same call with the
            same folder resumes an interrupted training and ends with the same result; a finished
            training returns at once. With several workers, the first writes to the folder and all
            read from it. A second training that would write to the folder at the same time is
            refused.

        Returns
        -------
        ImageClassifier
            The fitted classifier itself.

        Raises
        ------
        InvalidParameterError
            A parameter is out of range, `y` does not fit `X`, or the checkpoint belongs to another
            training.
        WeightsNotAvailableError, WeightsError
            The weights cannot be obtained, or are damaged. There is no fallback to other weights.
        DatasetError, ImageError
            The images cannot be used.

        Warns
        -----
        LeakageWarning
            Validation images are copies of training images, or a property of the files alone predicts
            the class (`nucrec.datasets.find_shortcuts`).
        DataWarning
            Images with identical pixels have different labels, or training images look like whole
            fields of view.
        TrainingWarning
            Fine-tuning made the network worse and was undone (`undone_`), or the network assigns
            training images of all classes to one class.
        UserWarning
            Training was interrupted with Ctrl-C after the first epoch. The network keeps the
            weights with the smallest validation loss so far, or the latest ones without
            `validation`, and ``interrupted_`` is True.
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
            raise invalid("validation", "validation images, which early_stopping needs", None)
        check_several_classes("y", train.labels, train)
        if checkpoint_dir is not None and not settings.is_seeded:
            raise invalid("random_state", "a seed, so that the same training can be resumed", None)
        start_tensorflow()
        from nucrec.models._training.fit import train_network

        trained = train_network(settings, train, held_out, classes, checkpoint_dir)
        self._set_fitted(
            trained.network,
            classes,
            train.class_names,
            fingerprint=trained.fingerprint,
            domain=learn_domain(train),
            marks=kept_marks(train),
            history=trained.history,
            validation_proba=trained.validation,
            interrupted=trained.interrupted,
            undone=trained.undone is not None,
        )
        if trained.interrupted:
            warnings.warn(
                f"training was interrupted after {len(trained.history['epoch'])} epochs; the "
                f"{'latest' if held_out is None else 'best'} weights so far are kept",
                UserWarning,
                stacklevel=2,
            )
        if trained.undone is not None:
            warn(trained.undone, TrainingWarning)
        self._warn_of_one_answer(train)
        return self

    def _warn_of_one_answer(self, train: ImageDataset) -> None:
        """Warn if the network assigns training images of all classes to one class."""
        from nucrec.models._networks.inference import run_model

        few = some_of_each_class(train, _JUDGED)
        predict = self.model_.predict_on_batch
        probabilities = run_model(predict, few, self.image_size_, self.channels_)
        warn_of_one_answer(probabilities, self.class_names_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.non_deterministic = self.random_state is None
        return tags

    def __sklearn_clone__(self) -> Self:
        # shared: a network never changes, and strategies or callbacks that have been used cannot be
        # copied
        shared = {name: getattr(self, name) for name in ("backbone", "strategy", "callbacks")}
        plain = copy.copy(self)
        plain.backbone, plain.callbacks = "cnn", None
        bare = super(ImageClassifier, plain).__sklearn_clone__()
        return cast(Self, bare.set_params(**shared))

    def __getstate__(self) -> dict[str, Any]:
        # compiled functions cannot be copied either
        return {**super().__getstate__(), "strategy": None, "_grad_cam": None}

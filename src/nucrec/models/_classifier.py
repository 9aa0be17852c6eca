"""A scikit-learn classifier around a Keras network."""

import copy
import os
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.extmath import softmax
from sklearn.utils.validation import check_is_fitted

from nucrec._progress import Progress, progress_function
from nucrec._validation import check_choice, check_int, invalid
from nucrec.augment import Pipeline
from nucrec.datasets import ImageDataset, find_leaks
from nucrec.evaluate import ConformalRule, Temperature, fit_conformal, fit_temperature
from nucrec.models._explain import Explanation
from nucrec.models._features import Images, require_images
from nucrec.models._inputs import held_out_part, labelled
from nucrec.models._networks.start import start_tensorflow
from nucrec.models._training.recipes import Mode, Precision, RecipeName
from nucrec.models._training.settings import Settings

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from nucrec.models._networks.grad_cam import GradCam
    from nucrec.models._networks.inference import Predict

Array = npt.NDArray[Any]


class ImageClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A neural network as a scikit-learn classifier of images.

    Usually made by `cnn`, `transfer` or `inception_transfer`, which set these parameters. It takes data
    sets, arrays and lists of images, grey or colour, of any size and dtype.

    Parameters
    ----------
    backbone : str, default="efficientnet-lite0"
        "cnn" for a small convolutional network, or a network to be given pre-trained weights:
        "efficientnet-lite0", "inception-resnet-v2", "efficientnet-v2-b0", "resnet50",
        "mobilenet-v3-large", "densenet121".
    weights : "imagenet", path or None, default="imagenet"
        What the backbone begins with; None for random weights. Not used for "cnn".
    mode : {"finetune", "features"}, default="finetune"
        Whether the backbone learns, too, or stays as it is.
    recipe : {"default", "paper"}, default="default"
        "default" is for small sets: each image is standardised; the classes are trained on cached
        features first; then everything with batch normalisation frozen, the learning rate rising
        and falling, on images changed on the fly. "paper" trains everything from the first step
        with batch normalisation live and Adam at a constant rate, without changing images.
    image_size : int, optional
        Height and width in pixels that images are brought to; by default what the backbone takes.
    epochs : int, optional
        Epochs of the last stage; by default the recipe's.
    batch_size : int, default=32
        Images in a step.
    learning_rate : float, optional
        The highest of the schedule; by default the recipe's.
    augment : "default", Pipeline or None, default="default"
        What changes images on the fly; "default" is what the recipe says.
    class_weight : None, "balanced" or dict of class to float, default=None
        Weights of the classes in the loss, as in scikit-learn.
    early_stopping : int, optional
        Epochs of the last stage without a smaller validation loss, after which training ends and
        the weights with the smallest are taken. Needs ``fit(..., validation=...)``.
    random_state : int, optional
        Seed of everything; by default another each time.
    progress : bool or callable, default=False
        True shows progress on standard error. A callable gets (batches done, batches in all, what).
        Of several workers, only the first shows it.
    precision : {"float32", "bfloat16"}, default="float32"
        What the backbone computes its feature maps with. "bfloat16" has 8 instead of 24 significant
        bits, takes half the memory, and is faster on GPUs and on CPUs that multiply it by themselves
        (AMX or AVX-512 BF16; on others it is slower). Weights stay float32.
    strategy : tf.distribute.Strategy, optional
        What to train with several devices by: a ``MirroredStrategy`` for the GPUs of one machine, a
        ``MultiWorkerMirroredStrategy`` for several machines, each of which runs the same script with
        the same `random_state`. By default one device. The devices share each batch, of `batch_size`
        in all; the result is that of one device, but for rounding, for dropout, which leaves out other
        units, and for live batch normalisation ("cnn", or ``recipe="paper"``), which uses the
        statistics of each device's share. Once fitted, the network is on one device. Clones keep the
        strategy; files, pickles and copies do not.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        What `predict` answers with: the labels of the data set, or what was in `y`.
    class_names_ : tuple of str
        Names of the classes, in the order of `classes_`.
    history_ : dict of str to list
        Columns "epoch", "stage" and, named as in the paper's Tables III to VI, "TR-ACC", "TR-Loss",
        "TR-PRE", "TR-REC", "TR-AUC", with "VAL-" in place of "TR-" where there was a validation set.
        PRE and REC are Keras's on a softmax, equal to ACC for two classes; "TR-PRE-macro",
        "TR-REC-macro" and "TR-F1-macro" are means over the classes.
    validation_proba_ : ndarray of float32, shape (n_epochs, n_validation, n_classes)
        The probabilities of the validation images after each epoch of the history.
    model_ : keras.Model
        The network, from images of range 0 to 255 to probabilities.
    image_size_, channels_ : int
        What images are brought to.
    fingerprint_ : str
        That of the training data.
    temperature_ : Temperature or None
        What calibrates the probabilities, after `calibrate`.
    calibration_ : (ndarray of shape (n, n_classes), ndarray of shape (n,)) or None
        The probabilities, before that, and the labels of the images it was calibrated with.
    interrupted_ : bool
        Whether training was ended by Ctrl-C.

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

    _embedder: "keras.Model | None"
    _grad_cam: "GradCam | None"

    def __init__(
        self,
        backbone: str = "efficientnet-lite0",
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
        progress: Progress | bool = False,
        precision: Precision = "float32",
        strategy: "tf.distribute.Strategy | None" = None,
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
        self.progress = progress
        self.precision = precision
        self.strategy = strategy

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
            Images to validate on come from the same originals as training images.
        UserWarning
            Ctrl-C after the first epoch: the weights with the smallest validation loss so far are kept,
            without `validation` the latest ones, and ``interrupted_`` is True.
        """
        if isinstance(y, ImageDataset):
            y, validation = None, y
        settings = Settings.of(self)
        train, classes = labelled("X", X, y)
        held_out = None
        if validation is not None:
            held_out = held_out_part("validation", validation, train.class_names, classes)
        if isinstance(X, ImageDataset) and isinstance(validation, ImageDataset):
            find_leaks(X, validation).warn(stacklevel=3)
        if self.early_stopping is not None and held_out is None:
            raise invalid("validation", "images to stop early by", None)
        if len(train.class_names) < 2:
            raise invalid("y", "at least two classes", train.class_names)
        if checkpoint_dir is not None and self.random_state is None:
            raise invalid("random_state", "a seed, so that the same training can go on", None)
        start_tensorflow()
        from nucrec.models._training.fit import train_network

        fingerprint = train.fingerprint
        training = train_network(
            self, settings, train, held_out, classes, fingerprint, checkpoint_dir
        )
        self._set_fitted(training.network, classes, train.class_names)
        self.fingerprint_ = fingerprint
        columns = dict.fromkeys(key for row in training.rows for key in row)
        self.history_ = {key: [row[key] for row in training.rows] for key in columns}
        self.validation_proba_ = np.array(training.validation)
        self.interrupted_ = training.interrupted
        if training.interrupted:
            warnings.warn(
                f"training was interrupted after {len(training.rows)} epochs; the "
                f"{'latest' if held_out is None else 'best'} weights so far are kept",
                UserWarning,
                stacklevel=2,
            )
        return self

    def predict(self, X: Images) -> Array:
        """Return the most probable class of each image.

        Parameters
        ----------
        X : ImageDataset, array of shape (n, H, W) or (n, H, W, C), or list of images
            Grey or colour, of any size.

        Returns
        -------
        ndarray of shape (n,)
            Of the values in `classes_`.

        Raises
        ------
        InvalidParameterError
            X holds something that is no image, or nothing.
        """
        chosen = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[chosen])

    def predict_proba(self, X: Images) -> Array:
        """Return the probability of each class.

        Parameters
        ----------
        X : ImageDataset, array of shape (n, H, W) or (n, H, W, C), or list of images
            Grey or colour, of any size.

        Returns
        -------
        ndarray of float32, shape (n, n_classes)
            Columns in the order of `classes_`; rows add up to 1.

        Raises
        ------
        InvalidParameterError
            X holds something that is no image, or nothing.
        """
        check_is_fitted(self, "model_")
        return self._calibrated(self._run(self.model_.predict_on_batch, X))

    def calibrate(self, X: Images, y: npt.ArrayLike | None = None) -> Self:
        """Learn from other images how far the probabilities can be believed.

        From then on `predict_proba` gives calibrated probabilities, and `conformal` says which images a
        person should decide. Predicted classes stay the same.

        Parameters
        ----------
        X : ImageDataset, array of shape (n, H, W) or (n, H, W, C), or list of images
            Images that the network was not trained on, of the kind it will be used for.
        y : array_like of shape (n,), optional
            Their classes; by default the labels of the data set.

        Returns
        -------
        ImageClassifier
            This object.

        Raises
        ------
        InvalidParameterError
            `y` does not fit `X`, or has other classes than the network.
        """
        check_is_fitted(self, "model_")
        if y is not None:
            held_out = held_out_part("X", (X, y), self.class_names_, self.classes_)
        elif isinstance(X, ImageDataset):
            held_out = held_out_part("X", X, self.class_names_, self.classes_)
        else:
            raise invalid("y", "the classes of the images, or a data set in X", None)
        probabilities = self._run(self.model_.predict_on_batch, held_out)
        self._set_calibration(probabilities, held_out.labels)
        return self

    def conformal(self, error_rate: float = 0.05) -> ConformalRule:
        """Return the rule that says which images the network may decide alone.

        Parameters
        ----------
        error_rate : float, default=0.05
            Share of the images of each class whose true class the rule may exclude.

        Returns
        -------
        ConformalRule
            Its ``ask(predict_proba(X))`` tells which images a person should look at.

        Raises
        ------
        InvalidParameterError
            The network was not calibrated, or the error rate is out of range.
        """
        check_is_fitted(self, "model_")
        if self.calibration_ is None or self.temperature_ is None:
            hint = "Call calibrate() with labelled images that it was not trained on."
            raise invalid("model", "a network that was calibrated", self, hint)
        probabilities, labels = self.calibration_
        return fit_conformal(labels, self.temperature_.apply(probabilities), error_rate)

    def embed(self, X: Images) -> Array:
        """Return what the network makes of each image before it decides on a class.

        Parameters
        ----------
        X : ImageDataset, array of shape (n, H, W) or (n, H, W, C), or list of images
            Grey or colour, of any size.

        Returns
        -------
        ndarray of float32, shape (n, n_features)
            The last feature maps, averaged over the image.

        Raises
        ------
        InvalidParameterError
            X holds something that is no image, or nothing.
        """
        check_is_fitted(self, "model_")
        if self._embedder is None:
            from nucrec.models._networks.build import embedder

            self._embedder = embedder(self.model_)
        return self._run(self._embedder.predict_on_batch, X)

    def explain(
        self, images: Images, target: str | int | None = None, *, batch_size: int = 64
    ) -> Explanation:
        """Return where in each image the network saw what speaks for a class: Grad-CAM.

        Parameters
        ----------
        images : ImageDataset, array of shape (n, H, W) or (n, H, W, C), or list of images
            Grey or colour, of any size.
        target : str or int, optional
            Name of the class, or its position in ``class_names_``; by default the predicted class of
            each image.
        batch_size : int, default=64
            Images in a run of the network.

        Returns
        -------
        Explanation
            The heat of each image, from 0 to 1, and pictures of it.

        Raises
        ------
        InvalidParameterError
            `images` holds something that is no image, or nothing, or there is no such class.
        sklearn.exceptions.NotFittedError
            The network is not fitted.

        Notes
        -----
        Feature maps are added up, each weighted by the mean gradient of the class's score before the
        softmax, and what is positive is kept. An image in which nothing speaks for the class has a heat
        of 0 everywhere. Calibration changes the probabilities only.

        The maps are the last ones with at least 6 x 6 places, through which everything goes that comes
        after them. In networks that take images of 192 pixels or more these are the last of all. In
        smaller ones the last have few places: of an EfficientNet-Lite0 at 96 pixels they are 3 x 3,
        and the heat at annotated micronuclei was higher than in 56 % of the image, with 6 x 6 places in
        72 %. Between the places the heat is interpolated: it says where a network looked, and not
        what shape was there.

        References
        ----------
        - R. R. Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based
          localization", ICCV 2017, pp. 618-626.
        - J. Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018: Grad-CAM passes them.
        """
        check_is_fitted(self, "model_")
        check_int("batch_size", batch_size, low=1)
        explained = require_images("images", images)
        chosen = None if target is None else self._class_position("target", target)
        from nucrec.models._networks.grad_cam import GradCam

        if self._grad_cam is None:
            self._grad_cam = GradCam(self.model_)
        found = self._run(self._grad_cam.of(chosen), explained, batch_size)
        maps, scores = self._grad_cam.unpacked(found)
        probabilities = self._calibrated(softmax(scores))
        positions = probabilities.argmax(axis=1) if chosen is None else [chosen] * len(maps)
        names = tuple(self.class_names_[k] for k in positions)
        return Explanation.of(maps, names, probabilities, explained)

    def score(self, X: Images, y: npt.ArrayLike | None = None, sample_weight: Any = None) -> float:
        """Return the accuracy.

        Parameters
        ----------
        X : ImageDataset, array of shape (n, H, W) or (n, H, W, C), or list of images
            Grey or colour, of any size.
        y : array_like of shape (n,), optional
            The true classes; by default the labels of the data set.
        sample_weight : array_like of shape (n,), optional
            Weights of the images.

        Returns
        -------
        float
            From 0 to 1.

        Raises
        ------
        InvalidParameterError
            There are no labels.
        """
        if y is None:
            if not isinstance(X, ImageDataset):
                raise invalid("y", "the true classes, or a data set in X", None)
            y = X.labels
        return float(super().score(X, y, sample_weight))

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
        from nucrec.models._persistence import save

        save(self, path)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.non_deterministic = self.random_state is None
        return tags

    def __sklearn_clone__(self) -> Self:
        # a strategy holds threads and devices: it cannot be copied, but the clone can use it, too
        bare = super(ImageClassifier, copy.copy(self)).__sklearn_clone__()
        return cast(Self, bare.set_params(strategy=self.strategy))

    def __getstate__(self) -> dict[str, Any]:
        # nor can what was compiled
        return {**super().__getstate__(), "strategy": None, "_grad_cam": None}

    def _set_fitted(
        self, network: "keras.Model", classes: Array, class_names: tuple[str, ...]
    ) -> None:
        self.model_ = network
        self._embedder = self._grad_cam = None
        self.classes_ = classes
        self.class_names_ = class_names
        _, self.image_size_, _, self.channels_ = network.input_shape
        self.temperature_: Temperature | None = None
        self.calibration_: tuple[Array, Array] | None = None

    def _set_calibration(self, probabilities: Array, labels: Array) -> None:
        """Calibrate with the probabilities and the labels, from 0, of images."""
        self.temperature_ = fit_temperature(labels, probabilities)
        self.calibration_ = probabilities, labels

    def _calibrated(self, probabilities: Array) -> Array:
        if self.temperature_ is None:
            return probabilities
        return self.temperature_.apply(probabilities).astype(np.float32)

    def _class_position(self, name: str, value: str | int) -> int:
        """Return the position of a class, given by its name or by that."""
        if isinstance(value, str):
            return self.class_names_.index(check_choice(name, value, self.class_names_))
        return check_int(name, value, low=0, high=len(self.class_names_) - 1)

    def _run(self, predict: "Predict", X: Images, batch_size: int = 64) -> Array:
        images = require_images("X", X)
        from nucrec.models._networks.inference import run_model

        return run_model(
            predict,
            images,
            self.image_size_,
            self.channels_,
            batch_size=batch_size,
            show=progress_function(self.progress),
        )

"""The methods of a fitted network: predict, evaluate, embed, explain, calibrate."""

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.extmath import softmax
from sklearn.utils.validation import check_is_fitted

from nucrec._progress import Progress, progress_function
from nucrec._validation import check_choice, check_int, invalid
from nucrec.datasets import ImageDataset
from nucrec.errors import NucrecError
from nucrec.evaluate import ConformalRule, Report, Temperature, fit_conformal, fit_temperature
from nucrec.models._card import ModelCard
from nucrec.models._domain import TrainingDomain, refuse_fields
from nucrec.models._evaluation import Expected
from nucrec.models._explain import Explanation
from nucrec.models._inputs import Images, held_out_part, named_classes, require_images, spelled_as
from nucrec.models._saving.info import ModelInfo
from nucrec.models._training_images import shared_groups, warn_of_calibration

if TYPE_CHECKING:
    import keras

    from nucrec.models._networks.grad_cam import GradCam
    from nucrec.models._networks.inference import BatchFunction

Array = npt.NDArray[Any]


class FittedNetwork(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The methods of a fitted `ImageClassifier`. Only this class uses its network."""

    progress: Progress | bool
    views: Literal[1, 8]
    domain_: TrainingDomain | None
    card_: ModelCard | None
    _embedder: "keras.Model | None"
    _grad_cam: "GradCam | None"
    _file: ModelInfo | None
    class_names_: tuple[str, ...]
    temperature_: Temperature | None
    calibration_: tuple[Array, Array] | None
    calibration_groups_: Array | None

    def predict(self, X: Images) -> Array:
        """Return the most probable class of each image.

        Parameters
        ----------
        X : ImageDataset, array of shape (n, H, W) or (n, H, W, C), or list of images
            The images, grey or colour, of any size.

        Returns
        -------
        ndarray of shape (n,)
            The predicted classes, as values of `classes_`.

        Raises
        ------
        InvalidParameterError
            `X` is empty or contains an item that is not an image.
        ImageError
            An image looks like a whole field of view, and the network was trained on crops of cells.
        """
        chosen = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[chosen])

    def predict_proba(self, X: Images) -> Array:
        """Return the probability of each class.

        Parameters
        ----------
        X : ImageDataset, array of shape (n, H, W) or (n, H, W, C), or list of images
            The images, grey or colour, of any size.

        Returns
        -------
        ndarray of float32, shape (n, n_classes)
            Probabilities from 0 to 1, with columns in the order of `classes_`; each row sums to 1.
            With ``views=8``, they are means over the four quarter turns of each image and their
            mirror images.

        Raises
        ------
        InvalidParameterError
            `X` is empty or contains an item that is not an image.
        ImageError
            An image looks like a whole field of view, and the network was trained on crops of cells.
        """
        check_is_fitted(self, "model_")
        return self._calibrated(self._uncalibrated(X))

    def evaluate(
        self,
        X: Images,
        y: npt.ArrayLike | None = None,
        *,
        groups: npt.ArrayLike | None = None,
        confidence: float = 0.95,
    ) -> Report:
        """Evaluate the network on images that it was not trained on.

        Parameters
        ----------
        X : ImageDataset, array of shape (n, H, W) or (n, H, W, C), or list of images
            The images, grey or colour, of any size.
        y : array_like of shape (n,), optional
            The true classes, as values of `classes_`; by default the labels of the data set.
        groups : array_like of shape (n,), optional
            Group of each image; images that are not independent share a group. By default the
            groups of the data set.
        confidence : float, default=0.95
            Confidence level of the intervals, strictly between 0 and 1.

        Returns
        -------
        Report
            Seven metrics with confidence intervals, as computed by `nucrec.evaluate.report`.

        Raises
        ------
        InvalidParameterError
            There are no labels, or they are not classes of the network.
        ImageError
            An image looks like a whole field of view, and the network was trained on crops of cells.

        Examples
        --------
        >>> from nucrec.datasets import load_mnfinder_crops, split
        >>> from nucrec.models import cnn
        >>> train, test = split(load_mnfinder_crops(), random_state=0)
        >>> model = cnn(image_size=32, epochs=1, random_state=0).fit(train)
        >>> model.evaluate(test).n == len(test)
        True
        """
        check_is_fitted(self, "model_")
        expected = Expected.of(self, X, y, groups)
        probabilities = self.predict_proba(X)
        return expected.report(
            self.classes_[probabilities.argmax(axis=1)], probabilities, confidence
        )

    def calibrate(self, X: Images, y: npt.ArrayLike | None = None) -> Self:
        """Calibrate the probabilities on images that the network was not trained on.

        Afterwards, `predict_proba` returns calibrated probabilities, and `conformal` returns a rule
        that selects images for manual review. Predicted classes do not change. Set `views` first,
        since calibration applies to the probabilities that it produces. A `card_` loses the figure of
        the former calibration (`ModelCard.recalibrated`).

        Parameters
        ----------
        X : ImageDataset, array of shape (n, H, W) or (n, H, W, C), or list of images
            The calibration images: not used in training, and of the kind that the network will be
            applied to.
        y : array_like of shape (n,), optional
            The true classes; by default the labels of the data set.

        Returns
        -------
        ImageClassifier
            The calibrated classifier itself.

        Raises
        ------
        InvalidParameterError
            `y` does not fit `X`, or has other classes than the network.
        ImageError
            An image looks like a whole field of view, and the network was trained on crops of cells.

        Warns
        -----
        DataWarning
            A class has no calibration image.
        LeakageWarning
            Calibration images are training images.
        """
        check_is_fitted(self, "model_")
        if y is not None:
            held_out = held_out_part("X", (X, y), self.class_names_, self.classes_)
        elif isinstance(X, ImageDataset):
            held_out = held_out_part("X", X, self.class_names_, self.classes_)
        else:
            raise invalid("y", "the classes of the images, or a data set in X", None)
        probabilities = self._uncalibrated(held_out)
        self._set_calibration(probabilities, held_out.labels, shared_groups(held_out))
        if isinstance(self.card_, ModelCard):
            self.card_ = self.card_.recalibrated(len(held_out))
        warn_of_calibration(held_out, getattr(self, "marks_", ()))
        return self

    def conformal(self, error_rate: float = 0.05) -> ConformalRule:
        """Return the conformal rule that selects images for manual review.

        Parameters
        ----------
        error_rate : float, default=0.05
            Largest accepted share of the images of each class whose true class the rule excludes.

        Returns
        -------
        ConformalRule
            The rule; its ``needs_review(predict_proba(X))`` returns which images a person should
            review. It takes the calibration images as independent; `fit_conformal` takes groups.

        Raises
        ------
        InvalidParameterError
            The network is not calibrated, or the error rate is out of range.
        """
        check_is_fitted(self, "model_")
        if self.calibration_ is None or self.temperature_ is None:
            hint = "Call calibrate() with labelled images that it was not trained on."
            raise invalid("model", "a network that was calibrated", self, hint)
        probabilities, labels = self.calibration_
        return fit_conformal(labels, self.temperature_.apply(probabilities), error_rate)

    def embed(self, X: Images) -> Array:
        """Return the penultimate-layer embedding of each image.

        Parameters
        ----------
        X : ImageDataset, array of shape (n, H, W) or (n, H, W, C), or list of images
            The images, grey or colour, of any size.

        Returns
        -------
        ndarray of float32, shape (n, n_features)
            The last feature maps, averaged over the image.

        Raises
        ------
        InvalidParameterError
            `X` is empty or contains an item that is not an image.
        ImageError
            An image looks like a whole field of view, and the network was trained on crops of cells.
        """
        check_is_fitted(self, "model_")
        if self._embedder is None:
            from nucrec.models._networks.build import embedder

            self._embedder = embedder(self.model_)
        return self._run(self._embedder.predict_on_batch, X)

    def explain(
        self, images: Images, target: str | int | None = None, *, batch_size: int = 64
    ) -> Explanation:
        """Return Grad-CAM heat maps of the regions that raised the score of a class.

        Parameters
        ----------
        images : ImageDataset, array of shape (n, H, W) or (n, H, W, C), or list of images
            The images, grey or colour, of any size.
        target : str or int, optional
            Name of the class, or its position in ``class_names_``; by default the predicted class of
            each image.
        batch_size : int, default=64
            Number of images per batch.

        Returns
        -------
        Explanation
            The heat map of each image, from 0 to 1, and methods to draw it.

        Raises
        ------
        InvalidParameterError
            `images` is empty or contains an item that is not an image, or there is no such class.
        ImageError
            An image looks like a whole field of view, and the network was trained on crops of cells.
        sklearn.exceptions.NotFittedError
            The network is not fitted.

        Notes
        -----
        The heat map is the sum of feature maps, each weighted by the mean gradient of the class
        score before the softmax, with negative values set to 0. It is 0 everywhere if no region
        raises the score. Calibration changes the probabilities only. The heat map is computed on
        the unrotated image, whatever the value of `views`.

        The feature maps are the last ones of at least 6 x 6 positions on which all later layers
        depend. For images of 192 pixels or more, these are the last feature maps of the network.
        For smaller images the last ones are too coarse: in an EfficientNet-Lite0 at 96 pixels they
        have 3 x 3 positions, and the heat at annotated micronuclei was higher than in 56 % of the
        image; with 6 x 6 positions it was higher than in 72 %. Heat is interpolated between
        positions: it shows where a region raised the score, not the shape of an object.

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
        """Return the accuracy of the predictions.

        Parameters
        ----------
        X : ImageDataset, array of shape (n, H, W) or (n, H, W, C), or list of images
            The images, grey or colour, of any size.
        y : array_like of shape (n,), optional
            The true classes; by default the labels of the data set.
        sample_weight : array_like of shape (n,), optional
            Weights of the images.

        Returns
        -------
        float
            The accuracy, from 0 to 1.

        Raises
        ------
        InvalidParameterError
            There are no labels.
        ImageError
            An image looks like a whole field of view, and the network was trained on crops of cells.
        """
        if y is None:
            if not isinstance(X, ImageDataset):
                raise invalid("y", "the true classes, or a data set in X", None)
            truth = held_out_part("X", X, self.class_names_, self.classes_)
            y = self.classes_[truth.labels]
        y = spelled_as(named_classes("y", y, self.classes_), self.classes_)
        return float(super().score(X, y, sample_weight))

    def _set_calibration(
        self, probabilities: Array, labels: Array, groups: Array | None = None
    ) -> None:
        """Calibrate with the probabilities, labels and groups (0, 1, ...) of calibration images."""
        self.calibration_groups_ = groups
        self.temperature_ = fit_temperature(labels, probabilities)
        self.calibration_ = probabilities, labels

    def _uncalibrated(self, X: Images) -> Array:
        """Return the uncalibrated probabilities, averaged over `views` of each image."""
        from nucrec.models._networks.inference import over_views

        if self.views not in (1, 8):
            raise invalid("views", "1 or 8", self.views)
        run_batch = self.model_.predict_on_batch
        return self._run(run_batch if self.views == 1 else over_views(run_batch), X)

    def _calibrated(self, probabilities: Array) -> Array:
        if self.temperature_ is None:
            return probabilities
        return self.temperature_.apply(probabilities).astype(np.float32)

    def _class_position(self, name: str, value: str | int) -> int:
        """Return the position of a class, given by name or by position."""
        if isinstance(value, str):
            return self.class_names_.index(check_choice(name, value, self.class_names_))
        return check_int(name, value, low=0, high=len(self.class_names_) - 1)

    def _run(self, run_batch: "BatchFunction", X: Images, batch_size: int = 64) -> Array:
        images = require_images("X", X)
        refuse_fields(self.domain_, images, "the network")
        from nucrec.models._networks.inference import run_model

        found = run_model(
            run_batch,
            images,
            self.image_size_,
            self.channels_,
            batch_size=batch_size,
            show=progress_function(self.progress),
        )
        if not np.isfinite(found).all():
            raise NucrecError(
                "the network returns values that are not finite: its training diverged. Train it "
                "again, with a smaller learning_rate."
            )
        return found

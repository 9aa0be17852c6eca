"""The detector of nuclei and micronuclei, as an estimator."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from nucrec._files import make_folder
from nucrec._keras import keras_defaults, layer_seeds
from nucrec._paths import checked_path, output_file
from nucrec._progress import Progress, progress_function
from nucrec._validation import (
    check_choice,
    check_int,
    check_real,
    check_seed,
)
from nucrec._version import __version__
from nucrec.fields._arrays import check_size, label_image
from nucrec.fields._detection import Detection
from nucrec.fields._objects import Objects
from nucrec.fields._segmentation.calibration import Calibration
from nucrec.fields._segmentation.card import DetectorCard, Seen
from nucrec.fields._segmentation.file import Content, half, read_detector, write_detector
from nucrec.fields._segmentation.given import drawing_weights, pixels_of, samples_of
from nucrec.fields._segmentation.look import Look, look_at, remarks_on, remarks_on_labels
from nucrec.fields._segmentation.objects import (
    Candidates,
    find_candidates,
    find_nuclei,
    without_micronuclei,
)
from nucrec.fields._segmentation.training import Plan, train
from nucrec.fields._training_marks import remarks_on_training

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]

_STARTS = ("pretrained", "imagenet", "random")


class FieldDetector(BaseEstimator):  # type: ignore[misc]
    """Detect nuclei and micronuclei in fields of view with a segmentation network.

    `FieldDetector.pretrained` is ready to use. `fit` trains your own detector on fields with label
    images, starting from the pre-trained weights or from scratch.

    Parameters
    ----------
    start : {"pretrained", "imagenet", "random"}, default="pretrained"
        Initial weights for training: those of `FieldDetector.pretrained`, ImageNet weights for the
        encoder (installed by the extra ``offline``), or random weights.
    steps : int, default=300
        Number of training steps, one batch each. With 8 tiles per batch, a step takes 0.4 s on two
        cores.
    batch_size : int, default=8
        Number of tiles of 192 x 192 pixels per batch.
    learning_rate : float, default=5e-4
        Peak learning rate of AdamW, which decays along a cosine.
    threshold : float, optional
        Minimum probability of a micronucleus, from 0 to 1. By default that of the pre-trained
        detector, or 0.5 if training starts from other weights.
    random_state : int, optional
        Seed of the weights and tiles; by default, they differ between runs.

    Attributes
    ----------
    network_ : keras.Model
        The network, after `fit` or `load`.
    threshold_ : float
        Minimum probability of a micronucleus.
    card_ : DetectorCard
        The training data, the intended use, the limits, and the performance on held-out fields.
    losses_ : list of float
        The loss of each step, after `fit`.

    Notes
    -----
    The network is a U-Net [1]_ with EfficientNet-Lite0 [2]_ as encoder, up to a stride of 16. Each
    field is normalised in contrast and rescaled so that a nucleus is 40 pixels across. Each pixel
    is classified as background, nucleus, border between nuclei, or micronucleus.

    The probability of a micronucleus is calibrated by a logistic model of its highest pixel
    probability, fitted to objects in held-out fields: the share that annotators call micronuclei.

    References
    ----------
    .. [1] O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional networks for biomedical image
       segmentation", MICCAI 2015, pp. 234-241.
    .. [2] M. Tan, Q. V. Le, "EfficientNet: rethinking model scaling for convolutional neural
       networks", ICML 2019, pp. 6105-6114.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.fields import FieldDetector
    >>> y, x = np.mgrid[:200, :300]
    >>> image = np.full((200, 300), 100, np.uint16)
    >>> for row, column, radius in [(60, 60, 15), (60, 81, 4), (120, 200, 15)]:
    ...     image[np.hypot(y - row, x - column) <= radius] = 2000
    >>> found = FieldDetector.pretrained().predict(image)
    >>> found.n_nuclei, found.n_micronuclei
    (2, 1)
    """

    network_: "keras.Model"
    threshold_: float
    card_: DetectorCard
    losses_: list[float]

    def __init__(
        self,
        *,
        start: str = "pretrained",
        steps: int = 300,
        batch_size: int = 8,
        learning_rate: float = 5e-4,
        threshold: float | None = None,
        random_state: int | None = None,
    ) -> None:
        self.start = start
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.threshold = threshold
        self.random_state = random_state

    @classmethod
    def pretrained(cls) -> Self:
        """Return the detector that ships with nucrec; it needs no network connection.

        Returns
        -------
        FieldDetector
            The detector; its ``card_`` describes its training data and its performance.

        Examples
        --------
        >>> from nucrec.fields import FieldDetector
        >>> FieldDetector.pretrained().card_.licence[:3]
        'MIT'
        """
        with resources.as_file(resources.files("nucrec.fields") / "data" / "detector.npz") as path:
            return cls.load(path)

    def fit(
        self,
        fields: Iterable[Any],
        nuclei: Iterable[Array],
        micronuclei: Iterable[Array],
        *,
        groups: Sequence[Any] | None = None,
        card: DetectorCard | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        progress: Progress | bool = False,
    ) -> Self:
        """Train on annotated fields.

        All fields are kept in memory, at the network's scale.

        Parameters
        ----------
        fields : iterable of Field, or of ndarray of shape (H, W)
            The fields.
        nuclei, micronuclei : iterable of ndarray of shape (H, W)
            The label images of each field: whole numbers, 0 for the background.
        groups : sequence, optional
            The group of each field, such as its cell line. The more fields a group has, the less
            often each of them is drawn.
        card : DetectorCard, optional
            The description to store in the detector's file.
        checkpoint : path, optional
            A file for the training state. A training with the same parameters resumes from it. It
            is deleted when the training is done.
        progress : bool or callable, default=False
            True shows progress on standard error. A callable receives (steps done, total steps,
            message).

        Returns
        -------
        FieldDetector
            The fitted detector itself.

        Raises
        ------
        InvalidParameterError
            A parameter is out of range, or the label images do not match the fields.
        ImageError
            A field cannot be read.
        """
        plan = self._plan(checkpoint)
        samples, seen = samples_of(fields, nuclei, micronuclei)
        weights = drawing_weights(groups, len(samples))
        network, start = self._beginning(plan.seed)
        with keras_defaults():
            self.losses_ = train(network, samples, weights, plan, progress_function(progress))
            network.set_weights([half(w).astype(np.float32) for w in network.get_weights()])
        training = {
            **self.get_params(),
            "nucrec": __version__,
            "date": datetime.now(UTC).date().isoformat(),
        }
        card = card or DetectorCard(data=f"{len(samples)} fields of your own")
        card = replace(card, training=training)
        self._set(network, Content(start.threshold, start.calibration, card, seen))
        if plan.checkpoint:
            plan.checkpoint.unlink(missing_ok=True)
        return self

    def predict(
        self, field: Any, *, pixel_size: float | None = None, nuclei: Array | None = None
    ) -> Detection:
        """Detect nuclei and micronuclei in a field.

        Parameters
        ----------
        field : Field, or ndarray of shape (H, W)
            The field, with bright stain on a dark background, of any real dtype.
        pixel_size : float, optional
            Pixel size in um; by default that of the Field. Nuclei are measured in pixels; the pixel
            size serves to check whether the objects found can be nuclei, and to estimate the scale
            if no nucleus stands apart.
        nuclei : ndarray of shape (H, W), optional
            A label image of the nuclei, if you have one. Its labels are kept, and its nuclei
            determine the scale. Small labels that are micronuclei are not nuclei in the result; a
            remark names them.

        Returns
        -------
        Detection
            The label images, the probability of each micronucleus, the nuclear diameter, and
            remarks on a field that is unlike all training fields or is one of them.

        Raises
        ------
        ImageError
            The field cannot be read, is smaller than 128 pixels in both directions, as a crop is,
            or is constant.
        InvalidParameterError
            A parameter is out of range, or `nuclei` does not match the field.
        NotFittedError
            The detector has not been trained.
        """
        self._check_fitted()
        pixels = pixels_of(field)
        check_size(getattr(field, "name", "field"), pixels.shape)
        if pixel_size is None:
            pixel_size = getattr(field, "pixel_size", None)
        if pixel_size is not None:
            check_real("pixel_size", pixel_size, low=0, high=1000, open_ends=True)
        given = None if nuclei is None else label_image("nuclei", nuclei, pixels.shape)
        known = None
        if given is not None and given.any():
            known = Objects.of(given).median_diameter
        look = look_at(
            pixels, self._network, scale=self._scale, diameter=known, pixel_size=pixel_size
        )
        diameter = known or look.diameter
        if np.isnan(diameter):
            empty = np.zeros(pixels.shape, np.int32)
            none = np.zeros(0, np.float32)
            return Detection(empty, empty, none, diameter, remarks_on(look, self._seen))
        found = self._found(look, given, diameter)
        remarks = (*found.remarks, *remarks_on_training(pixels, self.card_))
        return replace(
            found, remarks=remarks, _read=getattr(field, "read", partial(np.asarray, pixels))
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the detector to a file: 16-bit weights, its threshold and its card.

        Parameters
        ----------
        path : path
            The file, ``NAME.npz``.

        Raises
        ------
        NucrecError
            The file cannot be written.
        NotFittedError
            The detector has not been trained.
        """
        self._check_fitted()
        where = output_file("path", path)
        make_folder(where.parent)
        write_detector(where, self.network_, self._content)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Load a detector from a file written by `save`.

        Parameters
        ----------
        path : path
            The file.

        Returns
        -------
        FieldDetector
            A detector with the same results as the saved one.

        Raises
        ------
        ModelFileError
            There is no such file, it is damaged, or it is not a detector. No code from the file is
            run.
        """
        weights, content = read_detector(checked_path("path", path))
        detector = cls()
        with keras_defaults():
            from nucrec.fields._segmentation.network import build_network, set_weights

            network = build_network()
            set_weights(network, weights, str(path))
        detector._set(network, content)
        return detector

    @property
    def fingerprint(self) -> str:
        """A hash of weights and settings that distinguishes detectors with different results."""
        self._check_fitted()
        digest = hashlib.sha256(repr((self.threshold_, self._calibration, self._scale)).encode())
        for weight in self.network_.get_weights():
            digest.update(np.ascontiguousarray(weight).tobytes())
        return digest.hexdigest()

    def _candidates(self, look: Look, diameter: float) -> tuple[Candidates, Array]:
        """Return the candidate micronuclei with their probabilities."""
        candidates = find_candidates(look.maps, diameter)
        return candidates, self._calibration.probability(candidates.peak)

    def _found(self, look: Look, given: Array | None, diameter: float) -> Detection:
        remarks = remarks_on(look, self._seen, None if given is None else len(Objects.of(given)))
        candidates, probability = self._candidates(look, diameter)
        kept = probability >= self.threshold_
        micronuclei = candidates.chosen(kept)
        if given is None:
            nuclei = find_nuclei(look.maps, diameter)
        else:
            nuclei, taken = without_micronuclei(given, micronuclei, diameter)
            remarks += remarks_on_labels(taken)
        return Detection(nuclei, micronuclei, probability[kept], diameter, remarks)

    def _plan(self, checkpoint: str | os.PathLike[str] | None) -> Plan:
        check_choice("start", self.start, _STARTS)
        if self.threshold is not None:
            check_real("threshold", self.threshold, low=0, high=1)
        return Plan(
            steps=check_int("steps", self.steps, low=1),
            batch_size=check_int("batch_size", self.batch_size, low=1),
            learning_rate=check_real(
                "learning_rate", self.learning_rate, low=0, high=1, open_ends=True
            ),
            seed=check_seed("random_state", self.random_state),
            checkpoint=None if checkpoint is None else Path(checkpoint),
        )

    def _beginning(self, seed: int) -> tuple["keras.Model", Content]:
        """Return the network to train, with its threshold, calibration and card."""
        if self.start == "pretrained":
            start = FieldDetector.pretrained()
            return start.network_, start._content
        from nucrec.fields._segmentation.network import build_network

        nothing_seen = Seen((0.0, 0.0), 0.0, 0.0)
        with keras_defaults(), layer_seeds(seed):
            network = build_network("imagenet" if self.start == "imagenet" else None)
        return network, Content(0.5, Calibration(), DetectorCard(), nothing_seen)

    def _set(self, network: "keras.Model", content: Content) -> None:
        from nucrec.fields._segmentation.network import inference

        self.network_, self._network = network, inference(network)
        self.threshold_ = content.threshold if self.threshold is None else self.threshold
        self.card_, self._calibration, self._seen = content.card, content.calibration, content.seen
        self._scale = content.scale

    @property
    def _content(self) -> Content:
        return Content(self.threshold_, self._calibration, self.card_, self._seen, self._scale)

    def _check_fitted(self) -> None:
        if not hasattr(self, "network_"):
            raise NotFittedError(
                "this FieldDetector has not been trained: call fit(), or use "
                "FieldDetector.pretrained()"
            )

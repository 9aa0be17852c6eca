"""Description, saving and loading of fitted networks."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from nucrec._paths import output_file
from nucrec._validation import invalid
from nucrec.models._card import ModelCard
from nucrec.models._domain import TrainingDomain
from nucrec.models._fitted import FittedNetwork
from nucrec.models._history import History
from nucrec.models._saving.info import ModelInfo, now, versions
from nucrec.models._saving.network import save_network
from nucrec.models._saving.parameters import parameters_from_json, parameters_to_json
from nucrec.models._training.settings import lasting_parameters

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]


class SavedNetwork(FittedNetwork):
    """Describe, save and restore a fitted `ImageClassifier`."""

    def save(self, path: str | os.PathLike[str], *, half_precision: bool = False) -> None:
        """Save the fitted classifier to one file that `nucrec.models.load` reads.

        Parameters
        ----------
        path : path
            The file, which must end in ".keras". An existing file is replaced completely or not at all.
        half_precision : bool, default=False
            Whether to store the kernels of the layers with 16 instead of 32 bits, which halves the size
            of the file. The loaded network computes with 32 bits as before. Its probabilities differ
            slightly: those of the classifier that comes with nucrec by less than 0.01.

        Raises
        ------
        InvalidParameterError
            The file has another ending.
        NucrecError
            The file cannot be written.
        sklearn.exceptions.NotFittedError
            The classifier is not fitted.
        """
        check_is_fitted(self, "model_")
        where = output_file("path", path)
        save_network(where, self.model_, self._info(), half_precision=half_precision)

    def info(self) -> ModelInfo:
        """Return the description that the file of this classifier contains, or would contain.

        Returns
        -------
        ModelInfo
            The description; for a loaded classifier, with the versions and the time of its file.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            The classifier is not fitted.
        """
        check_is_fitted(self, "model_")
        info = self._info()
        if self._file is None:
            return info
        return replace(info, versions=self._file.versions, created=self._file.created)

    @classmethod
    def _of_file(cls, network: "keras.Model", info: ModelInfo) -> Self:
        """Return the classifier that a model file describes."""
        classifier = cls(**parameters_from_json(info.parameters))
        classifier._set_fitted(
            network,
            np.asarray(info.classes),
            info.class_names,
            fingerprint=info.fingerprint or "",
            domain=_domain(info),
            marks=info.marks,
            history=History.of_file(info.history),
            card=None if info.card is None else ModelCard.from_dict(info.card),
            calibration=_calibration_of(info),
            undone=info.undone,
            file=info,
        )
        return classifier

    def _set_fitted(
        self,
        network: "keras.Model",
        classes: Array,
        class_names: tuple[str, ...],
        *,
        fingerprint: str,
        domain: TrainingDomain | None,
        marks: tuple[str, ...],
        history: History | None = None,
        validation_proba: Array | None = None,
        card: ModelCard | None = None,
        calibration: tuple[Array, Array, Array | None] | None = None,
        interrupted: bool = False,
        undone: bool = False,
        file: ModelInfo | None = None,
    ) -> None:
        """Set all fitted attributes; `file` is the description that a loaded network came with."""
        self.model_ = network
        self._embedder = self._grad_cam = None
        _, self.image_size_, _, self.channels_ = network.input_shape
        self.classes_, self.class_names_ = classes, class_names
        self.fingerprint_, self.domain_, self.marks_ = fingerprint, domain, marks
        self.history_ = History() if history is None else history
        if validation_proba is None or not validation_proba.size:
            validation_proba = np.empty((0, 0, len(classes)), np.float32)
        self.validation_proba_ = validation_proba
        self.card_ = card
        self.temperature_ = None
        self.calibration_ = None
        self.calibration_groups_ = None
        if calibration is not None:
            self._set_calibration(*calibration)
        self.interrupted_, self.undone_ = interrupted, undone
        self._file = file

    def _info(self) -> ModelInfo:
        """Return the description to store in a model file."""
        if self.card_ is not None and not isinstance(self.card_, ModelCard):
            raise invalid("card_", "a ModelCard or None", self.card_)
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
            calibration=self._calibration_to_json(),
            domain=None if self.domain_ is None else self.domain_.to_json(),
            card=None if self.card_ is None else self.card_.to_dict(),
            marks=self.marks_,
        )

    def _calibration_to_json(self) -> dict[str, Any] | None:
        if self.calibration_ is None:
            return None
        probabilities, labels = self.calibration_
        groups = self.calibration_groups_
        of_groups = {} if groups is None else {"groups": groups.tolist()}
        return {"probabilities": probabilities.tolist(), "labels": labels.tolist()} | of_groups


def _calibration_of(info: ModelInfo) -> tuple[Array, Array, Array | None] | None:
    """Return the probabilities, labels and groups of the calibration images, if there were any."""
    if info.calibration is None:
        return None
    probabilities = np.array(info.calibration["probabilities"], np.float32)
    labels, groups = (info.calibration.get(key) for key in ("labels", "groups"))
    in_groups = None if groups is None else np.array(groups, int)
    return probabilities, np.array(labels, int), in_groups


def _domain(info: ModelInfo) -> TrainingDomain | None:
    """Return the training domain; whether it has colours follows from the network's channels."""
    if info.domain is None:
        return None
    domain = TrainingDomain.from_json(info.domain)
    in_colour = int(info.preprocessing["channels"]) > 1
    return replace(domain, colour=in_colour) if domain.colour is None else domain

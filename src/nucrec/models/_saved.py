"""Description, saving and loading of fitted networks."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
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
        classifier._set_fitted(network, np.asarray(info.classes), info.class_names)
        classifier.fingerprint_ = info.fingerprint or ""
        classifier.domain_ = _domain(info)
        classifier.card_ = None if info.card is None else ModelCard.from_dict(info.card)
        classifier.marks_ = info.marks
        classifier.history_ = History.of_file(info.history)
        if info.calibration is not None:
            probabilities = np.array(info.calibration["probabilities"], np.float32)
            labels, groups = (info.calibration.get(key) for key in ("labels", "groups"))
            in_groups = None if groups is None else np.array(groups, int)
            classifier._set_calibration(probabilities, np.array(labels, int), in_groups)
        classifier.interrupted_ = False
        classifier.undone_ = info.undone
        classifier._file = info
        return classifier

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


def _domain(info: ModelInfo) -> TrainingDomain | None:
    """Return the training domain; whether it has colours follows from the network's channels."""
    if info.domain is None:
        return None
    domain = TrainingDomain.from_json(info.domain)
    in_colour = int(info.preprocessing["channels"]) > 1
    return replace(domain, colour=in_colour) if domain.colour is None else domain

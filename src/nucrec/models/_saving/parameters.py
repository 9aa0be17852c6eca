"""The parameters of a classifier as JSON and back."""

import os
from typing import Any

import numpy as np

from nucrec import augment
from nucrec.augment import Operation, Pipeline
from nucrec.models._classifier import ImageClassifier

_OF_THE_PROCESS = ("progress", "strategy")
"""Parameters that belong to the running process: they are not saved, and tell no trainings apart."""


def parameters_of(model: ImageClassifier) -> dict[str, Any]:
    """Return the parameters that its training depends on."""
    return {k: v for k, v in model.get_params().items() if k not in _OF_THE_PROCESS}


def parameters_to_json(model: ImageClassifier) -> dict[str, Any]:
    """Return the parameters as plain dicts, lists, texts and numbers."""
    parameters = parameters_of(model)
    if isinstance(model.weights, os.PathLike):
        parameters["weights"] = os.fspath(model.weights)
    if isinstance(model.augment, Pipeline):
        parameters["augment"] = {
            "random_state": model.augment.random_state,
            "operations": [
                [type(operation).__name__, vars(operation)]
                for operation in model.augment.operations
            ],
        }
    if model.class_weight is not None and not isinstance(model.class_weight, str):
        parameters["class_weight"] = [[k, float(v)] for k, v in model.class_weight.items()]
    return {key: _plain(value) for key, value in parameters.items()}


def _plain(value: Any) -> Any:
    """Return NumPy's numbers as Python's."""
    return value.item() if isinstance(value, np.generic) else value


def parameters_from_json(saved: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a classifier from what `parameters_to_json` made of them."""
    parameters = dict(saved)
    pipeline = parameters["augment"]
    if isinstance(pipeline, dict):
        operations = [_operation(name, values) for name, values in pipeline["operations"]]
        parameters["augment"] = Pipeline(operations, pipeline["random_state"])
    if isinstance(parameters["class_weight"], list):
        parameters["class_weight"] = dict(parameters["class_weight"])
    return parameters


def _operation(name: str, values: dict[str, Any]) -> Operation:
    found = getattr(augment, name) if name in augment.__all__ else None
    if not isinstance(found, type) or not issubclass(found, Operation):
        raise ValueError(f"there is no operation {name!r}")
    ranges = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return found(**ranges)

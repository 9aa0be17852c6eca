"""Conversion of a classifier's parameters to JSON and back."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from nucrec import augment
from nucrec.augment import Operation, Pipeline
from nucrec.models._backbones import name_of


def parameters_to_json(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of an `ImageClassifier` as plain dicts, lists, strings and numbers."""
    return {name: _as_json(name, value) for name, value in parameters.items()}


def _as_json(name: str, value: Any) -> Any:
    if name == "backbone":
        return name_of(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Pipeline):
        operations = [[type(operation).__name__, vars(operation)] for operation in value.operations]
        return {"random_state": value.random_state, "operations": operations}
    if isinstance(value, Mapping):  # class labels are not always strings
        return [[key, float(weight)] for key, weight in value.items()]
    return value.item() if isinstance(value, np.generic) else value


def parameters_from_json(saved: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a classifier from the output of `parameters_to_json`."""
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

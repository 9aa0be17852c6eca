"""Networks in a zoo: how many are trained at a time, on which device and with which weights."""

import os
from collections.abc import Iterable
from functools import cache
from typing import Any

from nucrec._children.process import ChildDiedError, ChildError, ChildProcess, threads
from nucrec._quiet import without_log_lines
from nucrec.models._classifier import ImageClassifier
from nucrec.models._weights import BACKBONES, find_weights

_GROWING = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}


def is_network(model: Any) -> bool:
    """Return whether a classifier is a network, or contains one."""
    try:
        parts: Iterable[Any] = model.get_params().values()
    except Exception:  # noqa: BLE001 - whatever a model does becomes a row, when it is fitted
        parts = ()
    return any(isinstance(part, ImageClassifier) for part in (model, *parts))


def network_environment(cores: int, *, on_gpu: bool) -> dict[str, str]:
    """Return the environment variables of a child process that trains networks.

    Without them, each child would take all cores and all memory of the GPU.
    """
    number = str(cores)
    common = {
        **threads(cores),
        "TF_NUM_INTRAOP_THREADS": number,
        "TF_NUM_INTEROP_THREADS": number,
    }
    return {**common, **(_GROWING if on_gpu else {"CUDA_VISIBLE_DEVICES": "-1"})}


@cache
def has_gpu() -> bool:
    """Return whether TensorFlow finds a GPU. A child looks, so that this process does not occupy it."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    with ChildProcess(_GROWING) as child:
        try:
            return bool(child.call(_count_gpus))
        except (ChildDiedError, ChildError):
            return False  # the networks will fail and report why


def require_weights(model: Any) -> None:
    """Download a network's weights unless they are present, so that child processes need not."""
    if not isinstance(model, ImageClassifier) or not isinstance(model.backbone, str):
        return
    if model.backbone in BACKBONES:
        find_weights(BACKBONES[model.backbone], model.weights)


def _count_gpus() -> int:
    with without_log_lines():
        import tensorflow as tf

        return len(tf.config.list_physical_devices("GPU"))

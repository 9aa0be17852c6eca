"""Classical models in model files, written and read by skops."""

from pathlib import Path
from typing import Any

import numpy as np

from nucrec._class_names import check_class_names, check_renamed
from nucrec._optional import require
from nucrec._text import shown
from nucrec._validation import invalid
from nucrec.errors import ModelFileError
from nucrec.models._domain import TrainingDomain, domain_of
from nucrec.models._saving.info import ModelInfo, now, versions, write_model

_TYPES = frozenset(
    {
        "nucrec.models._domain.TrainingDomain",
        "nucrec.models._embeddings.Embeddings",
        "nucrec.models._features.PixelFeatures",
        "nucrec.models._morphology.MorphologyFeatures",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
    }
)
"""What our models consist of, besides the types that skops trusts by itself."""


def save_classical(
    path: Path, model: Any, class_names: tuple[str, ...] | None, fingerprint: str | None
) -> None:
    """Write a fitted classifier and its description to one file."""

    def write(where: Path) -> None:
        skops = require("skops.io", extra="skops")
        skops.dump(model, where)
        unknown = _unknown_types(skops, file=where)
        if unknown:
            raise invalid("model", "a classifier that can be loaded safely", unknown)

    write_model(path, ".skops", write, _info(model, class_names, fingerprint))


def load_classical(content: bytes, info: ModelInfo, where: Path) -> Any:
    """Return the classifier of a file whose description was checked; messages call the file `where`.

    Raises
    ------
    ModelFileError
        The file requests types that our models do not contain, or describes other training images.
    ValueError
        The description of its training images is incomplete.
    """
    skops = require("skops.io", extra="skops")
    unknown = _unknown_types(skops, data=content)
    if unknown:
        raise ModelFileError(
            f"{where} asks for {shown(', '.join(unknown))}, which is no part of a model of nucrec: it "
            "was not opened"
        )
    model = skops.loads(content, trusted=sorted(_TYPES))
    domain = None if info.domain is None else TrainingDomain.from_json(info.domain)
    if domain_of(model) != domain:
        raise ModelFileError(f"{where}: its model was not trained on the images that it describes")
    model.class_names_ = info.class_names
    model.fingerprint_ = info.fingerprint
    return model


def _unknown_types(skops: Any, **source: Path | bytes) -> list[str]:
    """Return the types that a file, or its content, requests and that our models do not contain."""
    return sorted(set(skops.get_untrusted_types(**source)) - _TYPES)


def _info(model: Any, class_names: tuple[str, ...] | None, fingerprint: str | None) -> ModelInfo:
    classes = tuple(np.asarray(model.classes_).tolist())
    own = getattr(model, "class_names_", tuple(map(str, classes)))
    names = check_class_names(own if class_names is None else class_names)
    if len(names) != len(classes):
        raise invalid("class_names", f"a name for each of the classes {classes}", class_names)
    check_renamed(names, own, classes)
    domain = domain_of(model)
    return ModelInfo(
        kind="classical",
        class_names=names,
        classes=classes,
        preprocessing={},
        parameters={},
        versions=versions(),
        fingerprint=fingerprint,
        created=now(),
        history={},
        domain=None if domain is None else domain.to_json(),
    )

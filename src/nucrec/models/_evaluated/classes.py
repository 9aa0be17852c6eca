"""Matching of the classes of labelled images with those of a model."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from nucrec._class_names import (
    check_not_crosswise,
    is_positive_told,
    look_alike_key,
    order_classes,
)
from nucrec._validation import invalid
from nucrec.datasets import ImageDataset


def in_classes_of(
    images: ImageDataset,
    own: Sequence[str],
    classes: Sequence[str] | None,
    *,
    own_are_known: bool = True,
) -> tuple[ImageDataset, str | None]:
    """Return the images with labels of the model's classes, and a remark on names that differ.

    Parameters
    ----------
    images : ImageDataset
        The images, with any class names.
    own : sequence of str
        The model's classes.
    classes : sequence of str, optional
        The names of these classes in `images`, in the same order.
    own_are_known : bool
        Whether the model tells its classes' names. If not, they are those of the images.

    Raises
    ------
    InvalidParameterError
        The classes of the images cannot be matched with those of the model.
    """
    if classes is not None and own_are_known:
        check_not_crosswise("classes", [str(name) for name in classes], own)
    meant = _meant(images, own, classes)
    labels = np.array([own.index(meant[name]) for name in images.class_names])[images.labels]
    renamed = ImageDataset(
        images.images,
        labels,
        own,
        ids=images.ids,
        groups=images.groups,
        parents=images.parents,
        metadata=images.metadata,
        quarantined=images.quarantined,
    )
    others = [f"{name!r} for {mine!r}" for name, mine in meant.items() if name != mine]
    remark = f"the images' classes are taken for the model's: {', '.join(others)}"
    return renamed, remark if others else None


def _meant(
    images: ImageDataset, own: Sequence[str], classes: Sequence[str] | None
) -> Mapping[str, str]:
    """Return the model's class for each class of the images."""
    names = images.class_names
    if classes is not None:
        return _as_told(names, own, classes)
    by_key = {look_alike_key(name): name for name in own}
    if set(map(look_alike_key, names)) <= set(by_key):
        return {name: by_key[look_alike_key(name)] for name in names}
    if len(names) == len(own) == 2 and is_positive_told(names) and is_positive_told(own):
        return dict(zip(order_classes(names), order_classes(own), strict=True))
    raise invalid(
        "images",
        f"the classes of the model, {', '.join(own)}",
        ", ".join(names),
        _advice(names, own),
    )


def _advice(names: Sequence[str], own: Sequence[str]) -> str:
    """Return what to do about names that do not show which class of the model each is."""
    as_many = "The images need as many classes as the model."
    if len(names) < len(own):
        as_many = "Pass the names of all classes of the model, in its order: classes=..."
    if len(names) == len(own):
        template = [f"NAME-OF-{name}" for name in own]
        as_many = f"Pass which is which, in the order of the model's classes: classes={template}."
    if all(re.fullmatch(r"[A-Pa-p]\d{1,2}", name) for name in names):
        return (
            f"{as_many} These are called like wells: if the images are whole fields of view, use "
            "`nucrec detect`, or nucrec.fields in Python."
        )
    return (
        f"{as_many} If these are groups of one class, such as slides, load the folder that holds the "
        "folders of the classes, with group_by='folder'."
    )


def _as_told(names: Sequence[str], own: Sequence[str], classes: Sequence[str]) -> Mapping[str, str]:
    told = () if isinstance(classes, str) else tuple(map(str, classes))
    if len(told) != len(own) or len(set(told)) < len(told):
        expected = f"{len(own)} different names, one for each class of the model: {', '.join(own)}"
        raise invalid("classes", expected, classes)
    meant = dict(zip(told, own, strict=True))
    unknown = [name for name in names if name not in meant]
    if unknown:
        raise invalid("classes", f"the classes of the images: {', '.join(names)}", classes)
    return meant

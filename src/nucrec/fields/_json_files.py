"""Masks as outlines in JSON files: COCO for many images, GeoJSON for one."""

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._reading.roots import Root
from nucrec._text import listed, many
from nucrec.errors import ImageError
from nucrec.fields._fill import Drawing
from nucrec.fields._instances import check_instances, check_shape

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int32]

JSON_SUFFIXES = (".json", ".geojson")
_LARGEST_LABEL = np.iinfo(np.int32).max
_MICRONUCLEI = re.compile(r"mns?|micro[\s_-]?nucle(us|i)", re.IGNORECASE)
_MOST_BITS = 60  # maximum number of bits of a run length before the last five
_FAULTS = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError)


class JsonFile:
    """A file of outlines, parsed once.

    Parameters
    ----------
    root : Root
        The folder or archive.
    name : str
        The file.
    """

    def __init__(self, root: Root, name: str) -> None:
        self.root = root
        self.name = name

    @property
    def images(self) -> list[str]:
        """The names of the images described in a COCO file; empty for other files.

        Raises
        ------
        ImageError
            The file cannot be read.
        """
        return [] if self._coco is None else list(self._coco.images)

    @property
    def remarks(self) -> list[str]:
        """Remarks on a COCO file, as sentences."""
        return [] if self._coco is None else [f"{self.name}: {one}" for one in self._coco.remarks]

    def check(self) -> None:
        """Raise an ImageError if the file is not readable JSON, or is a damaged COCO file."""
        _ = self._coco

    def labels(self, image: str, shape: tuple[int, int]) -> Labels:
        """Return the label image for one of its images, with this shape.

        Raises
        ------
        ImageError
            The file cannot be read, or does not hold outlines.
        """
        try:
            if self._coco is not None:
                return self._coco.labels(image, shape)
            return _of_geojson(self._content, shape, self.name)
        except ImageError:
            raise
        except _FAULTS as error:
            raise ImageError(
                f"{self.name}: damaged outlines ({type(error).__name__}: {error})"
            ) from error

    @cached_property
    def _content(self) -> Any:
        try:
            return json.loads(self.root.read(self.name))
        except (ValueError, RecursionError) as error:
            raise ImageError(f"{self.name}: not readable as JSON ({error})") from error

    @cached_property
    def _coco(self) -> "_Coco | None":
        content = self._content
        if not isinstance(content, dict) or not {"images", "annotations"} <= set(content):
            return None
        try:
            return _Coco.of(content, self.name)
        except ImageError:
            raise
        except _FAULTS as error:
            raise ImageError(f"{self.name}: damaged COCO file ({error!r})") from error


@dataclass(frozen=True, eq=False)
class JsonMask:
    """Labels of one image, from outlines in a file."""

    file: JsonFile
    image: str = ""

    @property
    def name(self) -> str:
        """The file and the image within it."""
        return f"{self.file.name}: {self.image}" if self.image else self.file.name

    def read(self, shape: tuple[int, int]) -> Labels:
        """Return the labels, with this shape."""
        labels = self.file.labels(self.image, shape)
        check_instances(labels, self.name)
        labels.setflags(write=False)
        return labels

    def stamp(self) -> str:
        """Return the size and modification time of the file."""
        return f"{self.name} {self.file.root.stamp(self.file.name)}"


@dataclass(frozen=True, eq=False)
class _Coco:
    """The images and annotations of a COCO file.

    Attributes
    ----------
    name : str
        The file.
    images : dict of str to dict
        The images by file name.
    objects : dict of str to list of dict
        The annotations of nuclei by image id.
    """

    name: str
    images: dict[str, dict[str, Any]]
    objects: dict[str, list[dict[str, Any]]]

    @classmethod
    def of(cls, content: dict[str, Any], name: str) -> "_Coco":
        images = {str(one["file_name"]): one for one in content["images"]}
        chosen = _nuclear(content, name)
        ids = Counter(_id(one["id"]) for one in images.values())
        if len(ids) < len(images):
            twice = ids.most_common(1)[0][0]
            raise ImageError(
                f"{name}: several images have the id {twice}. Give each image a unique id"
            )
        objects: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for one in content["annotations"]:
            if one.get("category_id") in chosen:
                objects[_id(one["image_id"])].append(one)
        return cls(name, images, objects)

    @property
    def remarks(self) -> list[str]:
        """A sentence on annotations that belong to no image."""
        known = {_id(one["id"]) for one in self.images.values()}
        strays = [of for of in self.objects if of not in known]
        n = sum(len(self.objects[of]) for of in strays)
        if not n:
            return []
        return [f"{many(n, 'annotation')} without an image in the file (image_id {listed(strays)})"]

    def labels(self, image: str, shape: tuple[int, int]) -> Labels:
        """Return the label image of an image, with the annotation ids as labels."""
        found = self.images[image]
        size = int(found.get("height") or shape[0]), int(found.get("width") or shape[1])
        check_shape(size, shape, f"{self.name}: {image}")
        drawing = Drawing(shape, self.name)
        objects = self.objects.get(_id(found["id"]), [])
        for number, one in zip(_numbers(objects), objects, strict=True):
            outlines = one["segmentation"]
            if isinstance(outlines, dict):
                drawing.labels[_unpacked(outlines, shape, self.name)] = number
                continue
            if not outlines:
                raise ImageError(f"{self.name}: annotation {number} is a box without an outline")
            for outline in outlines:
                drawing.add(number, [np.asarray(outline, np.float64).reshape(-1, 2)])
        return drawing.labels


def _nuclear(content: dict[str, Any], name: str) -> set[Any]:
    """Return the categories of nuclei: the only category, or the one named so."""
    used = {one.get("category_id") for one in content["annotations"]}
    names = {one["id"]: str(one["name"]) for one in content.get("categories", [])}
    if len(used) <= 1:
        _check_not_micronuclei(names.get(next(iter(used), None), ""), name)
        return used
    called = {i for i in used if _is_nuclear(names.get(i, ""))}
    if not called:
        listed = ", ".join(sorted(names.get(i, str(i)) for i in used))
        raise ImageError(
            f"{name}: annotations belong to several categories ({listed}), none of which is "
            "called nucleus. Keep only that of the nuclei"
        )
    return called


def _check_not_micronuclei(category: str, name: str) -> None:
    if _MICRONUCLEI.fullmatch(category.strip()):
        raise ImageError(
            f"{name}: all annotations belong to the category {category}, but masks must show "
            "nuclei. Add the annotations of the nuclei"
        )


def _id(value: object) -> str:
    """Return the id of an image as a string, as some programs write it."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _is_nuclear(category: str) -> bool:
    return "nucle" in category.casefold() and "micro" not in category.casefold()


def _numbers(objects: list[dict[str, Any]]) -> list[int]:
    """Return the annotation ids, or 1, 2, ... if they cannot serve as labels."""
    ids = [one.get("id") for one in objects]
    usable = all(type(i) is int and 0 < i <= _LARGEST_LABEL for i in ids)
    if usable and len(set(ids)) == len(ids):
        return [int(i) for i in ids if i is not None]
    return list(range(1, len(objects) + 1))


def _unpacked(packed: dict[str, Any], shape: tuple[int, int], name: str) -> Array:
    """Decode run lengths, alternately of background and object, column by column."""
    counts = packed["counts"]
    runs = _numbers_of_text(counts) if isinstance(counts, str) else list(counts)
    n = shape[0] * shape[1]
    fit = all(0 <= run <= n and run == int(run) for run in runs)  # Python integers do not overflow
    if tuple(packed["size"]) != shape or not fit or sum(runs) != n:
        raise ImageError(
            f"{name}: run lengths for {packed['size']} pixels, but the field has {shape}"
        )
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, np.array(runs, np.int64)).reshape(shape[::-1]).T


def _numbers_of_text(text: str) -> list[int]:
    """Return the run lengths that COCO encodes as text.

    Each character holds five bits, and a sixth bit that more follow. From the third on, numbers are
    differences from the last but one (pycocotools, maskApi.c, rleFrString).
    """
    numbers: list[int] = []
    value = shift = 0
    for letter in text.encode("ascii"):
        bits = letter - 48
        if shift > _MOST_BITS:
            raise ValueError("a run length exceeds 64 bits")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:  # negative
            value -= 1 << shift
        numbers.append(value + (numbers[-2] if len(numbers) > 2 else 0))
        value = shift = 0
    return numbers


def _of_geojson(content: Any, shape: tuple[int, int], name: str) -> Labels:
    """Return the label image of features, numbered from 1; for QuPath cells, that of their nuclei."""
    features = content.get("features", [content]) if isinstance(content, dict) else content
    drawing = Drawing(shape, name)
    for number, feature in enumerate(features, start=1):
        geometry = feature.get("nucleusGeometry") or feature.get("geometry")
        if not geometry or geometry.get("type") not in ("Polygon", "MultiPolygon"):
            raise ImageError(
                f"{name}: neither COCO (images and annotations) nor GeoJSON with areas. Save "
                "a label image, or export the outlines as COCO"
            )
        shapes = geometry["coordinates"]
        for rings in [shapes] if geometry["type"] == "Polygon" else shapes:
            drawing.add(number, [np.asarray(ring, np.float64)[:, :2] for ring in rings])
    return drawing.labels

"""Find shortcuts: properties of the files that predict the label."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from nucrec._notebook import Facts, fragment, paragraphs, table
from nucrec._pixels.image import ImageSource
from nucrec._text import Row, terminal_width, text_table
from nucrec._validation import invalid
from nucrec._warnings import warn
from nucrec.datasets._dataset import ImageDataset
from nucrec.datasets._images import FileImage, MemoryImage
from nucrec.errors import LeakageWarning

Array = npt.NDArray[Any]

_BINS = 10
_TELLS = 0.6  # of the way from chance to certainty
_FEWEST = 10  # images of a class, or chance alone may do it
_COLOURS = {1: "grey", 2: "grey, alpha", 3: "colour", 4: "colour, alpha"}


@dataclass(frozen=True)
class Shortcut(Facts):
    """A property of the files, and how well it predicts the class by itself.

    Attributes
    ----------
    name : str
        The property, such as "bit depth".
    accuracy : float
        Balanced accuracy, from 0 to 1, of predicting the class of each image from the other images
        with the same or a similar value.
    usual : dict of str to str
        The most frequent value, or the median, in each class.
    tells : bool
        Whether the accuracy is at least 60 % of the way from chance to 1, with at least ten images
        of each class.

    Examples
    --------
    >>> from nucrec.datasets import Shortcut
    >>> shortcut = Shortcut("bit depth", 1.0, {"nucleus": "16", "micronucleus": "8"}, tells=True)
    >>> shortcut.usual["nucleus"], shortcut.accuracy
    ('16', 1.0)
    """

    name: str
    accuracy: float
    usual: dict[str, str]
    tells: bool


@dataclass(frozen=True)
class Shortcuts(Sequence[Shortcut]):
    """The result of `find_shortcuts`: one `Shortcut` for each property, by decreasing accuracy.

    Attributes
    ----------
    found : tuple of Shortcut
        The properties.
    chance : float
        The accuracy expected by chance.

    Examples
    --------
    >>> from nucrec.datasets import Shortcut, Shortcuts
    >>> depth = Shortcut("bit depth", 1.0, {"nucleus": "16", "micronucleus": "8"}, tells=True)
    >>> Shortcuts((depth,), chance=0.5).verdict  # doctest: +ELLIPSIS
    'the bit depth of the files alone tells the classes with an accuracy of 1.00 ...'
    """

    found: tuple[Shortcut, ...]
    chance: float

    @overload
    def __getitem__(self, index: int) -> Shortcut: ...
    @overload
    def __getitem__(self, index: slice) -> "tuple[Shortcut, ...]": ...
    def __getitem__(self, index: int | slice) -> "Shortcut | tuple[Shortcut, ...]":
        return self.found[index]

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[Shortcut]:
        return iter(self.found)

    def __str__(self) -> str:
        beside = text_table(*self._table)
        if max(map(len, beside.splitlines())) <= terminal_width():
            return beside
        header = ("property", "accuracy", "class", "usual", "")
        return text_table(header, [line for each in self.found for line in _by_class(each)])

    def _repr_html_(self) -> str:
        verdict = self.verdict or "no property of the files tells the classes"
        return fragment(table(*self._table), paragraphs(verdict[0].upper() + verdict[1:] + "."))

    @property
    def _table(self) -> tuple[Row, list[Row]]:
        classes = list(self.found[0].usual) if self.found else []
        rows: list[Row] = [
            (each.name, f"{each.accuracy:.2f}", *each.usual.values(), "tells" if each.tells else "")
            for each in self.found
        ]
        return ("property", "accuracy", *classes, ""), rows

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers."""
        found = [{**vars(each), "usual": dict(each.usual)} for each in self.found]
        return {"chance": self.chance, "properties": found}

    @property
    def verdict(self) -> str | None:
        """One sentence on the properties that give the class away; None if there are none."""
        telling = [each for each in self.found if each.tells]
        if not telling:
            return None
        first, *others = telling
        values = ", ".join(f"{name}: {value}" for name, value in first.usual.items())
        more = f"; so do {', '.join(each.name for each in others)}" if others else ""
        return (
            f"the {first.name} of the files alone tells the classes with an accuracy of "
            f"{first.accuracy:.2f} ({values}){more}"
        )

    def warn(self) -> None:
        """Emit a `LeakageWarning` if a property gives the class away."""
        if self.verdict is not None:
            warn(
                f"{self.verdict}. A classifier can learn that instead of the cells: save and crop the "
                "images of all classes alike (see find_shortcuts).",
                LeakageWarning,
            )


def _by_class(found: Shortcut) -> list[tuple[str, ...]]:
    """Return the rows of a property, one for each class."""
    first = (found.name, f"{found.accuracy:.2f}")
    tells = "tells" if found.tells else ""
    return [
        (*(("", "") if k else first), name, value, "" if k else tells)
        for k, (name, value) in enumerate(found.usual.items())
    ]


def find_shortcuts(dataset: ImageDataset) -> Shortcuts:
    """Find properties of the files that give the class away.

    If the images of one class were saved or cropped differently from those of the other, a classifier
    can be right without having learnt anything about nuclei, but only on such files.

    Parameters
    ----------
    dataset : ImageDataset
        Images with labels. Augmented copies are ignored.

    Returns
    -------
    Shortcuts
        Height, width, bit depth and colour; for files also the format with its compression, the size
        in bytes, and the bytes per pixel. If all images have the same bit depth above 8, also the used
        bit depth: the smallest camera depth (8, 10, 12, 14 or 16) that holds the values of an image, as
        a 12-bit camera uses 12 of 16 bits. Files are not read again.

    Raises
    ------
    InvalidParameterError
        `dataset` is not a data set, or is empty.

    Notes
    -----
    Numeric properties are divided into ten bins with equal numbers of images. The predicted class of
    an image is the one that is most frequent, relative to the size of the class, among the other
    images in its bin. The accuracy is the mean over the classes.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.datasets import ImageDataset, find_shortcuts
    >>> rng = np.random.default_rng(0)
    >>> images = [rng.integers(0, 200, (40, 40)).astype(f"u{1 + i // 20}") for i in range(40)]
    >>> found = find_shortcuts(ImageDataset(images, [0] * 20 + [1] * 20))
    >>> found[0].name, found[0].accuracy, found[0].usual
    ('bit depth', 1.0, {'nucleus': 'uint8', 'micronucleus': 'uint16'})
    """
    if not isinstance(dataset, ImageDataset) or not len(dataset):
        raise invalid("dataset", "an ImageDataset with images", dataset)
    is_copy = dataset.parents != dataset.ids
    originals = dataset[~is_copy] if is_copy.any() and not is_copy.all() else dataset
    names = originals.class_names
    labels = originals.labels
    counts = np.bincount(labels, minlength=len(names))
    chance = 1 / max(int((counts > 0).sum()), 1)
    found = [
        _shortcut(name, values, labels, names, chance)
        for name, values in _properties(originals).items()
    ]
    return Shortcuts(tuple(sorted(found, key=lambda each: -each.accuracy)), chance)


def _properties(dataset: ImageDataset) -> dict[str, Array]:
    """Return the properties that are known without reading files again."""
    sources = dataset.images.sources
    shapes = np.array([source.shape[:2] for source in sources])
    found = {
        "height": shapes[:, 0],
        "width": shapes[:, 1],
        "bit depth": np.array([source.dtype.name for source in sources]),
        "colour": np.array([_COLOURS[(*source.shape, 1)[2]] for source in sources]),
    }
    found |= _used_depths(sources)
    files = [source for source in sources if isinstance(source, FileImage)]
    if len(files) == len(sources):
        n_bytes = np.array([file.n_bytes for file in files])
        found |= {
            "file format": np.array([file.kind for file in files]),
            "file size": n_bytes,
            "bytes for each pixel": n_bytes / shapes.prod(axis=1),
        }
    return found


def _used_depths(sources: Sequence[ImageSource]) -> dict[str, Array]:
    """Return the number of bits that the values of each image use, if it is comparable."""
    known = [each for each in sources if isinstance(each, FileImage | MemoryImage)]
    depths = [each.used_bits for each in known]
    if len(known) < len(sources) or len({each.dtype for each in known}) > 1 or None in depths:
        return {}
    return {"used bit depth": np.array([f"{depth} bit" for depth in depths])}


def _shortcut(
    name: str, values: Array, labels: Array, class_names: Sequence[str], chance: float
) -> Shortcut:
    present = np.unique(labels)
    usual = {class_names[k]: _usual(values[labels == k]) for k in present}
    accuracy = _accuracy(_bins(values), np.searchsorted(present, labels))
    enough = np.bincount(labels)[present].min() >= _FEWEST and len(present) > 1
    tells = bool(enough and accuracy >= chance + _TELLS * (1 - chance))
    return Shortcut(name, accuracy, usual, tells)


def _usual(values: Array) -> str:
    """Return the median of numbers, or the most frequent word."""
    if values.dtype.kind == "U":
        return str(Counter(values.tolist()).most_common(1)[0][0])
    return f"{float(np.median(values)):.4g}"


def _bins(values: Array) -> Array:
    """Return the bin of each image: equal values, or equal numbers of images."""
    different, codes = np.unique(values, return_inverse=True)
    if values.dtype.kind == "U" or len(different) <= _BINS:
        return np.asarray(codes)
    edges = np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1])
    return np.searchsorted(edges, values, side="right")


def _accuracy(bins: Array, labels: Array) -> float:
    """Return the balanced accuracy of predicting each image's class from the others in its bin."""
    n_classes = labels.max() + 1
    counts = np.zeros((bins.max() + 1, n_classes))
    np.add.at(counts, (bins, labels), 1)
    totals = counts.sum(axis=0)
    recalls = []
    for k in range(n_classes):
        itself = np.eye(n_classes)[k]
        shares = (counts - itself) / np.maximum(totals - itself, 1)
        others = np.delete(shares, k, axis=1).max(axis=1, initial=0)
        right = np.where(shares[:, k] > others, 1.0, np.where(shares[:, k] == others, 0.5, 0.0))
        recalls.append((counts[:, k] * right).sum() / totals[k])
    return float(np.mean(recalls))

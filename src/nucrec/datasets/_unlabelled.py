"""Images of which the class is not known."""

from collections.abc import Iterator
from pathlib import Path

from nucrec._validation import invalid
from nucrec.datasets._dataset import ImageDataset
from nucrec.datasets._images import FileImage, LazyImages
from nucrec.datasets._load import read_files, warn_of_files
from nucrec.datasets._roots import Quarantined, Root, open_root
from nucrec.errors import DatasetError

CLASS_NAMES = ("unlabelled",)


def load_images(path: str | Path) -> ImageDataset:
    """Load all images of a folder or zip archive, of which the class is not known.

    Parameters
    ----------
    path : str or Path
        A folder, with images at any depth, or a zip archive of one (read in place).

    Returns
    -------
    ImageDataset
        In the order of the file names; ``ids`` are the names, relative to `path`, ``class_names`` is
        ("unlabelled",), and each image is a group of its own.

    Raises
    ------
    DatasetNotFoundError
        There is nothing at `path`.
    DatasetError
        No image can be read.

    Warns
    -----
    DataWarning
        Files were left out, or hold several pages.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from nucrec.datasets import load_images
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("L", (40, 30)).save(Path(folder) / "cell 1.png")
    ...     load_images(folder)
    ImageDataset(1 images: 1 unlabelled; 1 groups)
    """
    root, names, problems = find_images(path)
    found = read_files(root, names)
    problems = [*problems, *found.quarantined]
    if not found.images:
        because = f": {problems[0].name}: {problems[0].reason}" if problems else ""
        raise DatasetError(f"{path}: no image that can be read{because}")
    warn_of_files(problems, found.several_pages, len(names))
    return _dataset(found.images, [names[i] for i in found.kept], problems)


def find_images(path: str | Path) -> tuple[Root, list[str], list[Quarantined]]:
    """Return where the images are, their names, and what was left out.

    Raises
    ------
    DatasetNotFoundError, DatasetError
        There is nothing at `path`, or no image.
    """
    if not isinstance(path, str | Path):
        raise invalid("path", "a path", path)
    root = open_root(Path(path).expanduser())
    listing = root.listing()
    if not listing.images:
        raise DatasetError(f"{path}: no images were found")
    return root, listing.images, listing.quarantined


def images_in_parts(
    root: Root, names: list[str], size: int
) -> Iterator[tuple[ImageDataset | None, list[Quarantined]]]:
    """Yield so many images at a time, or None where none can be read, and what was left out."""
    for start in range(0, len(names), size):
        part = names[start : start + size]
        found = read_files(root, part)
        kept = [part[i] for i in found.kept]
        yield (_dataset(found.images, kept, []) if kept else None), found.quarantined


def _dataset(
    images: list[FileImage], names: list[str], problems: list[Quarantined]
) -> ImageDataset:
    lazy = LazyImages(images)
    return ImageDataset(lazy, [0] * len(names), CLASS_NAMES, ids=names, quarantined=problems)

"""Unlabelled images, listed first and then read in parts."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from nucrec import _notebook as show
from nucrec._paths import checked_path
from nucrec._reading.channels import Channel, check_channel
from nucrec._reading.listing import Quarantined
from nucrec._reading.roots import open_root
from nucrec._text import many
from nucrec._validation import check_int, invalid
from nucrec.datasets._dataset import ImageDataset
from nucrec.datasets._images import LazyImages
from nucrec.datasets._load import Files, read_files, warn_of_files, warn_of_pages
from nucrec.errors import DatasetError

CLASS_NAMES = ("unlabelled",)
_SHOWN = 10  # names in a notebook


class ImageFiles:
    """List the image files of a folder or zip archive without reading them.

    This works for folders of any size, because `parts` keeps only some images in memory at a time.

    Parameters
    ----------
    path : str or Path
        A folder, with images at any depth, or a zip archive of one (read in place).
    names : sequence of str, optional
        The files to read, relative to `path`; by default all images, sorted by name.
    channel : int or str, optional
        The channel to read from multichannel images: its number from 0, or its name, such as "DAPI" if
        the file names its channels (OME-TIFF), or "blue" for a colour image.

    Attributes
    ----------
    path : Path
        The folder or the archive.
    names : tuple of str
        The files, relative to `path`.
    quarantined : tuple of Quarantined
        The files left out of the list, such as links out of the folder.

    Raises
    ------
    DatasetNotFoundError
        There is nothing at `path`.
    DatasetError
        `path` contains no images, or is neither a folder nor a zip archive.
    InvalidParameterError
        A parameter has a wrong type.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from nucrec.datasets import ImageFiles
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for i in range(3):
    ...         Image.new("L", (40, 30)).save(Path(folder, f"cell {i}.png"))
    ...     Path(folder, "cell 3.png").touch()
    ...     files = ImageFiles(folder)
    ...     for part in files.parts(2):
    ...         print(len(part), "read,", len(part.quarantined), "left out")
    2 read, 0 left out
    1 read, 1 left out
    >>> len(files), part.quarantined[0].reason
    (4, 'the file is empty (0 bytes)')
    """

    path: Path
    names: tuple[str, ...]
    quarantined: tuple[Quarantined, ...]

    def __init__(
        self,
        path: str | Path,
        names: Sequence[str] | None = None,
        *,
        channel: Channel | None = None,
    ) -> None:
        if isinstance(names, str):
            raise invalid("names", "a sequence of file names", names)
        check_channel(channel)
        self.channel = channel
        self.path = checked_path("path", path)
        self._root = open_root(self.path)
        self.quarantined = ()
        self._is_whole = names is None
        if names is None:
            listing = self._root.listing()
            names, self.quarantined = listing.images, tuple(listing.quarantined)
            if not names:
                raise DatasetError(f"{path}: no images were found{listing.instead}")
            listing.warn()
        self.names = tuple(names)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"ImageFiles({str(self.path)!r}: {many(len(self), 'image')})"

    def _repr_html_(self) -> str:
        rows = [(name, "") for name in self.names[:_SHOWN]]
        rows += [(entry.name, f"left out: {entry.reason}") for entry in self.quarantined[:_SHOWN]]
        more = len(self.names) + len(self.quarantined) - len(rows)
        told = f"and {more} more" if more else ""
        table = show.table(("file", ""), rows)
        return show.fragment(show.paragraphs(repr(self)), table, show.paragraphs(told))

    def parts(self, size: int) -> Iterator[ImageDataset]:
        """Yield the images, `size` files at a time.

        Parameters
        ----------
        size : int
            Number of files in each part; the last part may be smaller.

        Yields
        ------
        ImageDataset
            The readable images of a part, possibly none. ``ids`` are the file names,
            ``class_names`` is ("unlabelled",), and ``quarantined`` lists the files that cannot be
            read.

        Raises
        ------
        InvalidParameterError
            `size` is less than 1.

        Warns
        -----
        DataWarning
            TIFF files hold several pages, such as channels, of which the first is read. The warning
            follows the last part, unless `names` were given.
        """
        check_int("size", size, low=1)
        several_pages: list[str] = []
        for start in range(0, len(self), size):
            names = self.names[start : start + size]
            found = read_files(self._root, names, self.channel)
            several_pages += found.several_pages
            yield _dataset(names, found, found.quarantined)
        if self._is_whole:  # who names files may read them again
            warn_of_pages(several_pages)

    def stamp(self, name: str) -> tuple[int, int] | None:
        """Return a stamp that changes whenever the file does, without reading the file.

        Parameters
        ----------
        name : str
            The file, relative to `path`.

        Returns
        -------
        tuple of int or None
            The size and the modification time, or in an archive the size and the checksum; None if
            the file does not exist.
        """
        return self._root.stamp(name)


def load_images(path: str | Path, *, channel: Channel | None = None) -> ImageDataset:
    """Load all images of a folder or zip archive without labels.

    Parameters
    ----------
    path : str or Path
        A folder, with images at any depth, or a zip archive of one (read in place).
    channel : int or str, optional
        The channel to read from multichannel images: its number from 0, or its name, such as "DAPI" if
        the file names its channels (OME-TIFF), or "blue" for a colour image.

    Returns
    -------
    ImageDataset
        The images, sorted by file name. ``ids`` are the names relative to `path`, ``class_names`` is
        ("unlabelled",), and each image is its own group.

    Raises
    ------
    DatasetNotFoundError
        There is nothing at `path`.
    DatasetError
        None of the images can be read.

    Warns
    -----
    DataWarning
        Files were left out, or contain several pages.

    See Also
    --------
    ImageFiles : Read the images in parts.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from nucrec.datasets import load_images
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("L", (40, 30)).save(Path(folder) / "cell 1.png")
    ...     load_images(folder)
    ImageDataset(1 image: 1 unlabelled; 1 group)
    """
    files = ImageFiles(path, channel=channel)
    found = read_files(files._root, files.names, channel)
    problems = [*files.quarantined, *found.quarantined]
    if not found.images:
        because = f": {problems[0].name}: {problems[0].reason}" if problems else ""
        raise DatasetError(f"{path}: no image that can be read{because}")
    warn_of_files(problems, found.several_pages, len(files))
    return _dataset(files.names, found, problems)


def _dataset(
    names: Sequence[str], found: Files, quarantined: Sequence[Quarantined]
) -> ImageDataset:
    kept = [names[i] for i in found.kept]
    images = LazyImages(found.images)
    return ImageDataset(images, [0] * len(kept), CLASS_NAMES, ids=kept, quarantined=quarantined)

"""From files of a microscope to fields."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from nucrec._paths import checked_path
from nucrec._reading.channels import Channel, check_channel
from nucrec._reading.roots import open_root
from nucrec._validation import check_real
from nucrec.errors import DatasetError
from nucrec.fields._field import Field
from nucrec.fields._field_set import FieldSet
from nucrec.fields._pixels import FilePixels


def load_fields(
    path: str | Path,
    *,
    channel: Channel | None = None,
    pixel_size: float | None = None,
) -> FieldSet:
    """Load fields of view; their pixels are read when they are asked for.

    Parameters
    ----------
    path : str or Path
        A folder, with images at any depth, or a zip archive of one (read in place).
    channel : int or str, optional
        The channel to read, of images that have several.
    pixel_size : float, optional
        Side of a pixel in um.

    Returns
    -------
    FieldSet
        In the order of the file names.

    Raises
    ------
    DatasetNotFoundError
        There is nothing at `path`.
    DatasetError
        `path` holds no images.
    InvalidParameterError
        A parameter is of another type or out of range.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from nucrec.fields import load_fields
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("L", (400, 300)).save(Path(folder) / "B03_1.png")
    ...     load_fields(folder)
    FieldSet(1 fields)
    """
    check_channel(channel)
    if pixel_size is not None:
        check_real("pixel_size", pixel_size, low=0, high=1000, open_ends=True)
    root = open_root(checked_path("path", path))
    listing = root.listing()
    if not listing.images:
        raise DatasetError(f"{path}: no images were found{listing.instead}")
    listing.warn()
    return FieldSet(
        (
            Field(
                name=name,
                file=file,
                pixel_size=pixel_size,
                _pixels=FilePixels(root, file, channel),
            )
            for name, file in zip(_names(listing.images), listing.images, strict=True)
        ),
        listing.quarantined,
    )


def _names(files: Sequence[str]) -> list[str]:
    return [PurePosixPath(file).stem for file in files]

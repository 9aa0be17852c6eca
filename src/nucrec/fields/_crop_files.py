"""A folder of crops in class folders, with a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nucrec._files import make_folder, replacing, write_text
from nucrec._paths import checked_path
from nucrec._text import csv_text
from nucrec._validation import invalid
from nucrec.datasets import ImageDataset, load_folder

Array = npt.NDArray[Any]

TABLE = "crops.csv"


class CropFolder:
    """Write crops as they are cut.

    Parameters
    ----------
    path : str or Path
        The folder, new or empty.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = checked_path("out", path)
        make_folder(self._path)
        if any(self._path.iterdir()):
            raise invalid("out", "a new or empty folder", str(path))

    def write(self, image: Array, class_name: str, name: str) -> str:
        """Write a crop, and return its file name relative to the folder."""
        from PIL import Image

        kind = "TIFF" if image.dtype.kind == "f" else "PNG"
        file = f"{class_name}/{name}.{'tif' if kind == 'TIFF' else 'png'}"
        path = self._path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            Image.fromarray(image).save(temporary, kind)
        return file

    def finish(
        self,
        classes: Sequence[str],
        *,
        labels: Sequence[int],
        ids: Sequence[str],
        groups: Sequence[str],
        metadata: Mapping[str, Array],
    ) -> ImageDataset:
        """Write the table, and return the data set that it describes."""
        columns = [np.asarray(values).tolist() for values in metadata.values()]
        names = [classes[label] for label in labels]
        rows = list(zip(ids, names, groups, *columns, strict=True))
        table = self._path / TABLE
        write_text(table, csv_text(("file", "label", "group", *metadata), rows))
        return load_folder(table, class_names=classes)

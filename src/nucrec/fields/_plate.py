"""The folder of a long detection: the tables of each field, and the settings."""

import contextlib
import json
import re
import shutil
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from nucrec._files import ANY_NAME, make_folder, only_writer, write_text
from nucrec._version import __version__
from nucrec._written import LABELS, PARTS, SETTINGS
from nucrec.errors import DatasetError, NucrecError
from nucrec.fields._analysis import of_field
from nucrec.fields._cells import Cells
from nucrec.fields._detection import Detection
from nucrec.fields._field import Field
from nucrec.fields._label_files import write_labels

_STAMP = "stamp.txt"
_FORMAT = 1


class Plate:
    """A folder that holds the tables of each field in a separate sub-folder.

    Parameters
    ----------
    folder : Path
        The folder, which is created if necessary.
    with_labels : bool
        Whether to write label images as well.
    """

    def __init__(self, folder: Path, with_labels: bool) -> None:
        self.folder = folder
        self._with_labels = with_labels

    @contextlib.contextmanager
    def held(self, settings: Mapping[str, Any], overwrite: bool) -> Iterator[Self]:
        """Lock the folder, and record the settings or compare them with those recorded.

        Raises
        ------
        NucrecError
            The folder cannot be written, is in use by another call, or holds results of other
            settings. Nothing was changed.
        """
        make_folder(self.folder)
        with only_writer(self.folder):
            self._prepare(settings, overwrite)
            yield self

    def _prepare(self, settings: Mapping[str, Any], overwrite: bool) -> None:
        record = {"format": _FORMAT, "nucrec": __version__, **settings}
        text = json.dumps(record, indent=1)
        path = self.folder / SETTINGS
        if overwrite:
            for part in (PARTS, LABELS):
                shutil.rmtree(self.folder / part, ignore_errors=True)
        elif path.exists():
            self._compare(_read_record(path), json.loads(text))
            return
        elif (self.folder / PARTS).exists():
            raise NucrecError(f"{path} is missing: choose another folder, or pass overwrite=True")
        write_text(path, text)

    def _compare(self, there: Mapping[str, Any], record: Mapping[str, Any]) -> None:
        other = [
            f"{key} ({there.get(key)!r}, now {value!r})"
            for key, value in record.items()
            if there.get(key) != value
        ]
        if other:
            raise NucrecError(
                f"{self.folder} holds results of another call, which differs in: "
                f"{', '.join(other)}. Choose another folder, or pass overwrite=True to start "
                "again."
            )

    def read(self, field: Field) -> Cells | None:
        """Return the cells of a field, or None if they are missing or the field has changed.

        Well, condition, dose and replicate are the field's present ones.
        """
        if not self.has(field):
            return None
        try:
            cells = Cells.from_csv(self._part(field))
        except (OSError, DatasetError):
            return None
        tables = (cells.cells, cells.micronuclei, cells.fields)
        return Cells(*({**t, **of_field(field, len(t["field"]))} for t in tables))

    def has(self, field: Field) -> bool:
        """Return whether the cells of a field exist, and the field has not changed since."""
        try:
            stamp = (self._part(field) / _STAMP).read_text(encoding="utf-8", errors=ANY_NAME)
        except OSError:
            return False
        labels = all(path.exists() for path in self._label_files(field).values())
        return stamp == _stamp(field) and (labels or not self._with_labels)

    def write(self, field: Field, cells: Cells, found: Detection) -> None:
        """Write the cells and label images of a field, and last the stamp that marks them complete."""
        part = self._part(field)
        with contextlib.suppress(OSError):
            (part / _STAMP).unlink()
        if self._with_labels:
            for name, path in self._label_files(field).items():
                make_folder(path.parent)
                write_labels(path, getattr(found, name))
        cells.to_csv(part)
        write_text(part / _STAMP, _stamp(field))

    def _label_files(self, field: Field) -> dict[str, Path]:
        return label_files(self.folder, field)

    def _part(self, field: Field) -> Path:
        return self.folder / PARTS / file_name(field.name)


def _stamp(field: Field) -> str:
    return f"{field.name}\n{field.stamp()}"


def label_files(folder: Path, field: Field) -> dict[str, Path]:
    """Return the label image files of a field's nuclei and micronuclei."""
    name = f"{file_name(field.name)}.tif"
    return {kind: folder / LABELS / kind / name for kind in ("nuclei", "micronuclei")}


def file_name(name: str) -> str:
    """Return a unique file name for the name of a field.

    Characters that some file systems do not allow are replaced, and a checksum is then added.
    """
    plain = re.sub(r"[^0-9A-Za-z._-]+", "_", name)[:80].strip("._") or "field"
    if plain == name:
        return plain
    return f"{plain}-{zlib.crc32(name.encode('utf-8', 'surrogateescape')):08x}"


def _read_record(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NucrecError(f"{path} cannot be read: choose another folder") from error
    return found if isinstance(found, dict) else {}

"""Reading of the headers of fields, without their pixels."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from nucrec._reading.channels import Channel, channel_number
from nucrec._reading.copies import identical_files
from nucrec._reading.listing import Quarantined
from nucrec._reading.roots import Root
from nucrec._reading.stack import Header, read_header, several_channels
from nucrec.errors import ImageError
from nucrec.fields import _remarks as remark
from nucrec.fields._arrays import check_size
from nucrec.fields._channels import files_of
from nucrec.fields._field import Field
from nucrec.fields._masks import Masks
from nucrec.fields._names import FieldFiles
from nucrec.fields._pixels import FilePixels, Mask


class FieldReader:
    """Read the headers of fields, and record files that cannot be fields.

    Parameters
    ----------
    root : Root
        The folder or archive of the files.
    channel : int or str, optional
        The channel within each file.
    pixel_size : float, optional
        Pixel size in um, which overrides that in the files.
    masks : Masks, optional
        Masks of the nuclei.

    Attributes
    ----------
    fields : list of Field
        The fields.
    problems : list of Quarantined
        The files that cannot be fields, with reasons.
    remarks : list of str
        Remarks on the set as a whole.
    """

    def __init__(
        self, root: Root, channel: Channel | None, pixel_size: float | None, masks: Masks | None
    ) -> None:
        self.fields: list[Field] = []
        self.problems: list[Quarantined] = []
        self.remarks: list[str] = []
        self._root = root
        self._channel = channel
        self._pixel_size = pixel_size
        self._masks = masks
        self._projected: list[str] = []
        self._lossy: list[str] = []

    def read_all(
        self, groups: Sequence[FieldFiles], label: str | None, wells: Sequence[str | None]
    ) -> None:
        """Read the headers of all fields.

        Parameters
        ----------
        groups : sequence of FieldFiles
            The files of each field.
        label : str or None
            The channel whose files are read, if each channel is a separate file.
        wells : sequence of (str or None)
            The well of each field.
        """
        keys = [group.key for group in groups]
        for group, name, well in zip(groups, _names(keys), wells, strict=True):
            self._note_twice(group)
            self._claim_masks(group)
            if not group.channels:
                continue
            try:
                self.fields.append(self._field(group, files_of(group, label), name, well))
            except ImageError as error:
                file, _, reason = str(error).partition(": ")
                self.problems.append(Quarantined(file, reason))
        self.remarks += remark.of_projections(self._projected)
        self.remarks += remark.of_losses(self._lossy)
        self.remarks += remark.of_copies(identical_files(self._root, [f.file for f in self.fields]))
        self.remarks += remark.of_times(keys)
        self.remarks += remark.of_plates(keys, wells)
        self.remarks += remark.of_missing_wells(self.fields)
        if self._masks is not None:
            self.remarks += [*self._masks.remarks, *remark.of_masks(self._masks.unused)]

    def _note_twice(self, group: FieldFiles) -> None:
        for file in group.twice:
            others = [other for other in group.twice if other != file]
            reason = (
                f"two fields have the same name: there is also {remark.listed(others)}. Keep "
                "one of them"
            )
            self.problems.append(Quarantined(file, reason))

    def _claim_masks(self, group: FieldFiles) -> None:
        """Record the masks of a field, even if it may be left out."""
        if self._masks is not None:
            self._masks.of(group, [*group.twice, *_files(group)])

    def _field(self, group: FieldFiles, files: Sequence[str], name: str, well: str | None) -> Field:
        """Return the field described by its files.

        Raises
        ------
        ImageError
            The files cannot be a field.
        """
        if not files:
            there = ", ".join(sorted(group.channels))
            raise ImageError(f"{group.key}: has no file for the chosen channel, only for: {there}")
        header = read_header(self._root.view(files[0]), files[0])
        self._check_header(header, files[0])
        mask = self._mask(group, files)
        if header.n_z > 1 or len(files) > 1:
            self._projected.append(files[0])
        if header.is_lossy:
            self._lossy.append(files[0])
        return Field(
            name=name,
            file=files[0],
            pixel_size=header.pixel_size if self._pixel_size is None else float(self._pixel_size),
            well=well,
            _pixels=FilePixels(
                self._root, tuple(files), header.size, self._channel, header.is_lossy
            ),
            _mask=mask,
        )

    def _check_header(self, header: Header, file: str) -> None:
        check_size(file, header.size)
        if self._channel is None and header.n_channels > 1:
            raise ImageError(f"{file}: {several_channels(header)}")
        if self._channel is not None and (header.n_channels > 1 or header.is_grey):
            channel_number(self._channel, header.n_channels, header.names, file)

    def _mask(self, group: FieldFiles, files: Sequence[str]) -> Mask | None:
        if self._masks is None:
            return None
        found = self._masks.of(group, [*files, *_files(group)])
        if not found:
            raise ImageError(
                f"{files[0]}: has no mask among those given; add one, or load this field "
                "without masks"
            )
        if len(found) > 1:
            names = [mask.name for mask in found]
            raise ImageError(
                f"{files[0]}: has {len(found)} masks ({remark.listed(names)}); keep one"
            )
        return found[0]


def _files(group: FieldFiles) -> list[str]:
    return [file for those in group.channels.values() for file in those]


def _names(keys: Sequence[str]) -> list[str]:
    """Return the last part of each key, with the folders if two would be the same."""
    last = [PurePosixPath(key).name for key in keys]
    if len({name.casefold() for name in last}) == len(last):
        return last
    joined = ["_".join(PurePosixPath(key).parts) for key in keys]
    counts = Counter(name.casefold() for name in joined)
    seen: Counter[str] = Counter()
    names = []
    for name in joined:  # a/b and a_b
        seen[name.casefold()] += 1
        number = seen[name.casefold()]
        names.append(f"{name} ({number})" if counts[name.casefold()] > 1 and number > 1 else name)
    return names

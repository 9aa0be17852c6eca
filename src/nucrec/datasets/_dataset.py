"""The data set: images with labels, groups and parents, immutable."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nucrec._deprecation import warn_renamed
from nucrec._pixels.image import digest_image
from nucrec._pixels.intensity import OutputDtype
from nucrec._reading.listing import Quarantined
from nucrec._threads import ordered_map
from nucrec._validation import check_int
from nucrec.datasets._batches import Augmentation, Batches
from nucrec.datasets._columns import (
    Index,
    check_column,
    check_different,
    check_groups,
    check_labels,
    check_metadata,
    in_memory,
    named_column,
    positions,
)
from nucrec.datasets._images import LazyImages, threads_for
from nucrec.datasets._plan import common_channels, make_plan
from nucrec.datasets._shown import as_html, in_words

if TYPE_CHECKING:
    import tensorflow as tf

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False, repr=False, init=False)
class ImageDataset:
    """Images with labels, groups and parents.

    A data set is immutable: its arrays are read-only, and operations such as indexing or `with_groups`
    return a new data set that shares the images.

    Parameters
    ----------
    images : sequence of array, or array of shape (n, H, W) or (n, H, W, C)
        Each image has shape (H, W) or (H, W, C) with 1 to 4 channels, any real dtype, and finite
        values. Sizes may vary. Pillow images are converted as if read from their files.
    labels : array_like of int or str, shape (n,)
        Integers from 0 to ``len(class_names) - 1``, or class names.
    class_names : sequence of str, optional
        Index 1 is the positive class. By default ("nucleus", "micronucleus"), or the names in
        `labels`, in the order of `load_folder`.
    ids : sequence of str, optional
        A unique name for each image; by default its index.
    groups : array_like of shape (n,), optional
        Images that are not independent share a group (a field of view, a slide, a patient). By
        default, each original and its augmented copies form a group.
    parents : sequence of str, optional
        The id of the original from which an augmented copy was made; by default the image's own id.
    metadata : mapping of str to array_like of shape (n,), optional
        Further columns.
    quarantined : sequence of (name, reason), optional
        The files that were left out.

    Attributes
    ----------
    images : LazyImages
        A sequence of arrays, decoded when indexed, with the dtype and channels of the file.
    labels : ndarray of int64, shape (n,)
        The class of each image.
    class_names : tuple of str
        The names of the classes.
    ids, groups, parents : ndarray of str, shape (n,)
        The id, group and parent of each image.
    metadata : mapping of str to ndarray of shape (n,)
        Further columns.
    quarantined : tuple of Quarantined
        The files that were left out, each with a name and a reason.

    Raises
    ------
    InvalidParameterError
        The parameters do not match, or an image has a wrong shape or values that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from nucrec.datasets import ImageDataset
    >>> dataset = ImageDataset(np.zeros((3, 8, 8), np.uint8), [0, 1, 1], groups=["a", "a", "b"])
    >>> dataset
    ImageDataset(3 images: 1 nucleus, 2 micronucleus; 2 groups)
    >>> dataset[dataset.groups == "a"].labels
    array([0, 1])
    """

    images: LazyImages
    labels: npt.NDArray[np.int64]
    class_names: tuple[str, ...]
    ids: Array
    groups: Array
    parents: Array
    metadata: Mapping[str, Array]
    quarantined: tuple[Quarantined, ...]

    def __init__(
        self,
        images: Sequence[Array] | Array,
        labels: npt.ArrayLike,
        class_names: Sequence[str] | None = None,
        *,
        ids: Sequence[str] | Array | None = None,
        groups: npt.ArrayLike | None = None,
        parents: Sequence[str] | Array | None = None,
        metadata: Mapping[str, npt.ArrayLike] | None = None,
        quarantined: Sequence[tuple[str, str]] = (),
    ) -> None:
        lazy = images if isinstance(images, LazyImages) else LazyImages(in_memory(images))
        n = len(lazy)
        own_labels, classes = check_labels(labels, n, class_names)
        names = [str(i) for i in range(n)] if ids is None else ids
        own_ids = check_column("ids", names, n, str)
        check_different("ids", own_ids)
        own_parents = own_ids if parents is None else check_column("parents", parents, n, str)
        own_groups = own_parents if groups is None else check_groups(groups, own_parents)
        self._set(
            images=lazy,
            labels=own_labels,
            class_names=classes,
            ids=own_ids,
            groups=own_groups,
            parents=own_parents,
            metadata=check_metadata(metadata, n),
            quarantined=tuple(Quarantined(*entry) for entry in quarantined),
        )

    def _set(self, *, metadata: Mapping[str, Array], **fields: Any) -> None:
        for array in (*metadata.values(), *fields.values()):
            if isinstance(array, np.ndarray):
                array.setflags(write=False)
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "metadata", MappingProxyType(dict(metadata)))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "metadata": dict(self.metadata)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._set(**state)

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator["ImageDataset"]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Index) -> "ImageDataset":
        chosen = positions(index, len(self))
        part = object.__new__(ImageDataset)
        part._set(
            images=LazyImages([self.images.sources[i] for i in chosen]),
            labels=self.labels[chosen],
            class_names=self.class_names,
            ids=self.ids[chosen],
            groups=self.groups[chosen],
            parents=self.parents[chosen],
            metadata={name: column[chosen] for name, column in self.metadata.items()},
            quarantined=self.quarantined,
        )
        return part

    def __repr__(self) -> str:
        return f"ImageDataset({in_words(self)})"

    def _repr_html_(self) -> str:
        return as_html(self)

    @property
    def fingerprint(self) -> str:
        """The hexadecimal SHA-256 of pixels, labels and class names, in this order.

        Images with equal pixels have the same fingerprint, whether they come from a folder, an
        archive or memory, and whatever their file names and formats.
        """
        total = hashlib.sha256(repr(self.class_names).encode())
        for digest in ordered_map(digest_image, self.images.sources, threads_for(self.images)):
            total.update(digest)
        total.update(self.labels.astype("<i8").tobytes())
        return total.hexdigest()

    @property
    def channels(self) -> int:
        """The channels of `to_array`: 1 if all images are greyscale or of one colour, else 3."""
        return common_channels(self.images.sources)

    @property
    def shared_groups(self) -> Array | None:
        """The groups, or None if no two images share one; deprecated: pass `groups` instead."""
        warn_renamed("ImageDataset.shared_groups", "groups")
        return None if len(np.unique(self.groups)) == len(self) else self.groups

    def with_groups(self, groups: npt.ArrayLike | str) -> "ImageDataset":
        """Return this data set with other groups.

        Parameters
        ----------
        groups : array_like of shape (n,), or str
            The group of each image, or the name of a column of ``metadata``.

        Returns
        -------
        ImageDataset
            A data set that shares its images with this one.

        Raises
        ------
        InvalidParameterError
            The number of groups differs from that of the images, or there is no such column.

        Examples
        --------
        >>> from nucrec.datasets import load_mnfinder_crops
        >>> crops = load_mnfinder_crops("paper")
        >>> crops.with_groups("cell_line")
        ImageDataset(306 images: 148 nucleus, 158 micronucleus; 4 groups)
        """
        if isinstance(groups, str):
            groups = named_column(groups, self.metadata)
        column = check_groups(groups, self.parents)
        other = object.__new__(ImageDataset)
        other._set(**{**self.__dict__, "groups": column})
        return other

    def to_array(
        self,
        size: int | tuple[int, int] | None = None,
        channels: int | None = None,
        dtype: OutputDtype | None = None,
        *,
        n_jobs: int | None = None,
    ) -> Array:
        """Return all images as one array.

        Parameters
        ----------
        size : int or (height, width), optional
            The size of each image, by one interpolation; by default all must have the same size.
            Images that shrink by a factor of 1.5 or more are averaged over blocks of pixels first.
            Those that shrink by less are not, so their finest structures may be partly lost.
        channels : {1, 3}, optional
            By default `channels` of the data set. For 1, a picture of one colour is reduced to its
            strongest channel, any other to greyscale by ITU-R BT.601. Transparency is dropped.
        dtype : {"uint8", "float32"}, optional
            By default the dtype of the images, if they share one. Otherwise 8-bit images are
            converted by their full range, and all others image by image by `rescale_intensity`.
        n_jobs : int, optional
            Number of threads; by default one for each core if the images are large enough to benefit.
            The result does not depend on it.

        Returns
        -------
        ndarray of shape (n, height, width, channels)
            0 to 255 for uint8, 0 to 1 for ``dtype="float32"``.

        Raises
        ------
        DatasetError
            Sizes or dtypes vary and no common one was given, or the data set is empty.
        InvalidParameterError
            A parameter is out of range.
        ImageError
            A file can no longer be read.

        Examples
        --------
        >>> from nucrec.datasets import load_mnfinder_crops
        >>> X = load_mnfinder_crops("paper").to_array(size=32)
        >>> X.shape, X.dtype
        ((306, 32, 32, 1), dtype('uint8'))
        """
        plan = make_plan(self.images.sources, size, channels, dtype)
        workers = threads_for(self.images) if n_jobs is None else check_int("n_jobs", n_jobs, low=1)
        result = np.empty((len(self), *plan.shape), plan.dtype)

        def fetch(i: int) -> None:
            result[i] = plan.finish(plan.sources[i].resized(plan.size))

        for _ in ordered_map(fetch, range(len(self)), workers):
            pass
        return result

    def batches(
        self,
        size: int | tuple[int, int],
        batch_size: int = 32,
        augment: Augmentation | None = None,
        *,
        channels: int | None = None,
        dtype: OutputDtype | None = None,
        shuffle: bool = False,
        random_state: int | None = None,
        epoch: int = 0,
    ) -> Iterator[tuple[Array, Array]]:
        """Yield the batches of one epoch as (images, labels), without loading the whole data set.

        Use this in your own training loops, with any library; `stream` does the same for TensorFlow.

        Parameters
        ----------
        size : int or (height, width)
            The size of the images.
        batch_size : int, default=32
            Number of images in a batch; the last batch may be smaller.
        augment : nucrec.augment.Pipeline, optional
            The augmentation of each image; it shares one interpolation with the resizing.
        channels, dtype : optional
            As in `to_array`.
        shuffle : bool, default=False
            If True, draw the order from the seed and the epoch.
        random_state : int, optional
            Seed of the order.
        epoch : int, default=0
            Number of the epoch. With `shuffle` or `augment`, each epoch has its own random values,
            which are reproduced in a new run.

        Yields
        ------
        images : ndarray of shape (batch, height, width, channels)
            As in `to_array`.
        labels : ndarray of int64, shape (batch,)
            The labels.

        Raises
        ------
        DatasetError, InvalidParameterError, ImageError
            As in `to_array`.

        Examples
        --------
        >>> from nucrec.datasets import load_mnfinder_crops
        >>> crops = load_mnfinder_crops("paper")
        >>> for images, labels in crops.batches(size=64, batch_size=150):
        ...     print(images.shape, labels.shape)
        (150, 64, 64, 1) (150,)
        (150, 64, 64, 1) (150,)
        (6, 64, 64, 1) (6,)
        """
        check_int("epoch", epoch, low=0)
        options = size, batch_size, augment, channels, dtype, shuffle, random_state
        return Batches(self.images, self.labels, self.ids, *options).epoch(epoch)

    def stream(
        self,
        size: int | tuple[int, int],
        batch_size: int = 32,
        augment: Augmentation | None = None,
        *,
        channels: int | None = None,
        dtype: OutputDtype | None = None,
        shuffle: bool = False,
        random_state: int | None = None,
    ) -> "tf.data.Dataset":
        """Return `batches` as a `tf.data.Dataset`.

        Each pass over the stream is an epoch. With `augment`, each epoch draws its own random values,
        which are reproduced in a new run.

        Parameters
        ----------
        size, batch_size, augment, channels, dtype, shuffle, random_state
            As in `batches`.

        Returns
        -------
        tf.data.Dataset
            Pairs of images, of shape (batch, height, width, channels), and labels, int64 of shape
            (batch,).

        Raises
        ------
        DatasetError, InvalidParameterError, ImageError
            As in `to_array`.

        Examples
        --------
        >>> from nucrec.datasets import load_mnfinder_crops
        >>> batches = load_mnfinder_crops("paper").stream(size=64, batch_size=100)
        >>> [len(labels) for images, labels in batches]
        [100, 100, 100, 6]
        """
        options = size, batch_size, augment, channels, dtype, shuffle, random_state
        return Batches(self.images, self.labels, self.ids, *options).to_tensorflow()

"""A sequence of operations, drawn for each image and applied in one interpolation."""

import hashlib
import zlib
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nucrec._pixels.image import ImageSource, check_image
from nucrec._pixels.resample import resample, resize_matrix, to_dtype, warp
from nucrec._threads import ordered_map, workers_for
from nucrec._validation import check_int, check_seed, check_size, invalid
from nucrec.augment._geometry import Flip, Rotate, Zoom
from nucrec.augment._operation import Geometric, Intensity, Operation, Values
from nucrec.augment._resample_many import resample_many
from nucrec.datasets import ImageDataset, LazyImages

Array = npt.NDArray[Any]
Sampled: TypeAlias = tuple[Values | None, ...]
"""What was drawn for one image: the values of each operation, None where it is not applied."""


class Pipeline:
    """A sequence of augmentation operations.

    All geometric operations and the resizing are combined into one affine map and one interpolation.
    The intensity operations follow in their order. Values are rounded once, at the end.

    The random values of an image depend only on `random_state`, the id of the image and the number of
    the copy, not on other images, their order, or the number of workers. The area beyond the edge of
    the image is filled with the median of its outermost pixels.

    Parameters
    ----------
    operations : sequence of Operation
        At least one, such as `Flip`, `Rotate` or `Noise`.
    random_state : int, optional
        Seed. By default, a seed is drawn and kept in ``random_state``, so that it can be reused.

    Attributes
    ----------
    operations : tuple of Operation
        The operations.
    random_state : int
        The seed.

    Raises
    ------
    InvalidParameterError
        `operations` is empty or contains something else.

    Examples
    --------
    >>> from nucrec.augment import Flip, Pipeline, Rotate, Zoom
    >>> from nucrec.datasets import load_mnfinder_crops
    >>> pipeline = Pipeline([Flip(), Rotate((-180, 180)), Zoom((0.8, 1.2))], random_state=0)
    >>> crops = load_mnfinder_crops()
    >>> pipeline(crops.images[:4], size=64).shape
    (4, 64, 64)
    >>> pipeline.expand(crops, copies=4)
    ImageDataset(1530 images: 740 nucleus, 790 micronucleus; 33 groups; 1224 augmented copies)
    """

    def __init__(self, operations: Sequence[Operation], random_state: int | None = None) -> None:
        is_sequence = isinstance(operations, Sequence) and len(operations) > 0
        if not is_sequence or not all(isinstance(o, Operation) for o in operations):
            raise invalid("operations", "a sequence of operations, such as [Flip()]", operations)
        self.operations = tuple(operations)
        self.random_state = check_seed("random_state", random_state)

    def __repr__(self) -> str:
        return f"Pipeline({list(self.operations)}, random_state={self.random_state})"

    def sample(self, id: str, copy: int = 0) -> Sampled:  # noqa: A002 - the word of the field
        """Draw the values of all operations for one copy of one image.

        Parameters
        ----------
        id : str
            The id of the image.
        copy : int, default=0
            Number of the copy or the epoch.

        Returns
        -------
        tuple of (dict or None)
            The values of each operation, or None if it is not applied; `apply` reproduces them.

        Examples
        --------
        >>> from nucrec.augment import Pipeline, Rotate
        >>> Pipeline([Rotate((0, 90))], random_state=0).sample("cell 1") == (
        ...     Pipeline([Rotate((0, 90))], random_state=0).sample("cell 1")
        ... )
        True
        """
        word = int.from_bytes(hashlib.sha256(str(id).encode("utf-8", "surrogatepass")).digest()[:8])
        rng = np.random.default_rng([self.random_state, word, check_int("copy", copy, low=0)])
        return tuple(operation.draw(rng) for operation in self.operations)

    def apply(
        self, image: Array, sampled: Sampled, size: int | tuple[int, int] | None = None
    ) -> Array:
        """Apply values that `sample` returned to an image.

        Parameters
        ----------
        image : array of shape (H, W) or (H, W, C)
            The image, of any real dtype and with finite values. It is not modified.
        sampled : tuple
            The values that `sample` returned.
        size : int or (height, width), optional
            The size of the result; by default that of the image.

        Returns
        -------
        ndarray
            The result, with the dtype and channels of `image`. Integers are clipped to the range of
            the dtype.

        Raises
        ------
        InvalidParameterError
            `image` is not an image, or `sampled` comes from another pipeline.

        Examples
        --------
        >>> import numpy as np
        >>> from nucrec.augment import Pipeline, Rotate
        >>> pipeline = Pipeline([Rotate((-30, 30))], random_state=0)
        >>> pipeline.apply(np.zeros((40, 40), np.uint16), pipeline.sample("cell 1"), size=20).shape
        (20, 20)
        """
        array = np.asarray(image)
        check_image("image", array)
        if len(sampled) != len(self.operations):
            raise invalid("sampled", f"values for {len(self.operations)} operations", sampled)
        out = (array.shape[0], array.shape[1]) if size is None else check_size("size", size)
        return self._apply(array, sampled, out)

    def __call__(
        self,
        images: Sequence[Array] | Array,
        size: int | tuple[int, int] | None = None,
        *,
        ids: Sequence[str] | None = None,
        copy: int = 0,
        n_jobs: int | None = None,
    ) -> Any:
        """Augment a batch of images.

        Parameters
        ----------
        images : array of shape (n, H, W) or (n, H, W, C), or sequence of arrays
            The images, of any real dtype and with finite values. They are not modified.
        size : int or (height, width), optional
            The size of the results; by default each image keeps its own.
        ids : sequence of str, optional
            The ids that determine the random values; by default the indices "0", "1", ...
        copy : int, default=0
            Number of the copy or the epoch; each number has its own random values.
        n_jobs : int, optional
            Number of threads; by default one for each core if the images are large enough to benefit.
            The result does not depend on it.

        Returns
        -------
        ndarray of shape (n, height, width[, C]), or list of ndarray
            The augmented images, with the dtype of the originals; a list if their shapes or dtypes
            differ.

        Raises
        ------
        InvalidParameterError
            An element is not an image or not finite, or there is not one id for each image.

        Notes
        -----
        If TensorFlow is loaded, as during training, it compiles the interpolation for large batches of
        8-bit images with a common size of at least 256 x 256 pixels and no intensity operation. The
        values are the same, and the time is less than half.
        """
        if isinstance(images, np.ndarray) and images.ndim < 3:
            expected = "a batch: (n, H, W), (n, H, W, C) or a list of images"
            raise invalid(
                "images", expected, f"shape {images.shape}", "For one image pass [image]."
            )
        arrays = [np.asarray(image) for image in images]
        for i, array in enumerate(arrays):
            check_image(f"images[{i}]", array)
        names = [str(i) for i in range(len(arrays))] if ids is None else [str(name) for name in ids]
        if len(names) != len(arrays):
            raise invalid(
                "ids", f"one id for each of the {len(arrays)} images", f"{len(names)} ids"
            )
        fixed = None if size is None else check_size("size", size)
        pixels = sum(array.size for array in arrays) / max(len(arrays), 1)
        largest = max(pixels, fixed[0] * fixed[1] if fixed else 0)
        workers = workers_for(largest) if n_jobs is None else check_int("n_jobs", n_jobs, low=1)
        sampled = [self.sample(name, copy) for name in names]
        changed = self._apply_all(arrays, sampled, fixed, workers)
        kinds = {(array.shape, array.dtype) for array in changed}
        return np.stack(changed) if len(kinds) == 1 else changed

    def expand(self, dataset: ImageDataset, copies: int = 4) -> ImageDataset:
        """Return a data set enlarged by augmented copies of each image.

        Copies are made on demand from the original, with one interpolation that includes any resizing.

        Parameters
        ----------
        dataset : ImageDataset
            The originals.
        copies : int, default=4
            Number of copies of each image, at least 1.

        Returns
        -------
        ImageDataset
            The originals, followed by all first copies, all second copies and so on. A copy has the
            label, group and metadata of its original, the id of the original as its parent, and its
            own id.

        Raises
        ------
        InvalidParameterError
            `copies` is less than 1, or the data set already contains augmented copies.

        Examples
        --------
        >>> import numpy as np
        >>> from nucrec.augment import paper_pipeline
        >>> from nucrec.datasets import ImageDataset
        >>> two = ImageDataset(np.zeros((2, 9, 9), np.uint8), [0, 1], ids=["a", "b"])
        >>> larger = paper_pipeline(random_state=0).expand(two, copies=2)
        >>> larger.ids.tolist()
        ['a', 'b', 'a#1', 'b#1', 'a#2', 'b#2']
        >>> larger.parents.tolist()
        ['a', 'b', 'a', 'b', 'a', 'b']
        """
        check_int("copies", copies, low=1)
        if (dataset.parents != dataset.ids).any():
            raise invalid("dataset", "originals only", dataset, "Expand the originals instead.")
        ids = dataset.ids.tolist()
        sources: list[ImageSource] = list(dataset.images.sources)
        for copy in range(1, copies + 1):
            for name, original in zip(ids, dataset.images.sources, strict=True):
                sources.append(_AugmentedImage(self, original, name, copy))
        copy_ids = [f"{name}#{copy}" for copy in range(1, copies + 1) for name in ids]
        times = copies + 1
        return ImageDataset(
            LazyImages(sources),
            np.tile(dataset.labels, times),
            dataset.class_names,
            ids=ids + copy_ids,
            groups=np.tile(dataset.groups, times),
            parents=np.tile(dataset.parents, times).tolist(),
            metadata={name: np.tile(column, times) for name, column in dataset.metadata.items()},
            quarantined=dataset.quarantined,
        )

    def _apply_all(
        self,
        images: Sequence[Array],
        sampled: Sequence[Sampled],
        size: tuple[int, int] | None,
        workers: int,
    ) -> list[Array]:
        """Apply values to each image; without a size, each keeps its own."""
        pairs = zip(images, sampled, strict=True)
        if size is not None and not any(isinstance(o, Intensity) for o in self.operations):
            matrices = [
                _output_to_input(self._steps(values), image.shape, size) for image, values in pairs
            ]
            return resample_many(images, matrices, size, workers)

        def change(pair: tuple[Array, Sampled]) -> Array:
            image, values = pair
            return self._apply(image, values, size or image.shape)

        return list(ordered_map(change, pairs, workers))

    def _steps(self, sampled: Sampled) -> list[tuple[Operation, Values]]:
        """Return the operations to apply, with their values."""
        pairs = zip(self.operations, sampled, strict=True)
        return [(operation, values) for operation, values in pairs if values is not None]

    def _apply(self, image: Array, sampled: Sampled, size: tuple[int, ...]) -> Array:
        steps = self._steps(sampled)
        matrix = _output_to_input(steps, image.shape, size)
        changes = [(each, values) for each, values in steps if isinstance(each, Intensity)]
        if not changes:
            return resample(image, matrix, (size[0], size[1]))
        moved = warp(image, matrix, (size[0], size[1]))
        for operation, values in changes:
            moved = operation.apply(moved, values)
        return to_dtype(moved, image.dtype)


def paper_pipeline(random_state: int | None = None) -> Pipeline:
    """Return the paper's augmentation: flipping, rotation and zooming.

    The paper gives no ranges. Because a cell can have any orientation, images are flipped in both
    directions and rotated by any angle. The zoom factor ranges from 0.8 to 1.2.

    Parameters
    ----------
    random_state : int, optional
        Seed; by default one is drawn.

    Returns
    -------
    Pipeline
        ``Pipeline([Flip(), Rotate((-180, 180)), Zoom((0.8, 1.2))], random_state)``.

    Raises
    ------
    InvalidParameterError
        `random_state` is not a non-negative integer.

    Examples
    --------
    >>> from nucrec.augment import paper_pipeline
    >>> [type(operation).__name__ for operation in paper_pipeline().operations]
    ['Flip', 'Rotate', 'Zoom']
    """
    return Pipeline([Flip(), Rotate((-180.0, 180.0)), Zoom((0.8, 1.2))], random_state)


class _AugmentedImage:
    """An augmented copy of an image, made on demand."""

    __slots__ = ("_copy", "_name", "_original", "_pipeline")

    def __init__(self, pipeline: Pipeline, original: ImageSource, name: str, copy: int) -> None:
        self._pipeline = pipeline
        self._original = original
        self._name = name
        self._copy = copy

    @property
    def shape(self) -> tuple[int, ...]:
        return self._original.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._original.dtype

    def read(self) -> Array:
        return self.resized((self.shape[0], self.shape[1]))

    def resized(self, size: tuple[int, int]) -> Array:
        sampled = self._pipeline.sample(self._name, self._copy)
        image = self._pipeline._apply(self._original.read(), sampled, size)
        image.setflags(write=False)
        return image

    def checksum(self) -> int:
        # no pixels are made for it: two copies are equal if both are the same copy of one image
        return zlib.crc32(f"{self._name}#{self._copy}".encode("utf-8", "replace"))

    def in_grey(self) -> ImageSource:
        original = self._original.in_grey()
        return _AugmentedImage(self._pipeline, original, self._name, self._copy)


def _output_to_input(
    steps: list[tuple[Operation, Values]], of: tuple[int, ...], to: tuple[int, ...]
) -> Array:
    """Combine all geometric operations and the resizing into one map for `warp`."""
    shape, size = (of[0], of[1]), (to[0], to[1])
    forward = np.eye(3)
    for operation, values in steps:
        if isinstance(operation, Geometric):
            forward = operation.matrix(values, shape) @ forward
    centre = np.array([shape[1] / 2, shape[0] / 2])
    backward = np.linalg.inv(forward)
    backward[:2, 2] += centre - backward[:2, :2] @ centre  # about the centre, not the corner
    return np.asarray(backward @ resize_matrix(shape, size))

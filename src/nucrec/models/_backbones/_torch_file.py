"""Reading tensors from a file of PyTorch's old format, without torch and without running its code.

Such a file is five pickles in a row (magic number, version of the format, type sizes, the tensors'
names and shapes, the storages' keys), then the raw storages. A pickle can name any function to be
called, so a plain `pickle.load` of a stranger's file runs the stranger's code. The reader here
resolves four names and no other, to functions of its own.
"""

import io
import math
import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from nucrec.errors import WeightsError

Array = npt.NDArray[Any]

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001


@dataclass(frozen=True)
class _Storage:
    """A run of numbers that tensors are views of."""

    key: str
    dtype: np.dtype[Any]
    size: int


@dataclass(frozen=True)
class _View:
    """A tensor: part of a storage, seen with a shape and strides (in items)."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __post_init__(self) -> None:
        numbers = (self.offset, *self.shape, *self.strides)
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise pickle.UnpicklingError("a tensor with an offset, shape or stride that is no size")
        if len(self.shape) != len(self.strides) or len(self.shape) > 8:
            raise pickle.UnpicklingError("a tensor whose strides do not fit its shape")
        steps = [(n - 1) * step for n, step in zip(self.shape, self.strides, strict=True)]
        if not math.prod(self.shape) or self.offset + sum(steps) >= self.storage.size:
            raise pickle.UnpicklingError("a tensor that is empty or reaches beyond its storage")
        if math.prod(self.shape) > self.storage.size:
            raise pickle.UnpicklingError("a tensor that is larger than its storage")

    def of(self, values: Array) -> Array:
        """Return the tensor as a contiguous array of its own."""
        step = values.itemsize
        view = np.lib.stride_tricks.as_strided(
            values[self.offset :], self.shape, [stride * step for stride in self.strides]
        )
        return view.copy(order="C")


def _rebuild_tensor(
    storage: object, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _View:
    """Stand in for ``torch._utils._rebuild_tensor_v2``."""
    if not isinstance(storage, _Storage) or not isinstance(shape, tuple | list):
        raise pickle.UnpicklingError("a tensor without a storage or a shape")
    return _View(storage, offset, tuple(shape), tuple(strides))


_ALLOWED: dict[tuple[str, str], Callable[..., Any] | np.dtype[Any]] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}


class _TensorUnpickler(pickle.Unpickler):
    """An unpickler that knows tensors and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None

    def persistent_load(self, pid: Any) -> _Storage:
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":
            raise pickle.UnpicklingError("a reference that is no storage")
        _, dtype, key, _, size = pid[:5]
        known = isinstance(dtype, np.dtype) and isinstance(key, str)
        if not known or type(size) is not int or size < 1:
            raise pickle.UnpicklingError("a storage of unknown type or size")
        return _Storage(key, dtype, size)


_DAMAGED = (
    *(pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError),
    *(AttributeError, OverflowError, MemoryError, RecursionError, ImportError),
)
"""What unpickling of damaged bytes may raise."""


def read_torch_tensors(data: bytes, name: str) -> dict[str, Array]:
    """Return the tensors of a file of PyTorch's format before version 1.6.

    Parameters
    ----------
    data : bytes
        The content of the file.
    name : str
        What to call the file in errors.

    Returns
    -------
    dict of str to ndarray
        Each tensor by its name, float32 or int64, C-contiguous.

    Raises
    ------
    WeightsError
        The file is truncated, of another format, or holds anything but tensors. No code of the
        file is run.
    """
    file = io.BytesIO(data)
    try:
        return _read(file, len(data))
    except _DAMAGED as error:
        raise WeightsError(
            f"{name} is not a file of PyTorch tensors in the format that is read here: {error}. "
            "It may be truncated or not what it says it is; nothing of it was used."
        ) from error


def _read(file: BinaryIO, length: int) -> dict[str, Array]:
    if _plain(file) != _MAGIC or _plain(file) != _VERSION:
        raise pickle.UnpicklingError("it does not begin as such a file does")
    sizes = _plain(file)
    if not isinstance(sizes, dict) or sizes.get("little_endian") is not True:
        raise pickle.UnpicklingError("it is not little-endian")
    views = _TensorUnpickler(file).load()
    keys = _plain(file)
    is_dict = isinstance(views, dict) and all(
        isinstance(key, str) and isinstance(view, _View) for key, view in views.items()
    )
    if not is_dict or not isinstance(keys, list):
        raise pickle.UnpicklingError("it does not hold a dict of tensors")
    values = _read_storages(file, keys, [view.storage for view in views.values()], length)
    return {key: view.of(values[view.storage.key]) for key, view in views.items()}


def _plain(file: BinaryIO) -> Any:
    """Return the next pickle, of numbers and texts in lists and dicts alone."""
    return _TensorUnpickler(file).load()


def _read_storages(
    file: BinaryIO, keys: list[str], storages: list[_Storage], length: int
) -> dict[str, Array]:
    """Return the numbers of each storage, which follow one another in the order of `keys`."""
    known = {storage.key: storage for storage in storages}
    if len(known) != len(set(storages)) or sorted(keys) != sorted(known):
        raise pickle.UnpicklingError("its storages are not those that its tensors name")
    found = {}
    for key in keys:
        size, dtype = known[key].size, known[key].dtype
        stated = int.from_bytes(file.read(8), "little", signed=True)
        if stated != size or size * dtype.itemsize > length - file.tell():
            raise pickle.UnpicklingError("a storage is cut off or of another size than stated")
        found[key] = np.frombuffer(file.read(size * dtype.itemsize), dtype)
    if file.read(1):
        raise pickle.UnpicklingError("there is more in it than its tensors")
    return found

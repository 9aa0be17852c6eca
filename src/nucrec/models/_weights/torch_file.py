"""Reading tensors from a file in PyTorch's old format, without torch and without running its code.

Such a file consists of five pickles in a row (magic number, format version, type sizes, names and
shapes of the tensors, keys of the storages), followed by the raw storages. A pickle can call any
function by name, so a plain `pickle.load` of an untrusted file runs its code. The reader here
resolves only four names, to functions and strings of its own; executes only the instructions that
such files consist of; and changes only dicts and lists that the file itself created.
"""

import io
import math
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from nucrec._text import shown
from nucrec.errors import WeightsError

Array = npt.NDArray[Any]

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001


class _Storage(NamedTuple):
    """A block of numbers that tensors are views of."""

    key: str
    dtype: str
    size: int


class _View(NamedTuple):
    """A tensor: a part of a storage with a shape and strides (in items)."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """The size of the tensor as a separate array, in bytes."""
        return math.prod(self.shape) * np.dtype(self.storage.dtype).itemsize

    def of(self, values: Array) -> Array:
        """Return the tensor as a separate, contiguous array."""
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
    if len(shape) != len(strides) or len(shape) > 8:
        raise pickle.UnpicklingError("a tensor whose strides do not fit its shape")
    if not all(type(number) is int and number >= 0 for number in (offset, *shape, *strides)):
        raise pickle.UnpicklingError("a tensor with an offset, shape or stride that is no size")
    steps = [(n - 1) * step for n, step in zip(shape, strides, strict=True)]
    if not math.prod(shape) or offset + sum(steps) >= storage.size:
        raise pickle.UnpicklingError("a tensor that is empty or reaches beyond its storage")
    if math.prod(shape) > storage.size:
        raise pickle.UnpicklingError("a tensor that is larger than its storage")
    return _View(storage, offset, tuple(shape), tuple(strides))


def _new_dict() -> OrderedDict[Any, Any]:
    """Stand in for ``collections.OrderedDict``, which would also copy its argument."""
    return OrderedDict()


_ALLOWED: dict[tuple[str, str], Callable[..., Any] | str] = {
    ("collections", "OrderedDict"): _new_dict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch", "FloatStorage"): "<f4",
    ("torch", "LongStorage"): "<i8",
}
_INSTRUCTIONS = (
    *(pickle.PROTO, pickle.STOP, pickle.MARK, pickle.GLOBAL, pickle.REDUCE, pickle.BINPERSID),
    *(pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE, pickle.BINFLOAT),
    *(pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG1),
    *(pickle.BINUNICODE, pickle.BINSTRING, pickle.SHORT_BINSTRING),
    *(pickle.BINPUT, pickle.LONG_BINPUT, pickle.BINGET, pickle.LONG_BINGET),
    *(pickle.EMPTY_TUPLE, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3),
    *(pickle.EMPTY_LIST, pickle.APPEND, pickle.APPENDS, pickle.EMPTY_DICT),
)


class _TensorUnpickler(pickle._Unpickler):
    """An unpickler that accepts tensors only.

    The C implementation would allocate as much memory as a number in the file demands.
    """

    stack: list[Any]
    pop_mark: Callable[[], list[Any]]
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        code[0]: pickle._Unpickler.dispatch[code[0]] for code in _INSTRUCTIONS
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None

    def load_setitem(self) -> None:
        """Set one item of a dict."""
        value, key = self.stack.pop(), self.stack.pop()
        self._fill([key], [value])

    def load_setitems(self) -> None:
        """Set the items since the mark in the dict below it."""
        items = self.pop_mark()
        self._fill(items[::2], items[1::2])

    def load_build(self) -> None:
        """Ignore the attributes that PyTorch sets on a dict of tensors."""
        self.stack.pop()
        if not isinstance(self.stack[-1], OrderedDict):
            raise pickle.UnpicklingError("it changes what is no dict")

    def _fill(self, keys: Iterable[Any], values: Iterable[Any]) -> None:
        # hashing a deeply nested tuple would overflow the stack of the process
        if not isinstance(self.stack[-1], dict) or any(type(k) not in (str, int) for k in keys):
            raise pickle.UnpicklingError("a dict whose keys are neither names nor numbers")
        self.stack[-1].update(zip(keys, values, strict=True))

    dispatch |= {
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.BUILD[0]: load_build,
    }

    def persistent_load(self, pid: Any) -> _Storage:
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":
            raise pickle.UnpicklingError("a reference that is no storage")
        _, dtype, key, _, size = pid[:5]
        known = dtype in ("<f4", "<i8") and isinstance(key, str)
        if not known or type(size) is not int or size < 1:
            raise pickle.UnpicklingError("a storage of unknown type or size")
        return _Storage(key, dtype, size)


_DAMAGED = (
    *(pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError),
    *(AttributeError, OverflowError, MemoryError, RecursionError, struct.error),
)
"""What unpickling of damaged bytes may raise."""


def read_torch_tensors(data: bytes, name: str) -> dict[str, Array]:
    """Return the tensors in a file of PyTorch's format before version 1.6.

    Parameters
    ----------
    data : bytes
        The content of the file.
    name : str
        The name of the file in error messages.

    Returns
    -------
    dict of str to ndarray
        The tensors by name: float32 or int64, C-contiguous.

    Raises
    ------
    WeightsError
        The file is truncated, has another format, or holds anything except tensors. No code from
        the file is run.
    """
    file = io.BytesIO(data)
    try:
        return _read(file, len(data))
    except _DAMAGED as error:
        raise WeightsError(
            f"{name} is not a file of PyTorch tensors in the format that is read here: {shown(error)}. "
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
    if sum(view.nbytes for view in views.values()) > length:
        raise pickle.UnpicklingError("its tensors are together larger than it is")
    values = _read_storages(file, keys, [view.storage for view in views.values()], length)
    return {key: view.of(values[view.storage.key]) for key, view in views.items()}


def _plain(file: BinaryIO) -> Any:
    """Return the next pickle, which may hold only numbers and strings in lists and dicts."""
    return _TensorUnpickler(file).load()


def _read_storages(
    file: BinaryIO, keys: list[str], storages: list[_Storage], length: int
) -> dict[str, Array]:
    """Return the numbers of each storage, which are stored in the order of `keys`."""
    known = {storage.key: storage for storage in storages}
    if len(known) != len(set(storages)) or sorted(keys) != sorted(known):
        raise pickle.UnpicklingError("its storages are not those that its tensors name")
    found = {}
    for key in keys:
        size, dtype = known[key].size, np.dtype(known[key].dtype)
        stated = int.from_bytes(file.read(8), "little", signed=True)
        if stated != size or size * dtype.itemsize > length - file.tell():
            raise pickle.UnpicklingError("a storage is cut off or of another size than stated")
        found[key] = np.frombuffer(file.read(size * dtype.itemsize), dtype)
    if file.read(1):
        raise pickle.UnpicklingError("there is more in it than its tensors")
    return found

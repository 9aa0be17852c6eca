"""Writing files as PyTorch before 1.6 wrote them, without PyTorch."""

import io
import pickle
import struct
import sys
import types
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import contextmanager

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
SIZES = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}


class Storage:
    """Stands for a storage in the pickle, by a persistent id."""

    def __init__(self, key, kind, size):
        self.pid = ("storage", kind, key, "cpu", size, None)


class Tensor:
    """Pickled as PyTorch pickles a tensor."""

    def __init__(self, *arguments, rebuild=None):
        self.arguments = arguments

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


@contextmanager
def torch_modules():
    """Give modules PyTorch's names, so that the names can be written into pickles."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch", "__qualname__": name}))

    def _rebuild_tensor_v2(*arguments):
        raise AssertionError("PyTorch's own function was called")

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    torch._utils = utils
    names = {"torch": torch, "torch._utils": utils}
    before = {name: sys.modules.get(name) for name in names}
    sys.modules.update(names)
    try:
        yield torch
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def write(content, storages, magic=MAGIC, sizes=SIZES):
    """Return a file as PyTorch before 1.6 wrote it."""
    file = io.BytesIO()
    for thing in (magic, 1001, sizes):
        pickle.dump(thing, file, protocol=2)

    class Pickler(pickle.Pickler):
        def persistent_id(self, thing):
            return thing.pid if isinstance(thing, Storage) else None

    Pickler(file, protocol=2).dump(content)
    pickle.dump(sorted(storages), file, protocol=2)
    for key in sorted(storages):
        file.write(struct.pack("<q", storages[key].size) + storages[key].tobytes())
    return file.getvalue()


def torch_file(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return a file of tensors of 32-bit floats."""
    with torch_modules() as torch:
        tensors, values = OrderedDict(), {}
        for number, (name, array) in enumerate(arrays.items()):
            values[str(number)] = floats = np.array(array, "<f4", order="C")
            strides = tuple(step // floats.itemsize for step in floats.strides)
            storage = Storage(str(number), torch.FloatStorage, floats.size)
            tensors[name] = Tensor(storage, 0, floats.shape, strides, False, OrderedDict())
        return write(tensors, values)

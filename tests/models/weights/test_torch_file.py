"""Reading PyTorch's old files: tensors and nothing else."""

import os
import pickle
import resource
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.weights.torch_format import MAGIC, SIZES, Storage, Tensor, torch_modules, write

from nucrec.errors import WeightsError

# private: a parser of bytes that nobody vouches for, which is tested thousands of times
from nucrec.models._weights.torch_file import read_torch_tensors


@pytest.fixture
def torch_names():
    with torch_modules() as torch:
        yield torch


def one_tensor(torch, values, offset, shape, strides, size=None):
    storage = Storage("7", torch.FloatStorage, values.size if size is None else size)
    tensor = Tensor(storage, offset, shape, strides, False, OrderedDict())
    return write(OrderedDict(a=tensor), {"7": values})


def test_tensors_have_their_values(torch_names):
    floats, longs = np.arange(6, dtype="<f4"), np.array([5], dtype="<i8")
    a = Tensor(Storage("1", torch_names.FloatStorage, 6), 0, (2, 3), (3, 1), False, OrderedDict())
    b = Tensor(Storage("2", torch_names.LongStorage, 1), 0, (), (), False, OrderedDict())
    found = read_torch_tensors(write(OrderedDict(a=a, b=b), {"1": floats, "2": longs}), "x")
    np.testing.assert_array_equal(found["a"], [[0, 1, 2], [3, 4, 5]])
    assert found["a"].dtype == np.float32
    assert found["b"] == 5


def test_strides_are_honoured(torch_names):
    values = np.arange(24, dtype="<f4")
    found = read_torch_tensors(one_tensor(torch_names, values, 1, (2, 3), (1, 4)), "x")["a"]
    # by hand: element (i, j) is at 1 + i + 4 j
    np.testing.assert_array_equal(found, [[1, 5, 9], [2, 6, 10]])
    assert found.flags.c_contiguous


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (7,), (1,)),
        (5, (2,), (1,)),
        (0, (2, 3), (5, 1)),
        (-1, (2,), (1,)),
        (0, (2,), (-1,)),
        (0, (2, 2), (1,)),
        (0, (0,), (1,)),
        (0, (10**9, 10**9), (0, 0)),
        (0, (2.0,), (1,)),
        (0, (True,), (1,)),
    ],
)
def test_a_tensor_that_leaves_its_storage_is_refused(torch_names, offset, shape, strides):
    data = one_tensor(torch_names, np.arange(6, dtype="<f4"), offset, shape, strides)
    with pytest.raises(WeightsError, match=r"^x is not a file of PyTorch tensors"):
        read_torch_tensors(data, "x")


def test_a_storage_that_is_larger_than_the_file_is_refused(torch_names):
    values = np.arange(6, dtype="<f4")
    data = one_tensor(torch_names, values, 0, (6,), (1,), size=10**12)
    with pytest.raises(WeightsError, match="cut off or of another size"):
        read_torch_tensors(data, "x")


class Hostile:
    """Runs a command when a pickle of it is loaded."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("place", ["tensors", "magic", "sizes", "inside"])
def test_code_of_a_hostile_file_is_not_run(torch_names, tmp_path, place):
    mark = tmp_path / "was here"
    hostile = Hostile(os.mkdir, str(mark))
    pickle.loads(pickle.dumps(hostile))  # it does what it is meant to do
    assert mark.exists()
    mark.rmdir()
    plain = Tensor(
        Storage("1", torch_names.FloatStorage, 2), 0, (2,), (1,), False, OrderedDict(x=hostile)
    )
    values = {"1": np.zeros(2, "<f4")}
    data = {
        "tensors": lambda: write(hostile, {}),
        "magic": lambda: write(OrderedDict(), {}, magic=hostile),
        "sizes": lambda: write(OrderedDict(), {}, sizes=hostile),
        "inside": lambda: write(OrderedDict(a=plain), values),
    }[place]()
    with pytest.raises(WeightsError, match=r"it asks for \w+\.mkdir"):
        read_torch_tensors(data, "x")
    assert not mark.exists()


@pytest.mark.parametrize("name", ["builtins.eval", "torch.load", "torch._utils._rebuild_tensor"])
def test_only_four_names_are_known(name):
    module, _, function = name.rpartition(".")
    content = b"c" + module.encode() + b"\n" + function.encode() + b"\n."
    start = b"".join(pickle.dumps(thing, protocol=2) for thing in (MAGIC, 1001, SIZES))
    with pytest.raises(WeightsError, match=f"it asks for {name}"):
        read_torch_tensors(start + content, "x")


def test_every_truncation_is_refused(torch_names):
    data = one_tensor(torch_names, np.arange(6, dtype="<f4"), 0, (2, 3), (3, 1))
    read_torch_tensors(data, "x")
    for length in range(len(data)):
        with pytest.raises(WeightsError):
            read_torch_tensors(data[:length], "x")
    with pytest.raises(WeightsError, match="there is more in it"):
        read_torch_tensors(data + b"\0", "x")


@given(st.binary(max_size=200))
def test_any_bytes_give_a_clear_error(data):
    with pytest.raises(WeightsError):
        read_torch_tensors(data, "x")


@pytest.mark.parametrize(
    "content", [3, [1, 2], {"a": 1}, {1: None}, OrderedDict(a=OrderedDict())], ids=repr
)
def test_what_is_no_dict_of_tensors_is_refused(content):
    with pytest.raises(WeightsError, match="dict of tensors"):
        read_torch_tensors(write(content, {}), "x")


def after_start(instructions):
    start = b"".join(pickle.dumps(thing, protocol=2) for thing in (MAGIC, 1001, SIZES))
    return start + instructions


@pytest.mark.parametrize(
    ("instructions", "reason"),
    [
        (b"}}b.", "it changes what is no dict"),
        (b"ctorch._utils\n_rebuild_tensor_v2\n}b.", "it changes what is no dict"),
        (b"ctorch\nFloatStorage\n(K\x03NNtb.", "it changes what is no dict"),
        (b"ccollections\nOrderedDict\n]\x85R.", "takes 0 positional arguments"),
        (b"})" + b"\x85" * 300_000 + b"Ns.", "keys are neither names nor numbers"),
        (b"}(" + b"N" * 3 + b"u.", "keys are neither names nor numbers"),
        (b"cx\n" + b"y" * 100_000 + b"\n.", "it asks for x.yyy"),
        (b"\x8e" + b"\xff" * 7 + b"\x7f.", "not a file of PyTorch tensors"),
    ],
    ids=["dict", "function", "text", "copies", "deep key", "odd items", "long name", "long bytes"],
)
def test_instructions_that_do_harm_are_refused(instructions, reason):
    with pytest.raises(WeightsError, match=reason) as caught:
        read_torch_tensors(after_start(instructions), "x")
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)


def test_a_large_number_of_the_memo_takes_no_memory():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(WeightsError, match="its storages are not those"):
        read_torch_tensors(after_start(b"}r\x00\x00\x00\x08." + pickle.dumps(["0"], 2)), "x")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**17  # kB


def test_tensors_that_share_a_storage_many_times_are_refused(torch_names):
    values = np.zeros(10_000, "<f4")
    storage = Storage("7", torch_names.FloatStorage, values.size)
    tensors = OrderedDict(
        (f"t{k}", Tensor(storage, 0, (values.size,), (1,), False, OrderedDict()))
        for k in range(100)
    )
    with pytest.raises(WeightsError, match="together larger than it is"):
        read_torch_tensors(write(tensors, {"7": values}), "x")


def test_attributes_of_a_dict_are_passed_over(torch_names):
    tensors = OrderedDict(
        a=Tensor(Storage("1", torch_names.FloatStorage, 2), 0, (2,), (1,), False, OrderedDict())
    )
    tensors._metadata = OrderedDict({"": {"version": 1}})  # as PyTorch's state_dict has it
    found = read_torch_tensors(write(tensors, {"1": np.ones(2, "<f4")}), "x")
    assert found["a"].tolist() == [1, 1]

"""Pickles of predictions: what numpy writes is read back equal; forged ones are refused and crash nothing."""

from __future__ import annotations

import collections
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.errors import TruthError
from videohoi.evaluate.safe_pickle import read_pickle

ARRAYS = [
    np.arange(12, dtype=np.float32).reshape(3, 4),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.zeros((0, 4)),
    np.array(3.5),
    np.array([True, False]),
    np.arange(3, dtype=">i4"),
    np.arange(3, dtype=np.float16),
    np.array(["ride", "hold"]),
    np.array([b"a.jpg", b"bb.jpg"]),
    np.array([1, "two", None], object),
    np.arange(4)[::2],
]


def round_trip(value, folder, protocol=4):
    path = folder / "found.pkl"
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return read_pickle(path)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype.str}{array.shape}")
def test_arrays_come_back_equal(tmp_path, array, protocol):
    back = round_trip({"boxes": array}, tmp_path, protocol)["boxes"]
    assert back.shape == array.shape
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_and_numbers_of_numpy_come_back_equal(tmp_path, protocol):
    shared = [1.5, "x"]
    value = {
        "score": np.float32(0.25), "id": np.int64(7), "on": np.bool_(True), "raw": b"\x00\xff", "set": {1, 2},
        "ordered": collections.OrderedDict(a=1), "counts": collections.defaultdict(list, a=[1]), "pair": (1, (2, 3)),
        "none": None, "long": 1 << 80, "twice": [shared, shared], "mutable": bytearray(b"ab")
    }  # fmt: skip
    back = round_trip(value, tmp_path, protocol)
    assert {key: back[key] for key in value} == value
    assert back["score"].dtype == np.float32


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    )
)
def test_any_plain_value_comes_back(tmp_path_factory, value):
    assert round_trip(value, tmp_path_factory.mktemp("p")) == value


class Forged:
    """An array whose type is numpy's own, with a state of the forger's choice."""

    def __init__(self, dtype_arguments, dtype_state, content, shape=(1,)):
        self.parts = (dtype_arguments, dtype_state, content, shape)

    def __reduce__(self):
        dtype_arguments, dtype_state, content, shape = self.parts
        dtype = ForgedType(dtype_arguments, dtype_state)
        return np._core.multiarray._reconstruct, (np.ndarray, (0,), b"b"), (1, shape, dtype, False, content)


class ForgedType:
    def __init__(self, arguments, state):
        self.arguments, self.state = arguments, state

    def __reduce__(self):
        return np.dtype, self.arguments, self.state


OBJECT_FLAGS = 63
FORGERIES = {
    "bytes as addresses": Forged(("V8", False, True), (3, "|", None, None, None, 8, 1, OBJECT_FLAGS), b"A" * 8),
    "numbers as addresses": Forged(("f8", False, True), (3, "<", None, None, None, 8, 8, OBJECT_FLAGS), b"A" * 8),
    "fields of objects": Forged(
        ("V8", False, True),
        (3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, OBJECT_FLAGS), b"A" * 8,
    ),
    "objects as bytes": Forged(("O8", False, True), (3, "|", None, None, None, -1, -1, 63), b"A" * 8),
    "a size beyond the bytes": Forged(("f8", False, True), (3, "<", None, None, None, -1, -1, 0), b"A" * 8, (1 << 40,)),
    "a negative size": Forged(("f8", False, True), (3, "<", None, None, None, -1, -1, 0), b"A" * 8, (-1, -1)),
}  # fmt: skip
READ = """
import sys
from pathlib import Path
from videohoi.errors import TruthError
from videohoi.evaluate.safe_pickle import read_pickle
try:
    value = read_pickle(Path(sys.argv[1]))
    print("read", repr(value)[:200])
except TruthError as error:
    print("refused", error)
"""


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_type_crashes_nothing(tmp_path, name):
    path = tmp_path / "forged.pkl"
    path.write_bytes(pickle.dumps([FORGERIES[name]], protocol=2))
    done = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"Python ended with {done.returncode}"
    harmless = name == "numbers as addresses"  # eight bytes of a plain number, whatever its flags say
    assert done.stdout.startswith("read [array([2261634.509" if harmless else "refused"), done.stdout


@pytest.mark.parametrize("forged", [b"\x80\x02]r\xff\xff\xff\x7f.", b"]p2147483647\n."], ids=["binary", "text"])
def test_a_memo_longer_than_the_file_takes_no_memory(tmp_path, forged):
    """Python would make room for two thousand million objects, before it calls anything of ours."""
    (tmp_path / "a.pkl").write_bytes(forged)
    with pytest.raises(TruthError, match="more than it has bytes"):
        read_pickle(tmp_path / "a.pkl")


def test_a_pickle_cannot_change_the_reader(tmp_path):
    """The state that a file gives to a class it names must not outlive the reading."""
    forged = b"\x80\x02cutilities\nCacheTemplate\n}U\x0b__missing__U\x04evil\x86\x94bN."  # BUILD on the class itself
    (tmp_path / "a.pkl").write_bytes(forged)
    with pytest.raises(TruthError):
        read_pickle(tmp_path / "a.pkl")
    value = round_trip([1], tmp_path)
    assert value == [1]
    from videohoi.evaluate.safe_pickle import VsrlCache

    assert VsrlCache()["hold_agent"] == 0.0


def test_deep_and_circular_values_are_one_error(tmp_path):
    deep = []
    for _ in range(300):
        deep = [deep]
    circle = []
    circle.append(circle)
    for value in (deep, circle):
        with pytest.raises(TruthError, match="cannot be read as a pickle"):
            round_trip(value, tmp_path)

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from videohoi.compile import registry as engine_module
from videohoi.compile.engine import load_engine
from videohoi.errors import ModelError, UsageError

ENGINES = [
    "onnxruntime",
    pytest.param(
        "openvino",
        marks=pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="needs the openvino extra"),
    ),
]


@pytest.fixture
def sum_graph() -> bytes:
    """``total`` = first + second (float32, any length) and ``twice`` = 2 * first."""
    onnx = pytest.importorskip("onnx", reason="building the test graph needs onnx (train extra)")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT

    def tensor(name):
        return helper.make_tensor_value_info(name, floats, ["n", 2])

    graph = helper.make_graph(
        [
            helper.make_node("Add", ["first", "second"], ["total"]),
            helper.make_node("Add", ["first", "first"], ["twice"]),
        ],
        "sums",
        [tensor("first"), tensor("second")],
        [tensor("total"), tensor("twice")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


@pytest.mark.parametrize("name", ENGINES)
def test_runs_by_position_and_answers_by_name(sum_graph, name):
    engine = load_engine(sum_graph, name, threads=1)
    first, second = np.full((3, 2), 1.5, np.float32), np.full((3, 2), 2.0, np.float32)
    outputs = engine.run(first, second)
    assert set(outputs) == {"total", "twice"}
    np.testing.assert_array_equal(outputs["total"], np.full((3, 2), 3.5))
    engine.run(first * 0, second * 0)
    np.testing.assert_array_equal(outputs["twice"], np.full((3, 2), 3.0))  # earlier answers are the caller's own


@pytest.mark.parametrize("name", ENGINES)
def test_tells_its_signature_and_status(sum_graph, name):
    engine = load_engine(sum_graph, name, threads=1)
    assert [str(spec) for spec in engine.inputs] == ["first float32[any,2]", "second float32[any,2]"]
    assert [spec.name for spec in engine.outputs] == ["total", "twice"]
    assert (engine.status.name, engine.status.threads, engine.status.fallback) == (name, 1, "")


@pytest.mark.parametrize("name", ENGINES)
def test_wrong_arrays_and_closed_engines_are_model_errors(sum_graph, name):
    engine = load_engine(sum_graph, name, threads=1, label="sums")
    wrong = np.zeros((3, 5), np.float32)
    with pytest.raises(ModelError, match=r"^sums: [^\n]*$"):
        engine.run(wrong, wrong)
    engine.close()
    engine.close()
    with pytest.raises(ModelError, match="closed"):
        engine.run(wrong, wrong)


@pytest.mark.parametrize("name", ENGINES)
def test_a_broken_file_is_one_line(tmp_path, name):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"\x08\x07garbage")
    with pytest.raises(ModelError, match=r"broken\.onnx: not an ONNX model[^\n]*$"):
        load_engine(path, name)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"absent\.onnx: no such file"):
        load_engine(tmp_path / "absent.onnx")


def test_unknown_engine_offers_the_nearest(sum_graph):
    with pytest.raises(UsageError, match="did you mean openvino"):
        load_engine(sum_graph, "openvno")


def without_openvino(monkeypatch):
    """As on a machine that does not have it."""
    real = importlib.util.find_spec
    monkeypatch.setattr(
        engine_module.importlib.util, "find_spec", lambda name, *rest: None if name == "openvino" else real(name, *rest)
    )


def test_auto_falls_back_visibly(sum_graph, monkeypatch):
    without_openvino(monkeypatch)
    status = load_engine(sum_graph, "auto").status
    assert status.name == "onnxruntime"
    assert "openvino is not installed" in status.fallback


def test_asked_for_by_name_does_not_fall_back(sum_graph, monkeypatch):
    without_openvino(monkeypatch)
    with pytest.raises(UsageError, match=r"pip install 'videohoi\[openvino\]'"):
        load_engine(sum_graph, "openvino")

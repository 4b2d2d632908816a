"""ONNX files read and changed without the ``onnx`` package, compared with it."""

import numpy as np
import pytest

from videohoi.compile.onnx_file import model_properties, without_weights_among_inputs
from videohoi.errors import ModelError

onnx = pytest.importorskip("onnx", reason="building the test graph needs onnx (train extra)")


def model_with(weight_count: int, listed: int):
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    names = [f"weight{number}" for number in range(weight_count)]
    inputs = [helper.make_tensor_value_info(name, floats, [300]) for name in names[:listed]]
    inputs.insert(listed // 2, helper.make_tensor_value_info("pixels", floats, [300]))
    nodes = [helper.make_node("Sum", ["pixels", *names], ["total"])]
    weights = [onnx.numpy_helper.from_array(np.arange(300, dtype=np.float32), name) for name in names]
    outputs = [helper.make_tensor_value_info("total", floats, [300])]
    graph = helper.make_graph(nodes, "sum", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.metadata_props.add(key="made by", value="a test")
    return model


@pytest.mark.parametrize("listed", [0, 1, 5])
def test_only_the_list_of_inputs_changes(listed):
    before = model_with(5, listed)
    after = onnx.load_from_string(without_weights_among_inputs(before.SerializeToString()))
    assert [value.name for value in after.graph.input] == ["pixels"]
    del before.graph.input[:], after.graph.input[:]
    assert after == before


def test_what_is_cut_short_or_no_message_is_an_error():
    whole = model_with(2, 2).SerializeToString()
    for broken in (whole[:-7], whole[: len(whole) // 2], b"\xff" * 40, b"text, not a model"):
        with pytest.raises(ModelError, match="not an ONNX model"):
            without_weights_among_inputs(broken)
        with pytest.raises(ModelError, match="not an ONNX model"):
            model_properties(broken)


def test_properties_are_those_that_onnx_wrote():
    model = model_with(1, 1)
    model.metadata_props.add(key="empty")
    assert model_properties(model.SerializeToString()) == {"made by": "a test", "empty": ""}

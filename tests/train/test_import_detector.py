from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra (torch)")
pytest.importorskip("onnx", reason="needs the train extra (onnx)")

from videohoi.detect.network import StarterNetwork  # noqa: E402
from videohoi.errors import InputError  # noqa: E402
from videohoi.train.export_detector import export  # noqa: E402
from videohoi.train.import_detector import load_folded, restore_norms  # noqa: E402

pytestmark = pytest.mark.torch


def outputs(network, images):
    with torch.no_grad():
        maps = network(images)
    return torch.cat([level.flatten(1) for level in (*maps.boxes, *maps.objectness, *maps.classes)], dim=1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A network whose norms have seen pictures, and its export in single precision."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = StarterNetwork()
    with torch.no_grad():
        for _ in range(4):
            network(torch.rand(2, 3, 64, 64) * 255)
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    path = tmp_path_factory.mktemp("run") / "checkpoint.pt"
    torch.save({"average": network.state_dict(), "step": 7, "data_hash": "ab" * 32}, path)
    file = path.with_name("detector.onnx")
    export(path, file, half=False)
    return network.eval(), file


def test_an_export_comes_back_as_the_network_it_was_made_of(trained):
    network, file = trained
    images = torch.rand(2, 3, 96, 64) * 255
    imported, step = load_folded(file)
    torch.testing.assert_close(outputs(imported, images), outputs(network, images), atol=1e-4, rtol=1e-4)
    assert step == 7


def test_restored_norms_change_nothing_in_use_and_hold_in_training(trained):
    _, file = trained
    images = torch.rand(4, 3, 128, 128) * 255
    imported, _ = load_folded(file)
    before = outputs(imported, images)
    restore_norms(imported, [images])
    torch.testing.assert_close(outputs(imported, images), before, atol=1e-3, rtol=1e-3)
    learning = outputs(imported.train(), images)  # normalises by this batch's own statistics
    torch.testing.assert_close(learning, before, atol=1e-2, rtol=1e-2)


def test_a_file_of_another_network_is_refused(tmp_path):
    import onnx
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="/network/other/Conv")
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    file = tmp_path / "other.onnx"
    onnx.save(helper.make_model(helper.make_graph([node], "g", [value], [value], [weight])), str(file))
    with pytest.raises(InputError, match="not an export of the starter detector"):
        load_folded(file)
    with pytest.raises(InputError, match="no such file"):
        load_folded(tmp_path / "missing.onnx")

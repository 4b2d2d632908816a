from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra (torch)")
pytest.importorskip("onnx", reason="needs the train extra (onnx)")

from videohoi.compile.engine import load_engine  # noqa: E402
from videohoi.detect.network import StarterNetwork  # noqa: E402
from videohoi.detect.onnx_detector import OnnxDetector  # noqa: E402
from videohoi.errors import InputError  # noqa: E402
from videohoi.structures import Frame  # noqa: E402
from videohoi.train.export_detector import export, main  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A network with random weights and batch norms that have seen something, so that folding them matters."""
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
    return path


@pytest.fixture(scope="module")
def exported(checkpoint):
    """Files with float16 and with float32 storage."""
    half, full = checkpoint.with_name("half.onnx"), checkpoint.with_name("full.onnx")
    export(checkpoint, half)
    export(checkpoint, full, half=False)
    return half, full


def pictures(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", [(1, 64, 96, 3), (2, 128, 64, 3)])
def test_equal_to_the_network_at_any_size(checkpoint, exported, shape):
    network = StarterNetwork()
    network.load_state_dict(torch.load(checkpoint, weights_only=True)["average"])
    images = pictures(*shape)
    with torch.no_grad():
        maps = network.eval()(torch.from_numpy(images).permute(0, 3, 1, 2).float())
    outputs = load_engine(exported[1], threads=1).run(images)
    scale = float(maps.hints[5].abs().max())
    np.testing.assert_allclose(outputs["features"], maps.hints[5].numpy(), atol=1e-4 * scale)
    first = outputs["grid"][:, 1]  # second cell of stride 8, first row
    np.testing.assert_allclose(first[:, :4], maps.boxes[0][:, :, 0, 1].numpy(), atol=1e-4)
    np.testing.assert_allclose(first[:, 4:5], maps.objectness[0][:, :, 0, 1].sigmoid().numpy(), atol=1e-5)
    np.testing.assert_allclose(first[:, 5:], maps.classes[0][:, :, 0, 1].sigmoid().numpy(), atol=1e-5)
    last = outputs["grid"][:, -1]
    np.testing.assert_allclose(last[:, :4], maps.boxes[2][:, :, -1, -1].numpy(), atol=1e-4)


def test_half_storage_halves_the_file_and_moves_little(exported):
    half, full = exported
    assert half.stat().st_size < 0.55 * full.stat().st_size
    images = pictures(1, 96, 128, 3)
    mine, theirs = (load_engine(path, threads=1).run(images) for path in exported)
    assert mine["grid"].dtype == np.float32
    assert np.abs(mine["grid"][..., 4:] - theirs["grid"][..., 4:]).max() < 5e-3
    assert np.abs(mine["features"] - theirs["features"]).max() < 2e-2 * np.abs(theirs["features"]).max()


def test_same_checkpoint_same_bytes(checkpoint, exported):
    again = checkpoint.with_name("again.onnx")
    export(checkpoint, again)
    assert again.read_bytes() == exported[0].read_bytes()
    assert b"/" + checkpoint.parent.name.encode() not in again.read_bytes()


def test_the_detector_takes_the_file(exported):
    detector = OnnxDetector(exported[0], input_size_px=96, threads=1, score_threshold=0.0)
    detector.open()
    found = detector.detect([Frame(pictures(72, 128, 3), 0, 0.0, "random")])[0]
    assert detector.info.feature_channels == 128
    assert found.feature_map.values.shape == (128, 4, 6)
    assert len(found) == 100


def test_command_line(checkpoint, tmp_path, capsys):
    assert main([str(checkpoint), str(tmp_path / "out.onnx")]) == 0
    assert "bytes" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["out.onnx"]


def wrong_files(folder):
    text, other = folder / "notes.pt", folder / "other.pt"
    text.write_text("no checkpoint")
    torch.save({"average": {"layer": torch.zeros(1)}}, other)
    return [folder / "absent.pt", text, other]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_wrong_checkpoint_is_one_line(tmp_path, capsys, which):
    path = wrong_files(tmp_path)[which]
    with pytest.raises(InputError, match=path.name):
        export(path, tmp_path / "out.onnx")
    assert main([str(path), str(tmp_path / "out.onnx")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "out.onnx").exists()

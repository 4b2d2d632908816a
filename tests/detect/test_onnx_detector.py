from __future__ import annotations

import numpy as np
import pytest
from red_cell_graph import BICYCLE, SHARED, constant_model, grey_frame, red_cell_model

from videohoi.detect.onnx_detector import OnnxDetector
from videohoi.errors import ModelError, UsageError
from videohoi.structures import Frame

A64 = 64 + 16 + 4
"""rows of a 64x64 grid"""


def red_at(height, width, left, top, right, bottom) -> Frame:
    frame = grey_frame(height, width)
    frame.image[top:bottom, left:right] = (255, 0, 0)
    return frame


def opened(model, **options) -> OnnxDetector:
    detector = OnnxDetector(model, **options)
    detector.open()
    return detector


@pytest.mark.parametrize("planar", [False, True])
def test_finds_a_red_cell_where_it_is_in_the_picture(planar):
    """Twice the network's size: cell (3, 1) of stride 32 covers 192-256 x 64-128."""
    detector = opened(red_cell_model(planar=planar).SerializeToString(), input_size_px=320)
    found = detector.detect([red_at(360, 640, 192, 64, 256, 128)])[0]
    np.testing.assert_allclose(found.boxes_xyxy_px, [[192, 64, 256, 128]], atol=0.5)
    assert found.class_ids.tolist() == [BICYCLE]
    assert found.scores[0] > 0.9


def test_fixed_size_graph_runs_at_its_own_size():
    detector = opened(red_cell_model(planar=True, size=96).SerializeToString())
    assert detector.info.input_size_px == 96
    found = detector.detect([red_at(108, 192, 64, 0, 128, 64)])[0]
    np.testing.assert_allclose(found.boxes_xyxy_px, [[64, 0, 128, 64]], atol=0.5)


def test_one_result_per_frame_whatever_their_sizes(red_cells):
    detector = opened(red_cells, input_size_px=320)
    frames = [grey_frame(360, 640), red_at(360, 640, 0, 0, 64, 64), red_at(640, 360, 0, 64, 64, 128)]
    assert [len(found) for found in detector.detect(frames)] == [0, 1, 1]
    assert detector.detect([]) == []


def test_feature_map_cells_are_in_source_pixels(red_cells):
    detector = opened(red_cells, input_size_px=320)
    assert detector.info.feature_channels == 3
    features = detector.detect([red_at(360, 640, 0, 0, 64, 64)])[0].feature_map
    assert features is not None
    assert features.values.shape == (3, 192 // 16, 320 // 16)
    assert features.cell_px == pytest.approx((32, 32))
    assert features.values[2, 0, 0] == pytest.approx(255, abs=1)  # red, in BGR


def test_earlier_results_survive_later_frames(red_cells):
    detector = opened(red_cells, input_size_px=320)
    first = detector.detect([red_at(360, 640, 0, 0, 64, 64)])[0]
    kept = first.feature_map.values.copy()
    detector.detect([grey_frame(360, 640)])
    np.testing.assert_array_equal(first.feature_map.values, kept)


def test_decoded_output_is_told_from_a_raw_one():
    grid = np.zeros((1, A64, 85), np.float32)
    grid[0, :, :2] = 32
    grid[0, 9, :6] = (32, 16, 20, 10, 0.9, 1.0)
    found = opened(constant_model(grid).SerializeToString()).detect([grey_frame(64, 64)])[0]
    np.testing.assert_allclose(found.boxes_xyxy_px, [[22, 11, 42, 21]])


def test_threshold_is_the_callers(red_cells):
    faint = red_at(320, 320, 0, 0, 32, 32)
    faint.image[:32, :32] = (230, 110, 110)  # 0.2 * 230 - 0.2 * 110 - 25: odds of 0.27
    assert len(opened(red_cells, input_size_px=320, score_threshold=0.2).detect([faint])[0]) == 1
    assert len(opened(red_cells, input_size_px=320, score_threshold=0.3).detect([faint])[0]) == 0


def test_both_engines_agree(red_cells):
    pytest.importorskip("openvino", reason="the openvino extra is not installed")
    frame = red_at(360, 640, 192, 64, 256, 128)
    ours, theirs = (
        opened(red_cells, input_size_px=320, engine=engine).detect([frame])[0] for engine in ("onnxruntime", "openvino")
    )
    np.testing.assert_allclose(ours.boxes_xyxy_px, theirs.boxes_xyxy_px, atol=1e-3)
    np.testing.assert_allclose(ours.feature_map.values, theirs.feature_map.values, atol=1e-3)


def test_info_says_what_runs(red_cells):
    detector = OnnxDetector(red_cells, note="a note")
    detector.open()
    info = detector.info
    assert info.name == f"onnx:{red_cells}"
    assert (info.engine, info.input_size_px, info.note) == ("onnxruntime", 416, "a note")
    assert len(info.weights_sha256) == 64


def test_closed_or_never_opened_says_so(red_cells):
    detector = OnnxDetector(red_cells)
    with pytest.raises(ModelError, match="not open"):
        detector.detect([grey_frame(64, 64)])
    detector.open()
    detector.close()
    detector.close()
    with pytest.raises(ModelError, match="not open"):
        detector.detect([grey_frame(64, 64)])
    detector.open()
    assert len(detector.detect([grey_frame(64, 64)])) == 1


def one_line_of(error: pytest.ExceptionInfo[BaseException]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


def test_missing_file(tmp_path):
    with pytest.raises(ModelError) as error:
        opened(tmp_path / "absent.onnx")
    assert "absent.onnx" in one_line_of(error)
    assert "--detector onnx:FILE" in one_line_of(error)


@pytest.mark.parametrize("content", [b"", b"not a model at all", bytes(range(256)) * 20])
def test_file_that_is_no_model(tmp_path, content):
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError) as error:
        opened(path)
    assert "broken.onnx" in one_line_of(error)


def test_file_cut_short(tmp_path, red_cells):
    path = tmp_path / "cut.onnx"
    whole = red_cells.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError) as error:
        opened(path)
    assert "cut.onnx" in one_line_of(error)


@pytest.mark.parametrize(
    ("grid", "options", "said"),
    [
        (np.zeros((1, A64, 25)), {}, r"output float32\[1,84,25\].*5\+80 classes"),  # 20 classes (VOC)
        (np.zeros((1, 85, A64)), {}, r"output float32\[1,85,84\]"),  # transposed, as other YOLOs do
        (np.zeros((1, A64 + 1, 85)), {}, r"shape \(1, 85, 85\).*expected \(1, 84, 85\) \(strides 8, 16, 32\)"),
        (np.full((1, A64, 85), -3.0), {}, "scores from -3.00 to -3.00; expected probabilities"),
        (np.zeros((1, A64, 85)), {"input_shape": [1, 1, 64, 64]}, r"images float32\[1,1,64,64\]"),  # one channel
        (np.zeros((1, A64, 85)), {"input_shape": [3, 64, 64]}, r"images float32\[3,64,64\]"),  # no batch axis
        (np.zeros((1, A64, 85)), {"input_shape": [4, 3, 64, 64]}, r"images float32\[4,3,64,64\]"),  # a batch of four
    ],
)
def test_other_graphs_are_refused_with_what_was_found(grid, options, said):
    with pytest.raises(ModelError, match=said) as error:
        opened(constant_model(grid, **options).SerializeToString())
    one_line_of(error)


def test_weights_among_the_inputs_are_taken_out_of_them():
    """Old exporters list every weight as an input, which stops the engine's optimiser."""
    model = red_cell_model()
    onnx = pytest.importorskip("onnx")
    plain = opened(model.SerializeToString(), input_size_px=320)
    for tensor in model.graph.initializer:
        shape = list(tensor.dims)
        model.graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, shape))
    listed = opened(model.SerializeToString(), input_size_px=320)
    frame = red_at(360, 640, 192, 64, 256, 128)
    np.testing.assert_array_equal(listed.detect([frame])[0].boxes_xyxy_px, plain.detect([frame])[0].boxes_xyxy_px)
    assert len(listed.detect([frame])[0]) == 1


def test_options_out_of_range(red_cells):
    with pytest.raises(UsageError, match=r"score threshold 1\.5: expected a number from 0 to 1"):
        OnnxDetector(red_cells, score_threshold=1.5)
    with pytest.raises(UsageError, match="threads 0"):
        OnnxDetector(red_cells, threads=0)
    with pytest.raises(UsageError, match="multiple of 32"):
        OnnxDetector(red_cells, input_size_px=333)


def test_fixed_size_graph_does_not_take_another():
    with pytest.raises(UsageError, match="takes 96 px only, not 320"):
        opened(red_cell_model(size=96).SerializeToString(), input_size_px=320)


@pytest.mark.shared
def test_yolox_nano_finds_a_person_at_a_table():
    model, clip = SHARED / "teachers" / "yolox_nano_416.onnx", SHARED / "clips" / "table_visitors.mp4"
    if not (model.is_file() and clip.is_file()):
        pytest.skip(f"needs {model.name} and {clip.name} beside the project")
    import av

    with av.open(str(clip)) as container:
        images = [f.to_ndarray(format="rgb24") for f, _ in zip(container.decode(video=0), range(120), strict=False)]
    detector = opened(model, score_threshold=0.4)
    assert detector.info.input_size_px == 416
    found = detector.detect([Frame(images[-1], 0, 0.0, clip.name)])[0]
    assert 0 in found.class_ids
    height, width = images[-1].shape[:2]
    assert (found.boxes_xyxy_px >= 0).all()
    assert (found.boxes_xyxy_px <= (width, height, width, height)).all()

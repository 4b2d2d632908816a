"""PicoDet-style ONNX files: decoding by hand and against plain loops, recognising the form, a real file."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from red_cell_graph import SHARED, constant_model, grey_frame

from videohoi.detect.box_selection import SelectionSettings, select_boxes
from videohoi.detect.onnx_detector import OnnxDetector
from videohoi.detect.picodet import STRIDES_PX, PicodetGraph, PicodetLevel, cell_centres, cell_count, decode_levels
from videohoi.errors import ModelError
from videohoi.structures import Frame

HW = (96, 160)
BINS = 8
DOG = 16


def empty_levels(classes: int = 80, height: int = HW[0], width: int = HW[1]) -> list[PicodetLevel]:
    counts = [cell_count(height, width, stride) for stride in STRIDES_PX]
    return [
        PicodetLevel(stride, np.zeros((count, classes), np.float32), np.zeros((count, 4 * BINS), np.float32))
        for stride, count in zip(STRIDES_PX, counts, strict=True)
    ]


def plant(level: PicodetLevel, cell: int, distances, *, class_id: int = DOG, score: float = 0.9) -> None:
    """Whole distances in cells, each a sharp peak."""
    level.scores[cell, class_id] = score
    level.distances[cell] = -100
    level.distances[cell, [side * BINS + distance for side, distance in enumerate(distances)]] = 100


def test_one_cell_by_hand():
    """Stride 32, second row, third column: centre (80, 48); 1, 1, 2 and 1 cells away."""
    levels = empty_levels()
    plant(levels[2], 5 + 2, (1, 1, 2, 1))
    found = decode_levels(levels, HW, 0.5)
    np.testing.assert_allclose(found.boxes_xyxy_px, [[48, 16, 144, 80]], atol=1e-3)
    assert found.class_ids.tolist() == [DOG]
    assert found.scores == pytest.approx([0.9])


def test_a_distance_is_the_mean_of_its_distribution():
    levels = empty_levels()
    levels[0].scores[0, DOG] = 0.6
    levels[0].distances[0] = np.tile(np.log(np.array([1, 0, 3, 0, 0, 0, 0, 0]) + 1e-12), 4)  # a quarter 0, the rest 2
    found = decode_levels(levels, HW, 0.5)
    np.testing.assert_allclose(found.boxes_xyxy_px, [[4 - 12, 4 - 12, 4 + 12, 4 + 12]], atol=1e-3)


def test_cells_that_jut_out_of_the_picture_count():
    assert cell_count(416, 416, 64) == 49
    assert cell_centres(96, 160, 64).tolist() == [[32, 32], [96, 32], [160, 32], [32, 96], [96, 96], [160, 96]]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.3, 0.9, 0.99]))
def test_equal_to_a_loop_over_the_cells(seed, threshold):
    rng = np.random.default_rng(seed)
    levels = [
        PicodetLevel(
            level.stride_px,
            rng.random(level.scores.shape, np.float32),
            rng.normal(0, 3, level.distances.shape).astype(np.float32),
        )
        for level in empty_levels(classes=3)
    ]
    expected = []
    for level in levels:
        columns = -(-HW[1] // level.stride_px)
        for cell, (odds, logits) in enumerate(zip(level.scores, level.distances.astype(np.float64), strict=True)):
            if odds.max() < np.float32(threshold):
                continue
            x, y = (cell % columns + 0.5) * level.stride_px, (cell // columns + 0.5) * level.stride_px
            sides = [np.exp(part) @ np.arange(BINS) / np.exp(part).sum() for part in np.split(logits, 4)]
            left, top, right, bottom = (side * level.stride_px for side in sides)
            expected.append((odds.max(), odds.argmax(), (x - left, y - top, x + right, y + bottom)))
    found = decode_levels(levels, HW, threshold)
    assert found.class_ids.tolist() == [class_id for _, class_id, _ in expected]
    assert found.scores.tolist() == [score for score, _, _ in expected]
    np.testing.assert_allclose(found.boxes_xyxy_px, np.reshape([box for *_, box in expected], (-1, 4)), atol=2e-3)


def test_nothing_found_has_the_right_shapes():
    found = select_boxes(decode_levels(empty_levels(), HW, 0.1), (1, 1), HW, SelectionSettings())
    assert found.boxes_xyxy_px.shape == (0, 4)
    assert (found.boxes_xyxy_px.dtype, found.scores.dtype, found.class_ids.dtype) == (np.float32, np.float32, np.int64)


def graph_of(levels: list[PicodetLevel], height: int, width: int, order=(3, 1, 0, 2)):
    """A graph that answers these maps whatever it sees, its outputs in a strange order."""
    maps = [levels[index].distances for index in order] + [levels[index].scores for index in order]
    return constant_model(maps[0][None], *[values[None] for values in maps[1:]], input_shape=[1, 3, height, width])


def opened(model, **options) -> OnnxDetector:
    detector = OnnxDetector(model.SerializeToString(), **options)
    detector.open()
    return detector


def test_the_form_is_recognised_whatever_the_order_of_outputs():
    """A picture of twice the network's size; the box is cut at the picture."""
    levels = empty_levels(height=128, width=128)
    plant(levels[3], 3, (1, 1, 4, 4))
    detector = opened(graph_of(levels, 128, 128))
    assert detector.info.input_size_px == 128
    found = detector.detect([grey_frame(256, 256)])[0]
    np.testing.assert_allclose(found.boxes_xyxy_px, [[64, 64, 256, 256]], atol=1e-3)
    assert found.class_ids.tolist() == [DOG]
    assert found.feature_map is None


def test_pixels_are_normalised_rgb():
    canvas = np.zeros((2, 3, 3), np.uint8)
    canvas[..., 2] = 255  # red, in BGR
    planes = PicodetGraph(None, ()).feed(canvas)
    assert planes.shape == (1, 3, 2, 3)
    np.testing.assert_allclose(planes[0, :, 0, 0], [(255 - 123.675) / 58.395, -116.28 / 57.12, -103.53 / 57.375])


def test_logits_instead_of_probabilities_are_refused():
    levels = empty_levels(height=64, width=64)
    levels[1].scores[:] = -2
    with pytest.raises(ModelError, match=r"scores from -2\.00 to -2\.00; expected probabilities"):
        opened(graph_of(levels, 64, 64))


def test_rows_of_other_strides_are_refused_with_what_was_found():
    with pytest.raises(ModelError, match=r"expected \[256, 64, 16, 4\] rows of strides \(8, 16, 32, 64\)"):
        opened(graph_of(empty_levels(height=64, width=64), 128, 128))


def test_an_export_with_its_post_processing_is_refused_with_what_is_expected():
    boxes, odds = np.zeros((1, 9, 4)), np.zeros((1, 80, 9))
    with pytest.raises(ModelError, match="PicoDet export without its post-processing"):
        opened(constant_model(boxes, odds, input_shape=[1, 3, 64, 64]))


@pytest.mark.shared
def test_the_public_file_finds_the_bottles():
    model, clip = SHARED / "teachers" / "picodet_s_416_coco.onnx", SHARED / "clips" / "bottles_reach.mp4"
    if not (model.is_file() and clip.is_file()):
        pytest.skip(f"needs {model.name} and {clip.name} beside the project")
    import av

    with av.open(str(clip)) as container:
        image = next(container.decode(video=0)).to_ndarray(format="rgb24")
    detector = OnnxDetector(model, score_threshold=0.4)
    detector.open()
    found = detector.detect([Frame(image, 0, 0.0, clip.name)])[0]
    bottle = 39
    assert (found.class_ids == bottle).sum() >= 2

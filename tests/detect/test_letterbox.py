from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.detect.letterbox import Letterbox, rectangular_shape
from videohoi.errors import InputError, UsageError

SIDES = st.integers(1, 1500)


@pytest.mark.parametrize(
    ("height", "width", "size", "shape"),
    [
        (720, 1280, 384, (224, 384)),  # 216 rows of picture, padded to 224
        (1080, 1920, 320, (192, 320)),  # 180 rows
        (1280, 720, 384, (384, 224)),  # upright
        (500, 500, 416, (416, 416)),  # square
        (10, 2000, 320, (32, 320)),  # a strip still gets one cell
    ],
)
def test_shape_follows_the_picture(height, width, size, shape):
    assert rectangular_shape(height, width, size) == shape


@settings(deadline=None, max_examples=40)
@given(SIDES, SIDES, st.sampled_from([32, 320, 416]))
def test_canvas_holds_the_whole_picture_and_grey_elsewhere(height, width, size):
    boxed = Letterbox(size)(np.full((height, width, 3), 7, np.uint8))
    canvas, (scale_x, scale_y) = boxed.canvas_bgr, boxed.scale_xy
    inside = round(height * scale_y), round(width * scale_x)
    assert max(canvas.shape[:2]) == size
    assert canvas.shape[0] % 32 == 0
    assert canvas.shape[1] % 32 == 0
    assert (canvas[: inside[0], : inside[1]] == 7).all()
    assert (canvas[inside[0] :] == 114).all()
    assert (canvas[:, inside[1] :] == 114).all()
    assert abs(inside[0] - height * size / max(height, width)) <= max(0.5, 1)


@settings(deadline=None, max_examples=30)
@given(st.integers(64, 900), st.integers(64, 900), st.data())
def test_an_edge_in_the_picture_is_found_at_its_scaled_place(height, width, data):
    """Paint everything right of and below a corner white: the canvas turns white at the mapped corner."""
    column = data.draw(st.integers(width // 4, 3 * width // 4))
    row = data.draw(st.integers(height // 4, 3 * height // 4))
    picture = np.zeros((height, width, 3), np.uint8)
    picture[row:, column:] = 255
    boxed = Letterbox(320)(picture)
    scale_x, scale_y = boxed.scale_xy
    inside_height, inside_width = round(height * scale_y), round(width * scale_x)
    white = boxed.canvas_bgr[:inside_height, :inside_width, 0].astype(float) / 255
    found_column = inside_width - white[-1].sum()  # the blurred edge keeps its mass
    found_row = inside_height - white[:, -1].sum()
    assert found_column == pytest.approx(column * scale_x, abs=1.0)
    assert found_row == pytest.approx(row * scale_y, abs=1.0)


def test_red_and_blue_change_places():
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[..., 0] = 200  # RGB: red
    assert tuple(Letterbox(32)(picture).canvas_bgr[5, 5]) == (0, 0, 200)


def test_strong_shrinking_averages_instead_of_skipping():
    """A one-pixel checkerboard is grey from afar."""
    picture = np.indices((720, 1280)).sum(axis=0) % 2 * 255
    picture = np.repeat(picture.astype(np.uint8)[..., None], 3, axis=2)
    canvas = Letterbox(384)(picture).canvas_bgr[:216]
    assert abs(canvas.astype(int) - 127).max() <= 2


def test_a_new_picture_size_leaves_nothing_of_the_old_one():
    letterbox = Letterbox(64)
    letterbox(np.full((64, 64, 3), 255, np.uint8))
    canvas = letterbox(np.full((16, 64, 3), 9, np.uint8)).canvas_bgr
    assert canvas.shape == (32, 64, 3)
    assert (canvas[16:] == 114).all()


def test_fixed_shape_is_filled_from_the_top_left():
    boxed = Letterbox(0, fixed_shape=(416, 416))(np.full((720, 1280, 3), 9, np.uint8))
    assert boxed.canvas_bgr.shape == (416, 416, 3)
    assert (boxed.canvas_bgr[:234] == 9).all()
    assert (boxed.canvas_bgr[234:] == 114).all()


def test_a_view_with_reversed_channels_is_read_right():
    bgr = np.zeros((40, 40, 3), np.uint8)
    bgr[..., 2] = 200
    assert tuple(Letterbox(32)(bgr[..., ::-1]).canvas_bgr[5, 5]) == (0, 0, 200)


def test_wrong_sizes_are_refused():
    with pytest.raises(UsageError, match="400 px: expected a multiple of 32; try 384"):
        Letterbox(400)
    with pytest.raises(UsageError, match="try 32"):
        Letterbox(-5)
    with pytest.raises(InputError, match="0x4 px has no pixels"):
        Letterbox(32)(np.zeros((4, 0, 3), np.uint8))

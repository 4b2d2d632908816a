"""Contact sheets: which frames, where, in which shape."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from numbered_videos import numbered_image

import videohoi
from videohoi.decode.arrays import array_source
from videohoi.decode.contact_sheet import GAP_PX
from videohoi.errors import UsageError

CELL_PX = (64, 48)


def cell_of(sheet, row, column):
    top, left = GAP_PX + row * (CELL_PX[1] + GAP_PX), GAP_PX + column * (CELL_PX[0] + GAP_PX)
    return sheet[top : top + CELL_PX[1], left : left + CELL_PX[0]]


def number_in(cell):
    return round(float(cell[4:18, 44:60].mean()) / 10)  # top right: numbered_image paints the number there too


@pytest.mark.parametrize("backend", ["pyav", "decord"])
def test_frames_from_the_middle_of_equal_parts(write_video, backend):
    if backend == "decord" and importlib.util.find_spec("decord") is None:
        pytest.skip("decord is not installed (extra: decord)")
    path = write_video("clip.mp4", frame_count=24)
    sheet = videohoi.contact_sheet(path, count=6, columns=3, cell_width_px=CELL_PX[0], backend=backend)
    assert sheet.shape == (2 * (48 + GAP_PX) + GAP_PX, 3 * (64 + GAP_PX) + GAP_PX, 3)
    numbers = [number_in(cell_of(sheet, row, column)) for row in range(2) for column in range(3)]
    assert numbers == [2, 6, 10, 14, 18, 22]


def test_fewer_frames_than_cells_give_all_of_them():
    source = array_source([numbered_image(number) for number in (1, 5, 9)], frame_rate_hz=1.0)
    sheet = videohoi.contact_sheet(source, count=12, columns=4, cell_width_px=CELL_PX[0])
    assert sheet.shape == (48 + 2 * GAP_PX, 3 * (64 + GAP_PX) + GAP_PX, 3)
    assert [number_in(cell_of(sheet, 0, column)) for column in range(3)] == [1, 5, 9]


def test_the_time_is_written_into_the_corner():
    grey = np.full((120, 160, 3), 100, np.uint8)
    sheet = videohoi.contact_sheet(array_source([(0.0, grey), (61.5, grey)]), cell_width_px=160)
    cell = sheet[GAP_PX : GAP_PX + 120, GAP_PX : GAP_PX + 160]
    assert (cell[:90] == 100).all()
    assert cell[100:, :80].max() > 200  # the letters
    assert cell[100:, :80].min() < 80  # and their rim
    other = sheet[GAP_PX : GAP_PX + 120, 2 * GAP_PX + 160 : 2 * GAP_PX + 320]
    assert (cell != other).any()


@pytest.mark.parametrize("numbers", [{"count": 0}, {"columns": 0}, {"cell_width_px": 8}])
def test_numbers_out_of_range(write_video, numbers):
    with pytest.raises(UsageError, match="contact_sheet"):
        videohoi.contact_sheet(write_video("clip.mp4", frame_count=2), **numbers)


def test_a_camera_has_no_sheet():
    with pytest.raises(UsageError, match="needs a recording"):
        videohoi.contact_sheet("rtsp://camera.invalid/1")

"""The story of the demo clip as geometry, without pixels: positions as functions of time.

The cup stands on the table, goes to the person, stays with them while they sway, goes back and stands still again.
Lengths below are pixels of a 640 x 480 picture; ``Staging.scale`` turns them into pixels of the picture made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REFERENCE_WIDTH_PX, REFERENCE_HEIGHT_PX = 640, 480
TABLE_EDGE_PX = 402.0
"""upper edge of the table top, which hides what is behind it"""

PERSON_SCALE = 0.8
CUP_SCALE_XY = (0.45, 0.405)
"""flattened by a tenth: the coffee photograph looks down more steeply than this scene does"""

_PERSON_ORIGIN_PX = (24.0, 12.0)
_PERSON_PIVOT_PX = (200.0, 512.0)
"""hip, in the photograph: the person leans about this point"""
_HELMET_PX = (362.0, 335.0)
"""the helmet is right of and below this point of the photograph; it is not part of the person's box"""

_SWAY_PX, _SWAY_SECONDS = 22.0, 2.4
_LEAN_DEGREES, _LEAN_SECONDS = 1.1, 3.7
_BREATH, _BREATH_SECONDS = 0.006, 4.1
"""the periods have no common multiple within a clip, so that no two moments look the same"""

_REST_BEFORE_PX, _REST_AFTER_PX = (530.0, 470.0), (520.0, 458.0)
"""foot of the saucer on the table"""
_HELD_AT_PHOTO_PX = (222.0, 470.0)
"""foot of the saucer in the photograph of the person: in front of the chest, above the hand"""
_ARC_PX, _ARC_LEAD = 150.0, 0.7
"""the way rises above the straight line by this much, clear of the helmet; below 1 it is highest nearer the table"""

_REST, _TRAVEL = 0.2, 0.1
"""share of the clip: standing before (and after), and one way; the rest is held"""


@dataclass(frozen=True)
class Pose:
    """Positions at one time."""

    person_affine: NDArray[np.float64]
    """(2, 3) from the person's photograph to the picture, pixels"""
    cup_affine: NDArray[np.float64]
    """(2, 3) from the cup's photograph to the picture, pixels"""
    lifted: float
    """0 = the cup stands on the table, 1 = it is at the person"""


@dataclass(frozen=True)
class Staging:
    """Positions as functions of time. Pure: the same time gives the same pose."""

    seconds: float
    """length of the story"""
    scale: float
    """picture pixels per reference pixel"""
    person_outline_xy_px: NDArray[np.float32]
    """(n, 2) in the photograph"""
    cup_outline_xy_px: NDArray[np.float32]
    """(m, 2) in the photograph"""

    @property
    def hold_seconds(self) -> tuple[float, float]:
        """From when to when the cup is at the person and moves with them."""
        before = self.seconds * (_REST + _TRAVEL)
        return before, self.seconds - before

    def pose(self, at_seconds: float) -> Pose:
        """Positions at ``at_seconds``."""
        person = self._person(at_seconds)
        begin, end = self.hold_seconds
        held = person @ np.array([*_HELD_AT_PHOTO_PX, 1.0])
        arriving = at_seconds < (begin + end) / 2
        rest = np.array(_REST_BEFORE_PX if arriving else _REST_AFTER_PX)
        lifted = _ease(self._progress(at_seconds))
        foot = rest + lifted * (held - rest) - [0.0, _ARC_PX * math.sin(math.pi * lifted**_ARC_LEAD)]
        return Pose(person * self.scale, self._cup(foot) * self.scale, lifted)

    def person_box(self, pose: Pose) -> NDArray[np.float64]:
        """(4,) xyxy of the visible part of the person: above the table, without the helmet."""
        x, y = self.person_outline_xy_px.T
        body = self.person_outline_xy_px[(x <= _HELMET_PX[0]) | (y < _HELMET_PX[1])]
        box = _bounds(body, pose.person_affine)
        box[3] = min(box[3], TABLE_EDGE_PX * self.scale)
        return box

    def cup_box(self, pose: Pose) -> NDArray[np.float64]:
        """(4,) xyxy of cup and saucer."""
        return _bounds(self.cup_outline_xy_px, pose.cup_affine)

    def _progress(self, at_seconds: float) -> float:
        """0 while the cup rests, 1 while it is held, in between on the way."""
        begin, end = self.hold_seconds
        travel = self.seconds * _TRAVEL
        return min(1.0, max(0.0, 1.0 - max(begin - at_seconds, at_seconds - end) / travel))

    def _person(self, at_seconds: float) -> NDArray[np.float64]:
        sway = _SWAY_PX * math.sin(2 * math.pi * at_seconds / _SWAY_SECONDS)
        lean = math.radians(_LEAN_DEGREES) * math.sin(2 * math.pi * at_seconds / _LEAN_SECONDS)
        breath = 1.0 + _BREATH * math.sin(2 * math.pi * at_seconds / _BREATH_SECONDS)
        turn = np.array([[math.cos(lean), -math.sin(lean)], [math.sin(lean), math.cos(lean)]])
        linear = PERSON_SCALE * turn @ np.diag([1.0, breath])
        pivot = np.array(_PERSON_PIVOT_PX)
        at = np.array(_PERSON_ORIGIN_PX) + PERSON_SCALE * pivot + [sway, 0.0]
        return np.column_stack([linear, at - linear @ pivot])

    def _cup(self, foot_px: NDArray[np.float64]) -> NDArray[np.float64]:
        low, high = self.cup_outline_xy_px.min(axis=0), self.cup_outline_xy_px.max(axis=0)
        foot_in_photo = np.array([(low[0] + high[0]) / 2, high[1]], np.float64)
        linear = np.diag(CUP_SCALE_XY)
        return np.column_stack([linear, foot_px - linear @ foot_in_photo])


def _ease(progress: float) -> float:
    """Smootherstep 6p^5 - 15p^4 + 10p^3: no speed and no jerk at either end (Perlin, Improving Noise, 2002)."""
    return progress**3 * (progress * (6 * progress - 15) + 10)


def _bounds(points_xy: NDArray[np.float32], affine: NDArray[np.float64]) -> NDArray[np.float64]:
    moved = points_xy @ affine[:, :2].T + affine[:, 2]
    return np.concatenate([moved.min(axis=0), moved.max(axis=0)])

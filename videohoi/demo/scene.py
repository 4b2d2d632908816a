"""The pixels of the demo clip: wall, person, table, cup, light and a little camera noise."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from videohoi.demo.photographs import Cutout
from videohoi.demo.staging import (
    CUP_SCALE_XY,
    PERSON_SCALE,
    REFERENCE_HEIGHT_PX,
    REFERENCE_WIDTH_PX,
    TABLE_EDGE_PX,
    Pose,
)

# RGB of a calm grey-blue wall and of light wood: neither is near the orange suit or the red saucer
_WALL_RGB = (122.0, 140.0, 150.0)
_WOOD_RGB = (188.0, 158.0, 120.0)
_NOISE_LEVELS = 1.2
"""standard deviation of the camera noise, of 255"""

_Image = NDArray[np.float32]


class Scene:
    """Draws poses. ``width_px`` x ``height_px`` is the picture; the noise of a frame depends on seed and index only."""

    def __init__(self, person: Cutout, cup: Cutout, scale: float, seed: int) -> None:
        self.width_px = round(REFERENCE_WIDTH_PX * scale)
        self.height_px = round(REFERENCE_HEIGHT_PX * scale)
        self._scale, self._seed = scale, seed
        self._person = _Sprite(person, (PERSON_SCALE * scale, PERSON_SCALE * scale))
        self._cup = _Sprite(cup, (CUP_SCALE_XY[0] * scale, CUP_SCALE_XY[1] * scale))
        self._wall = _wall(self.width_px, self.height_px, scale)
        self._table, self._table_alpha = _table(self.width_px, self.height_px, scale, seed)

    def render(self, pose: Pose, index: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB."""
        size, scale = (self.width_px, self.height_px), self._scale
        picture = self._wall.copy()
        person = self._person.placed(pose.person_affine, size)
        # the wall is a step behind the person: the shadow falls wide and faint
        _cast_shadow(picture, person[..., 3], (10 * scale, 6 * scale), 14 * scale, 0.25)
        _lay_over(picture, person)
        picture += self._table_alpha * (self._table - picture)
        cup = self._cup.placed(pose.cup_affine, size)
        # close and dark on the table, further off and fainter once lifted
        offset, blur = (5 + 8 * pose.lifted) * scale, (5 + 6 * pose.lifted) * scale
        _cast_shadow(picture, cup[..., 3], (offset, offset), blur, 0.42 - 0.17 * pose.lifted)
        _lay_over(picture, cup)
        noise = np.random.default_rng([self._seed, index]).standard_normal(picture.shape[:2], np.float32)
        picture += (_NOISE_LEVELS * noise)[..., None]
        return np.asarray(np.clip(np.rint(picture), 0, 255), np.uint8)


class _Sprite:
    """A cut-out, shrunk once by area averaging so that moving it each frame does not alias."""

    def __init__(self, cutout: Cutout, scale_xy: tuple[float, float]) -> None:
        height, width = cutout.colour_alpha.shape[:2]
        size = (round(width * min(1.0, scale_xy[0])), round(height * min(1.0, scale_xy[1])))
        self._image = cv2.resize(cutout.colour_alpha, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        ratio = np.array([width / size[0], height / size[1]])
        # pixel centres: x_photo + 0.5 = ratio * (x_sprite + 0.5)
        self._to_photo = np.vstack([np.column_stack([np.diag(ratio), 0.5 * ratio - 0.5]), [0.0, 0.0, 1.0]])

    def placed(self, affine: NDArray[np.float64], size: tuple[int, int]) -> _Image:
        """(H, W, 4) the cut-out where ``affine`` (photograph to picture) puts it."""
        return cv2.warpAffine(self._image, affine @ self._to_photo, size, flags=cv2.INTER_LINEAR).astype(np.float32)


def _lay_over(picture: _Image, layer: _Image) -> None:
    """Porter-Duff "over" with premultiplied colour, in place."""
    picture *= 1 - layer[..., 3:]
    picture += layer[..., :3]


def _cast_shadow(picture: _Image, alpha: _Image, offset_xy: tuple[float, float], blur: float, strength: float) -> None:
    """Darken where the shape, moved by ``offset_xy`` and blurred, falls; pixels."""
    height, width = alpha.shape
    # a quarter of the size: nothing finer than the blur is left, and it costs a tenth
    small = (width // 4, height // 4)
    ratio = np.array([small[0] / width, small[1] / height])
    move = np.column_stack([np.eye(2), ratio * offset_xy])
    shade = cv2.warpAffine(cv2.resize(alpha, small, interpolation=cv2.INTER_AREA), move, small)
    shade = cv2.GaussianBlur(shade, (0, 0), blur * float(ratio[0]))
    picture *= (1 - strength * cv2.resize(shade, (width, height)))[..., None]


def _wall(width: int, height: int, scale: float) -> _Image:
    """A wall lit from the upper left: one wide soft spot, darker towards the corners."""
    y, x = np.mgrid[:height, :width].astype(np.float32) / np.float32(scale)
    spot = np.exp(-(((x - 200) / 420) ** 2) - ((y - 150) / 330) ** 2)
    return np.asarray(np.array(_WALL_RGB) * (0.62 + 0.5 * spot[..., None]), np.float32)


def _table(width: int, height: int, scale: float, seed: int) -> tuple[_Image, _Image]:
    """(H, W, 3) wood with a grain along the table, lighter in front, and (H, 1, 1) its alpha."""
    grain = np.random.default_rng(seed).standard_normal((height, width), np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), sigmaX=40 * scale, sigmaY=1.1 * scale).astype(np.float32)
    below_edge = np.arange(height, dtype=np.float32) / scale - TABLE_EDGE_PX
    depth = np.clip(below_edge / (REFERENCE_HEIGHT_PX - TABLE_EDGE_PX), 0, 1)[:, None]
    light = 0.8 + 0.22 * depth + 0.035 * grain / grain.std()
    # the edge is one and a half pixels soft, as everything else in a photograph
    alpha = np.clip(below_edge / 1.5, 0, 1)[:, None, None]
    return np.asarray(np.array(_WOOD_RGB) * light[..., None], np.float32), alpha.astype(np.float32)

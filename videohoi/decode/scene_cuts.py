"""Hard cuts between shots, found from two small pictures while the video runs. Nothing is delayed.

A frame is a candidate when its colours differ from those of the frame before by much more than usual. A candidate is a
cut when the shot before it cannot explain its structure: hardly any textured block of one picture is found near its
place in the other. Blocks are compared by normalised correlation, so a change of exposure explains itself, and within a
reach, so a pan does too. A picture without structure (black between two fades, white of a flash) decides nothing: the
next one with structure is compared with the last one before it. Two such pictures are distinguished by their hue.

Dissolves are not found: no single frame of them differs from the one before.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray

from videohoi.ranges import Range, Share, check_ranges

SMALL_PX = (64, 36)
"""width and height of the small picture"""
SAMPLED_PX = (320, 108)
"""pixels of a larger picture that are read, evenly spread; reading all of a 720p picture takes ten times as long"""
BLOCK_PX = (16, 12)
"""width and height of a block of the small picture ..."""
BLOCKS = (SMALL_PX[0] // BLOCK_PX[0], SMALL_PX[1] // BLOCK_PX[1])
"""... and how many there are"""
REACH_PX = (13, 6)
"""how far a block is looked for: a fifth of the width, which a fast pan covers in a frame, a sixth of the height"""
LEAST_TEXTURE = 4.0
"""standard deviation (of 255) over a block from which it has structure; noise of cameras and codecs stays under it"""
LEAST_BLOCKS = 2
"""textured blocks that a picture needs to decide anything"""
FIRST_REACH_PX = (3, 2)
"""how far at first: from one frame to the next most blocks are found here, in a fifth of the time"""
MATCH = 0.8
"""correlation from which a block is found again. At this value every cut between two of 13 real clips explains under
13 % of the blocks and every pair of consecutive frames over 75 %, of frames three apart over 42 %"""
CLIPPED = 250
"""a pixel with a channel as bright as this has lost its colour ..."""
CLIPPED_SHARE = 0.3
"""... and a block with this share of them its structure ..."""
FLASH_SECONDS = 0.5
"""... which says nothing for this long: a flash is over by then"""
DARK = 16
"""mean of a picture (of 255) under which its hue is noise"""
HUE_APART = 0.2
"""sum of differences between the shares of red, green and blue from which two plain pictures are two shots"""
ROUNDING = 1e-9
"""a share times a count may miss a whole number by rounding"""
USUAL_TAU_SECONDS = 1.0
"""memory of what differences are usual"""

Small = NDArray[np.uint8]


@dataclass(frozen=True)
class CutSettings:
    """When a frame begins another shot."""

    enabled: bool = True
    """False: cuts are not looked for"""
    least_difference: Annotated[float, Range(0.0, 255.0)] = 7.0
    """mean colour difference (of 255) to the frame before under which nothing is a cut"""
    usual_ratio: Annotated[float, Range(1.0, 1e6)] = 2.0
    """... and how many times the usual difference of the last second it must be"""
    explained_share: Share = 0.3
    """share of textured blocks found again from which it is the same shot"""

    def __post_init__(self) -> None:
        check_ranges(self, "cuts")


class SceneCuts:
    """Says of each frame of one source whether it begins another shot. Not thread-safe."""

    def __init__(self, settings: CutSettings | None = None) -> None:
        self._settings = settings or CutSettings()
        self.reset()

    def reset(self) -> None:
        """Forget the shot so far: the next frame follows nothing."""
        self._last: Small | None = None
        self._last_seconds = 0.0
        self._usual = 0.0
        self._reference: Small | None = None  # the newest picture with structure ...
        self._reference_seconds = 0.0  # ... and its time

    def is_cut(self, image: NDArray[np.uint8], pts_seconds: float) -> bool:
        """True when ``image`` (H, W, 3), at media time ``pts_seconds``, does not belong to the shot before it."""
        small, last, settings = _small(image), self._last, self._settings
        difference = 0.0 if last is None else cv2.norm(small, last, cv2.NORM_L1) / small.size
        follows = last is None or (
            self._reference is last and difference <= max(settings.least_difference, settings.usual_ratio * self._usual)
        )
        explained = True if follows else self._is_explained(small, pts_seconds)
        cut = explained is False
        self._learn_usual(difference, pts_seconds, cut)
        if explained is not None:
            self._reference, self._reference_seconds = small, pts_seconds
        self._last, self._last_seconds = small, pts_seconds
        return cut

    def _is_explained(self, small: Small, pts_seconds: float) -> bool | None:
        """Whether enough blocks of ``small`` and of the reference are found in the other; None: too few to tell."""
        assert self._reference is not None
        flash_may_last = pts_seconds - self._reference_seconds < FLASH_SECONDS
        spoilt = _clipped(small) | _clipped(self._reference) if flash_may_last else np.zeros(BLOCKS[::-1], np.bool_)
        mine, others = _textured(small), _textured(self._reference)
        if max(np.count_nonzero(mine), np.count_nonzero(others)) < LEAST_BLOCKS:
            return _same_colour(small, self._reference)
        if np.count_nonzero(mine & ~spoilt) < LEAST_BLOCKS:
            return None
        forward, backward = np.argwhere(mine & ~spoilt), np.argwhere(others & ~spoilt)
        missing = math.ceil(self._settings.explained_share * (len(forward) + len(backward)) - ROUNDING)
        matches = itertools.chain(
            _are_found(small, self._reference, forward), _are_found(self._reference, small, backward)
        )
        while missing > 0:  # in the same shot the first blocks decide, so most are never compared
            is_found = next(matches, None)
            if is_found is None:
                return False
            missing -= is_found
        return True

    def _learn_usual(self, difference: float, pts_seconds: float, cut: bool) -> None:
        if cut:
            self._usual = 0.0
        elif self._last is not None:
            fresh = 1 - math.exp(-max(pts_seconds - self._last_seconds, 0.0) / USUAL_TAU_SECONDS)
            self._usual += fresh * (difference - self._usual)


def _small(image: NDArray[np.uint8]) -> Small:
    if image.shape[0] > SAMPLED_PX[1] and image.shape[1] > SAMPLED_PX[0]:
        image = np.asarray(cv2.resize(image, SAMPLED_PX, interpolation=cv2.INTER_NEAREST), np.uint8)
    return np.asarray(cv2.resize(image, SMALL_PX, interpolation=cv2.INTER_AREA), np.uint8)


def _block_means(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(3, 4) or (3, 4, 3) means over the blocks."""
    return np.asarray(cv2.resize(values, BLOCKS, interpolation=cv2.INTER_AREA), np.float32)


def _textured(small: Small) -> NDArray[np.bool_]:
    """(3, 4) blocks with structure."""
    values = small.astype(np.float32)
    means = _block_means(values)
    variances = np.maximum(_block_means(values * values) - means * means, 0)
    return np.asarray(np.sqrt(variances).mean(axis=2) >= LEAST_TEXTURE)


def _same_colour(one: Small, other: Small) -> bool | None:
    """Whether two pictures without structure have one hue, however bright they are; None: too dark to have one."""
    colours = [small.mean(axis=(0, 1)) for small in (one, other)]
    if min(float(colour.mean()) for colour in colours) < DARK:
        return None
    apart = np.abs(colours[0] / colours[0].sum() - colours[1] / colours[1].sum()).sum()
    return bool(apart <= HUE_APART)


def _clipped(small: Small) -> NDArray[np.bool_]:
    """(3, 4) blocks that a flash may have washed out."""
    return np.asarray(_block_means((small.max(axis=2) >= CLIPPED).astype(np.float32)) > CLIPPED_SHARE)


def _are_found(one: Small, other: Small, blocks: NDArray[np.int64]) -> Iterator[bool]:
    """Whether each of ``blocks`` (n, 2), row and column, of ``one`` is found near its place in ``other``."""
    width, height = BLOCK_PX
    for top, left in (blocks * (height, width)).tolist():
        block = one[top : top + height, left : left + width]
        yield any(_best_match(block, other, top, left, reach) >= MATCH for reach in (FIRST_REACH_PX, REACH_PX))


def _best_match(block: Small, other: Small, top: int, left: int, reach_px: tuple[int, int]) -> float:
    """Best correlation of ``block`` with ``other`` up to ``reach_px`` from row ``top`` and column ``left``."""
    (height, width), (reach_x, reach_y) = block.shape[:2], reach_px
    near = other[max(0, top - reach_y) : top + height + reach_y, max(0, left - reach_x) : left + width + reach_x]
    correlation = cv2.matchTemplate(near, block, cv2.TM_CCOEFF_NORMED)
    return float(correlation[np.isfinite(correlation)].max(initial=-1.0))

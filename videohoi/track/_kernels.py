"""Compiled tracking steps over arrays of tracks. The numpy twins are in ``kalman``, ``similarity`` and ``memory``.

float64, no fast-math. Each kernel states only what it does; the formulas and their sources are with the twins.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from videohoi.track.kalman import MotionModel
from videohoi.track.similarity import OTHER_PLACE_TRUST

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


_F = TypeVar("_F", bound=Callable[..., Any])


def _compiled(function: _F) -> _F:
    """Numba without the GIL, cached on disk beside this file."""
    kernel: _F = njit(cache=True, nogil=True)(function)
    return kernel


@_compiled
def _size_px(motion: Floats, track: int) -> float:
    return math.sqrt(max(motion[track, 2, 0], 1.0) * max(motion[track, 3, 0], 1.0))


@_compiled
def predict_kernel(motion: Floats, coasting: Mask, humans: Mask, dt: float, model: MotionModel) -> None:
    """``kalman.predict``."""
    coast_decay = math.exp(-dt / model.coast_tau)
    growth_decay = math.exp(-dt / model.growth_tau)
    for t in range(len(motion)):
        size = _size_px(motion, t)
        speed_noise = model.human_speed_noise if humans[t] else model.object_speed_noise
        q = (speed_noise * size) ** 2
        walk = (model.position_noise * size) ** 2
        for axis in range(4):
            shift, decay = dt, 1.0
            if axis >= 2:
                shift, decay = model.growth_tau * (1.0 - growth_decay), growth_decay
            elif coasting[t]:
                shift, decay = model.coast_tau * (1.0 - coast_decay), coast_decay
            state = motion[t, axis]
            speed, pp, pv, vv = state[1], state[2], state[3], state[4]
            state[0] += shift * speed
            state[1] = decay * speed
            state[2] = pp + 2.0 * shift * pv + shift * shift * vv + walk * dt + q * (dt * dt * dt / 3.0)
            state[3] = decay * (pv + shift * vv) + q * (dt * dt / 2.0)
            state[4] = decay * decay * vv + q * dt


@_compiled
def correct_kernel(motion: Floats, tracks: Ints, boxes: Floats, model: MotionModel) -> None:
    """``kalman.correct`` of the rows ``tracks`` (M,) of ``motion`` with ``boxes`` (M, 4)."""
    for m in range(len(tracks)):
        t = tracks[m]
        noise = (model.measurement_noise * _size_px(motion, t)) ** 2
        for axis in range(4):
            low, high = boxes[m, axis % 2], boxes[m, axis % 2 + 2]
            seen = (low + high) / 2.0 if axis < 2 else high - low
            state = motion[t, axis]
            pp, pv = state[2], state[3]
            total = pp + noise
            gain_position, gain_speed = pp / total, pv / total
            error = seen - state[0]
            state[0] += gain_position * error
            state[1] += gain_speed * error
            state[2] = pp - gain_position * pp
            state[3] = pv - gain_position * pv
            state[4] -= gain_speed * pv


@_compiled
def _index_of(track_id: int, ids: Ints) -> int:
    if track_id < 0:
        return -1
    for t in range(len(ids)):
        if ids[t] == track_id:
            return t
    return -1


@_compiled
def places_kernel(
    motion: Floats, last_boxes: Floats, coasting: Mask, ids: Ints, carrier_ids: Ints, carrier_offsets: Floats
) -> tuple[Floats, Floats]:
    """``memory.places``: (T, 3, 4) boxes where each track may be, and (T,) spread of the predicted centre in px."""
    count = len(motion)
    places = np.empty((count, 3, 4))
    spread = np.empty(count)
    for t in range(count):
        for side in range(2):
            half = max(motion[t, 2 + side, 0], 1.0) / 2.0
            places[t, 0, side] = motion[t, side, 0] - half
            places[t, 0, 2 + side] = motion[t, side, 0] + half
        places[t, 1:] = last_boxes[t]
        spread[t] = math.sqrt(max(motion[t, 0, 2], motion[t, 1, 2]))
        carrier = _index_of(carrier_ids[t], ids) if coasting[t] else -1
        if carrier >= 0:
            for side in range(2):
                centre = motion[carrier, side, 0] + carrier_offsets[t, side]
                half = (last_boxes[t, 2 + side] - last_boxes[t, side]) / 2.0
                places[t, 2, side] = centre - half
                places[t, 2, 2 + side] = centre + half
    return places, spread


@_compiled
def carriers_kernel(
    boxes: Floats, seen: Mask, humans: Mask, ids: Ints, carrier_ids: Ints, carrier_offsets: Floats
) -> None:
    """``memory.note_carriers`` in place."""
    for t in range(len(boxes)):
        if humans[t] or not seen[t]:
            continue
        x, y = (boxes[t, 0] + boxes[t, 2]) / 2.0, (boxes[t, 1] + boxes[t, 3]) / 2.0
        carrier_ids[t] = -1
        smallest = np.inf
        for h in range(len(boxes)):
            if not (humans[h] and seen[h]) or ids[h] < 0:
                continue
            inside = boxes[h, 0] <= x <= boxes[h, 2] and boxes[h, 1] <= y <= boxes[h, 3]
            area = (boxes[h, 2] - boxes[h, 0]) * (boxes[h, 3] - boxes[h, 1])
            if inside and area < smallest:
                smallest = area
                carrier_ids[t] = ids[h]
                carrier_offsets[t, 0] = x - (boxes[h, 0] + boxes[h, 2]) / 2.0
                carrier_offsets[t, 1] = y - (boxes[h, 1] + boxes[h, 3]) / 2.0


@_compiled
def _area(box: Floats) -> float:
    width: float = box[2] - box[0]
    height: float = box[3] - box[1]
    return max(width, 0.0) * max(height, 0.0)


@_compiled
def _iou(a: Floats, b: Floats) -> float:
    width: float = min(a[2], b[2]) - max(a[0], b[0])
    height: float = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0.0 or height <= 0.0:
        return 0.0
    inter = width * height
    return inter / (_area(a) + _area(b) - inter)


@_compiled
def overlap_kernel(boxes: Floats, scores: Floats, places: Floats, allowed: Mask, min_iou: float) -> Floats:
    """``similarity.overlap_similarity``."""
    similarity = np.zeros((len(boxes), len(places)))
    for r in range(len(boxes)):
        for t in range(len(places)):
            if allowed[r, t]:
                other = max(_iou(boxes[r], places[t, 1]), _iou(boxes[r], places[t, 2]))
                iou = max(_iou(boxes[r], places[t, 0]), OTHER_PLACE_TRUST * other)
                if iou >= min_iou:
                    similarity[r, t] = iou * scores[r]
    return similarity


@_compiled
def _size_of_box(box: Floats) -> float:
    return math.sqrt(max(box[2] - box[0], 1.0) * max(box[3] - box[1], 1.0))


@_compiled
def _distance(a: Floats, b: Floats) -> float:
    x = (a[0] + a[2]) / 2.0 - (b[0] + b[2]) / 2.0
    y = (a[1] + a[3]) / 2.0 - (b[1] + b[3]) / 2.0
    return math.sqrt(x * x + y * y)


@_compiled
def reach_kernel(
    boxes: Floats,
    places: Floats,
    spread: Floats,
    reach_sizes: Floats,
    allowed: Mask,
    reach: tuple[float, float, float],
) -> Floats:
    """``similarity.reach_similarity``."""
    sigmas, limit, least_ratio = reach
    similarity = np.zeros((len(boxes), len(places)))
    for r in range(len(boxes)):
        row_size = _size_of_box(boxes[r])
        for t in range(len(places)):
            track_size = _size_of_box(places[t, 0])
            ratio = min(row_size, track_size) / max(row_size, track_size)
            if not allowed[r, t] or ratio < least_ratio:
                continue
            size = math.sqrt(row_size * track_size)
            far = max(min(reach_sizes[t] * size + sigmas * spread[t], limit * size), 1.0)
            distance = min(_distance(boxes[r], places[t, 0]), _distance(boxes[r], places[t, 1]))
            distance = min(distance, _distance(boxes[r], places[t, 2]))
            if distance < far:
                similarity[r, t] = (1.0 - distance / far) * ratio
    return similarity


@_compiled
def vote_kernel(
    classes: Ints,
    weights: Floats,
    tracks: Ints,
    row_classes: Ints,
    row_scores: Floats,
    decays: Floats,
    rename_ratio: float,
) -> None:
    """``memory.vote`` in place."""
    for m in range(len(tracks)):
        t = tracks[m]
        slot, weakest = -1, 1
        for k in range(classes.shape[1]):
            weights[t, k] *= decays[m]
            if classes[t, k] == row_classes[m]:
                slot = k
            if k > 1 and weights[t, k] < weights[t, weakest]:
                weakest = k
        if slot < 0:
            slot = weakest
            classes[t, slot] = row_classes[m]
            weights[t, slot] = 0.0
        weights[t, slot] += row_scores[m]
        best = 0
        for k in range(1, classes.shape[1]):
            if weights[t, k] > weights[t, best]:
                best = k
        if weights[t, best] <= rename_ratio * weights[t, 0]:
            best = 0
        classes[t, 0], classes[t, best] = classes[t, best], classes[t, 0]
        weights[t, 0], weights[t, best] = weights[t, best], weights[t, 0]

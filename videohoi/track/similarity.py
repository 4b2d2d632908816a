"""How well a detection row fits a track, as plain numpy: the reference of the compiled form.

A track may be at three places: where its motion takes it, where it was last seen (observation-centric, OC-SORT,
Cao et al., CVPR 2023, arXiv 2203.14360, section 4.2), and, when it is out of sight, where the human it was at has
carried it. 0 means "cannot be the same".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry.boxes import box_centres, pairwise_iou

PLACES = 3
"""predicted, last seen, carried"""
OTHER_PLACE_TRUST = 0.9
"""weight of an overlap with a place other than the predicted one: prediction wins a tie between two tracks"""


def overlap_similarity(
    boxes: NDArray[np.float64],
    scores: NDArray[np.float64],
    places: NDArray[np.float64],
    allowed: NDArray[np.bool_],
    min_iou: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(R, T) best IoU of row and track over the track's places, times the score; 0 under ``min_iou`` or not allowed.

    IoU * score is the fusion of BYTE's public code (``matching.fuse_score``). ``boxes`` (R, 4), ``scores`` (R,),
    ``places`` (T, 3, 4), ``allowed`` (R, T), ``min_iou`` (T,).
    """
    predicted = pairwise_iou(boxes, places[:, 0])
    other = np.maximum(pairwise_iou(boxes, places[:, 1]), pairwise_iou(boxes, places[:, 2]))
    iou = np.maximum(predicted, OTHER_PLACE_TRUST * other)
    return np.where(allowed & (iou >= min_iou), iou * scores[:, None], 0.0)


def reach_similarity(
    boxes: NDArray[np.float64],
    places: NDArray[np.float64],
    spread_px: NDArray[np.float64],
    reach_sizes: NDArray[np.float64],
    allowed: NDArray[np.bool_],
    reach: tuple[float, float, float],
) -> NDArray[np.float64]:
    """(R, T) closeness of row and track in (0, 1]: (1 - distance / reach) * size ratio; 0 out of reach or not allowed.

    ``spread_px`` (T,): standard deviation of the predicted centre. ``reach_sizes`` (T,): how far its kind may be, in
    sizes. ``reach``: sigmas, limit in sizes, least size ratio (``ByteConfig.reach_*``). Distance is that to the nearest
    of the track's places; reach is min(reach_sizes * size + sigmas * spread, limit * size), 1 px at least, with size
    the geometric mean of row's and track's.
    """
    sigmas, limit, least_ratio = reach
    centres = box_centres(boxes)
    distance = np.full((len(boxes), len(places)), np.inf)
    for k in range(PLACES):
        step = centres[:, None] - box_centres(places[:, k])[None]
        distance = np.minimum(distance, np.sqrt(step[..., 0] * step[..., 0] + step[..., 1] * step[..., 1]))
    row_size, track_size = _sizes(boxes)[:, None], _sizes(places[:, 0])[None]
    size = np.sqrt(row_size * track_size)
    far = np.maximum(np.minimum(reach_sizes[None] * size + sigmas * spread_px[None], limit * size), 1.0)
    ratio = np.minimum(row_size, track_size) / np.maximum(row_size, track_size)
    close = allowed & (ratio >= least_ratio) & (distance < far)
    return np.where(close, (1.0 - distance / far) * ratio, 0.0)


def _sizes(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
    size: NDArray[np.float64] = np.sqrt(sides[:, 0] * sides[:, 1])
    return size

"""What a track remembers besides its motion, as plain numpy: the reference of the compiled form.

Class votes: each track keeps the ``CLASS_SLOTS`` heaviest classes it was seen as, slot 0 the winner; a new class takes
the lightest of the other slots, so the memory is bounded whatever the vocabulary. Carriers: an object whose centre lies
in a human's box belongs to that human; while it is hidden, it may have moved with the human.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.track import kalman

CLASS_SLOTS = 4
"""one detector rarely gives an object more than three classes"""


def vote(
    classes: NDArray[np.int64],
    weights: NDArray[np.float64],
    tracks: NDArray[np.int64],
    row_classes: NDArray[np.int64],
    row_scores: NDArray[np.float64],
    decays: NDArray[np.float64],
    rename_ratio: float,
) -> None:
    """Count one row per track, in place; ``classes``, ``weights`` (T, slots), empty slots -1 and 0.

    The winner (slot 0) gives way only to a class that weighs more than ``rename_ratio`` times as much. ``decays``
    (M,): exp(-seconds since last vote / tau).
    """
    for track, class_id, score, decay in zip(tracks, row_classes, row_scores, decays, strict=True):
        weights[track] *= decay
        same = np.flatnonzero(classes[track] == class_id)
        slot = int(same[-1]) if len(same) else 1 + int(np.argmin(weights[track, 1:]))
        if not len(same):
            classes[track, slot], weights[track, slot] = class_id, 0.0
        weights[track, slot] += score
        best = int(np.argmax(weights[track]))
        if weights[track, best] <= rename_ratio * weights[track, 0]:
            continue
        swap = [0, best]
        classes[track, swap], weights[track, swap] = classes[track, swap[::-1]], weights[track, swap[::-1]]


def places(
    motion: NDArray[np.float64],
    last_boxes: NDArray[np.float64],
    coasting: NDArray[np.bool_],
    ids: NDArray[np.int64],
    carrier_ids: NDArray[np.int64],
    carrier_offsets: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(T, 3, 4) corners where each track may be (predicted, last seen, carried); (T,) spread of the prediction in px.

    Carried is the last box moved to the carrier's predicted centre plus the offset the object had to it; equal to the
    last box for a track that is in sight or belongs to no human.
    """
    predicted = kalman.corners(motion)
    carried = last_boxes.copy()
    for track in np.flatnonzero(coasting & (carrier_ids >= 0)):
        for carrier in np.flatnonzero(ids == carrier_ids[track]):
            half_last = (last_boxes[track, 2:] - last_boxes[track, :2]) / 2.0
            centre = motion[carrier, :2, 0] + carrier_offsets[track]
            carried[track] = np.concatenate([centre - half_last, centre + half_last])
    spread = np.sqrt(np.maximum(motion[:, 0, 2], motion[:, 1, 2]))
    return np.stack([predicted, last_boxes, carried], axis=1), spread


def note_carriers(
    boxes: NDArray[np.float64],
    seen: NDArray[np.bool_],
    humans: NDArray[np.bool_],
    ids: NDArray[np.int64],
    carrier_ids: NDArray[np.int64],
    carrier_offsets: NDArray[np.float64],
) -> None:
    """For each object seen now, the id of the smallest confirmed human box round its centre and the offset to it."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2.0
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for track in np.flatnonzero(seen & ~humans):
        inside = (boxes[:, :2] <= centres[track]).all(axis=1) & (centres[track] <= boxes[:, 2:]).all(axis=1)
        candidates = np.flatnonzero(inside & seen & humans & (ids >= 0))
        carrier_ids[track] = -1
        if len(candidates):
            carrier = candidates[np.argmin(areas[candidates])]
            carrier_ids[track] = ids[carrier]
            carrier_offsets[track] = centres[track] - centres[carrier]

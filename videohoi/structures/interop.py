"""To and from other libraries' tables of boxes: supervision and pandas, imported when they are used.

supervision has one row a box, as here: ``xyxy`` are our boxes, ``confidence`` the scores, ``class_id`` the rows of
``Vocabulary.objects``, ``tracker_id`` the track ids (-1 where unconfirmed). Class names travel in
``data["class_name"]``, which its annotators read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import InputError, UsageError

if TYPE_CHECKING:
    from videohoi.structures.detections import Detections

CLASS_NAME = "class_name"
"""supervision's key of the class names in ``data``"""


def supervision() -> Any:
    """The module; if it is missing, a ``UsageError`` that says how to install it."""
    try:
        import supervision as module
    except ImportError as error:
        raise UsageError("supervision is not installed: pip install 'videohoi[supervision]'") from error
    return module


def pandas() -> Any:
    """The module; if it is missing, a ``UsageError`` that says how to install it."""
    try:
        import pandas as module
    except ImportError as error:
        raise UsageError("pandas is not installed: pip install 'videohoi[pandas]'") from error
    return module


def to_supervision(
    detections: Detections, track_ids: NDArray[np.int64] | None = None, objects: Sequence[str] | None = None
) -> Any:
    """``supervision.Detections`` of the same rows; ``objects`` are the names of the classes, by class id."""
    names = None if objects is None else np.array([objects[row] for row in detections.class_ids.tolist()], dtype=str)
    return supervision().Detections(
        xyxy=detections.boxes_xyxy_px.copy(),
        confidence=detections.scores.copy(),
        class_id=detections.class_ids.copy(),
        tracker_id=None if track_ids is None else track_ids.copy(),
        data={} if names is None else {CLASS_NAME: names},
    )


def boxes_from_supervision(value: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(N, 4) boxes and (N,) scores; boxes without a confidence get a score of 1.

    Raises:
        InputError: ``value`` has no boxes as supervision's detections do.
    """
    boxes = np.asarray(getattr(value, "xyxy", None), np.float32) if hasattr(value, "xyxy") else None
    if boxes is None or boxes.ndim != 2 or boxes.shape[1] != 4:
        raise InputError(f"expected supervision.Detections, got {type(value).__name__}")
    confidence = value.confidence
    return boxes, np.ones(len(boxes), np.float32) if confidence is None else np.asarray(confidence, np.float32)


def classes_from_supervision(value: Any, objects: Sequence[str] | None) -> NDArray[np.int64]:
    """(N,) class ids: of the names in ``data`` among ``objects`` where those are given, else ``class_id`` itself.

    Raises:
        InputError: there are neither ids nor names, or a name is not among ``objects``.
    """
    names = value.data.get(CLASS_NAME) if objects is not None else None
    if objects is not None and names is not None:
        rows = {name: row for row, name in enumerate(objects)}
        unknown = sorted({str(name) for name in names} - rows.keys())
        if unknown:
            raise InputError(
                f"class {unknown[0]!r} is not an object of the vocabulary; rename it, or leave the box out"
            )
        return np.array([rows[str(name)] for name in names], np.int64)
    if value.class_id is None and len(value.xyxy):
        raise InputError("supervision.Detections without class_id: say which class each box has")
    return np.zeros(0, np.int64) if value.class_id is None else np.asarray(value.class_id, np.int64)


def track_ids_from_supervision(value: Any) -> NDArray[np.int64]:
    """(N,) ``tracker_id``, or -1 where there are none."""
    ids = value.tracker_id
    return np.full(len(value.xyxy), -1, np.int64) if ids is None else np.asarray(ids, np.int64)

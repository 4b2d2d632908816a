"""VidHOI: ``train_frame_annots.json`` and ``val_frame_annots.json`` (coldmanck/VidHOI), one record per predicate.

A record says in which frame which track does what to which other track. Boxes are kept as published (VidOR's pixel
indices), since VidHOI's evaluation takes them as corners without adding a pixel. Frames are numbered from 1; their
time is (frame - 1) / ``video_fps``, and the file rounds 29.97 to 30, so times late in a clip are a little early.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydantic

from videohoi.datasets.annotations import HoiAnnotations, check_corners, flat_boxes, starts
from videohoi.datasets.records import STRICT, Index, Number, TrackId, parse_json, record_error
from videohoi.vocabulary.shipped import vidhoi


@dataclass(slots=True)
class _Corners:
    xmin: Number
    ymin: Number
    xmax: Number
    ymax: Number


@dataclass(slots=True)
class _Record:
    video_folder: str
    video_id: str
    frame_id: str
    video_fps: Number
    height: Index
    width: Index
    person_box: _Corners
    object_box: _Corners
    person_id: TrackId
    object_id: TrackId
    object_class: Index
    action_class: Index

    @property
    def key(self) -> str:
        """``folder/video_frame``, as in the lists of frames."""
        return f"{self.video_folder}/{self.video_id}_{self.frame_id}"


_READER = pydantic.TypeAdapter(list[_Record], config=STRICT)


def read_vidhoi(path: Path, remove_frames: Collection[str] = ()) -> HoiAnnotations:
    """All frames, grouped by video in the file's order, each video's frames in time.

    Args:
        path: a ``*_frame_annots.json``.
        remove_frames: keys ``folder/video_frame`` to leave out, as ``vidhoi_removed_frames()``; they are counted in
            ``left_out``.

    Raises:
        InputError: malformed; names file, record and field.
    """
    records = parse_json(path, _READER)
    frames: dict[str, list[_Record]] = {}
    videos: dict[str, int] = {}
    for number, record in enumerate(records):
        _check(path, number, record)
        videos.setdefault(f"{record.video_folder}/{record.video_id}", len(videos))
        frames.setdefault(record.key, []).append(record)
    for key, rows in frames.items():
        _check_frame(path, key, rows)
    removed = [key for key in frames if key in remove_frames]
    kept = [rows for key, rows in frames.items() if key not in remove_frames]
    kept.sort(key=lambda rows: (videos[f"{rows[0].video_folder}/{rows[0].video_id}"], int(rows[0].frame_id)))
    return _table(path, kept, (("frames left out as asked", len(removed)),) if removed else ())


def _check(path: Path, number: int, record: _Record) -> None:
    words, where = vidhoi(), f"record {number} ({record.key})"
    if record.object_class >= len(words.objects):
        raise record_error(path, where, "object_class", f"expected 0 to 77, got {record.object_class}")
    if record.action_class >= len(words.verbs):
        raise record_error(path, where, "action_class", f"expected 0 to 49, got {record.action_class}")
    if not record.frame_id.isdecimal() or int(record.frame_id) < 1:
        raise record_error(path, where, "frame_id", f"expected a number from 1, got {record.frame_id!r}")
    if record.video_fps <= 0:
        raise record_error(path, where, "video_fps", f"expected more than 0, got {record.video_fps}")


def _check_frame(path: Path, key: str, rows: list[_Record]) -> None:
    first = rows[0]
    for row in rows:
        if (row.width, row.height, row.video_fps) != (first.width, first.height, first.video_fps):
            raise record_error(path, f"frame {key}", "width, height, video_fps", "its records disagree")


def _table(path: Path, frames: list[list[_Record]], left_out: tuple[tuple[str, int], ...]) -> HoiAnnotations:
    names = tuple(f"{rows[0].video_folder}/{rows[0].video_id}/{rows[0].frame_id}" for rows in frames)
    pair_start, flat = starts([len(rows) for rows in frames]), [row for rows in frames for row in rows]
    sides = []
    for key in ("person_box", "object_box"):
        corners = [[(box.xmin, box.ymin, box.xmax, box.ymax) for box in (getattr(row, key) for row in rows)]
                   for rows in frames]  # fmt: skip
        boxes = flat_boxes(corners)
        check_corners(path, names, pair_start, boxes, key)
        sides.append(boxes.astype(np.float32))
    return HoiAnnotations(
        path, vidhoi(), names, np.array([(rows[0].width, rows[0].height) for rows in frames], np.int64).reshape(-1, 2),
        pair_start, sides[0], sides[1], np.array([row.action_class for row in flat], np.int64),
        np.array([row.object_class for row in flat], np.int64),
        track_ids=np.array([(row.person_id, row.object_id) for row in flat], np.int64).reshape(-1, 2),
        pts_seconds=np.array([(int(rows[0].frame_id) - 1) / rows[0].video_fps for rows in frames], np.float64),
        left_out=left_out,
    )  # fmt: skip

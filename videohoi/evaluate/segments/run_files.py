"""What a run wrote, read back for scoring: ``segments.csv``, ``tracks.csv`` and, where it exists, ``pairs.csv``.

A run is one output folder of a clip (``CLIP.videohoi/``) or a folder that holds one such folder a clip. Files are read
strictly: a missing file, column or value is an ``InputError`` that names it.
"""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import InputError
from videohoi.files import decoded_text, text_encoding
from videohoi.structures import Segment

SEGMENTS_FILE = "segments.csv"
TRACKS_FILE = "tracks.csv"
PAIRS_FILE = "pairs.csv"
REPORT_FILE = "report.json"
FOLDER_SUFFIX = ".videohoi"

SEGMENT_COLUMNS = (
    "human_id", "verb", "object_id", "object_class", "begin_seconds", "end_seconds", "score", "peak_score", "kind",
    "source_id",
)  # fmt: skip
TRACK_COLUMNS = ("frame", "pts_seconds", "track_id", "object_class", "x1", "y1", "x2", "y2", "score")
PAIR_COLUMNS = ("human_id", "object_id", "likeliest_verb", "likeliest_score")


@dataclass(frozen=True, repr=False)
class TrackBoxes:
    """Where one track was seen."""

    track_id: int
    object_class: str
    """the class most of its rows carry"""
    pts_seconds: NDArray[np.float64]
    """(n,) strictly increasing"""
    boxes_xyxy_px: NDArray[np.float64]
    """(n, 4) source pixels"""

    def __repr__(self) -> str:
        return f"TrackBoxes(track_id={self.track_id}, object_class={self.object_class!r}, n={len(self.pts_seconds)})"


@dataclass(frozen=True)
class PairVerb:
    """The most likely verb of a pair of tracks over its life."""

    verb: str
    mean_score: float
    """in [0, 1]"""


@dataclass(frozen=True)
class RunClip:
    """The results of a run for one clip."""

    clip: str
    """clip name without extension"""
    segments: tuple[Segment, ...]
    tracks: Mapping[int, TrackBoxes]
    pair_verbs: Mapping[tuple[int, int], PairVerb] | None = None
    """by (human track, object track); None when the run holds no pairs.csv"""


def read_run(path: Path) -> dict[str, RunClip]:
    """Every clip of the run at ``path``, by clip name without extension, in order of name.

    Raises:
        InputError: no segments.csv in ``path`` or in a folder directly below it, a malformed file, two outputs of one
            clip.
    """
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; expected a run's output folder or a folder of them")
    below = sorted(child for child in path.iterdir() if (child / SEGMENTS_FILE).is_file())
    folders = [path] if (path / SEGMENTS_FILE).is_file() else below
    if not folders:
        raise InputError(f"{path}: no {SEGMENTS_FILE} in it or in a folder directly below it; run the annotation first")
    clips: dict[str, RunClip] = {}
    for folder in folders:
        clip = read_run_clip(folder)
        if clip.clip in clips:
            raise InputError(f"{folder}: a second output of clip {clip.clip!r}; keep one output a clip in a run folder")
        clips[clip.clip] = clip
    return clips


def read_run_clip(folder: Path) -> RunClip:
    """One clip's output folder.

    Raises:
        InputError: a file is missing or malformed, or a segment names a track without boxes.
    """
    tracks = _tracks(folder / TRACKS_FILE)
    segments = tuple(_segment(row) for row in _rows(folder / SEGMENTS_FILE, SEGMENT_COLUMNS))
    for segment in segments:
        for track_id in (segment.human_id, segment.object_id):
            if track_id not in tracks:
                raise InputError(f"{folder / SEGMENTS_FILE}: track {track_id} has no box in {TRACKS_FILE}")
    pairs = _pairs(folder / PAIRS_FILE) if (folder / PAIRS_FILE).is_file() else None
    return RunClip(_clip_name(folder), segments, tracks, pairs)


def _clip_name(folder: Path) -> str:
    """The report's ``source`` if it names a file, else the folder's name."""
    report = folder / REPORT_FILE
    if report.is_file():
        try:
            values = json.loads(decoded_text(report.read_bytes()))
        except (OSError, ValueError) as cause:
            raise InputError(f"{report}: cannot be read as JSON: {cause}") from cause
        source = values.get("source") if isinstance(values, dict) else None
        if isinstance(source, str) and Path(source).stem:
            return Path(source).stem
    name = folder.resolve().name
    return name[: -len(FOLDER_SUFFIX)] if name.endswith(FOLDER_SUFFIX) else name


@dataclass(frozen=True)
class _Row:
    """One line of a CSV file."""

    place: str
    values: Mapping[str, str]

    def text(self, name: str) -> str:
        if not self.values[name]:
            raise InputError(f"{self.place}: {name}: expected a name, got nothing")
        return self.values[name]

    def number(self, name: str) -> float:
        try:
            value = float(self.values[name])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(f"{self.place}: {name}: expected a finite number, got {self.values[name]!r}")
        return value

    def whole(self, name: str) -> int:
        value = self.number(name)
        if not value.is_integer():
            raise InputError(f"{self.place}: {name}: expected a whole number, got {self.values[name]!r}")
        return int(value)

    def fraction(self, name: str) -> float:
        value = self.number(name)
        if not 0.0 <= value <= 1.0:
            raise InputError(f"{self.place}: {name}: expected a score in [0, 1], got {value}")
        return value


def _rows(file: Path, columns: tuple[str, ...]) -> Iterator[_Row]:
    """The lines of ``file`` after its header; every column must be there, further ones are left alone."""
    try:
        with file.open(encoding=text_encoding(file), newline="") as stream:
            reader = csv.DictReader(stream, delimiter=_delimiter(stream))
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise InputError(f"{file}: no column {', '.join(missing)}; expected {','.join(columns)}")
            for values in reader:
                place = f"{file}:{reader.line_num}"
                if None in values or any(value is None for value in values.values()):
                    raise InputError(f"{place}: expected {len(reader.fieldnames or ())} values in the line")
                yield _Row(place, values)
    except (OSError, UnicodeDecodeError, csv.Error) as cause:
        raise InputError(f"{file}: cannot be read: {cause}; expected a file written by a run") from cause


def _delimiter(stream: TextIO) -> str:
    """What separates the columns of the header: spreadsheets of some countries write semicolons, or tabs."""
    header = stream.readline()
    stream.seek(0)
    return max(",;\t", key=header.count)


def _segment(row: _Row) -> Segment:
    begin, end = row.number("begin_seconds"), row.number("end_seconds")
    if end < begin:
        raise InputError(f"{row.place}: end_seconds: expected a time from begin_seconds {begin} on, got {end}")
    return Segment(
        source_id=row.values["source_id"],
        human_id=row.whole("human_id"),
        verb=row.text("verb"),
        object_id=row.whole("object_id"),
        object_class=row.text("object_class"),
        begin_seconds=begin,
        end_seconds=end,
        score=row.fraction("score"),
        peak_score=row.fraction("peak_score"),
        kind=row.text("kind"),
    )


def _tracks(file: Path) -> dict[int, TrackBoxes]:
    seen: dict[int, list[tuple[float, str, list[float]]]] = {}
    for row in _rows(file, TRACK_COLUMNS):
        if row.whole("track_id") < 0:
            continue  # an unconfirmed detection: no track, so nothing can refer to it
        box = [row.number(name) for name in ("x1", "y1", "x2", "y2")]
        if box[2] < box[0] or box[3] < box[1]:
            raise InputError(f"{row.place}: expected a box with x1 <= x2 and y1 <= y2, got {box}")
        sighting = (row.number("pts_seconds"), row.text("object_class"), box)
        seen.setdefault(row.whole("track_id"), []).append(sighting)
    return {track_id: _track(file, track_id, sightings) for track_id, sightings in sorted(seen.items())}


def _track(file: Path, track_id: int, sightings: list[tuple[float, str, list[float]]]) -> TrackBoxes:
    sightings = sorted(sightings, key=lambda sighting: sighting[0])
    times = np.array([seconds for seconds, _, _ in sightings], np.float64)
    if np.any(np.diff(times) <= 0):
        raise InputError(f"{file}: track {track_id} has two boxes at one pts_seconds; expected one a frame")
    names = Counter(name for _, name, _ in sightings)
    object_class = min(names, key=lambda name: (-names[name], name))
    return TrackBoxes(track_id, object_class, times, np.array([box for _, _, box in sightings], np.float64))


def _pairs(file: Path) -> dict[tuple[int, int], PairVerb]:
    pairs: dict[tuple[int, int], PairVerb] = {}
    for row in _rows(file, PAIR_COLUMNS):
        pair = (row.whole("human_id"), row.whole("object_id"))
        if pair in pairs:
            raise InputError(f"{row.place}: pair {pair} is listed twice; expected its best verb once")
        pairs[pair] = PairVerb(row.text("likeliest_verb"), row.fraction("likeliest_score"))
    return pairs

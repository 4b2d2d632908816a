"""pairs.csv: each pair of tracks with its best interaction, and with its likeliest verb over its whole life."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.files import AtomicFile
from videohoi.sink.csv_rows import csv_bytes
from videohoi.sink.rounding import CSV_TIME_DIGITS, SCORE_DIGITS, Rounding
from videohoi.sink.segment_builder import RunSegments
from videohoi.structures import FrameResult, Segment, SourceInfo
from videohoi.vocabulary import Vocabulary

COLUMNS = (
    "human_id", "object_id", "object_class", "verb", "score", "seconds", "likeliest_verb", "likeliest_score", "frames",
    "first_seconds", "last_seconds",
)  # fmt: skip
_MOMENT_SECONDS = 1e-3
"""weight of a segment without duration, such as a kick: any state of the same pair outweighs it"""


@dataclass
class _Pair:
    total: NDArray[np.float64]
    frames: int = 0
    first_seconds: float = 0.0
    last_seconds: float = 0.0
    classes: dict[int, int] = field(default_factory=dict)


class PairsCsv:
    """Writes one row a pair when the run is over.

    ``verb``, ``score`` and ``seconds`` are those of its best interaction in ``segments.csv``, and empty where it has
    none. ``likeliest_verb`` is what an always-on baseline would say of it.
    """

    name = "pairs_csv"

    def __init__(self, path: Path | str, vocabulary: Vocabulary, segments: RunSegments | None = None) -> None:
        """``vocabulary`` names classes and verbs; ``segments``: see ``SegmentsCsv``."""
        self.path = Path(path)
        self.vocabulary = vocabulary
        self._file = AtomicFile(path)
        self._pairs: dict[tuple[int, int], _Pair] = {}
        self._segments = segments or RunSegments()

    def open(self, info: SourceInfo, header: dict[str, Any]) -> None:
        """Begin; raises ``SinkError`` when ``path`` cannot be written."""
        self._file.open()
        self._segments.clear()
        self._pairs = {}

    def process(self, result: FrameResult) -> None:
        """Add one frame's events and verb scores."""
        self._segments.take(result)
        if result.pair_scores is None:
            return
        ids, classes = result.tracks.track_ids, result.tracks.class_ids
        pairs, pts = result.pair_scores.pairs, result.frame.pts_seconds
        for row, (human, thing) in enumerate(zip(pairs.human_rows, pairs.object_rows, strict=True)):
            key = (int(ids[human]), int(ids[thing]))
            if min(key) >= 0:
                self._add(key, int(classes[thing]), result.pair_scores.verb_scores[row], pts)

    def close(self, *, complete: bool) -> None:
        """Write all rows."""
        if self._file.is_open:
            self._file.write(csv_bytes([COLUMNS, *self._rows()]))
            self._file.commit()
        self._pairs = {}

    def abort(self) -> None:
        """Leave nothing."""
        self._file.abort()
        self._pairs = {}

    def _add(self, key: tuple[int, int], class_id: int, scores: NDArray[np.float32], pts_seconds: float) -> None:
        pair = self._pairs.get(key)
        if pair is None:
            pair = self._pairs[key] = _Pair(np.zeros(len(self.vocabulary.verbs)), first_seconds=pts_seconds)
        pair.total += scores
        pair.frames += 1
        pair.last_seconds = pts_seconds
        pair.classes[class_id] = pair.classes.get(class_id, 0) + 1

    def _rows(self) -> list[tuple[object, ...]]:
        number = Rounding().field
        best = _best_interactions(self._segments.close())
        rows: list[tuple[object, ...]] = []
        for (human, thing), pair in sorted(self._pairs.items()):
            class_id = max(pair.classes, key=lambda name: (pair.classes[name], -name))
            mean = np.where(self.vocabulary.valid[class_id], pair.total / pair.frames, 0.0)
            likeliest = int(np.argmax(mean))
            found = best.get((human, thing))
            name, columns = self.vocabulary.objects[class_id], ("", "", "")
            if found is not None:
                name = found.object_class
                columns = (found.verb, number(found.score, SCORE_DIGITS), number(found.seconds, CSV_TIME_DIGITS))
            rows.append(
                (
                    human, thing, name, *columns, self.vocabulary.verbs[likeliest],
                    number(mean[likeliest], SCORE_DIGITS), pair.frames,
                    number(pair.first_seconds, CSV_TIME_DIGITS), number(pair.last_seconds, CSV_TIME_DIGITS),
                )
            )  # fmt: skip
        return rows


@dataclass(frozen=True)
class _Interaction:
    """All segments of a pair with one verb and class."""

    verb: str
    object_class: str
    seconds: float
    score: float
    """mean over the time of the segments"""


def _best_interactions(segments: list[Segment]) -> dict[tuple[int, int], _Interaction]:
    """Of each pair, the interaction with the most time, weighted by its score."""
    groups: dict[tuple[int, int], dict[tuple[str, str], list[Segment]]] = {}
    for segment in segments:
        of_pair = groups.setdefault((segment.human_id, segment.object_id), {})
        of_pair.setdefault((segment.verb, segment.object_class), []).append(segment)
    return {pair: max(map(_joined, of_pair.values()), key=_weight) for pair, of_pair in groups.items()}


def _joined(segments: list[Segment]) -> _Interaction:
    weights = [max(segment.end_seconds - segment.begin_seconds, _MOMENT_SECONDS) for segment in segments]
    score = sum(weight * segment.score for weight, segment in zip(weights, segments, strict=True)) / sum(weights)
    seconds = sum(segment.end_seconds - segment.begin_seconds for segment in segments)
    return _Interaction(segments[0].verb, segments[0].object_class, seconds, score)


def _weight(interaction: _Interaction) -> tuple[float, float, str]:
    return max(interaction.seconds, _MOMENT_SECONDS) * interaction.score, interaction.score, interaction.verb

"""pairs.csv: each pair of tracks with its likeliest verb over its whole life."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.files import AtomicFile
from videohoi.sink.csv_rows import csv_bytes
from videohoi.sink.rounding import CSV_TIME_DIGITS, SCORE_DIGITS, Rounding
from videohoi.structures import FrameResult, SourceInfo
from videohoi.vocabulary import Vocabulary

COLUMNS = ("human_id", "object_id", "object_class", "verb", "mean_score", "frames", "first_seconds", "last_seconds")


@dataclass
class _Pair:
    total: NDArray[np.float64]
    frames: int = 0
    first_seconds: float = 0.0
    last_seconds: float = 0.0
    classes: dict[int, int] = field(default_factory=dict)


class PairsCsv:
    """Writes one row a pair when the run is over: what an always-on baseline would say of it."""

    name = "pairs_csv"

    def __init__(self, path: Path | str, vocabulary: Vocabulary) -> None:
        """``vocabulary`` names classes and verbs."""
        self.path = Path(path)
        self.vocabulary = vocabulary
        self._file = AtomicFile(path)
        self._pairs: dict[tuple[int, int], _Pair] = {}

    def open(self, info: SourceInfo, header: dict[str, Any]) -> None:
        """Begin; raises ``SinkError`` when ``path`` cannot be written."""
        self._file.open()
        self._pairs = {}

    def process(self, result: FrameResult) -> None:
        """Add one frame's verb scores."""
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
        rows: list[tuple[object, ...]] = []
        for (human, thing), pair in sorted(self._pairs.items()):
            class_id = max(pair.classes, key=lambda name: (pair.classes[name], -name))
            mean = np.where(self.vocabulary.valid[class_id], pair.total / pair.frames, 0.0)
            verb = int(np.argmax(mean))
            rows.append(
                (
                    human, thing, self.vocabulary.objects[class_id], self.vocabulary.verbs[verb],
                    number(mean[verb], SCORE_DIGITS), pair.frames,
                    number(pair.first_seconds, CSV_TIME_DIGITS), number(pair.last_seconds, CSV_TIME_DIGITS),
                )
            )  # fmt: skip
        return rows

"""Files of predictions, JSON or pickle, and typed access to their records; errors name file, record and field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import TruthError, UsageError
from videohoi.evaluate.safe_pickle import read_pickle
from videohoi.files import decoded_text

OUTSIDE_POLICIES = ("error", "keep", "clip")
OUTSIDE_SLACK_PX = 1.0
"""a box may end this far outside its picture: some tools count pixels from 1, some return the far edge"""
LARGEST_ID = 1 << 53
"""beyond it numbers of JSON are not exact"""
_SHOWN = 60
PICKLE_SUFFIXES = (".pkl", ".pickle")


def read_values(path: Path) -> Any:
    """The value of a JSON or pickle file; ``TruthError`` where it is neither."""
    if path.suffix in PICKLE_SUFFIXES:
        return read_pickle(path)
    try:
        return json.loads(decoded_text(path.read_bytes()))
    except (OSError, ValueError, RecursionError) as cause:
        raise TruthError(
            f"{path}: cannot be read as JSON: {cause}; expected .json, .pkl, .jsonl or a run's folder"
        ) from cause


@dataclass
class ReadingNotes:
    """What a reader met that does not make the file wrong, counted, so that it can be reported."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, text: str, count: int = 1) -> None:
        """Count ``text`` up."""
        if count:
            self.counts[text] = self.counts.get(text, 0) + count

    def lines(self) -> tuple[str, ...]:
        """One line a note."""
        return tuple(f"{text}: {count}" for text, count in self.counts.items())


@dataclass(frozen=True)
class BoxRule:
    """What to do with boxes that leave their picture."""

    outside: str = "error"
    """``error``; ``keep`` as the public evaluators do; ``clip`` to the picture"""

    def __post_init__(self) -> None:
        if self.outside not in OUTSIDE_POLICIES:
            raise UsageError(f"boxes outside: expected one of {', '.join(OUTSIDE_POLICIES)}, got {self.outside!r}")


class PredictionRecord:
    """One mapping of names to numbers, and where it stands in the file."""

    def __init__(self, values: Any, place: str) -> None:
        """``place``: file and record, as ``predictions.json: record 3``."""
        self.place = place
        if not isinstance(values, Mapping):
            raise TruthError(f"{self.place}: expected an object with named fields, got {type(values).__name__}")
        self._values = values

    def with_value(self, name: str, value: Any) -> PredictionRecord:
        """The same record with one field set."""
        return PredictionRecord({**self._values, name: value}, self.place)

    def wrong(self, name: str, expected: str, got: Any = None) -> TruthError:
        """The error for field ``name``."""
        if got is None and name not in self._values:
            return TruthError(f"{self.place}: {name}: expected {expected}, it is missing")
        value = self._values[name] if got is None else got
        text = " ".join((got if isinstance(got, str) else repr(value)).split())
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        return TruthError(f"{self.place}: {name}: expected {expected}, got {shown}")

    def has(self, name: str) -> bool:
        """The field is there."""
        return name in self._values

    def value(self, name: str) -> Any:
        """Any value; the field must be there."""
        if name not in self._values:
            raise self.wrong(name, "a value")
        return self._values[name]

    def text(self, name: str) -> str:
        """A non-empty string."""
        value = self._values.get(name)
        if not isinstance(value, str) or not value:
            raise self.wrong(name, "a non-empty string")
        return value

    def records(self, name: str) -> list[PredictionRecord]:
        """A list of mappings."""
        values = self._values.get(name)
        if not isinstance(values, (list, tuple)):
            raise self.wrong(name, "a list")
        return [PredictionRecord(value, f"{self.place}: {name}[{row}]") for row, value in enumerate(values)]

    def numbers(self, name: str, shape: tuple[int | None, ...]) -> NDArray[np.float64]:
        """Finite numbers of ``shape`` (None: any length); an empty list fits any shape that may be empty."""
        if name not in self._values:
            raise self.wrong(name, f"numbers of shape {_shape(shape)}")
        try:
            raw = np.asarray(self._values[name])
            array = raw.astype(np.float64)
        except (TypeError, ValueError, OverflowError) as cause:
            raise self.wrong(name, f"numbers of shape {_shape(shape)}") from cause
        if raw.dtype.kind not in "biufO":  # text is no number, even where it reads like one
            raise self.wrong(name, f"numbers of shape {_shape(shape)}")
        empty = [0 if want is None else want for want in shape]
        if array.size == 0 and 0 in empty:
            array = array.reshape(empty)
        if array.ndim != len(shape) or any(w not in (None, h) for w, h in zip(shape, array.shape, strict=True)):
            raise self.wrong(name, f"numbers of shape {_shape(shape)}", f"shape {array.shape}")
        if not np.isfinite(array).all():
            where = tuple(int(place) for place in np.argwhere(~np.isfinite(array))[0])
            place = f" at {list(where)}" if where else ""
            raise self.wrong(name, "finite numbers", f"{array[where]}{place}")
        return array

    def ids(self, name: str, shape: tuple[int | None, ...], limit: int, what: str) -> NDArray[np.int64]:
        """Whole numbers from 0 to ``limit`` - 1 of ``shape``."""
        array = self.numbers(name, shape)
        bad = np.argwhere((array != np.round(array)) | (array < 0) | (array >= limit))
        if len(bad):
            where = tuple(int(place) for place in bad[0])
            place = f" at {list(where)}" if where else ""
            raise self.wrong(name, f"{what} from 0{'' if limit == LARGEST_ID else f' to {limit - 1}'}",
                             f"{array[where]:g}{place}")  # fmt: skip
        return array.astype(np.int64)

    def whole(self, name: str, limit: int = LARGEST_ID) -> int:
        """One whole number from 0 to ``limit`` - 1."""
        return int(self.ids(name, (), limit, "a whole number"))

    def boxes(
        self, name: str, size_wh_px: NDArray[np.int64] | None, rule: BoxRule, notes: ReadingNotes
    ) -> NDArray[np.float64]:
        """(N, 4) finite boxes x1 <= x2, y1 <= y2, inside the picture unless ``rule`` allows otherwise."""
        return self.checked(name, self.numbers(name, (None, 4)), size_wh_px, rule, notes)

    def checked(
        self, name: str, boxes: NDArray[np.float64], size_wh_px: NDArray[np.int64] | None, rule: BoxRule,
        notes: ReadingNotes,
    ) -> NDArray[np.float64]:  # fmt: skip
        """``boxes`` after the checks of ``boxes()``."""
        self.checked_corners(name, boxes)
        if size_wh_px is None or not size_wh_px.all():
            return boxes
        far = np.tile(size_wh_px.astype(np.float64), 2)
        out = np.flatnonzero(((boxes < -OUTSIDE_SLACK_PX) | (boxes > far + OUTSIDE_SLACK_PX)).any(axis=1))
        if len(out) and rule.outside == "error":
            picture = f"{size_wh_px[0]}x{size_wh_px[1]} picture (see --outside keep|clip)"
            raise self.wrong(name, f"boxes inside the {picture}", f"{boxes[out[0]].tolist()} in row {out[0]}")
        notes.add(f"boxes that leave their picture, {'kept' if rule.outside == 'keep' else 'clipped'}", len(out))
        return np.clip(boxes, 0, far) if rule.outside == "clip" else boxes

    def checked_corners(self, name: str, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        """``boxes`` (4,) or (N, 4) as they are; an error unless x1 <= x2 and y1 <= y2."""
        table = boxes.reshape(-1, 4)
        turned = np.flatnonzero((table[:, 2:] < table[:, :2]).any(axis=1))
        if len(turned):
            raise self.wrong(name, "corners x1 <= x2 and y1 <= y2", f"{table[turned[0]].tolist()} in row {turned[0]}")
        return boxes


def _shape(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("any" if length is None else str(length) for length in shape) + ")"

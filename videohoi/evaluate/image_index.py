"""The pictures of a data set by file name, and which of them a prediction file has records for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.evaluate.prediction_record import PredictionRecord
from videohoi.evaluate.triplet_sets import TripletTruth
from videohoi.names import nearest_names

NAME_FIELDS = ("filename", "file_name", "image", "image_name")
ID_FIELD = "image_id"


def is_named(record: PredictionRecord) -> bool:
    """Whether the record names its picture."""
    return any(record.has(name) for name in (*NAME_FIELDS, ID_FIELD))


class ImageIndex:
    """Finds the row of the picture a record is about; a picture may come once."""

    def __init__(self, truth: TripletTruth) -> None:
        self._names = truth.image_names
        self._rows = {name: row for row, name in enumerate(truth.image_names)}
        self._sizes = truth.image_sizes_wh_px
        self._numbers = _numbers(truth.image_names)
        self._used: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._names)

    @property
    def unused(self) -> int:
        """Pictures no record was about."""
        return len(self._names) - len(self._used)

    def size(self, row: int) -> NDArray[np.int64] | None:
        """(2,) width and height; None where the truth file does not know."""
        return None if self._sizes is None else self._sizes[row]

    def row_of(self, record: PredictionRecord, position: int | None = None) -> int:
        """Row of the picture of ``record``; ``position`` stands for it where the record has no name.

        Raises:
            TruthError: no name, a picture that is not in the set, or one that was there before.
        """
        row = self._find(record, position)
        if row in self._used:
            raise record.wrong(self._field(record), f"every picture once (it is in {self._used[row]} as well)")
        self._used[row] = record.place.rpartition(": ")[2]
        return row

    def row_named(self, record: PredictionRecord, field: str, name: str) -> int:
        """Row of the picture ``name``; the error names ``field``."""
        row = self._rows.get(name, self._rows.get(name.rpartition("/")[2]))
        if row is None:
            near = nearest_names(name, self._names)
            hint = f" (nearest: {near[0]})" if near else ""
            raise record.wrong(field, f"one of the {len(self._names)} pictures of the truth file{hint}", name)
        return row

    def _find(self, record: PredictionRecord, position: int | None) -> int:
        field = self._field(record)
        if field == ID_FIELD:
            return self._numbered(record, record.value(ID_FIELD))
        if record.has(field):
            return self.row_named(record, field, record.text(field))
        if position is None:
            raise record.wrong(field, f"the file name of a picture (or {', '.join(NAME_FIELDS[1:])}, {ID_FIELD})")
        return position

    def _numbered(self, record: PredictionRecord, number: Any) -> int:
        if isinstance(number, str):
            return self.row_named(record, ID_FIELD, number)
        row = self._numbers.get(int(number)) if isinstance(number, (int, np.integer)) else None
        if row is None:
            raise record.wrong(ID_FIELD, f"the number of one of the {len(self._names)} pictures of the truth file")
        return row

    @staticmethod
    def _field(record: PredictionRecord) -> str:
        return next((name for name in (*NAME_FIELDS, ID_FIELD) if record.has(name)), NAME_FIELDS[0])


def _numbers(names: tuple[str, ...]) -> dict[int, int]:
    """Row by the digits at the end of a name, as 17 for ``HICO_test2015_00000017.jpg``."""
    rows = {}
    for row, name in enumerate(names):
        digits = name.rpartition(".")[0].rpartition("_")[2]
        if digits.isdigit():
            rows[int(digits)] = row
    return rows

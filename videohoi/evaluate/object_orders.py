"""Object ids of prediction files in the order a file was written with; a wrong order is found, not scored."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.evaluate.prediction_record import PredictionRecord
from videohoi.vocabulary import Vocabulary

OBJECT_ORDERS = ("coco", "hico", "coco91")
"""80 in COCO's order (0 person), 80 in HICO-DET's alphabetical order (0 airplane), COCO's ids (1 person .. 90)"""


def object_orders(vocabulary: Vocabulary) -> Mapping[str, NDArray[np.int64]]:
    """For each order: (n,) class id in ``vocabulary`` of each id of a file, -1 where the order has no such id."""
    from videohoi.vocabulary.shipped import coco_category_ids

    alphabetical = np.array([vocabulary.objects.index(name) for name in sorted(vocabulary.objects)], np.int64)
    sparse = np.full(max(coco_category_ids()) + 1, -1, np.int64)
    sparse[list(coco_category_ids())] = np.arange(len(vocabulary.objects))
    return {"coco": np.arange(len(vocabulary.objects)), "hico": alphabetical, "coco91": sparse}


class ObjectOrder:
    """Translates a file's object ids to class ids."""

    def __init__(self, name: str, vocabulary: Vocabulary) -> None:
        if name not in OBJECT_ORDERS:
            raise UsageError(f"object order: expected one of {', '.join(OBJECT_ORDERS)}, got {name!r}")
        self.name, self._vocabulary = name, vocabulary
        self._orders = object_orders(vocabulary)

    def class_ids(self, record: PredictionRecord, field: str, length: int | None = None) -> NDArray[np.int64]:
        """(N,) class ids of a field of object ids.

        Raises:
            TruthError: an id that the order does not have.
        """
        own = self._orders[self.name]
        ids = record.ids(field, (length,), len(own), f"object ids in {self.name} order")
        known = own[ids]
        if (known < 0).any():
            row = int(np.flatnonzero(known < 0)[0])
            raise record.wrong(field, f"object ids in {self.name} order", f"{ids[row]} at [{row}]")
        return known

    def require_humans(self, record: PredictionRecord, field: str, ids: NDArray[np.int64]) -> None:
        """Raise ``TruthError`` unless all ``ids``, classes of the humans of pairs, are persons."""
        person = self._vocabulary.person_id
        wrong = np.flatnonzero(ids != person)
        if len(wrong) == 0:
            return
        written = int(np.flatnonzero(self._orders[self.name] == ids[wrong[0]])[0])
        right = int(np.flatnonzero(self._orders[self.name] == person)[0])
        raise record.wrong(
            field,
            f"person ({right} in {self.name} order) for the human of pair {wrong[0]}{self._hint(written)}",
            f"{written}, {self._vocabulary.objects[ids[wrong[0]]]}",
        )

    def require_interactions(
        self, record: PredictionRecord, field: str, verbs: NDArray[np.int64], ids: NDArray[np.int64]
    ) -> None:
        """Raise ``TruthError`` unless every verb goes with its object; says when another order would fit."""
        valid = self._vocabulary.valid
        wrong = np.flatnonzero(~valid[ids, verbs])
        if len(wrong) == 0:
            return
        row, words = int(wrong[0]), self._vocabulary
        fitting = [name for name, order in self._orders.items() if self._fits(order, verbs, ids)]
        hint = f"; they fit the {fitting[0]} order: give --object-order {' or '.join(fitting)}" if fitting else ""
        raise record.wrong(
            field,
            f"objects that go with their verbs{hint}",
            f"({words.verbs[verbs[row]]}, {words.objects[ids[row]]}) in row {row}",
        )

    def _fits(self, order: NDArray[np.int64], verbs: NDArray[np.int64], ids: NDArray[np.int64]) -> bool:
        """The file's ids, read in ``order``, all go with their verbs."""
        written = self._written(ids)
        known = (written < len(order)).all() and (order[written] >= 0).all()
        return bool(known and self._vocabulary.valid[order[written], verbs].all())

    def _written(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The file's ids of class ids."""
        back = np.zeros(len(self._vocabulary.objects), np.int64)
        own = self._orders[self.name]
        back[own[own >= 0]] = np.flatnonzero(own >= 0)
        return back[ids]

    def _hint(self, written: int) -> str:
        person = self._vocabulary.person_id
        fitting = [name for name, order in self._orders.items() if written < len(order) and order[written] == person]
        return f"; it is person in {fitting[0]} order: give --object-order {fitting[0]}" if fitting else ""

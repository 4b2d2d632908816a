"""Suppression of doubled triplets against CDN's own code (``datasets/hico_eval.py``) and the same in plain numpy."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Claim, Contestant, NotEqualError, Options, Row, interleave
from benchmarks.scenes_post import doubled_triplets
from videohoi.geometry.triplet_nms import TripletNmsRule, Triplets, bordered_iou, triplet_nms

NUMPY, CDN = "numpy", "CDN"
COUNTS = (100, 200, 2000)
GOAL_COUNT, GOAL = 200, 100.0
RULE = TripletNmsRule()

Filter = Callable[[], object]


def numpy_nms(triplets: Triplets) -> list[int]:
    """Kept rows: grouped by triplet in a dictionary, then greedy with one vector operation a kept triplet, as CDN's."""
    groups: dict[tuple[int, int, int], list[int]] = {}
    names = zip(
        triplets.class_ids[triplets.human_rows].tolist(),
        triplets.class_ids[triplets.object_rows].tolist(),
        triplets.verbs.tolist(),
        strict=True,
    )
    for row, name in enumerate(names):
        groups.setdefault(name, []).append(row)
    return [row for rows in groups.values() for row in _greedy(triplets, np.array(rows))]


def _greedy(triplets: Triplets, rows: NDArray[np.int64]) -> list[int]:
    boxes = triplets.boxes_xyxy_px.astype(np.float64)
    humans, objects = boxes[triplets.human_rows[rows]], boxes[triplets.object_rows[rows]]
    order, kept = np.argsort(-triplets.scores[rows], kind="stable"), []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(int(rows[best]))
        human_iou = bordered_iou(humans[best], humans[rest], RULE.border_px)
        object_iou = bordered_iou(objects[best], objects[rest], RULE.border_px)
        overlap = human_iou**RULE.human_power * object_iou**RULE.object_power
        order = rest[overlap <= RULE.threshold]
    return kept


def cdn_filter(checkout: Path, triplets: Triplets) -> Callable[[], list[int]]:
    """CDN's ``triplet_nms_filter`` on its own form of the same triplets."""
    spec = importlib.util.spec_from_file_location("cdn_hico_eval", checkout / "datasets" / "hico_eval.py")
    if spec is None or spec.loader is None:
        raise NotEqualError(f"{checkout}: datasets/hico_eval.py cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    evaluator: Any = object.__new__(module.HICOEvaluator)  # its constructor reads a whole data set
    evaluator.nms_alpha, evaluator.nms_beta, evaluator.thres_nms = RULE.human_power, RULE.object_power, RULE.threshold
    picture = _cdn_form(triplets)

    def kept() -> list[int]:
        (filtered,) = evaluator.triplet_nms_filter([picture])
        return [triplet["row"] for triplet in filtered["hoi_prediction"]]

    return kept


def _cdn_form(triplets: Triplets) -> dict[str, Any]:
    boxes = [
        {"bbox": list(box), "category_id": int(kind)}
        for box, kind in zip(triplets.boxes_xyxy_px, triplets.class_ids, strict=True)
    ]
    columns = (triplets.human_rows, triplets.object_rows, triplets.verbs, triplets.scores)
    found = [
        {"subject_id": int(human), "object_id": int(thing), "category_id": int(verb), "score": float(score), "row": row}
        for row, (human, thing, verb, score) in enumerate(zip(*columns, strict=True))
    ]
    return {"filename": "", "predictions": boxes, "hoi_prediction": found}


def compare(triplets: Triplets, checkout: Path | None) -> str:
    """What was compared; ``NotEqualError`` where the kept sets differ."""
    kept = sorted(triplet_nms(triplets, RULE).tolist())
    if kept != sorted(numpy_nms(triplets)):
        raise NotEqualError(f"{len(triplets)} triplets: the kept set differs from numpy's")
    if checkout is not None and kept != sorted(cdn_filter(checkout, triplets)()):
        raise NotEqualError(f"{len(triplets)} triplets: the kept set differs from {CDN}'s")
    return f"the kept set, {len(kept)} of {len(triplets)}"


def check(options: Options) -> str:
    """Kept sets of ten scenes."""
    checkout = options.checkout(CDN)
    for seed in range(5):
        for count in (1, 150):
            compare(doubled_triplets(count, seed), checkout)
    return "kept sets of 10 scenes"


def _row(count: int, options: Options) -> Row:
    triplets, checkout = doubled_triplets(count), options.checkout(CDN)
    equality = compare(triplets, checkout)
    contestants = [
        Contestant("ours", lambda: triplet_nms(triplets, RULE)),
        Contestant(NUMPY, lambda: numpy_nms(triplets)),
    ]
    if checkout is not None:
        contestants.append(Contestant(CDN, cdn_filter(checkout, triplets)))
    return Row(
        f"{count} triplets",
        equality,
        interleave(contestants, options.rounds),
        goals={NUMPY: GOAL, CDN: GOAL} if count == GOAL_COUNT else {},
        absent=() if checkout is not None else (f"{CDN}: no checkout below --peer-path",),
    )


def measure(options: Options) -> Sequence[Row]:
    """A frame's, a picture's and a whole evaluation's number of triplets."""
    return [_row(count, options) for count in COUNTS]


CLAIM = Claim(
    "triplet_nms",
    f"Suppression of doubled triplets by CDN's rule: the same kept sets, at least {GOAL:g} times as fast as CDN's code "
    f"and as plain numpy at {GOAL_COUNT} triplets.",
    check,
    measure,
)

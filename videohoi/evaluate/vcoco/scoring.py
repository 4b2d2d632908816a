"""V-COCO (Gupta and Malik, arXiv 1505.04474): agent AP, and role AP in scenarios 1 and 2.

The rules of s-gupta/v-coco's vsrl_eval.py: a prediction belongs to the person whose box it fits best; where that person
has no action labels it counts neither way. It is right when the person acts so, both IoUs are >= 0.5 (with the border
pixel), and nobody surer was right for that person. Where an action was annotated without its role's box, scenario 1
wants an empty role box (all 0 or nan) and scenario 2 takes any. Average precision is the area under the interpolated
curve. That code computes in 32 bits; here it is 64, so figures agree to about 1e-6. It stops with an error at a picture
without persons and at an action without predictions; here the former's predictions are wrong and the latter is 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.evaluate.conventions import LEAST_IOU
from videohoi.evaluate.hico.image_level import all_points
from videohoi.evaluate.report import Plot, Report, ReportTable, Series, percent
from videohoi.structures.checks import require_shape

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ROLES = 2
"""an action has at most two roles besides the agent"""
SCENARIOS = (1, 2)
UNLABELLED = -1
POINT = "point"
"""left out of the mean over 24 roles that papers report: 31 annotations"""


@dataclass(frozen=True)
class VcocoActions:
    """The actions and the roles each has besides its agent."""

    names: tuple[str, ...]
    roles: tuple[tuple[str, ...], ...]
    """for each action: ``obj``, ``instr``, both or none"""

    def slots(self) -> list[tuple[int, int]]:
        """Every (action, role)."""
        return [(action, role) for action, names in enumerate(self.roles) for role in range(len(names))]


@dataclass(frozen=True, repr=False)
class VcocoTruth:
    """N persons of I pictures."""

    image_ids: tuple[int, ...]
    person_offsets: Ints
    """(I + 1,) persons of picture i are rows ``person_offsets[i]`` to ``person_offsets[i + 1]``"""
    person_boxes_xyxy_px: Floats
    """(N, 4)"""
    actions: NDArray[np.int8]
    """(N, A): 1 does it, 0 does not, -1 the person has no labels"""
    role_boxes_xyxy_px: Floats
    """(N, A, 2, 4) nan where no role was annotated"""
    vocabulary: VcocoActions
    image_sizes_wh_px: Ints | None = None
    """(I, 2) width and height"""

    def __post_init__(self) -> None:
        people, names = len(self.person_boxes_xyxy_px), len(self.vocabulary.names)
        require_shape("VcocoTruth", "person_offsets", self.person_offsets, (len(self.image_ids) + 1,))
        require_shape("VcocoTruth", "actions", self.actions, (people, names))
        require_shape("VcocoTruth", "role_boxes_xyxy_px", self.role_boxes_xyxy_px, (people, names, ROLES, 4))


@dataclass(frozen=True, repr=False)
class VcocoPredictions:
    """D predicted persons with the scores of all they may do."""

    image_rows: Ints
    """(D,) row of ``VcocoTruth.image_ids``"""
    person_boxes_xyxy_px: Floats
    """(D, 4)"""
    agent_scores: Floats
    """(D, A) nan: not predicted"""
    role_boxes_xyxy_px: Floats
    """(D, A, 2, 4) all 0 or nan: no object in this role"""
    role_scores: Floats
    """(D, A, 2) nan: not predicted"""


@dataclass(frozen=True, repr=False)
class VcocoScores:
    """Average precisions in [0, 1]; nan where no person is annotated with the action."""

    agent: Floats
    """(A,)"""
    role: dict[int, Floats]
    """by scenario: (A, 2), nan where the action has no such role"""
    positives: Ints
    """(A,) annotated persons"""
    vocabulary: VcocoActions

    @property
    def mean_agent(self) -> float:
        """Mean over all actions; an action without annotations counts as 0, as in the public code."""
        return float(np.nansum(self.agent) / len(self.agent))

    def mean_role(self, scenario: int, *, without_point: bool = False) -> float:
        """Mean over the roles that have annotations: 25 of them, or 24 without ``point``, as papers report."""
        values = self.role[scenario].copy()
        if without_point and POINT in self.vocabulary.names:
            values[self.vocabulary.names.index(POINT)] = np.nan
        known = values[~np.isnan(values)]
        return float(known.mean()) if len(known) else float("nan")


def evaluate_vcoco(truth: VcocoTruth, predictions: VcocoPredictions) -> VcocoScores:
    """All average precisions."""
    people, overlaps = _best_persons(truth, predictions)
    positives = (truth.actions == 1).sum(axis=0)
    agent = np.full(len(positives), np.nan)
    role = {scenario: np.full((len(positives), ROLES), np.nan) for scenario in SCENARIOS}
    for action in np.flatnonzero(positives):
        acts = (overlaps >= LEAST_IOU) & (truth.actions[people, action] == 1)
        agent[action] = _precision(truth, predictions.agent_scores[:, action], people, acts, positives[action])
        for slot in range(len(truth.vocabulary.roles[action])):
            for scenario in SCENARIOS:
                fits = acts & _role_fits(truth, predictions, people, int(action), slot, scenario)
                scores = predictions.role_scores[:, action, slot]
                role[scenario][action, slot] = _precision(truth, scores, people, fits, positives[action])
    return VcocoScores(agent, role, positives, truth.vocabulary)


def _best_persons(truth: VcocoTruth, predictions: VcocoPredictions) -> tuple[Ints, Floats]:
    """Row of the person each prediction fits best and the IoU; -1 (the last row) and 0 in a picture without any."""
    people, overlaps = np.full(len(predictions.image_rows), -1, np.int64), np.zeros(len(predictions.image_rows))
    order = np.argsort(predictions.image_rows, kind="stable")
    starts = np.searchsorted(predictions.image_rows[order], np.arange(len(truth.image_ids) + 1))
    for image in range(len(truth.image_ids)):
        first, behind = truth.person_offsets[image], truth.person_offsets[image + 1]
        rows = order[starts[image] : starts[image + 1]]
        if len(rows) and behind > first:
            found = predictions.person_boxes_xyxy_px[rows, None]
            iou = paired_iou(truth.person_boxes_xyxy_px[None, first:behind], found)
            people[rows], overlaps[rows] = first + iou.argmax(axis=1), iou.max(axis=1)
    return people, overlaps


def _role_fits(
    truth: VcocoTruth, predictions: VcocoPredictions, people: Ints, action: int, slot: int, scenario: int
) -> NDArray[np.bool_]:
    """(D,): the role's box is right, given the person."""
    found = predictions.role_boxes_xyxy_px[:, action, slot]
    if len(truth.role_boxes_xyxy_px) == 0:
        return np.zeros(len(found), np.bool_)
    true = truth.role_boxes_xyxy_px[people, action, slot]
    absent = np.isnan(true).all(axis=1)
    empty = (found == 0).all(axis=1) | np.isnan(found).all(axis=1)
    with np.errstate(invalid="ignore"):
        fits = paired_iou(true, found) >= LEAST_IOU
    return np.asarray(np.where(absent, empty if scenario == 1 else True, fits))


def _precision(truth: VcocoTruth, scores: Floats, people: Ints, right: NDArray[np.bool_], positives: int) -> float:
    """Average precision of one action or role; ``right`` (D,) before second predictions of a person are struck out."""
    labelled = (people < 0) | (truth.actions[people] != UNLABELLED).all(axis=1)
    rows = np.flatnonzero(~np.isnan(scores) & labelled)
    rows = rows[np.argsort(-scores[rows], kind="stable")]
    hits = right[rows] & (people[rows] >= 0)
    first = np.zeros(len(rows), np.bool_)
    hit_places = np.flatnonzero(hits)
    first[hit_places[np.unique(people[rows[hit_places]], return_index=True)[1]]] = True
    return all_points(first, int(positives))


def paired_iou(one: Floats, other: Floats) -> Floats:
    """IoU of boxes (..., 4) with the border pixel; negative overlaps are none; nan where a box is nan."""
    low, high = np.maximum(one[..., :2], other[..., :2]), np.minimum(one[..., 2:], other[..., 2:])
    shared = np.maximum(high - low + 1.0, 0.0).prod(axis=-1)
    areas = [(boxes[..., 2:] - boxes[..., :2] + 1.0).prod(axis=-1) for boxes in (one, other)]
    return np.asarray(shared / (areas[0] + areas[1] - shared))


def vcoco_report(
    scores: VcocoScores, truth: VcocoTruth, predictions: VcocoPredictions, settings: Mapping[str, str],
    notes: Sequence[str] = (),
) -> Report:  # fmt: skip
    """All average precisions with their means; ``notes`` come first among the report's."""
    means = _means(scores)
    names = scores.vocabulary.names
    agent = dict(zip(names, scores.agent.tolist(), strict=True))
    roles = {
        f"{names[action]}-{scores.vocabulary.roles[action][slot]}": {
            f"scenario {scenario}": float(scores.role[scenario][action, slot]) for scenario in SCENARIOS
        }
        for action, slot in scores.vocabulary.slots()
    }
    tables = (
        ReportTable("Means (%)", ("figure", "AP"), tuple((name, percent(value)) for name, value in means.items())),
        ReportTable(
            "Role AP (%)",
            ("action and role", *(f"scenario {scenario}" for scenario in SCENARIOS)),
            tuple((name, *(percent(value) for value in row.values())) for name, row in roles.items()),
        ),
        ReportTable("Agent AP (%)", ("action", "AP"), tuple((name, percent(value)) for name, value in agent.items())),
    )
    series = tuple(
        Series(f"scenario {n}", tuple((float(place), row[f"scenario {n}"]) for place, row in enumerate(roles.values())
                                      if row[f"scenario {n}"] == row[f"scenario {n}"]))
        for n in SCENARIOS
    )  # fmt: skip
    silent = len(truth.image_ids) - len(set(predictions.image_rows.tolist()))
    return Report(
        title="V-COCO",
        settings=settings,
        tables=tables,
        plots=(Plot("Role AP", "action and role", "AP", series, kind="bars", names=tuple(roles)),),
        notes=(
            *notes,
            f"{len(predictions.image_rows)} predicted persons in {len(truth.image_ids)} pictures, {silent} without any",
        ),
        record={"means": means, "agent": agent, "role": roles},
    )


def _means(scores: VcocoScores) -> dict[str, float]:
    means = {"agent": scores.mean_agent}
    for scenario in SCENARIOS:
        means[f"role, scenario {scenario}"] = scores.mean_role(scenario)
        means[f"role, scenario {scenario}, without point"] = scores.mean_role(scenario, without_point=True)
    return means

"""VidHOI's scores as a report: one row a result file, i.e. a horizon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.evaluate.report import Plot, Report, ReportTable, Series, percent, table_of
from videohoi.evaluate.vidhoi.frames import VidhoiFrame, frame_triplets
from videohoi.evaluate.vidhoi.persons import PersonScores, person_top_k
from videohoi.evaluate.vidhoi.scoring import VidhoiScores, evaluate_vidhoi


@dataclass(frozen=True)
class VidhoiWords:
    """The classes of the result files' ids."""

    objects: tuple[str, ...]
    predicates: tuple[str, ...]
    groups: Mapping[str, Sequence[str]]
    """predicates by group: ``spatial``, ``action``, ``temporal``"""

    def mask(self, group: str) -> NDArray[np.bool_]:
        """(V,) predicates of a group."""
        return np.isin(np.array(self.predicates), list(self.groups[group]))


@dataclass(frozen=True, repr=False)
class VidhoiResult:
    """Everything of one result file."""

    scores: VidhoiScores
    as_released: VidhoiScores
    """with second predictions of an annotation counted as right"""
    persons: PersonScores
    oracle: bool
    """every predicted box is an annotated one"""
    frames: int
    words: VidhoiWords

    def means(self) -> dict[str, float]:
        """Mean average precision by group of classes."""
        annotated = self.scores.positives > 0
        groups = {
            name: self.scores.mean(self.scores.of_predicates(self.words.mask(name))) for name in self.words.groups
        }
        return {
            "full": self.scores.mean(),
            "rare": self.scores.mean(annotated & self.scores.rare),
            "non_rare": self.scores.mean(annotated & ~self.scores.rare),
            **groups,
            "full, duplicates right": self.as_released.mean(),
        }

    def named(self) -> dict[str, float]:
        """Average precision of every annotated class."""
        count = len(self.words.objects)
        return {
            f"{self.words.predicates[row // count]} {self.words.objects[row % count]}": float(
                self.scores.classes.average_precisions[row]
            )
            for row in np.flatnonzero(self.scores.positives)
        }


def vidhoi_result(
    frames: Sequence[VidhoiFrame], words: VidhoiWords, *, k: int = 5, threshold: float = 0.3
) -> VidhoiResult:
    """Score the frames of one result file."""
    truth, found = frame_triplets(frames, len(words.objects))
    return VidhoiResult(
        scores=evaluate_vidhoi(truth, found, len(words.objects)),
        as_released=evaluate_vidhoi(truth, found, len(words.objects), duplicates_count=True),
        persons=person_top_k(frames, k, threshold),
        oracle=_is_oracle(frames),
        frames=len(frames),
        words=words,
    )


def _is_oracle(frames: Sequence[VidhoiFrame]) -> bool:
    return all(
        {tuple(box) for box in frame.found.boxes_xyxy_px.tolist()}
        <= {tuple(box) for box in frame.true.boxes_xyxy_px.tolist()}
        for frame in frames
    )


def vidhoi_report(
    results: Mapping[str, VidhoiResult], settings: Mapping[str, str], *, k: int, threshold: float,
    notes: Sequence[str] = (),
) -> Report:  # fmt: skip
    """One row a result; ``notes`` come first among the report's."""
    persons = {name: asdict(result.persons) for name, result in results.items()}
    tables = (
        table_of("Mean average precision (%)", "result", {name: result.means() for name, result in results.items()}),
        table_of(f"Person-wise top {k}, interaction score >= {threshold:g} (%)", "result", persons),
        ReportTable("Frames", ("result", "mode", "frames"), tuple(
            (name, _mode(result), str(result.frames)) for name, result in results.items()
        )),
    )  # fmt: skip
    return Report(
        title="VidHOI",
        settings=settings,
        tables=tables,
        plots=(_plot(results),),
        notes=(*notes, *(_note(name, result) for name, result in results.items())),
        record={"results": {name: _record(result) for name, result in results.items()}},
    )


def _mode(result: VidhoiResult) -> str:
    return "oracle" if result.oracle else "detection"


def _plot(results: Mapping[str, VidhoiResult]) -> Plot:
    full = tuple((float(place), result.scores.mean()) for place, result in enumerate(results.values()))
    recall = tuple((float(place), result.persons.recall) for place, result in enumerate(results.values()))
    series = [Series(name, tuple((x, y) for x, y in points if y == y))  # nan is not equal to itself
              for name, points in (("mAP", full), ("person-wise recall", recall))]  # fmt: skip
    return Plot("By result", "result", "share", tuple(series), kind="bars", names=tuple(results))


def _note(name: str, result: VidhoiResult) -> str:
    left = int((result.scores.matches.outcomes < 0).sum())
    twice = int((result.as_released.matches.outcomes == 1).sum() - (result.scores.matches.outcomes == 1).sum())
    return (
        f"{name}: triplets in frames without annotation, left out as in the public metric: {left}; second predictions "
        f"of an annotation, wrong here and right in the public metric: {twice} "
        f"(mAP {percent(result.scores.mean())} here, {percent(result.as_released.mean())} there)"
    )


def _record(result: VidhoiResult) -> dict[str, Any]:
    return {
        "mode": _mode(result),
        "frames": result.frames,
        "mean_average_precision": result.means(),
        "person_wise": asdict(result.persons),
        "average_precision": result.named(),
    }

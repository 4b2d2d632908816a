"""V-COCO's scores as a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from videohoi.evaluate.report import Plot, Report, ReportTable, Series, percent
from videohoi.evaluate.vcoco import SCENARIOS, VcocoPredictions, VcocoScores, VcocoTruth


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

"""``videohoi eval hico --split uc``: the five UC folds of one pass, with mean and deviation, as papers report UC."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from videohoi.evaluate.hico.scoring import HicoScores
from videohoi.evaluate.report import Report, table_of
from videohoi.vocabulary.splits import UC_FOLDS, hico_split

UC = "uc"


def is_uc(split: str | None) -> bool:
    """UC as a whole was asked for, not one of its folds."""
    return split is not None and split.strip().lower() == UC


def with_folds(report: Report, scores: HicoScores) -> Report:
    """The report with one row a fold: mean average precision of unseen and seen classes in each mode."""
    folds = {name: hico_split(name).seen for name in UC_FOLDS}
    values = {
        name: {
            f"{mode}, {group}": scores.mean(mode, mask)
            for mode in scores.modes
            for group, mask in (("unseen", ~seen), ("seen", seen))
        }
        for name, seen in folds.items()
    }
    columns = {column: np.array([row[column] for row in values.values()]) for column in values[UC_FOLDS[0]]}
    spread = {
        "mean": {column: float(found.mean()) for column, found in columns.items()},
        "standard deviation": {column: float(found.std()) for column, found in columns.items()},
    }
    table = table_of("Unseen and seen classes of the UC folds (%)", "fold", values | spread)
    return replace(
        report,
        settings={**report.settings, "split": f"{UC}, mean over {', '.join(UC_FOLDS)}"},
        tables=(report.tables[0], table, *report.tables[1:]),
        record={**report.record, "uc_folds": values | spread},
    )

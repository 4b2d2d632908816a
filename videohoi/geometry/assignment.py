"""Optimal one-to-one assignment with a limit on the cost of a pair: the compiled form, or its scipy twin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from videohoi.errors import UsageError
from videohoi.geometry._assignment_kernels import assign_kernel
from videohoi.structures.checks import require_shape


def assign(
    costs: NDArray[np.floating[Any]], *, cost_limit: float, compiled: bool = True
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(N,) column of each row and (M,) row of each column of ``costs`` (N, M); -1 for what stays alone.

    Minimises the sum over pairs of (cost - ``cost_limit``): staying alone costs half the limit on either side, so no
    pair at or above the limit is made, and a pair may be given up for two better ones. This is the problem
    ``lap.lapjv(costs, extend_cost=True, cost_limit=...)`` states on its extended matrix (limit / 2 for a dummy, 0
    between dummies); the total is the same to rounding. Where several assignments share the least total, which of them
    comes out is this function's own affair (always the same for the same input), as it is lapjv's and scipy's. A pair
    exactly at the limit gains nothing and is not made; lapjv may make it.

    +inf forbids a pair. ``UsageError`` on NaN or -inf in ``costs`` and on a limit that is not finite; ``ValueError`` on
    another shape. ``compiled`` False takes the scipy twin.
    """
    require_shape("assign", "costs", costs, (None, None))
    if not np.isfinite(cost_limit):
        raise UsageError(f"cost_limit must be a finite number, got {cost_limit}")
    values = np.ascontiguousarray(costs, dtype=np.float64)
    if not (values > -np.inf).all():
        raise UsageError("costs must be finite or +inf for a forbidden pair, got NaN or -inf")
    solve = assign_kernel if compiled else assign_scipy
    return solve(values, float(cost_limit))


def assign_scipy(costs: NDArray[np.float64], cost_limit: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Twin of the kernel: the greatest sum of max(limit - cost, 0), then without the pairs that gain nothing."""
    column_of_row = np.full(costs.shape[0], -1, np.int64)
    row_of_column = np.full(costs.shape[1], -1, np.int64)
    gains = np.maximum(cost_limit - costs, 0.0)
    rows, columns = linear_sum_assignment(gains, maximize=True)
    real = gains[rows, columns] > 0.0
    column_of_row[rows[real]] = columns[real]
    row_of_column[columns[real]] = rows[real]
    return column_of_row, row_of_column


def warm_up() -> None:
    """Compile (or load from the cache), so that the first frame does not wait for it."""
    assign(np.array([[0.0, 1.0], [0.0, 1.0]]), cost_limit=2.0)

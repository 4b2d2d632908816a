"""From filtered scores to states that begin and end.

A verb begins at ``on_threshold`` and goes on down to ``off_threshold``. It begins no earlier than the first frame that
saw both boxes, and ends no later than ``hold_occluded_seconds`` after the last one. It is announced once the pair was
seen for ``confirm_seconds`` since its begin (where results wait until they are final, for ``min_seconds`` as well, so
that nothing is taken back). It ends once it was seen to be off for longer than ``bridge_seconds``, or the pair was not
seen at all for longer than ``hold_unseen_seconds``.

A state is reported under the object class that its pair had when it began. When the class of the track changes, what
was reported under the old one ends, and a verb that goes with the new class begins again under it. What has not been
reported yet is renamed instead, or dropped where the verb does not go with the new class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from videohoi.smooth.config import SmoothingConfig
from videohoi.smooth.pair_table import OFF, ON, PENDING, ROUNDING_SECONDS, PairTable
from videohoi.smooth.scoring import PairScores
from videohoi.structures import Phase

PHASE_ORDER = (Phase.BEGIN, Phase.RETRACT, Phase.END, Phase.UPDATE)

Rows = NDArray[np.int64]


class Decision(NamedTuple):
    """What was decided about one verb of one pair."""

    row: int
    """of the pair table"""
    verb: int
    phase: Phase
    class_id: int
    """the object class it is reported under"""
    begin_seconds: float
    last_on_seconds: float
    peak_score: float
    mean_score: float


@dataclass(frozen=True)
class Step:
    """One frame's scores for all pairs."""

    pts_seconds: float
    scores: PairScores
    observed: NDArray[np.bool_]
    """(R,) both boxes were seen in this frame"""
    may_go_on: NDArray[np.bool_]
    """(R,) both were seen in this frame or up to ``hold_occluded_seconds`` before it ..."""
    may_begin: NDArray[np.bool_]
    """(R,) ... and are seen in it or in a later frame that is known"""


class Decider:
    """Moves the states of a pair table from frame to frame."""

    def __init__(self, table: PairTable, allowed: NDArray[np.bool_], config: SmoothingConfig, *, final: bool) -> None:
        """``allowed`` (O, V): verbs that go with an object class; ``final``: nothing announced may be taken back."""
        self._table = table
        self._allowed = allowed
        self._config = config
        self._final = final

    def advance(self, step: Step) -> list[Decision]:
        """Decisions at one frame: what a new class ended, then of each pair, by its ids, begins, ends and updates."""
        table, used = self._table, self._table.used
        ended = self._rename(step)
        busy = table.phase[:used].any(axis=1)
        rising = step.may_begin & (step.scores.values.max(axis=1) >= self._config.on_threshold)
        rows = np.flatnonzero(busy | rising)
        if not len(rows):
            return ended
        self._raise(rows[step.may_go_on[rows]], step)
        decisions = [*self._announce(rows, step), *self._finish(rows, step), *self._refresh(rows, step)]
        return [*ended, *sorted(decisions, key=lambda d: (*table.key_of(d.row), PHASE_ORDER.index(d.phase), d.verb))]

    def close(self) -> list[Decision]:
        """End whatever is on (end of the stream, gap) and drop what is pending."""
        rows = self._table.rows()
        return self._over(rows, np.ones((len(rows), self._table.verb_count), np.bool_)) if len(rows) else []

    def undecided_after(self) -> tuple[float, float]:
        """Times from which frames wait: from the first on for a begin, after the second for an end; else infinite."""
        table, used = self._table, self._table.used
        phase = table.phase[:used]
        pending, on = table.begin[:used][phase == PENDING], table.last_on[:used][phase == ON]
        return float(pending.min(initial=np.inf)), float(on.min(initial=np.inf))

    def settle(self, pts_seconds: float) -> list[Decision]:
        """Decide now what the frame at ``pts_seconds`` shows: what is open there and may not hold does not."""
        table, rows = self._table, self._table.rows()
        phase = table.phase[rows]
        open_begins = (phase == PENDING) & (table.begin[rows] <= pts_seconds)
        return self._over(rows, open_begins | ((phase == ON) & (table.last_on[rows] < pts_seconds)))

    def _raise(self, rows: Rows, step: Step) -> None:
        """Move verbs OFF -> PENDING, drop PENDING ones that fell, and account the score of those that hold."""
        if not len(rows):
            return
        table, config, pts = self._table, self._config, step.pts_seconds
        phase, score = table.phase[rows], step.scores.values[rows]
        holds = score >= np.where(phase == OFF, config.on_threshold, config.off_threshold)
        starts = holds & (phase == OFF) & step.may_begin[rows, None]
        holds &= starts | (phase != OFF)
        room = config.max_verbs_per_pair - (phase != OFF).sum(axis=1)
        for place in np.flatnonzero(starts.sum(axis=1) > np.maximum(room, 0)).tolist():
            best = np.argsort(-np.where(starts[place], score[place], -1.0), kind="stable")
            too_many = best[max(int(room[place]), 0) :]
            holds[place, too_many] &= ~starts[place, too_many]
            starts[place, too_many] = False
        phase[starts] = PENDING
        phase[(phase == PENDING) & ~holds] = OFF
        table.phase[rows] = phase
        observed = np.broadcast_to(table.observed_seconds[rows, None], starts.shape)
        self._start(rows, starts, pts)
        for name, values in (("last_on", np.float64(pts)), ("last_on_observed", observed)):
            getattr(table, name)[rows] = np.where(holds, values, getattr(table, name)[rows])
        table.peak[rows] = np.where(holds, np.maximum(table.peak[rows], score), table.peak[rows])
        table.score_sum[rows] += np.where(holds, score, 0.0)
        table.score_count[rows] += holds

    def _start(self, rows: Rows, starts: NDArray[np.bool_], pts_seconds: float) -> None:
        if not starts.any():
            return
        table = self._table
        places, verbs = np.nonzero(starts)
        at = (rows[places], verbs)
        table.begin[at] = pts_seconds
        table.begin_observed[at] = table.observed_seconds[rows[places]]
        table.peak[at] = 0.0
        table.score_sum[at] = 0.0
        table.score_count[at] = 0
        table.is_reported[at] = False
        table.reported_class_ids[rows[places]] = table.class_ids[rows[places]]

    def _seen_seconds(self, rows: Rows) -> NDArray[np.float64]:
        """(n, V) how long the pair was seen from the begin of a state to its newest frame."""
        result: NDArray[np.float64] = self._table.last_on_observed[rows] - self._table.begin_observed[rows]
        return result + ROUNDING_SECONDS

    def _announce(self, rows: Rows, step: Step) -> list[Decision]:
        table, config = self._table, self._config
        needed = max(config.confirm_seconds, config.min_seconds) if self._final else config.confirm_seconds
        ready = (table.phase[rows] == PENDING) & (self._seen_seconds(rows) >= needed)
        at = _places(rows, ready)
        table.phase[at] = ON
        table.last_update[at] = step.pts_seconds
        table.is_reported[at] = not self._final
        return self._decisions(at, Phase.BEGIN)

    def _finish(self, rows: Rows, step: Step) -> list[Decision]:
        table, config = self._table, self._config
        hidden = step.pts_seconds - table.last_observed[rows] > config.hold_unseen_seconds + ROUNDING_SECONDS
        seen_off = table.observed_seconds[rows, None] - table.last_on_observed[rows]
        return self._over(rows, hidden[:, None] | (seen_off > config.bridge_seconds + ROUNDING_SECONDS))

    def _over(self, rows: Rows, over: NDArray[np.bool_]) -> list[Decision]:
        """End the states of ``rows`` (n,) that are ``over`` (n, V); too short ones are taken back."""
        table, phase = self._table, self._table.phase[rows]
        is_short = self._seen_seconds(rows) < self._config.min_seconds
        ended = self._decisions(_places(rows, over & (phase == ON) & ~is_short), Phase.END)
        ended += self._decisions(_places(rows, over & (phase == ON) & is_short), Phase.RETRACT)
        table.phase[rows] = np.where(over, OFF, phase)
        return ended

    def _refresh(self, rows: Rows, step: Step) -> list[Decision]:
        table = self._table
        due = step.pts_seconds - table.last_update[rows] >= self._config.update_seconds
        at = _places(rows, due & (table.phase[rows] == ON))
        table.last_update[at] = step.pts_seconds
        return self._decisions(at, Phase.UPDATE)

    def _rename(self, step: Step) -> list[Decision]:
        """Let the states of pairs whose object changed its class follow."""
        table, used = self._table, self._table.used
        open_states = table.phase[:used].any(axis=1)
        changed = step.observed & open_states & (table.reported_class_ids[:used] != table.class_ids[:used])
        return [decision for row in np.flatnonzero(changed).tolist() for decision in self._renamed(row, step)]

    def _renamed(self, row: int, step: Step) -> list[Decision]:
        table, one = self._table, np.array([row])
        is_open, is_valid = table.phase[row] != OFF, self._allowed[table.class_ids[row]]
        if (table.is_reported[row] & is_open).any():
            goes_on = is_open & is_valid & (step.scores.values[row] >= self._config.off_threshold)
            ended = self._over(one, is_open[None])
            table.phase[row, goes_on] = PENDING
            self._start(one, goes_on[None], step.pts_seconds)
        else:
            ended = self._decisions(_places(one, (is_open & ~is_valid & (table.phase[row] == ON))[None]), Phase.RETRACT)
            table.phase[row, ~is_valid] = OFF
        table.reported_class_ids[row] = table.class_ids[row]
        return ended

    def _decisions(self, at: tuple[Rows, Rows], phase: Phase) -> list[Decision]:
        table = self._table
        return [
            Decision(
                row, verb, phase, int(table.reported_class_ids[row]), float(table.begin[row, verb]),
                float(table.last_on[row, verb]), float(table.peak[row, verb]), table.mean_score(row, verb),
            )
            for row, verb in zip(at[0].tolist(), at[1].tolist(), strict=True)
        ]  # fmt: skip


def _places(rows: Rows, chosen: NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """Rows and verbs of the ``chosen`` (n, V) states of ``rows`` (n,)."""
    places, verbs = np.nonzero(chosen)
    return rows[places], verbs

"""The smoothing stage: tracked pairs with per-frame verb scores in, interactions with begin and end out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from videohoi.names import counted
from videohoi.smooth.config import REACH_TAUS, SmoothingConfig
from videohoi.smooth.decisions import Decider, Step
from videohoi.smooth.impacts import ImpactFinder
from videohoi.smooth.motion import TrackBoxes, Vector, camera_velocity
from videohoi.smooth.pair_table import PairTable
from videohoi.smooth.reports import HELD_BYTES, Decided, FinalReport, LiveReport, pairs_at
from videohoi.smooth.scoring import Exclusion, Moment, PairScorer
from videohoi.smooth.spans import EventWriter
from videohoi.structures import Frame, FrameResult, GapReason, InteractionEvent, SourceInfo
from videohoi.vocabulary import Vocabulary

SILENCE_SECONDS = 3.0
"""a source that delivers nothing for longer is silent: what was on is ended, nothing is carried across ..."""
SILENCE_STEPS = 4.0
"""... if this is also so many times its usual step: a time-lapse of a frame every 5 s is not silent"""

MEMORY_STEPS = 2.5
"""two frames are remembered, however far apart they are"""


def smoothing_off(config: SmoothingConfig) -> SmoothingConfig:
    """The same thresholds applied to each frame on its own: the reference for flips per minute."""
    return replace(
        config, enabled=False, filter="none", lookahead_seconds=0.0, off_threshold=config.on_threshold,
        confirm_seconds=0.0, min_seconds=0.0, bridge_seconds=0.0, hold_unseen_seconds=0.0,
        hold_occluded_seconds=0.0,
    )  # fmt: skip


class InteractionSmoother:
    """Filters verb scores per pair of tracks, weighs motion, decides begin and end. One source; not thread-safe.

    Every frame leaves exactly once and in order.

    **Without look-ahead** (``lookahead_seconds`` 0, live) a frame leaves at once, with the current state. A state is
    announced some time after it began, ends some time after it last held, and may be retracted. At the end of a source
    no frame is left to carry the ends of what is on: a consumer of the events ends it at the last time it held.

    **With look-ahead** (offline) a frame leaves when everything it shows is final:

    - ``active`` of a frame at time t marks exactly the interactions whose final segment has begin <= t <= end, under
      the object class of that segment, moments such as kicks included.
    - The ``begin`` event goes with the first frame of the segment. The ``end`` event goes with the first frame after
      the segment, or with the last frame before a gap or the end of the source. Nothing is retracted.
    - A state begins no earlier than the first frame that saw both boxes, and ends no later than
      ``hold_occluded_seconds`` after the last one.

    A frame waits ``lookahead_seconds``, and at most ``max(confirm, min, bridge, hold_unseen)`` seconds more while a
    state that may cover it is undecided. Pictures of more than ``reports.HELD_BYTES`` do not wait: what is undecided at
    the oldest is then decided as not on. ``drain`` returns the rest.

    A silence of the source, a clock that runs backwards, or a frame that does not continue the one before it (a scene
    cut, another picture size) ends what was on, and a ``gap`` event (ids -1, from the last time before it to the first
    one after it, with its reason) precedes the events of the frame that follows.
    """

    name = "smooth"

    def __init__(self, vocabulary: Vocabulary, config: SmoothingConfig) -> None:
        self.vocabulary = vocabulary
        self._asked = config if config.enabled else smoothing_off(config)
        self._writer = EventWriter(vocabulary)
        self._exclusion = Exclusion(vocabulary.objects, vocabulary.verbs)
        self._final: FinalReport | None = None
        self._decided_early = 0
        self._configure(None)

    def _configure(self, frame_rate_hz: float | None) -> None:
        step = 1 / frame_rate_hz if frame_rate_hz else 0.0
        self.config = self._asked.for_frame_step(step)
        self._first_step_seconds = step or None
        self._scorer = PairScorer(self.vocabulary, self.config)
        self.reset()

    def open(self, info: SourceInfo) -> None:
        """Start a source."""
        self._configure(info.frame_rate_hz)
        self._decided_early = 0

    def reset(self) -> None:
        """Forget all pairs; ids go on."""
        config = self.config
        self._decided_early += self._final.cut_short if self._final else 0
        self._waiting: deque[FrameResult] = deque()
        self._tracks = TrackBoxes()
        self._table = PairTable(len(self.vocabulary.verbs))
        self._impacts = ImpactFinder(self.vocabulary, config.impact)
        is_final = config.lookahead_seconds > 0
        self._decider = Decider(self._table, self._scorer.allowed, config, final=is_final)
        self._live = LiveReport(self._table, self._writer, config)
        self._final = FinalReport(self._table, self._writer, config, self._decider) if is_final else None
        self._newest_seconds = -np.inf
        self._usual_step_seconds = self._first_step_seconds
        self._last_seconds: float | None = None
        self._pending_events: list[InteractionEvent] = []  # sent with the next frame, before its own events

    def process(self, item: FrameResult) -> Iterator[FrameResult]:
        """Take a frame; yields the frames that can leave now."""
        pts = item.frame.pts_seconds
        step, reason = pts - self._newest_seconds, self._gap_before(item.frame)
        if reason is not None:
            yield from self._break_off(item.frame, reason)
        if 0 < step < np.inf:
            self._usual_step_seconds = step
        self._take(item)
        while self._waiting and self._waiting[0].frame.pts_seconds <= pts - self.config.lookahead_seconds + 1e-9:
            decided, rows = self._decide(self._waiting.popleft())
            if self._final is None:
                yield self._live.report(decided, rows)
            else:
                self._final.take(decided)
        if self._final is not None:
            yield from self._final.ready()

    def drain(self) -> Iterator[FrameResult]:
        """The frames still held; the last one carries the ends of everything still on."""
        if self._final is not None:
            while self._waiting:
                self._final.take(self._decide(self._waiting.popleft())[0])
            yield from self._final.rest(self._decider.close(), float(self._newest_seconds))
        self.reset()

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the run report."""
        early = self._decided_early + (self._final.cut_short if self._final else 0)
        held = f"the frames that waited took {HELD_BYTES // 2**20} MB"
        if not early:
            return ()
        verb = "was" if early == 1 else "were"
        return (f"smooth: {counted(early, 'frame')} {verb} decided before all states were final, because {held}",)

    def close(self) -> None:
        """Nothing to free."""

    def _gap_before(self, frame: Frame) -> GapReason | None:
        step = frame.pts_seconds - self._newest_seconds  # infinite for the first frame, which follows nothing
        if step == np.inf:
            return None
        if frame.discontinuity is not None:
            return GapReason(frame.discontinuity.value)
        if step < 0:
            return GapReason.CLOCK
        usual = self._usual_step_seconds or 0.0
        return GapReason.SILENCE if step > max(SILENCE_SECONDS, SILENCE_STEPS * usual) else None

    def _break_off(self, frame: Frame, reason: GapReason) -> Iterator[FrameResult]:
        """Yield the frames before a gap; events that none of them can carry go with ``frame``, the one after it."""
        last_seconds = float(self._newest_seconds)
        ends = [] if self._final is not None else self._live.close(self._decider.close(), frame, last_seconds)
        yield from self.drain()
        self._pending_events = [*ends, self._writer.gap(frame, last_seconds, reason)]

    def _take(self, item: FrameResult) -> None:
        self._tracks.push(item)
        keep_seconds = max(self.config.memory_seconds, MEMORY_STEPS * (self._usual_step_seconds or 0.0))
        self._table.observe(item, keep_seconds)
        self._waiting.append(item)
        self._newest_seconds = item.frame.pts_seconds

    def _decide(self, item: FrameResult) -> tuple[Decided, NDArray[np.int64]]:
        """A frame with what is decided at it, and the table's rows of its pairs."""
        table, pts = self._table, item.frame.pts_seconds
        dt = 0.0 if self._last_seconds is None else pts - self._last_seconds
        self._last_seconds = pts
        rows, observed = table.rows(), table.observed_in(item)
        table.note_observed(observed, pts, dt)
        newest = float(self._newest_seconds)
        moments = self._impacts.find(table, rows, self._tracks, newest) if self.config.enabled else []
        scores = self._scorer.score(table, self._tracks, Moment(pts, dt, self._camera(item, pts)))
        if self.config.enabled:
            self._exclusion.apply(table, rows, scores)
        may_go_on = table.was_observed_since(pts - self.config.hold_occluded_seconds)
        step = Step(pts, scores, observed, may_go_on, may_go_on & (table.last_seen_seconds[: table.used] >= pts))
        decisions = self._decider.advance(step)
        gaps, self._pending_events = tuple(self._pending_events), []
        decided = Decided(item, pairs_at(table, rows, step), decisions, moments, newest, gaps)
        self._expire(pts)
        return decided, rows

    def _camera(self, item: FrameResult, pts: float) -> Vector:
        half = self.config.motion.window_seconds / 2
        ids = item.tracks.track_ids
        columns, window = self._tracks.columns_of(ids[ids >= 0]), self._tracks.window(pts - half, pts + half)
        return camera_velocity(window.velocities[columns[window.moving[columns]]])

    def _expire(self, pts: float) -> None:
        """Forget what can matter no more: pairs long unseen, and boxes older than any window of a later frame."""
        config = self.config
        keep = config.hold_unseen_seconds + config.lookahead_seconds + 2 * REACH_TAUS * config.tau_seconds
        self._impacts.forget(self._table.expire(pts - keep))
        motion, impact = config.motion, config.impact
        window = max(motion.window_seconds, motion.low_seconds, 2 * impact.half_window_seconds)
        self._tracks.forget(pts - window)

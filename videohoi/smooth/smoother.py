"""The smoothing stage: tracked pairs with per-frame verb scores in, interactions with begin and end out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from videohoi.smooth.announcer import Announcer
from videohoi.smooth.config import BALL_LOOKALIKES, SmoothingConfig
from videohoi.smooth.exclusion import Exclusion
from videohoi.smooth.history import Histories
from videohoi.smooth.hysteresis import advance, close
from videohoi.smooth.impacts import Impact, ImpactPeaks, measure_impact
from videohoi.smooth.motion import camera_velocity
from videohoi.smooth.pair_table import ON, PairState
from videohoi.smooth.scoring import REACH_TAUS, Moment, PairScorer, PairScores
from videohoi.smooth.timed_rows import Vector
from videohoi.structures import Frame, FrameResult, GapReason, InteractionEvent, Phase, SourceInfo, TrackedInteractions
from videohoi.vocabulary import Vocabulary

DISCONTINUITY_SECONDS = 3.0
"""a longer silence of the source is a gap: what was on is ended, nothing is carried across"""


def smoothing_off(config: SmoothingConfig) -> SmoothingConfig:
    """The same thresholds applied to each frame on its own: the reference for flips per minute."""
    return replace(
        config, enabled=False, tau_seconds=1e-6, lookahead_seconds=0.0, off_threshold=config.on_threshold,
        confirm_seconds=0.0, min_seconds=0.0, bridge_seconds=0.0, hold_unseen_seconds=0.0,
    )  # fmt: skip


class InteractionSmoother:
    """Filters verb scores per pair of tracks, weighs motion, decides begin and end. One source; not thread-safe.

    Results leave ``lookahead_seconds`` of media time after they came in; ``drain`` returns the rest. Every frame leaves
    exactly once and in order. Where nothing waits (``lookahead_seconds`` 0) no frame is left at the end of a source to
    carry the ends of what is on: whoever folds the events ends it at the last time it is known to hold.

    A silence of the source, a clock that runs backwards, or a frame that does not continue the one before it (a scene
    cut, another picture size) ends what was on, and a ``gap`` event (ids -1, from the last time before it to the first
    one after it, with its reason) precedes the events of the frame that follows.
    """

    name = "smooth"

    def __init__(self, vocabulary: Vocabulary, config: SmoothingConfig) -> None:
        self.vocabulary = vocabulary
        self.config = config if config.enabled else smoothing_off(config)
        self._scorer = PairScorer(vocabulary, self.config)
        self._exclusion = Exclusion(vocabulary.objects, vocabulary.verbs)
        self._announcer = Announcer(vocabulary)
        self.reset()

    def open(self, info: SourceInfo) -> None:
        """Start a source."""
        self.reset()

    def reset(self) -> None:
        """Forget all pairs; ids go on."""
        self._waiting: deque[FrameResult] = deque()
        self._histories = Histories()
        self._pairs: dict[tuple[int, int], PairState] = {}
        self._newest_seconds = -np.inf
        self._last_seconds: float | None = None
        self._owed: list[InteractionEvent] = []  # sent with the next frame, before its own

    def process(self, item: FrameResult) -> Iterator[FrameResult]:
        """Take a frame; yields the frames that can be decided now."""
        pts = item.frame.pts_seconds
        reason = self._gap_before(item.frame)
        if reason is not None:
            yield from self._break_off(item.frame, reason)
        self._take(item)
        self._waiting.append(item)
        self._newest_seconds = pts
        while self._waiting and self._waiting[0].frame.pts_seconds <= pts - self.config.lookahead_seconds + 1e-9:
            yield self._decide(self._waiting.popleft(), last=False)

    def drain(self) -> Iterator[FrameResult]:
        """The frames still held; the last one carries the ends of everything still on."""
        while self._waiting:
            item = self._waiting.popleft()
            yield self._decide(item, last=not self._waiting)
        self.reset()

    def _gap_before(self, frame: Frame) -> GapReason | None:
        step = frame.pts_seconds - self._newest_seconds  # infinite for the first frame, which follows nothing
        if step == np.inf:
            return None
        if frame.discontinuity is not None:
            return GapReason(frame.discontinuity.value)
        if step < 0:
            return GapReason.CLOCK
        return GapReason.SILENCE if step > DISCONTINUITY_SECONDS else None

    def _break_off(self, frame: Frame, reason: GapReason) -> Iterator[FrameResult]:
        """The frames before a gap; what none of them can carry is owed to ``frame``, the one after it."""
        last_seconds = self._newest_seconds
        ends = [] if self._waiting else self._end_all(frame)
        yield from self.drain()
        self._owed = [*ends, self._announcer.gap(frame, last_seconds, reason)]

    def close(self) -> None:
        """Nothing to free."""

    # taking a frame in

    def _take(self, item: FrameResult) -> None:
        boxes = item.detections.boxes_xyxy_px.astype(np.float64)
        pts = item.frame.pts_seconds
        for row, track_id in enumerate(item.tracks.track_ids):
            if track_id >= 0:
                self._histories.push(int(track_id), pts, boxes[row])
        if item.pair_scores is not None:
            self._take_pairs(item, pts)

    def _take_pairs(self, item: FrameResult, pts: float) -> None:
        assert item.pair_scores is not None
        ids, classes = item.tracks.track_ids, item.tracks.class_ids
        pairs = item.pair_scores.pairs
        for row, (human, thing) in enumerate(zip(pairs.human_rows, pairs.object_rows, strict=True)):
            key = (int(ids[human]), int(ids[thing]))
            if min(key) < 0:
                continue
            pair = self._pairs.get(key)
            if pair is None:
                peaks = ImpactPeaks(self.config.impact)
                pair = PairState(*key, int(classes[thing]), len(self.vocabulary.verbs), peaks, first_seconds=pts)
                self._pairs[key] = pair
            pair.object_class_id = int(classes[thing])
            keep = 2 * REACH_TAUS * self.config.tau_seconds + self.config.lookahead_seconds + 1.0
            pair.push(pts, item.pair_scores.verb_scores[row], keep)

    # deciding a frame

    def _decide(self, item: FrameResult, *, last: bool) -> FrameResult:
        pts = item.frame.pts_seconds
        dt = 0.0 if self._last_seconds is None else pts - self._last_seconds
        self._last_seconds = pts
        camera = self._camera(item, pts)
        events, self._owed = self._owed, []
        pairs = [self._pairs[key] for key in sorted(self._pairs)]  # whatever the order of the rows
        if self.config.enabled:
            for pair in pairs:
                events.extend(self._impacts(pair, item.frame))
        scores = self._scorer.score(pairs, self._histories, Moment(pts, dt, camera))
        if self.config.enabled:
            self._exclusion.apply(pairs, scores)
        events.extend(self._advance(pairs, scores, item.frame))
        tracked = self._snapshot(pairs, scores, pts)
        if last:
            events.extend(self._end_all(item.frame))
        self._expire(pts)
        return replace(item, interactions=tracked, events=tuple(events))

    def _advance(self, pairs: list[PairState], scores: PairScores, frame: Frame) -> Iterator[InteractionEvent]:
        best = scores.values.max(axis=1, initial=0.0).tolist()
        for row, pair in enumerate(pairs):
            if best[row] < self.config.on_threshold and pair.idle:
                continue  # nothing holds and nothing begins
            score = scores.values[row] if scores.seen[row] else None
            for verb, phase in advance(pair, score, frame.pts_seconds, self.config, self._announcer.next_id):
                yield self._event(pair, verb, phase, frame)

    def _end_all(self, frame: Frame) -> list[InteractionEvent]:
        """Ends, at the last time it held, of everything that is on."""
        return [
            self._event(self._pairs[key], verb, phase, frame)
            for key in sorted(self._pairs)
            for verb, phase in close(self._pairs[key], self.config)
        ]

    def _camera(self, item: FrameResult, pts: float) -> Vector:
        half = self.config.motion.window_seconds / 2
        still = [
            self._histories.get(int(track)).velocity(pts - half, pts + half)
            for track in item.tracks.track_ids
            if track >= 0
        ]
        return camera_velocity([velocity for velocity in still if velocity is not None])

    def _event(self, pair: PairState, verb: int, phase: Phase, frame: Frame) -> InteractionEvent:
        return self._announcer.state(pair, verb, phase, frame, float(self._newest_seconds))

    # momentary verbs

    def _impacts(self, pair: PairState, frame: Frame) -> Iterator[InteractionEvent]:
        window = self.config.impact.half_window_seconds
        at = self._newest_seconds - window  # as soon as it can be known, which may be ahead of the frame decided now
        human, thing = self._histories.get(pair.human_id), self._histories.get(pair.object_id)
        impact = pair.peaks.update(measure_impact(human, thing, at, self.config.impact), at)
        named = None if impact is None else self._impact_verb(impact, pair)
        if impact is not None and impact.at_foot and not impact.slow_after:
            pair.kicked_seconds = impact.pts_seconds
        if impact is not None and named is not None and not self._is_dribbling(pair, impact):
            span, score = self.config.impact.half_span_seconds, impact.score(self.config.impact)
            decided = float(self._newest_seconds)
            yield from self._announcer.momentary(impact, named, pair, frame, decided, span, score)

    def _is_dribbling(self, pair: PairState, impact: Impact) -> bool:
        weak = impact.at_foot and impact.score(self.config.impact) < self.config.impact.dribble_score
        return weak and bool((pair.phase[self._scorer.dribble] == ON).any())

    def _impact_verb(self, impact: Impact, pair: PairState) -> tuple[str, str] | None:
        """Verb and object class of an impact, decided together: what is kicked and looks like a ball is one."""
        vocabulary = self.vocabulary
        thing = vocabulary.objects[pair.object_class_id]
        classes = (thing, "sports_ball") if thing in BALL_LOOKALIKES else (thing,)
        for verb in impact.verbs():
            for name in classes:
                known = verb in vocabulary.verbs and name in vocabulary.objects
                if known and vocabulary.valid[vocabulary.objects.index(name), vocabulary.verbs.index(verb)]:
                    return verb, name
        return None

    # what the frame shows, and what may be forgotten

    def _snapshot(self, pairs: list[PairState], scores: PairScores, pts: float) -> TrackedInteractions:
        if not pairs:
            return TrackedInteractions.empty(len(self.vocabulary.verbs))
        return TrackedInteractions(
            human_ids=np.array([pair.human_id for pair in pairs], np.int64),
            object_ids=np.array([pair.object_id for pair in pairs], np.int64),
            object_class_ids=np.array([pair.object_class_id for pair in pairs], np.int64),
            verb_scores=scores.values.astype(np.float32),
            observed=np.array([pair.seen_at(pts) for pair in pairs], np.bool_),
            active=np.stack([pair.phase for pair in pairs]) == ON,
            age_seconds=np.array([max(0.0, pts - pair.first_seconds) for pair in pairs], np.float32),
        )

    def _expire(self, pts: float) -> None:
        """Forget what can matter no more: pairs long unseen, and boxes older than any window of a later frame."""
        config = self.config
        keep = config.hold_unseen_seconds + config.lookahead_seconds + 2 * REACH_TAUS * config.tau_seconds
        gone = [key for key, pair in self._pairs.items() if pts - pair.last_seen_seconds > keep and pair.idle]
        for key in gone:
            del self._pairs[key]
        motion, impact = config.motion, config.impact
        window = max(motion.window_seconds, motion.low_seconds, 2 * impact.half_window_seconds)
        self._histories.forget(pts - window)

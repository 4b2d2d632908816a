"""The smoothing stage: tracked pairs with per-frame verb scores in, interactions with begin and end out."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from videohoi.smooth.config import (
    BALL_LOOKALIKES,
    CARRYING_VERBS,
    MOMENTARY_VERBS,
    PORTABLE_OBJECTS,
    SmoothingConfig,
)
from videohoi.smooth.exclusion import Exclusion
from videohoi.smooth.filters import interaction_scores, logit, sigmoid
from videohoi.smooth.history import Histories, Vector
from videohoi.smooth.hysteresis import advance, close
from videohoi.smooth.impacts import Impact, ImpactPeaks, measure_impact
from videohoi.smooth.motion import camera_velocity, pair_motion
from videohoi.smooth.pair_table import ON, PairState
from videohoi.structures import FrameResult, InteractionEvent, Phase, SourceInfo, TrackedInteractions
from videohoi.vocabulary import Vocabulary

REACH_TAUS = 3.0
"""samples farther than this many time constants weigh under 5 % and are left out"""
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

    Results leave ``lookahead_seconds`` of media time after they came in; ``drain`` returns the rest.
    """

    name = "smooth"

    def __init__(self, vocabulary: Vocabulary, config: SmoothingConfig) -> None:
        self.vocabulary = vocabulary
        self.config = config if config.enabled else smoothing_off(config)
        verbs = vocabulary.verbs
        self._carrying = np.array([verb in CARRYING_VERBS for verb in verbs])
        self._exclusion = Exclusion(vocabulary.objects, verbs)
        self._dribble = np.array([verb == "dribble" for verb in verbs])
        self._hold = np.array([verb == "hold" for verb in verbs])
        self._portable = np.array([name in PORTABLE_OBJECTS for name in vocabulary.objects])
        self._stateful = np.array([verb not in MOMENTARY_VERBS for verb in verbs]) & vocabulary.acting_verbs
        self._ids = itertools.count(1)
        self.reset()

    def open(self, info: SourceInfo) -> None:
        """Start a source."""
        self.reset()

    def reset(self) -> None:
        """Forget all pairs; ids go on."""
        window = max(self.config.motion.window_seconds, 2 * self.config.impact.half_window_seconds)
        self._waiting: deque[FrameResult] = deque()
        self._histories = Histories(window + self.config.lookahead_seconds + 0.5)
        self._pairs: dict[tuple[int, int], PairState] = {}
        self._newest_seconds = -np.inf
        self._last_seconds: float | None = None

    def process(self, item: FrameResult) -> Iterator[FrameResult]:
        """Take a frame; yields the frames that can be decided now."""
        pts = item.frame.pts_seconds
        if pts - self._newest_seconds > DISCONTINUITY_SECONDS and self._waiting:
            yield from self.drain()
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
        self._pairs.clear()
        self._histories.clear()
        self._last_seconds = None

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
        events: list[InteractionEvent] = []
        scores = {key: self._score(pair, item, pts, dt, camera, events) for key, pair in self._pairs.items()}
        if self.config.enabled:
            self._exclusion.apply(self._pairs, scores)
        for key, pair in self._pairs.items():
            decisions = advance(pair, scores[key], pts, self.config, lambda: next(self._ids))
            events.extend(self._event(pair, verb, phase, item) for verb, phase in decisions)
        if last:
            for pair in self._pairs.values():
                events.extend(self._event(pair, verb, phase, item) for verb, phase in close(pair, self.config))
        tracked = self._snapshot(scores, pts)
        self._expire(pts)
        self._histories.forget(tuple(i for i in item.tracks.ended_ids if not self._is_paired(i)))
        return replace(item, interactions=tracked, events=tuple(events))

    def _camera(self, item: FrameResult, pts: float) -> Vector:
        half = self.config.motion.window_seconds / 2
        still = [
            self._histories.get(int(track)).velocity(pts - half, pts + half)
            for track in item.tracks.track_ids
            if track >= 0
        ]
        return camera_velocity([velocity for velocity in still if velocity is not None])

    def _score(
        self, pair: PairState, item: FrameResult, pts: float, dt: float, camera: Vector, events: list[InteractionEvent]
    ) -> NDArray[np.float64] | None:
        config = self.config
        score = pair.filtered(pts, config.tau_seconds, max(REACH_TAUS * config.tau_seconds, 1e-6))
        allowed = self._stateful & self.vocabulary.valid[pair.object_class_id]
        if score is not None and config.enabled:
            events.extend(self._impacts(pair, item))
            score = self._weigh_motion(pair, score, pts, dt, camera)
        if score is not None:
            score = interaction_scores(np.where(allowed, score, 0.0), config.verb_contrast)
        return score

    def _weigh_motion(
        self, pair: PairState, score: NDArray[np.float64], pts: float, dt: float, camera: Vector
    ) -> NDArray[np.float64]:
        """Scores after motion has spoken for or against the carrying verbs of a portable thing."""
        if not self._portable[pair.object_class_id]:
            return score
        human, thing = self._histories.get(pair.human_id), self._histories.get(pair.object_id)
        config = self.config.motion
        motion = pair_motion(human, thing, pts, camera, config)
        kicked = abs(pts - pair.kicked_seconds) < config.kicked_seconds
        evidence = pair.memory.update(motion, dt, config, free=kicked)
        moved = np.where(self._carrying & (score > 0), sigmoid(logit(score) + evidence.logit), score)
        rolling = motion.object_sizes_per_second > config.moving_sizes_per_second or kicked
        moved = np.where(self._dribble & (score > 0), sigmoid(logit(score) + config.dribble_logits[rolling]), moved)
        return np.where(self._hold, np.maximum(moved, evidence.floor), moved)

    def _event(self, pair: PairState, verb: int, phase: Phase, item: FrameResult) -> InteractionEvent:
        decided = item.frame.pts_seconds if not np.isfinite(self._newest_seconds) else self._newest_seconds
        begin, end = float(pair.begin[verb]), float(pair.last_on[verb])
        spoken_of = end if phase in (Phase.END, Phase.RETRACT) else begin
        return InteractionEvent(
            interaction_id=int(pair.interaction[verb]),
            phase=phase,
            source_id=item.frame.source_id,
            frame_index=item.frame.index,
            decided_seconds=float(decided),
            human_id=pair.human_id,
            object_id=pair.object_id,
            object_class=self.vocabulary.objects[pair.object_class_id],
            verb=self.vocabulary.verbs[verb],
            begin_seconds=begin,
            end_seconds=end,
            peak_score=float(pair.peak[verb]),
            mean_score=float(pair.score_sum[verb] / max(pair.score_count[verb], 1)),
            delay_seconds=max(0.0, float(decided) - spoken_of),
            vocabulary_version=self.vocabulary.version,
        )

    # momentary verbs

    def _impacts(self, pair: PairState, item: FrameResult) -> Iterator[InteractionEvent]:
        window = self.config.impact.half_window_seconds
        at = self._newest_seconds - window  # as soon as it can be known, which may be ahead of the frame decided now
        human, thing = self._histories.get(pair.human_id), self._histories.get(pair.object_id)
        impact = pair.peaks.update(measure_impact(human, thing, at, self.config.impact), at)
        named = None if impact is None else self._impact_verb(impact, pair)
        if impact is not None and impact.at_foot and not impact.slow_after:
            pair.kicked_seconds = impact.pts_seconds
        if impact is not None and named is not None:
            yield from self._momentary(impact, *named, pair, item)

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

    def _momentary(
        self, impact: Impact, verb: str, object_class: str, pair: PairState, item: FrameResult
    ) -> Iterator[InteractionEvent]:
        span, score = self.config.impact.half_span_seconds, impact.score(self.config.impact)
        decided = float(self._newest_seconds)
        begin = InteractionEvent(
            interaction_id=next(self._ids),
            phase=Phase.BEGIN,
            source_id=item.frame.source_id,
            frame_index=item.frame.index,
            decided_seconds=decided,
            human_id=pair.human_id,
            object_id=pair.object_id,
            object_class=object_class,
            verb=verb,
            begin_seconds=max(0.0, impact.pts_seconds - span),
            end_seconds=impact.pts_seconds + span,
            peak_score=score,
            mean_score=score,
            delay_seconds=decided - impact.pts_seconds,
            vocabulary_version=self.vocabulary.version,
        )
        yield begin
        yield replace(begin, phase=Phase.END)

    # what the frame shows, and what may be forgotten

    def _snapshot(self, scores: dict[tuple[int, int], NDArray[np.float64] | None], pts: float) -> TrackedInteractions:
        verb_count = len(self.vocabulary.verbs)
        if not scores:
            return TrackedInteractions.empty(verb_count)
        pairs = [self._pairs[key] for key in scores]
        zero = np.zeros(verb_count)
        return TrackedInteractions(
            human_ids=np.array([pair.human_id for pair in pairs], np.int64),
            object_ids=np.array([pair.object_id for pair in pairs], np.int64),
            object_class_ids=np.array([pair.object_class_id for pair in pairs], np.int64),
            verb_scores=np.stack([zero if s is None else s for s in scores.values()]).astype(np.float32),
            observed=np.array([pair.seen_at(pts) for pair in pairs], np.bool_),
            active=np.stack([pair.phase == ON for pair in pairs]),
            age_seconds=np.array([pts - pair.first_seconds for pair in pairs], np.float32),
        )

    def _expire(self, pts: float) -> None:
        keep = (
            self.config.hold_unseen_seconds + self.config.lookahead_seconds + 2 * REACH_TAUS * self.config.tau_seconds
        )
        gone = [key for key, pair in self._pairs.items() if pair.idle and pts - pair.last_seen_seconds > keep]
        for key in gone:
            del self._pairs[key]

    def _is_paired(self, track_id: int) -> bool:
        return any(track_id in key for key in self._pairs)

"""Scenes for the smoothing stage: boxes and verb scores as functions of time, sampled into frames by hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from videohoi.smooth.config import MOMENTARY_VERBS, SmoothingConfig
from videohoi.smooth.smoother import InteractionSmoother
from videohoi.structures import (
    Detections,
    Frame,
    FrameResult,
    HumanObjectPairs,
    Interactions,
    Phase,
    Segment,
    SourceInfo,
    Tracks,
)
from videohoi.vocabulary import hico_det

WORDS = hico_det()
INFO = SourceInfo("scene", 1280, 720, 30.0, None, None)
PICTURE = np.zeros((1, 1, 3), np.uint8)
HUMAN_BOX = (100.0, 100.0, 200.0, 400.0)
LIVE = replace(SmoothingConfig(), lookahead_seconds=0.0)

Box = tuple[float, float, float, float]
BoxAt = Callable[[float], Box | None]
ScoresAt = Callable[[float], Mapping[str, float] | None]


@dataclass(frozen=True)
class Thing:
    """A track: its id, class name, and box at a time (None: not seen)."""

    track_id: int
    name: str
    box_at: BoxAt


@dataclass(frozen=True)
class Pair:
    """Scores by verb at a time (None: the pair is not scored)."""

    human_id: int
    object_id: int
    scores_at: ScoresAt


def still(box: Box = HUMAN_BOX) -> BoxAt:
    return lambda pts: box


def centred(x: float, y: float, side: float = 40.0) -> Box:
    return (x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def moved(box: Box, dx: float, dy: float = 0.0) -> Box:
    return (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)


def step(verb: str, level: float, begin: float, end: float, *breaks: tuple[float, float]) -> ScoresAt:
    """``level`` for begin <= t < end outside the breaks, else 0."""

    def scores(pts: float) -> Mapping[str, float]:
        inside = begin <= pts < end and not any(first <= pts < last for first, last in breaks)
        return {verb: level if inside else 0.0}

    return scores


def times(rate_hz: float, seconds: float) -> list[float]:
    return [index / rate_hz for index in range(round(rate_hz * seconds))]


def frames(at_seconds, things, pairs, order=None, ended=None) -> list[FrameResult]:
    """One FrameResult a time; ``order`` permutes the detection and pair rows of each frame."""
    return [
        _frame(index, pts, things, pairs, order, (ended or {}).get(index, ())) for index, pts in enumerate(at_seconds)
    ]


def _frame(index, pts, things, pairs, order, ended) -> FrameResult:
    seen = [thing for thing in things if thing.box_at(pts) is not None]
    scored = [pair for pair in pairs if pair.scores_at(pts) is not None]
    if order is not None:
        seen, scored = order(seen), order(scored)
    row_of = {thing.track_id: row for row, thing in enumerate(seen)}
    scored = [pair for pair in scored if pair.human_id in row_of and pair.object_id in row_of]
    classes = np.array([WORDS.object_id(thing.name) for thing in seen], np.int64)
    boxes = np.array([thing.box_at(pts) for thing in seen], np.float32).reshape(-1, 4)
    verb_scores = np.zeros((len(scored), len(WORDS.verbs)), np.float32)
    for row, pair in enumerate(scored):
        for verb, score in pair.scores_at(pts).items():
            verb_scores[row, WORDS.verb_id(verb)] = score
    rows = [
        np.array([row_of[track] for track in tracks], np.int64)
        for tracks in ([pair.human_id for pair in scored], [pair.object_id for pair in scored])
    ]
    return FrameResult(
        Frame(PICTURE, index, pts, INFO.source_id),
        Detections(boxes, np.full(len(seen), 0.9, np.float32), classes),
        Interactions(HumanObjectPairs(*rows), verb_scores),
        Tracks(np.array([thing.track_id for thing in seen], np.int64), classes, ended_ids=tuple(ended)),
    )


def opened(config: SmoothingConfig | None = None) -> InteractionSmoother:
    smoother = InteractionSmoother(WORDS, config or SmoothingConfig())
    smoother.open(INFO)
    return smoother


def smoothed(items, config: SmoothingConfig | None = None) -> list[FrameResult]:
    """Everything a freshly opened smoother makes of the frames, drained."""
    smoother = opened(config)
    results = [result for item in items for result in smoother.process(item)]
    return results + list(smoother.drain())


def events(results):
    return [event for result in results for event in result.events]


def segments(results) -> list[Segment]:
    """Finished interactions, by begin; folded here independently of the sinks."""
    return sorted(
        (
            Segment(
                e.source_id, e.human_id, e.verb, e.object_id, e.object_class, e.begin_seconds, e.end_seconds,
                e.mean_score, e.peak_score, "event" if e.verb in MOMENTARY_VERBS else "state",
            )
            for e in events(results)
            if e.phase is Phase.END
        ),
        key=lambda s: (s.begin_seconds, s.human_id, s.object_id, s.verb),
    )  # fmt: skip


def spans(results, verb: str) -> list[tuple[float, float]]:
    return [(s.begin_seconds, s.end_seconds) for s in segments(results) if s.verb == verb]


def ridden(scores_at: ScoresAt, thing: str = "skateboard") -> tuple[list[Thing], list[Pair]]:
    """A human on a board that scores as given, hidden where it has no score.

    "ride" is no carrying verb, so motion has no say.
    """

    def board(pts: float) -> Box | None:
        return None if scores_at(pts) is None else (90.0, 380.0, 210.0, 420.0)

    return [Thing(1, "person", still()), Thing(2, thing, board)], [Pair(1, 2, scores_at)]

"""Everything after the network, in one chain: fusion and top 100, triplet NMS, tracking, pair slots and smoothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Claim, Contestant, NotEqualError, Options, Row, interleave
from benchmarks.pair_fusion import LIMIT, numpy_rank
from benchmarks.scenes_post import RATE_HZ, VERBS, PairFrame, PairScores, boxes_of
from benchmarks.smoothing_slots import TAU_SECONDS, TOLERANCE, DictionaryAverage
from benchmarks.triplet_nms import numpy_nms
from videohoi.geometry.triplet_nms import Triplets, triplet_nms
from videohoi.interact.top_triplets import TripletRanker
from videohoi.smooth.pair_filters import PairFilters
from videohoi.smooth.slot_filters import ExponentialAverage
from videohoi.structures import Detections, SourceInfo
from videohoi.track.byte import ByteTracker
from videohoi.track.original import OriginalByteTracker
from videohoi.track.protocol import Tracker
from videohoi.vocabulary import hico_det

HUMANS, OBJECTS = 10, 20
"""a human is an object too: of twenty detections ten are humans"""
FRAMES, LIMIT_US = 60, 100.0
REFERENCE = "numpy and dictionaries"
INFO = SourceInfo("benchmark", 1920, 1080, RATE_HZ, None, None)

Ints = NDArray[np.int64]
Result = tuple[Ints, Ints, NDArray[np.float32]]
"""kept triplets (their rows of the ranking), track ids, smoothed scores (P, V)"""


@dataclass(frozen=True, repr=False)
class PostFrame:
    """What a network says of a frame."""

    detections: Detections
    """20, humans first"""
    scores: PairScores
    """10 x 20 x 117; a human with itself scores 0"""


def frames_of(count: int, seed: int = 0) -> list[PostFrame]:
    """Things that swing about their places; the last frame leads to the first again."""
    rng = np.random.default_rng(seed)
    places = boxes_of(OBJECTS, seed)
    kinds = np.concatenate([np.zeros(HUMANS, np.int64), rng.integers(1, 80, OBJECTS - HUMANS)])
    phases = rng.uniform(0, 2 * np.pi, (OBJECTS, 1))
    places[-1], kinds[-1], phases[-1] = places[-2] + 4.0, kinds[-2], phases[-2]  # one thing found twice
    itself = np.arange(HUMANS)
    frames = []
    for number in range(count):
        swing = 20.0 * np.sin(2 * np.pi * number / count + phases)
        found = rng.uniform(0.6, 1.0, OBJECTS).astype(np.float32)
        verbs = rng.random((HUMANS, OBJECTS, VERBS), dtype=np.float32)
        verbs[itself, itself] = 0.0
        boxes = (places + swing).astype(np.float32)
        frames.append(PostFrame(Detections(boxes, found, kinds), PairScores(found[:HUMANS], found, kinds, verbs)))
    return frames


class Chain:
    """One way through all four steps, frame after frame."""

    def __init__(self, frames: Sequence[PostFrame], tracker: Tracker) -> None:
        self._frames, self._tracker = frames, tracker
        tracker.open(INFO)
        self._count = 0
        self._out = np.empty((HUMANS * OBJECTS, VERBS), np.float32)
        self._human_of_pair = np.repeat(np.arange(HUMANS), OBJECTS)
        self._object_of_pair = np.tile(np.arange(OBJECTS), HUMANS)

    def step(self) -> Result:
        """The next frame."""
        frame, seconds = self._frames[self._count % len(self._frames)], self._count / RATE_HZ
        self._count += 1
        kept = self._triplets(frame)
        ids = self._tracker.update(frame.detections, seconds).track_ids
        scores = frame.scores.verbs.reshape(-1, VERBS)
        pairs = PairFrame(ids[self._human_of_pair], ids[self._object_of_pair], scores)
        return kept, ids, self._smoothed(pairs, seconds)

    def _triplets(self, frame: PostFrame) -> Ints:
        raise NotImplementedError

    def _smoothed(self, pairs: PairFrame, seconds: float) -> NDArray[np.float32]:
        raise NotImplementedError


class Ours(Chain):
    """The kernels."""

    def __init__(self, frames: Sequence[PostFrame], tracker: Tracker) -> None:
        super().__init__(frames, tracker)
        self._ranker = TripletRanker(hico_det().valid, limit=LIMIT)
        self._filters = PairFilters(ExponentialAverage(TAU_SECONDS), VERBS)

    def _triplets(self, frame: PostFrame) -> Ints:
        best, found = self._ranker.rank(*frame.scores.parts), frame.detections
        return triplet_nms(
            Triplets(found.boxes_xyxy_px, found.class_ids, best.human_rows, best.object_rows, best.verbs, best.scores)
        )

    def _smoothed(self, pairs: PairFrame, seconds: float) -> NDArray[np.float32]:
        return self._filters.update(pairs.human_ids, pairs.object_ids, pairs.scores, seconds, out=self._out)


class Plain(Chain):
    """numpy and dictionaries."""

    def __init__(self, frames: Sequence[PostFrame], tracker: Tracker) -> None:
        super().__init__(frames, tracker)
        self._valid = hico_det().valid
        self._average = DictionaryAverage()

    def _triplets(self, frame: PostFrame) -> Ints:
        places, scores = numpy_rank(frame.scores, self._valid)
        pairs, verbs = np.divmod(places, VERBS)
        humans, objects = np.divmod(pairs, OBJECTS)
        found = frame.detections
        triplets = Triplets(found.boxes_xyxy_px.astype(np.float64), found.class_ids, humans, objects, verbs, scores)
        return np.array(sorted(numpy_nms(triplets)), np.int64)

    def _smoothed(self, pairs: PairFrame, seconds: float) -> NDArray[np.float32]:
        return self._average.update(pairs, seconds, self._out)


Trackers = tuple[str, Callable[[], Tracker], Callable[[], Tracker]]
TRACKERS: tuple[Trackers, ...] = (
    ("ByteTracker", lambda: ByteTracker(compiled=True), lambda: ByteTracker(compiled=False)),
    (
        "OriginalByteTracker",
        lambda: OriginalByteTracker(compiled=True),
        lambda: OriginalByteTracker(compiled=False),
    ),
)
"""name, ours, the reference's"""


def compare(frames: Sequence[PostFrame], trackers: Trackers) -> str:
    """Triplets, ids and smoothed scores of every frame; ``NotEqualError`` where one differs."""
    ours, plain = Ours(frames, trackers[1]()), Plain(frames, trackers[2]())
    count = 0
    for number in range(len(frames)):
        (kept, ids, smoothed), (their_kept, their_ids, expected) = ours.step(), plain.step()
        if not np.array_equal(np.sort(kept), their_kept):
            raise NotEqualError(f"frame {number}: the kept triplets differ")
        if not np.array_equal(ids, their_ids):
            raise NotEqualError(f"frame {number}: the track ids differ")
        if not np.allclose(smoothed, expected, rtol=0, atol=TOLERANCE):
            raise NotEqualError(f"frame {number}: the smoothed scores differ")
        count += len(kept)
    return f"{count} triplets, the ids and smoothed scores of {len(frames)} frames"


def check(options: Options) -> str:
    """A few frames with both trackers."""
    return "; ".join(f"{trackers[0]}: {compare(frames_of(5), trackers)}" for trackers in TRACKERS)


def _row(trackers: Trackers, options: Options) -> Row:
    frames = frames_of(FRAMES)
    equality = compare(frames, trackers)
    ours, plain = Ours(frames, trackers[1]()), Plain(frames, trackers[2]())
    timings = interleave([Contestant("ours", ours.step), Contestant(REFERENCE, plain.step)], options.rounds)
    microseconds = timings[0].median_seconds * 1e6
    return Row(
        f"{HUMANS} humans x {OBJECTS} objects x {VERBS}, {trackers[0]}",
        equality,
        timings,
        figures={"us a frame": microseconds},
        met=microseconds <= LIMIT_US,
    )


def measure(options: Options) -> Sequence[Row]:
    """The chain with each of the trackers."""
    return [_row(trackers, options) for trackers in TRACKERS]


CLAIM = Claim(
    "post_stage",
    f"The compiled parts that can follow a one-stage network, called one after another at {HUMANS} humans, {OBJECTS} "
    f"objects and {VERBS} verbs (best {LIMIT} triplets, triplet NMS, tracking, pair slots, smoothing), take at most "
    f"{LIMIT_US:g} us a frame. The shipped pipelines smooth with motion evidence instead, which costs milliseconds; "
    "their reports say how many.",
    check,
    measure,
)

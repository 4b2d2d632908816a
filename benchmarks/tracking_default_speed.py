"""The default tracker against its numpy form and the trackers people use: equal answers first, then time a frame."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.harness import Claim, Contestant, NotEqualError, Options, Row, interleave
from benchmarks.scenes_tracking import FIXTURES, QUIRKS, SPEED, CrowdFrame, play
from benchmarks.tracking_peers import REFERENCE, Follower, Ours, find_peers

LIMITS_US = {10: 40.0, 20: 40.0}
"""most time a frame by number of persons, in a budget of 100 for all that follows a network"""
TOLERANCE_PX = 1e-6
LEAST_SECONDS = 0.2
"""a call of ours, a whole scene, takes a few milliseconds"""
PLAIN = functools.partial(Ours, compiled=False)


def compare(
    frames: Sequence[CrowdFrame], ours: Follower, theirs: Follower, name: str, tolerance_px: float = TOLERANCE_PX
) -> int:
    """Boxes compared; ``NotEqualError`` at the first frame whose ids or boxes differ."""
    count = 0
    for index, frame in enumerate(frames):
        ids, boxes = ours.step(frame.boxes, frame.scores)
        their_ids, their_boxes = theirs.step(frame.boxes, frame.scores)
        if not np.array_equal(ids, their_ids):
            raise NotEqualError(f"frame {index}: ids {ids.tolist()}, {name} {their_ids.tolist()}")
        worst = float(np.abs(boxes - their_boxes).max(initial=0.0))
        if worst > tolerance_px:
            raise NotEqualError(f"frame {index}: a box is {worst:.3g} px from {name}'s")
        count += len(ids)
    return count


def check(options: Options) -> str:
    """Ids and boxes on short scenes."""
    count = 0
    for crowd, frames in ((FIXTURES["10"], 100), (QUIRKS, 150), (FIXTURES["50"], 15)):
        count += compare(play(crowd)[:frames], Ours(), PLAIN(), REFERENCE, TOLERANCE_PX)
    return f"ids equal and {count} boxes within {TOLERANCE_PX:g} px of {REFERENCE}"


def _follow_all(make: Callable[[], Follower], frames: Sequence[CrowdFrame]) -> None:
    follower = make()
    for frame in frames:
        follower.step(frame.boxes, frame.scores)


def measure(options: Options) -> Sequence[Row]:
    """A row for each number of persons."""
    peers, absent = find_peers(options)
    makers: list[tuple[str, Callable[[], Follower]]] = [("ours", Ours), (REFERENCE, PLAIN)]
    makers += [(peer.name, peer.make) for peer in peers]
    return [_row(persons, makers, absent, options) for persons in SPEED]


def _row(
    persons: int, makers: Sequence[tuple[str, Callable[[], Follower]]], absent: tuple[str, ...], options: Options
) -> Row:
    frames = play(SPEED[persons])
    boxes = compare(frames, Ours(), PLAIN(), REFERENCE, TOLERANCE_PX)
    contestants = [Contestant(name, functools.partial(_follow_all, make, frames), len(frames)) for name, make in makers]
    timings = interleave(contestants, options.rounds, LEAST_SECONDS)
    microseconds, limit = timings[0].median_seconds * 1e6, LIMITS_US.get(persons)
    return Row(
        f"{persons} persons, {len(frames)} frames",
        f"{boxes} ids and boxes equal to {REFERENCE}; the others differ by design",
        timings,
        figures={"us a frame": microseconds},
        met=None if limit is None else microseconds <= limit,
        absent=absent,
    )


CLAIM = Claim(
    "tracking_default_speed",
    f"The default tracker takes at most {LIMITS_US[20]:g} us a frame with 20 persons, all of it (rows in, ids, classes "
    "and boxes out), with the ids and boxes of its plain numpy form.",
    check,
    measure,
)

"""The parity mode against BYTE's public code and its relatives: equal answers first, then microseconds a frame."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.harness import Claim, Contestant, NotEqualError, Options, Row, interleave
from benchmarks.scenes_tracking import FIXTURES, QUIRKS, SPEED, CrowdFrame, play
from benchmarks.tracking_peers import (
    BOXMOT_CPP,
    ORIGINAL,
    ORIGINAL_CPP,
    REFERENCE,
    Follower,
    OursParity,
    Peer,
    find_peers,
    original,
)

GOALS: dict[int, dict[str, float]] = {
    10: {ORIGINAL: 100.0, ORIGINAL_CPP: 6.0, BOXMOT_CPP: 6.0},
    20: {ORIGINAL: 100.0, ORIGINAL_CPP: 6.0, BOXMOT_CPP: 6.0},
    50: {ORIGINAL: 60.0, ORIGINAL_CPP: 6.0, BOXMOT_CPP: 6.0},
    200: {ORIGINAL: 50.0, ORIGINAL_CPP: 6.0, BOXMOT_CPP: 6.0},
}
"""least ratio by number of persons"""
TOLERANCE_PX = 1e-9
LEAST_SECONDS = 0.2
"""a call of ours, a whole scene, takes a few milliseconds"""


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


def _equal_peers(options: Options) -> list[Peer]:
    """Those whose answers must be ours."""
    peer = original(options)
    reference = Peer(REFERENCE, functools.partial(OursParity, compiled=False))
    return [reference] if isinstance(peer, str) else [reference, peer]


def check(options: Options) -> str:
    """Ids and boxes on short scenes."""
    count = 0
    peers = _equal_peers(options)
    for crowd, frames in ((FIXTURES["10"], 150), (QUIRKS, 250), (FIXTURES["50"], 30)):
        for peer in peers:
            count += compare(play(crowd)[:frames], OursParity(), peer.make(), peer.name)
    return f"ids equal and {count} boxes within {TOLERANCE_PX:g} px of {' and '.join(peer.name for peer in peers)}"


def _follow_all(make: Callable[[], Follower], frames: Sequence[CrowdFrame]) -> None:
    follower = make()
    for frame in frames:
        follower.step(frame.boxes, frame.scores)


def measure(options: Options) -> Sequence[Row]:
    """A row for each number of persons."""
    peers, absent = find_peers(options)
    return [_row(count, peers, absent, options) for count in SPEED]


def _row(persons: int, peers: Sequence[Peer], absent: tuple[str, ...], options: Options) -> Row:
    frames = play(SPEED[persons])
    equal = _equal_peers(options)
    boxes = [compare(frames, OursParity(), peer.make(), peer.name) for peer in equal]
    everyone = [Peer("ours", OursParity), equal[0], *peers]
    contestants = [
        Contestant(peer.name, functools.partial(_follow_all, peer.make, frames), len(frames)) for peer in everyone
    ]
    return Row(
        f"{persons} persons, {len(frames)} frames",
        f"{boxes[0]} ids and boxes equal to {' and '.join(peer.name for peer in equal)}; the others differ by design",
        interleave(contestants, options.rounds, LEAST_SECONDS),
        GOALS[persons],
        absent=absent,
    )


CLAIM = Claim(
    "tracking_parity_speed",
    'With `parity="original"` ids and boxes are those of BYTE\'s public code on every frame, at least 100 times as '
    "fast as it at up to 20 persons, 60 times at 50, 50 times at 200, and 6 times as fast as the fastest C++ form.",
    check,
    measure,
)

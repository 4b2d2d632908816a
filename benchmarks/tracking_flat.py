"""Does a tracker that runs for long get slower or larger? A hundred thousand frames, the same scene again and again."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Claim, NotEqualError, Options, Row
from benchmarks.scenes_tracking import Crowd, CrowdFrame, play
from benchmarks.tracking_peers import Follower, Ours, original

SCENE = Crowd(20, 2000, seed=8, width=1280, height=720, absence=0.01, false_alarms=2.0)
"""many births and deaths: about one a frame"""
FRAMES = 100_000
ORIGINAL_FRAMES = 10_000
"""BYTE's public code gets slower on the way; this is long enough to see by how much"""
SLOPE_LIMIT = 0.01
"""greatest rise of the time a frame in 10,000 frames, as a share"""
MEMORY_LIMIT_MB = 0.05
"""greatest rise of the resident memory in 10,000 frames"""
_MB = 1024.0 * 1024.0


def resident_mb() -> float:
    """Resident memory of this process now (Linux), elsewhere its greatest so far."""
    statm = Path("/proc/self/statm")
    if statm.is_file():
        return int(statm.read_text(encoding="ascii").split()[1]) * resource.getpagesize() / _MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def _blocks(follower: Follower, frames: Sequence[CrowdFrame], count: int) -> tuple[NDArray[np.float64], float]:
    """Seconds a frame of each run through ``frames``, and MB gained per 10,000 frames after the first run."""
    seconds = []
    first_mb = 0.0
    for block in range(count):
        started = time.process_time()
        for frame in frames:
            follower.step(frame.boxes, frame.scores)
        seconds.append((time.process_time() - started) / len(frames))
        if block == 0:
            first_mb = resident_mb()
    gained = (resident_mb() - first_mb) / max((count - 1) * len(frames), 1) * 1e4
    return np.array(seconds), gained


def _slope(seconds: NDArray[np.float64], block_frames: int) -> float:
    """Rise in 10,000 frames as a share of the median: Theil-Sen, as one disturbed block must not decide."""
    places = np.arange(len(seconds)) * block_frames / 1e4
    one, other = np.triu_indices(len(seconds), 1)
    return float(np.median((seconds[other] - seconds[one]) / (places[other] - places[one])) / np.median(seconds))


def check(options: Options) -> str:
    """What is held after many runs of a scene is what was held after two."""
    frames = play(Crowd(8, 150, seed=9, width=900, height=500, absence=0.02, false_alarms=2.0))
    follower = Ours()
    held = []
    for _ in range(12):
        most = 0
        for frame in frames:
            follower.step(frame.boxes, frame.scores)
            most = max(most, follower.tracker.track_count)
        held.append(most)
    if max(held[2:]) > 1.5 * max(held[:2]):
        raise NotEqualError(f"tracks held grow with the runs: {held}")
    return f"at most {max(held)} tracks held over 12 runs of {len(frames)} frames"


def measure(options: Options) -> Sequence[Row]:
    """A row for each mode, BYTE's public code beside them where it can be run."""
    frames = play(SCENE)
    peer = original(options)
    rows = [_row("ours", Ours(), frames, FRAMES)]
    if isinstance(peer, str):
        return [_with_absent(rows[0], f"BYTETracker: {peer}")]
    seconds, gained = _blocks(peer.make(), frames, ORIGINAL_FRAMES // len(frames))
    figures = _figures(seconds, gained, len(frames))
    return [*rows, Row(f"BYTETracker, {ORIGINAL_FRAMES} frames", "the same scene", figures=figures)]


def _with_absent(row: Row, reason: str) -> Row:
    return Row(row.case, row.equality, figures=row.figures, met=row.met, absent=(reason,))


def _figures(seconds: NDArray[np.float64], gained: float, block_frames: int) -> dict[str, float]:
    return {
        "us a frame": float(np.median(seconds)) * 1e6,
        "rise of time in 10,000 frames, %": 100.0 * _slope(seconds, block_frames),
        "rise of memory in 10,000 frames, MB": gained,
    }


def _row(mode: str, follower: Follower, frames: Sequence[CrowdFrame], count: int) -> Row:
    seconds, gained = _blocks(follower, frames, count // len(frames))
    figures = _figures(seconds, gained, len(frames))
    met = _slope(seconds, len(frames)) <= SLOPE_LIMIT and gained <= MEMORY_LIMIT_MB
    return Row(f"{mode}, {count} frames", "the same scene each time", figures=figures, met=met)


CLAIM = Claim(
    "tracking_flat",
    "Over 100,000 frames neither the time a frame (1 % in 10,000 frames) nor the memory (0.05 MB) rises.",
    check,
    measure,
)

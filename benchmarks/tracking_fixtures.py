"""Writes the answers of BYTE's public code on our own scenes, which the tests of the parity mode compare with.

``python -m benchmarks.tracking_fixtures PEER_PATH FILE.npz``; needs the original's checkout and what it imports. For
each scene: how many tracks a frame has, their ids, and each box as one number (``mixed``), as four would be four times
as large and float64 does not compress.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Options
from benchmarks.scenes_tracking import FIXTURES, Crowd, play
from benchmarks.tracking_peers import Follower, original

MIX = np.sqrt(np.array([1.0, 2.0, 3.0, 5.0]))
"""weights without a common measure: no two corners' errors cancel but by accident"""


def mixed(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K,) one number for each box (K, 4)."""
    numbers: NDArray[np.float64] = (boxes * MIX).sum(axis=1)
    return numbers


def answers(crowd: Crowd, follower: Follower) -> dict[str, NDArray[np.generic]]:
    """What ``follower`` says of ``crowd``."""
    followed = [follower.step(frame.boxes, frame.scores) for frame in play(crowd)]
    return {
        "counts": np.array([len(ids) for ids, _ in followed], np.int16),
        "ids": np.concatenate([ids for ids, _ in followed]).astype(np.int16),
        "mixed": np.concatenate([mixed(boxes) for _, boxes in followed]),
    }


def main(peer_path: str, file: str) -> None:
    """Write all scenes' answers."""
    peer = original(Options(Path(peer_path)))
    if isinstance(peer, str):
        sys.exit(f"BYTE's public code cannot be run: {peer}")
    arrays = {
        f"{name}_{key}": values
        for name, crowd in FIXTURES.items()
        for key, values in answers(crowd, peer.make()).items()
    }
    with Path(file).open("wb") as target:
        np.savez_compressed(target, **arrays)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(*sys.argv[1:])

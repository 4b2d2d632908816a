"""HOTA, IDF1 and identity switches by TrackEval: our trackers and the others on the same detections."""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Claim, Options, Row
from benchmarks.old_checkouts import import_old
from benchmarks.scenes_mot import SEQUENCES, all_detections, sequence
from benchmarks.scenes_tracking import QUALITY, CrowdFrame, play
from benchmarks.tracking_peers import Follower, Ours, Peer, find_peers
from videohoi.geometry.boxes import pairwise_iou

OURS, PARITY = "ours", "ours, parity"
RIVALS = 0.0005
"""figures are compared as they are printed, to a tenth of a percent point"""


@functools.lru_cache(maxsize=2)
def load_trackeval(checkout: Path) -> tuple[types.ModuleType, ...]:
    """TrackEval's hota, identity and clear modules."""
    return tuple(import_old(checkout, [f"trackeval.metrics.{name}" for name in ("hota", "identity", "clear")]))


def follow(frames: Sequence[CrowdFrame], follower: Follower) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Ids and boxes of every frame."""
    return [follower.step(frame.boxes, frame.scores) for frame in frames]


def scores(
    frames: Sequence[CrowdFrame],
    followed: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]],
    metrics: Sequence[types.ModuleType],
) -> dict[str, float]:
    """HOTA and IDF1 in percent, and identity switches."""
    data = _trackeval_data(frames, followed)
    hota, identity, clear = metrics
    return {
        "HOTA": 100.0 * float(np.mean(hota.HOTA().eval_sequence(data)["HOTA"])),
        "IDF1": 100.0 * float(identity.Identity({"PRINT_CONFIG": False}).eval_sequence(data)["IDF1"]),
        "IDSW": float(clear.CLEAR({"PRINT_CONFIG": False}).eval_sequence(data)["IDSW"]),
    }


def _trackeval_data(
    frames: Sequence[CrowdFrame], followed: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]]
) -> dict[str, Any]:
    """The dictionary TrackEval's metrics take: ids counted from 0 and the IoU of every pair."""
    true_ids, true_count = _counted([frame.true_ids for frame in frames])
    ids, count = _counted([ids for ids, _ in followed])
    return {
        "num_timesteps": len(frames),
        "num_gt_ids": true_count,
        "num_tracker_ids": count,
        "num_gt_dets": sum(len(now) for now in true_ids),
        "num_tracker_dets": sum(len(now) for now in ids),
        "gt_ids": true_ids,
        "tracker_ids": ids,
        "similarity_scores": [
            pairwise_iou(frame.true_boxes, boxes) for frame, (_, boxes) in zip(frames, followed, strict=True)
        ],
    }


def _counted(lists: Sequence[NDArray[np.int64]]) -> tuple[list[NDArray[np.int64]], int]:
    names, places = np.unique(np.concatenate(lists), return_inverse=True)
    ends = np.cumsum([len(ids) for ids in lists])[:-1]
    return [part.astype(np.int64) for part in np.split(places.reshape(-1), ends)], len(names)


def check(options: Options) -> str:
    """The sequences at hand; trackers that differ by design have no equal answers."""
    sequences = all_detections(options)
    if not sequences:
        return "nothing to compare: no public sequence below the peer path"
    named = ", ".join(f"{name} {len(frames)}" for name, frames in sequences.items())
    return f"the same detections for every tracker ({named})"


def measure(options: Options) -> Sequence[Row]:
    """A row for each suite."""
    checkout = options.checkout("TrackEval")
    if checkout is None:
        return [Row("all", "", absent=("TrackEval: no checkout TrackEval below the peer path",))]
    compared = check(options)
    metrics = load_trackeval(checkout)
    peers, absent = find_peers(options)
    everyone = [Peer(OURS, Ours), *peers]
    suites: dict[str, Sequence[CrowdFrame] | str] = {
        f"crowd of {count}": play(crowd) for count, crowd in QUALITY.items()
    }
    suites |= {name: sequence(name, options) for name in SEQUENCES}
    rows = []
    for name, frames in suites.items():
        if isinstance(frames, str):
            rows.append(Row(name, "", absent=(f"{name}: {frames}",)))
            continue
        figures = {peer.name: scores(frames, follow(frames, peer.make()), metrics) for peer in everyone}
        rows.append(_row(name, compared, figures, absent))
    return rows


def _row(name: str, compared: str, figures: Mapping[str, dict[str, float]], absent: tuple[str, ...]) -> Row:
    """Ours must reach the best of the others in HOTA and in IDF1."""
    rivals = [values for peer, values in figures.items() if peer != OURS]
    met = all(
        figures[OURS][key] + 100.0 * RIVALS >= max((v[key] for v in rivals), default=0.0) for key in ("HOTA", "IDF1")
    )
    shown = {
        peer: f"{values['HOTA']:.1f} / {values['IDF1']:.1f} / {values['IDSW']:.0f}" for peer, values in figures.items()
    }
    return Row(
        name,
        compared,
        figures={f"{peer} (HOTA / IDF1 / IDSW)": text for peer, text in shown.items()},
        met=met,
        absent=absent,
    )


CLAIM = Claim(
    "tracking_quality",
    "On crowds of 10, 50 and 200 and on public sequences, HOTA and IDF1 of the default tracker are at least those of "
    "the best of BYTE's public code, supervision, trackers and boxmot.",
    check,
    measure,
)

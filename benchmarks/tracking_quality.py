"""HOTA, IDF1 and identity switches by TrackEval: our trackers and the others on the same detections.

Public MOT sequences with ground truth are read from the checkouts of peers: real detections of real people.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Claim, Options, Row
from benchmarks.scenes_tracking import QUALITY, CrowdFrame, play
from benchmarks.tracking_peers import Follower, Ours, Peer, find_peers, import_old
from videohoi.geometry.boxes import pairwise_iou

SEQUENCES = ("TUD-Campus", "TUD-Stadtmitte")
"""those whose detections (checkout sort) and ground truth (checkout OC_SORT) both lie in a repository"""


def detections_of(file: Path) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Boxes and scores of each frame of a MOTChallenge ``det.txt``."""
    rows = _rows(file)
    return [
        (_corners(now).astype(np.float32), now[:, 6].astype(np.float32))
        for now in (rows[rows[:, 0] == frame] for frame in range(1, int(rows[:, 0].max()) + 1))
    ]


def all_detections(options: Options) -> dict[str, list[tuple[NDArray[np.float32], NDArray[np.float32]]]]:
    """Every sequence of the checkout sort, by name; empty without it."""
    checkout = options.checkout("sort")
    files = sorted(checkout.glob("data/train/*/det/det.txt")) if checkout else []
    return {file.parents[1].name: detections_of(file) for file in files}


def sequence(name: str, options: Options) -> Sequence[CrowdFrame] | str:
    """The frames of ``name`` with their truth, or why not."""
    sort, oc_sort = options.checkout("sort"), options.checkout("OC_SORT")
    if sort is None or oc_sort is None:
        return "no checkouts sort and OC_SORT below the peer path"
    det = sort / "data" / "train" / name / "det" / "det.txt"
    truth = oc_sort / "motmetrics" / "data" / name / "gt.txt"
    if not det.is_file() or not truth.is_file():
        return f"no {det.name} or {truth.name} of it in the checkouts"
    rows = _rows(truth)
    rows = rows[rows[:, 6] > 0]  # 0 marks boxes that are not to be counted
    return [
        CrowdFrame(boxes, scores, now[:, 1].astype(np.int64), _corners(now))
        for (boxes, scores), now in (
            (found, rows[rows[:, 0] == index + 1]) for index, found in enumerate(detections_of(det))
        )
    ]


def _rows(file: Path) -> NDArray[np.float64]:
    return np.atleast_2d(np.loadtxt(file, delimiter=",", dtype=np.float64))


def _corners(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    corners: NDArray[np.float64] = np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1)
    return corners


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

"""The trackers ours is compared with, each behind the same call: boxes and scores in, ids and boxes out.

Single modules of a checkout that was written for an older numpy are imported without their packages' own code.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Options
from videohoi.structures import Detections, SourceInfo
from videohoi.track.byte import ByteTracker
from videohoi.track.byte_config import ByteConfig


class OldNumpy(types.ModuleType):
    """numpy with the two names that were taken out of it in 1.24; other modules keep the numpy they have."""

    float, int = float, int

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def import_old(checkout: Path, names: Sequence[str], left_out: Sequence[str] = ()) -> list[types.ModuleType]:
    """Modules ``names`` (dotted) of ``checkout``, given an old numpy; ``left_out`` are imported as empty modules.

    Their packages become empty ones that only know where their files lie: a package's own imports (a whole training
    framework) are not needed.
    """
    for name in names:
        parts = name.split(".")[:-1]
        for depth in range(1, len(parts) + 1):
            package = types.ModuleType(".".join(parts[:depth]))
            package.__path__ = [str(checkout.joinpath(*parts[:depth]))]
            sys.modules.setdefault(package.__name__, package)
    with _empty(left_out):
        modules = [importlib.import_module(name) for name in names]
    for module in modules:
        vars(module)["np"] = OldNumpy("numpy")
    return modules


@contextmanager
def _empty(names: Sequence[str]) -> Iterator[None]:
    """``names`` as empty modules while importing, then as they were."""
    before = {name: sys.modules.get(name) for name in names}
    for name in names:
        sys.modules[name] = types.ModuleType(name)
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, sys.modules[name])
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


INFO = SourceInfo("benchmark", 1920, 1080, 30.0, None, None)
RATE_HZ = 30.0
ORIGINAL = "BYTETracker"
TRACKERS, SUPERVISION, BOXMOT, REFERENCE = "trackers", "supervision", "boxmot", "numpy reference"

Followed = tuple[NDArray[np.int64], NDArray[np.float64]]
"""ids (K,) and boxes (K, 4)"""


class Follower(Protocol):
    """A tracker at the start of a source."""

    def step(self, boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> Followed:
        """The next frame."""
        ...


@dataclass(frozen=True)
class Peer:
    """A tracker that can be run here."""

    name: str
    make: Callable[[], Follower]


class Ours:
    """``ByteTracker`` with every row a person, or with ``compiled`` False its numpy form; boxes are the filters'."""

    def __init__(self, config: ByteConfig | None = None, *, compiled: bool = True) -> None:
        self.tracker = ByteTracker(config, compiled=compiled)
        self.tracker.open(INFO)
        self._frame = 0

    def step(self, boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> Followed:
        """The next frame at 30 Hz."""
        tracks = self.tracker.update(Detections(boxes, scores, np.zeros(len(scores), np.int64)), self._frame / RATE_HZ)
        self._frame += 1
        named = tracks.track_ids >= 0
        return tracks.track_ids[named], self.tracker.boxes_xyxy_px[named]


class Original:
    """``BYTETracker`` of a checkout, with the arguments of its demo (``tools/demo_track.py``)."""

    def __init__(self, module: types.ModuleType) -> None:
        module.STrack._count = 0  # ids count over all trackers of a process
        sys.modules[module.BaseTrack.__module__].BaseTrack._count = 0
        arguments = types.SimpleNamespace(track_thresh=0.5, match_thresh=0.8, track_buffer=30, mot20=False)
        self._tracker = module.BYTETracker(arguments, frame_rate=30)

    def step(self, boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> Followed:
        """The next frame, in float64 as ours."""
        rows = np.concatenate([boxes, scores[:, None]], axis=1, dtype=np.float64)
        tracks = self._tracker.update(rows, (1, 1), (1, 1))
        return _lists([track.track_id for track in tracks], [track.tlbr for track in tracks])

    @property
    def removed(self) -> int:
        """Tracks it keeps although they are over."""
        return len(self._tracker.removed_stracks)


class Trackers:
    """``trackers.ByteTrackTracker`` with its defaults; its boxes are the detections'."""

    def __init__(self) -> None:
        self._tracker = importlib.import_module("trackers").ByteTrackTracker()
        self._tracker.reset()

    def step(self, boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> Followed:
        """The next frame."""
        found = self._tracker.update(_supervision(boxes, scores))
        named = np.asarray(found.tracker_id) >= 0
        return np.asarray(found.tracker_id)[named], np.asarray(found.xyxy, np.float64)[named]


class Supervision:
    """``supervision.ByteTrack`` (until 0.30) with the original's thresholds."""

    def __init__(self) -> None:
        supervision = importlib.import_module("supervision")
        self._tracker = supervision.ByteTrack(track_activation_threshold=0.5, minimum_matching_threshold=0.8)

    def step(self, boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> Followed:
        """The next frame."""
        found = self._tracker.update_with_detections(_supervision(boxes, scores))
        return np.asarray(found.tracker_id, np.int64), np.asarray(found.xyxy, np.float64).reshape(-1, 4)


class Boxmot:
    """``boxmot`` ByteTrack in Python with its defaults."""

    def __init__(self) -> None:
        module = importlib.import_module("boxmot.trackers.box.bytetrack.tracker")
        self._tracker = module.ByteTrack()
        self._picture = np.zeros((1080, 1920, 3), np.uint8)

    def step(self, boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> Followed:
        """The next frame."""
        rows = np.concatenate([boxes, scores[:, None], np.zeros((len(scores), 1), np.float32)], axis=1)
        found = self._tracker.update(rows, self._picture)
        values = np.asarray(getattr(found, "data", found), np.float64).reshape(len(found), -1)
        return values[:, 4].astype(np.int64), values[:, :4]


def _supervision(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> Any:
    return importlib.import_module("supervision").Detections(
        boxes, confidence=scores, class_id=np.zeros(len(scores), int)
    )


def _lists(ids: list[int], boxes: list[NDArray[np.float64]]) -> Followed:
    return np.array(ids, np.int64), np.array(boxes, np.float64).reshape(-1, 4)


@functools.lru_cache(maxsize=4)
def load_original(checkout: Path) -> types.ModuleType:
    """``yolox.tracker.byte_tracker`` of the checkout: torch, which it imports and does not use here, is left out."""
    names = ("kalman_filter", "matching", "basetrack", "byte_tracker")
    return import_old(
        checkout, [f"yolox.tracker.{name}" for name in names], left_out=("torch", "torch.nn", "torch.nn.functional")
    )[-1]


def original(options: Options) -> Peer | str:
    """The original in Python, or why not."""
    checkout = options.checkout("ByteTrack")
    if checkout is None:
        return "no checkout ByteTrack below the peer path"
    try:
        module = load_original(checkout)
    except ImportError as error:
        return f"needs {error.name}"
    return Peer(ORIGINAL, lambda: Original(module))


def _package(name: str, peer: Callable[[], Follower], module: str, attribute: str) -> Peer | str:
    if importlib.util.find_spec(module) is None:
        return f"package {module} is not installed"
    try:
        if not hasattr(importlib.import_module(module), attribute):
            return f"this version of {module} has no {attribute}"
    except ImportError as error:
        return f"package {module} cannot be imported: {error}"
    return Peer(name, peer)


def find_peers(options: Options) -> tuple[list[Peer], tuple[str, ...]]:
    """Those that can be run here, and the absent with their reasons."""
    found: dict[str, Peer | str] = {
        ORIGINAL: original(options),
        TRACKERS: _package(TRACKERS, Trackers, "trackers", "ByteTrackTracker"),
        SUPERVISION: _package(SUPERVISION, Supervision, "supervision", "ByteTrack"),
        BOXMOT: _package(BOXMOT, Boxmot, "boxmot.trackers.box.bytetrack.tracker", "ByteTrack")
        if importlib.util.find_spec("boxmot")
        else "package boxmot is not installed",
    }
    absent = tuple(f"{name}: {peer}" for name, peer in found.items() if isinstance(peer, str))
    return [peer for peer in found.values() if isinstance(peer, Peer)], absent

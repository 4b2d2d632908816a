"""BYTE over humans and objects of all classes, row-aligned, in seconds.

Method: Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022, arXiv
2110.06864: match high-scored boxes first, then let low-scored ones continue the tracks that are left. What differs:
the output is an id for each input row; ids belong to the instance; ended tracks are removed; time comes from stamps;
association knows classes and votes on them; things that move further than their own width are found by distance.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import InputError, UsageError
from videohoi.structures import Detections, SourceInfo, Tracks
from videohoi.track.body_parts import Doubles, whole_bodies
from videohoi.track.byte_config import ByteConfig
from videohoi.track.byte_plain import Followed, PlainByte
from videohoi.track.clock import StampClock
from videohoi.track.kernel_cache import KernelLoader

if TYPE_CHECKING:
    from videohoi.track.byte_compiled import CompiledByte

FEW_STEPS = 3
"""a few long steps are pauses of the source, not its pace"""
UNUSABLE_SCORE = -1.0
"""lower than any threshold may be"""
_ON_NUMPY = (
    "runs on numpy, which is slower in crowds, since its kernels are not compiled on this machine yet; they are "
    "compiled while there is work, or at once by `videohoi doctor --warm`"
)


class ByteTracker:
    """Tracks one source; see ``protocol.Tracker``. Same input, same output; the order of rows does not matter.

    The first frame after ``open`` or a discontinuity gives ids at once (as BYTE); later a new thing must be seen
    ``confirm_hits`` times. Rows that are not finite or have no area get -1, and so do humans that are a part of another
    one's body (``body_parts``).
    """

    def __init__(
        self, config: ByteConfig | None = None, *, human_class_id: int = 0, compiled: bool | None = None
    ) -> None:
        """``human_class_id``: ``Vocabulary.person_id``; a human is never matched to an object.

        ``compiled``: True waits for the compiler at ``open``, False runs on numpy, None runs on what is ready.
        """
        self._asked = self._config = config if config is not None else ByteConfig()
        self._human_class_id = human_class_id
        self._compiled = compiled
        self._clock = StampClock(self._config.min_dt_seconds, self._config.lost_seconds)
        self._engine_notes: tuple[str, ...] = ()
        self._steps = self._long_steps = 0
        self._kernels = KernelLoader()
        self._engine: CompiledByte | PlainByte | None = None
        self._newest: Followed | None = None

    def open(self, info: SourceInfo) -> None:
        """Begin a source with ids from 1. Loads the compiled step, or runs on numpy while it is compiled."""
        step_seconds = 1 / info.frame_rate_hz if info.frame_rate_hz else 0.0
        self._config = self._asked.for_frame_step(step_seconds)
        self._clock = StampClock(self._config.min_dt_seconds, self._config.lost_seconds)
        self._steps = self._long_steps = 0
        self._last_pts_seconds: float | None = None
        if self._compiled is None:
            self._kernels.open()
        self._begin(next_id=1)
        self._clock.restart()

    def update(self, detections: Detections, pts_seconds: float) -> Tracks:
        """Ids of the rows at media time ``pts_seconds``.

        A stamp that is equal or slightly backward advances the clock by ``min_dt_seconds``; a jump of more than
        ``lost_seconds`` either way ends all tracks. ``UsageError`` before ``open``; ``InputError`` on a stamp that is
        not finite.
        """
        if self._engine is None:
            raise UsageError("ByteTracker.update before open: call open(info) first")
        if not math.isfinite(pts_seconds):
            raise InputError(f"pts_seconds must be a finite number of seconds, got {pts_seconds}")
        if self._newest is None and self._engine_notes:  # no track exists yet: the kernels may be ready by now
            self._begin(self._engine.next_id)
        self._count_step(pts_seconds)
        jumped = self._clock.tick(pts_seconds)
        self._newest = self._engine.step(self._without_parts(detections, pts_seconds), self._clock, jumped)
        self._doubles.remember(self._newest.tracks, self._newest.boxes_xyxy_px, pts_seconds)
        return self._newest.tracks

    @property
    def notes(self) -> tuple[str, ...]:
        """What the run report should say: that this source was tracked on numpy, or has its frames far apart."""
        if self._long_steps < FEW_STEPS or 2 * self._long_steps < self._steps:
            return self._engine_notes
        far = (
            f"{self._long_steps} of {self._steps} frames came more than {self._asked.lost_seconds:g} s after the one "
            "before, which is longer than a track lives unseen: tracks and states go on only where boxes stay in place"
        )
        return (*self._engine_notes, far)

    def _count_step(self, pts_seconds: float) -> None:
        """Count how often frames are farther apart than tracks live."""
        last, self._last_pts_seconds = self._last_pts_seconds, pts_seconds
        if last is not None:
            self._steps += 1
            self._long_steps += pts_seconds - last > self._asked.lost_seconds

    def _without_parts(self, detections: Detections, pts_seconds: float) -> Detections:
        """The same rows; parts and doubles of bodies have a score that no association takes."""
        whole = whole_bodies(detections, self._human_class_id, self._config.part_cover)
        whole &= self._doubles.singles(detections, pts_seconds)
        if whole.all():
            return detections
        return replace(detections, scores=np.where(whole, detections.scores, UNUSABLE_SCORE).astype(np.float32))

    def reset(self) -> None:
        """Forget every track; ids go on counting and none returns."""
        if self._engine is not None:
            self._begin(self._engine.next_id)
        self._clock.restart()

    def _begin(self, next_id: int) -> None:
        """A new engine, of the kind that is asked for or ready."""
        compiled = self._kernels.ready if self._compiled is None else self._compiled
        self._engine = _engine(compiled)(self._config, self._human_class_id, next_id)
        self._newest = None
        self._doubles = Doubles(self._human_class_id, self._config.part_cover, self._config.human_lost_seconds)
        self._engine_notes = () if compiled or self._compiled is not None else (self._kernels.advice or _ON_NUMPY,)

    def close(self) -> None:
        """Free the state; may be called twice."""
        self._engine = self._newest = None

    @property
    def boxes_xyxy_px(self) -> NDArray[np.float64]:
        """(N, 4) corners of the newest frame's rows as the filters see them: steadier than the detector's.

        A row without an id has its own box. ``UsageError`` before the first ``update``.
        """
        if self._newest is None:
            raise UsageError("ByteTracker.boxes_xyxy_px before update: it describes the newest frame")
        return self._newest.boxes_xyxy_px

    @property
    def track_count(self) -> int:
        """Tracks held now, confirmed or not, seen or lost: what memory and time per frame grow with."""
        return 0 if self._engine is None else self._engine.track_count


def _engine(compiled: bool) -> type[CompiledByte | PlainByte]:
    """The program of the step; numba is imported for the compiled one only."""
    if not compiled:
        return PlainByte
    from videohoi.track.byte_compiled import CompiledByte, warm_up

    warm_up()  # nothing to do where it is loaded
    return CompiledByte

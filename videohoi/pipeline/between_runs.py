"""Between the runs of a pipeline models stay open, and unused memory goes back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
import threading
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

from numpy.typing import NDArray

from videohoi.detect.protocol import Detector, DetectorInfo
from videohoi.interact.protocol import HeadInfo, HOIHead, HOIRunner
from videohoi.interact.scoring import ScoreRule
from videohoi.structures import Detections, Frame, Interactions
from videohoi.structures.interactions import HOIOutput


class Openable(Protocol):
    """A model that loads its weights when it is opened."""

    def open(self) -> None:
        """Load."""
        ...

    def close(self) -> None:
        """Free."""
        ...


ModelT = TypeVar("ModelT", bound=Openable)


class ModelShelf:
    """Opened models that wait for the next run.

    A run borrows a model and gives it back; runs at the same time borrow different ones, because a model serves one
    thread at a time. Any thread may call.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: defaultdict[Hashable, list[Openable]] = defaultdict(list)
        self._contents: Hashable = None
        self._edition = 0
        """rises when the models are outdated; those lent before are closed when they come back"""

    def hold(self, contents: Hashable) -> None:
        """Set the current weights, as hashes of their files; models of other weights are closed."""
        if contents != self._contents:
            self.close()
            self._contents = contents

    def borrow(self, key: Hashable, fresh: ModelT) -> tuple[ModelT, int]:
        """An opened model that was made like ``fresh``, or ``fresh`` itself, opened now; and the shelf's edition.

        Raises what ``fresh.open`` raises.
        """
        with self._lock:
            edition = self._edition
            if self._idle[key]:
                return self._idle[key].pop(), edition  # type: ignore[return-value] # the key says what it is
        try:
            fresh.open()
        except BaseException:
            fresh.close()
            raise
        return fresh, edition

    def give_back(self, key: Hashable, model: Openable, edition: int) -> None:
        """Keep ``model`` for the next run, or close it where it is outdated."""
        with self._lock:
            if edition == self._edition:
                self._idle[key].append(model)
                return
        model.close()

    def close(self) -> None:
        """Free all models; those on loan are freed when they come back. Later runs open new ones."""
        with self._lock:
            self._edition += 1
            idle, self._idle = self._idle, defaultdict(list)
        for models in idle.values():
            for model in models:
                model.close()


class _Borrowed(Generic[ModelT]):
    """A model of a shelf between ``open`` and ``close``."""

    def __init__(self, shelf: ModelShelf, key: Hashable, model: ModelT) -> None:
        """``model``: not opened, used where the shelf has none like it."""
        self._shelf, self._key, self._model = shelf, key, model
        self._edition: int | None = None
        self._has_failed = False

    def open(self) -> None:
        """Take an opened model, or load one."""
        if self._edition is None:
            self._model, self._edition = self._shelf.borrow(self._key, self._model)
            self._has_failed = False

    def close(self) -> None:
        """Put the model back; one that failed is freed instead. May be called twice."""
        if self._edition is not None:
            edition, self._edition = self._edition, None
            if self._has_failed:
                self._model.close()
            else:
                self._shelf.give_back(self._key, self._model, edition)

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._has_failed = True
            raise


class KeptDetector(_Borrowed[Detector]):
    """A ``Detector`` of a shelf."""

    @property
    def info(self) -> DetectorInfo:
        """Known after ``open``."""
        return self._model.info

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """See ``Detector.detect``."""
        with self._watched():
            return self._model.detect(frames)


class KeptHead(_Borrowed[HOIHead]):
    """An ``HOIHead`` of a shelf."""

    @property
    def info(self) -> HeadInfo:
        """Known after ``open``."""
        return self._model.info

    def score(self, frame: Frame, detections: Detections) -> Interactions:
        """See ``HOIHead.score``."""
        with self._watched():
            return self._model.score(frame, detections)


class KeptRunner(_Borrowed[HOIRunner]):
    """An ``HOIRunner`` of a shelf."""

    @property
    def info(self) -> HeadInfo:
        """Known after ``open``."""
        return self._model.info

    @property
    def rule(self) -> ScoreRule:
        """Known after ``open``."""
        return self._model.rule

    @property
    def boxes_note(self) -> str:
        """See ``HOIRunner.boxes_note``."""
        return self._model.boxes_note

    def run(self, frame: Frame) -> HOIOutput[NDArray[Any]]:
        """See ``HOIRunner.run``."""
        with self._watched():
            return self._model.run(frame)


_RUNS_BETWEEN_COLLECTIONS = 8
"""a graph leaves 0.1 MB, and collecting it takes 0.06 s with all libraries loaded"""


class RunMemory:
    """Keeps the memory of a process flat over many runs."""

    def __init__(self) -> None:
        self._runs = 0

    def run_is_over(self) -> None:
        """Collect the graphs of finished runs from time to time, and give free memory back to the system."""
        self._runs += 1
        if self._runs % _RUNS_BETWEEN_COLLECTIONS == 0:
            gc.collect()
        _trim_arenas()


def _trim_arenas() -> None:
    """Each run has its own threads, and glibc keeps what they freed in arenas that later threads do not use.

    Takes some milliseconds; without effect on other C libraries.
    """
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

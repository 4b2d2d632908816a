"""Compiling kernels without making the first result wait for it.

On a machine's first run numba compiles for about half a minute; later runs load its cache in a fraction of one. A stage
that opens gives the compiler a moment and otherwise runs on the numpy twins, which tests hold equal, while the
compiler finishes beside it: the next run finds everything in the cache.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

PATIENCE_SECONDS = 0.8
"""loading from the cache takes 0.2-0.5 s on a busy machine"""

THREAD_NAME = "videohoi-kernel-warm-up"

_LOG = logging.getLogger(__name__)


class Warming:
    """Runs ``compile_all`` in a thread, waits for ``patience_seconds`` and no longer.

    It goes on in the background, and the interpreter waits for it at exit. A failure is logged, and it is never ready.
    """

    def __init__(self, compile_all: Callable[[], None], patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._compile_all = compile_all
        self._done = threading.Event()
        # not a daemon, whoever opens the stage: a compiler that dies with the process never fills the cache
        thread = threading.Thread(target=self._work, name=THREAD_NAME, daemon=False)
        thread.start()
        thread.join(patience_seconds)

    @property
    def ready(self) -> bool:
        """The kernels may be used without waiting."""
        return self._done.is_set()

    def _work(self) -> None:
        try:
            self._compile_all()
            self._done.set()
        except Exception as error:  # noqa: BLE001 - whatever the compiler raises, the twins still work
            _LOG.warning("kernels could not be compiled, numpy is used instead: %s", " ".join(str(error).split()))


def warmed(compile_all: Callable[[], None], patience_seconds: float = PATIENCE_SECONDS) -> bool:
    """Whether ``compile_all`` is done within ``patience_seconds``; see ``Warming``."""
    return Warming(compile_all, patience_seconds).ready


def kernel_threads() -> list[threading.Thread]:
    """Those that compile kernels now; the interpreter's exit waits for them."""
    return [thread for thread in threading.enumerate() if thread.name == THREAD_NAME]


def is_compiling() -> bool:
    """Whether kernels are being compiled now."""
    return bool(kernel_threads())

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


def warmed(compile_all: Callable[[], None], patience_seconds: float = PATIENCE_SECONDS) -> bool:
    """Run ``compile_all`` in a thread; True if it is done within ``patience_seconds``.

    Otherwise it goes on in the background, and the interpreter waits for it at exit. A failure is logged and False.
    """
    done = threading.Event()

    def work() -> None:
        try:
            compile_all()
            done.set()
        except Exception as error:  # noqa: BLE001 - whatever the compiler raises, the twins still work
            _LOG.warning("kernels could not be compiled, numpy is used instead: %s", " ".join(str(error).split()))

    # not a daemon, whoever opens the stage: a compiler that dies with the process never fills the cache
    thread = threading.Thread(target=work, name=THREAD_NAME, daemon=False)
    thread.start()
    thread.join(patience_seconds)
    return done.is_set()


def kernel_threads() -> list[threading.Thread]:
    """Those that compile kernels now; the interpreter's exit waits for them."""
    return [thread for thread in threading.enumerate() if thread.name == THREAD_NAME]


def is_compiling() -> bool:
    """Whether kernels are being compiled now."""
    return bool(kernel_threads())

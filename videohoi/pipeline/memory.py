"""Memory that the C allocator keeps for later."""

from __future__ import annotations

import ctypes
import sys


def return_free_memory() -> None:
    """Give what is free in the allocator's arenas back to the system.

    Each run has threads of its own, and glibc keeps what they freed in arenas that later threads do not use: over many
    files the process would grow. Takes some milliseconds; without effect on other C libraries.
    """
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

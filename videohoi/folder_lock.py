"""One writer at a time in a folder of results."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from videohoi.errors import SinkError
from videohoi.files import sink_error

LOCK_FILE = ".videohoi.lock"
_MOST_BYTES = 4096
"""read from a lock file; it has about a hundred"""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_HELD = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK})
"""error numbers of a lock that is held"""
_WINDOWS_LOCKED_BYTE = 1 << 30
"""Windows forbids reading a locked byte, so a byte beyond the text is locked"""


@dataclass(frozen=True)
class LockOwner:
    """The process that a lock file names."""

    pid: int
    host: str
    boot_id: str
    """of the running kernel: containers of one machine share it, a reboot changes it; empty where it is unknown"""

    @staticmethod
    def this_process() -> LockOwner:
        """What this process writes into its lock files."""
        try:
            boot_id = _BOOT_ID.read_text(encoding="ascii").strip()
        except OSError:
            boot_id = ""
        return LockOwner(os.getpid(), platform.node(), boot_id)

    @staticmethod
    def of_text(text: str) -> LockOwner | None:
        """The owner in a lock file; None for an empty or damaged one."""
        try:
            values = json.loads(text)
            return LockOwner(int(values["pid"]), str(values["host"]), str(values["boot_id"]))
        except (ValueError, KeyError, TypeError):
            return None

    def is_elsewhere(self) -> bool:
        """It is a process of another machine; whether it still runs cannot be checked here."""
        here = LockOwner.this_process()
        return self.host != here.host and (self.boot_id != here.boot_id or not here.boot_id)

    def may_run(self) -> bool:
        """A process with this number runs on this machine, or that cannot be determined; False after a reboot."""
        if self.boot_id != LockOwner.this_process().boot_id:
            return False
        if sys.platform == "win32":  # signal 0 would end the process
            return True
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:
            return True
        return True


class FolderLock:
    """The right to write into a folder; a context manager.

    The lock file names the process that holds it. Whether that process still runs follows from the system's own lock on
    the file, which ends with the process; where a file system has no such locks, by the process number. A lock
    file left by a killed process is taken over, unless it is of another machine, where that cannot be checked.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / LOCK_FILE
        self._descriptor: int | None = None

    def __enter__(self) -> FolderLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def acquire(self) -> None:
        """Take the lock of a folder that exists.

        Raises:
            SinkError: another run holds it, or the lock file cannot be written.
        """
        while self._descriptor is None:
            try:
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
                try:
                    self._take(descriptor)
                finally:
                    if self._descriptor is None:
                        os.close(descriptor)
            except OSError as error:
                raise sink_error(self._path, error) from error

    def release(self) -> None:
        """Give the lock back and remove its file; may be called twice."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        if sys.platform == "win32":  # an open file cannot be removed there
            os.close(descriptor)
        with contextlib.suppress(OSError):
            self._path.unlink()
        if sys.platform != "win32":  # removed while still locked: nobody can take it in between
            os.close(descriptor)

    def _take(self, descriptor: int) -> None:
        """Lock the open file; without effect when it was removed meanwhile by the run that held it."""
        is_locked = _try_lock(descriptor)
        owner = LockOwner.of_text(os.read(descriptor, _MOST_BYTES).decode("utf-8", errors="replace"))
        if is_locked is False or (is_locked is None and owner is not None and owner.may_run()):
            raise SinkError(
                f"{self.folder}: another run writes here{_named(owner)}; wait for it or choose another folder"
            )
        if owner is not None and owner.is_elsewhere():
            raise SinkError(
                f"{self.folder}: a run on another machine writes here{_named(owner)}; wait for it, or delete "
                f"{self._path} if it no longer runs"
            )
        if self._is_current(descriptor):
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, json.dumps(asdict(LockOwner.this_process())).encode("utf-8"))
            self._descriptor = descriptor

    def _is_current(self, descriptor: int) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        return False


def _named(owner: LockOwner | None) -> str:
    return "" if owner is None else f" (process {owner.pid} on {owner.host})"


def _try_lock(descriptor: int) -> bool | None:
    """Whether the system's lock was taken; None where the file system has none."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, _WINDOWS_LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in _HELD else None
    return True

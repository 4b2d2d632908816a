"""The tracker's compiled step without ever waiting for a compiler.

numba takes some 8 s of one core to compile the step, once for a machine; afterwards it loads from the disk in a
fraction of a second. Where it is not on the disk yet, a process of its own compiles it at the lowest priority and ends
with this process, however that ends; the tracker meanwhile runs on its numpy form, which gives the same answers.
``videohoi doctor --warm`` compiles ahead of time. What was compiled so far is kept, so that the next run goes on from
there.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib.util
import logging
import os
import platform
import subprocess
import sys
import tempfile
import threading
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from videohoi.files import user_path

PATIENCE_SECONDS = 0.8
"""how long ``open`` waits for the step to load from the disk; it takes 0.2-0.5 s on a busy machine"""
LOWEST_PRIORITY = 19
"""of Unix ``nice``: the compiler takes what the work leaves"""
CACHE_VARIABLE = "NUMBA_CACHE_DIR"
NO_PLACE = (
    f"there is no place to keep compiled kernels, so tracking runs on numpy; set {CACHE_VARIABLE} to a folder that can "
    "be written to"
)
"""advice for the run report"""

_LOG = logging.getLogger(__name__)


def cache_folder() -> Path | None:
    """Where numba keeps the kernels of this package: its own rule; None where it cannot write anywhere."""
    own = Path(__file__).parent / "__pycache__"
    user = user_path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "numba"
    named = os.environ.get(CACHE_VARIABLE)
    return next((folder for folder in ([Path(named)] if named else []) + [own, user] if _can_write(folder)), None)


def are_compiled() -> bool:
    """The step lies compiled on the disk, by these sources, this numba and this processor."""
    marker = _marker()
    return marker is not None and marker.exists()


def compile_now() -> bool:
    """Compile (or load) everything and note that it is done; False where it cannot be kept."""
    from videohoi.track.byte_compiled import warm_up

    warm_up()
    marker = _marker()
    if marker is not None:
        marker.touch()
    return marker is not None


class KernelLoader:
    """Loads the compiled step if it is there, has it compiled if not. One a tracker."""

    def __init__(self) -> None:
        self._loaded = threading.Event()
        self._thread: threading.Thread | None = None

    def open(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Begin to load or to compile; waits for loading only, and not for longer than this."""
        if self._thread is None and are_compiled():
            self._thread = threading.Thread(target=self._load, name="videohoi: kernels", daemon=True)
            self._thread.start()
        elif self._thread is None and cache_folder() is not None:
            start_compiler()
        if self._thread is not None:
            self._thread.join(patience_seconds)

    @property
    def ready(self) -> bool:
        """The compiled step may be used without waiting."""
        return self._loaded.is_set()

    @property
    def advice(self) -> str | None:
        """What the user can do about a missing cache; None where there is one."""
        return NO_PLACE if self._thread is None and cache_folder() is None else None

    def _load(self) -> None:
        try:
            from videohoi.track.byte_compiled import warm_up

            warm_up()
            self._loaded.set()
        except Exception as error:  # noqa: BLE001 - whatever numba raises, the numpy form still works
            _LOG.warning("kernels cannot be loaded, numpy is used instead: %s", " ".join(str(error).split()))


@lru_cache(maxsize=1)  # one for the process, however many trackers it has
def start_compiler() -> subprocess.Popen[bytes] | None:
    """A process that compiles and ends when its standard input does, which is when this process is gone."""
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        compiler = subprocess.Popen(
            [sys.executable, "-m", "videohoi.track.kernel_cache"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        _LOG.warning("kernels cannot be compiled in the background: %s", error)
        return None
    atexit.register(_stop, compiler)
    return compiler


def _stop(compiler: subprocess.Popen[bytes]) -> None:
    compiler.kill()
    compiler.communicate()


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _marker() -> Path | None:
    """The file that says that everything is compiled; its name holds what the machine code depends on."""
    folder = cache_folder()
    if folder is None or os.environ.get("NUMBA_DISABLE_JIT", "0") != "0" or importlib.util.find_spec("numba") is None:
        return None
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for source in sorted([*package.glob("track/_*.py"), *package.glob("geometry/*_kernels.py")]):
        digest.update(source.read_bytes())
    facts = (str(package), metadata.version("numba"), platform.python_version(), platform.machine(), _processor())
    digest.update("\n".join(facts).encode())
    return folder / f"videohoi-{digest.hexdigest()[:16]}.compiled"


def _processor() -> str:
    """Model and abilities of the processor: numba compiles for exactly these."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def main() -> int:
    """The compiler process."""
    if hasattr(os, "nice"):
        os.nice(LOWEST_PRIORITY)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return 0 if compile_now() else 1


if __name__ == "__main__":
    os._exit(main())  # not through the interpreter's end, which would wait for the thread that reads

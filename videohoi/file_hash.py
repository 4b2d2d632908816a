"""Files that users name: where they are, and their SHA-256, which says that two of them are the same."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG

from videohoi.errors import ModelError, VideohoiError

_BLOCK_BYTES = 1 << 20


def file_sha256(path: Path, failure: type[VideohoiError] = ModelError) -> str:
    """SHA-256 of a file's content in hexadecimal, read in blocks.

    Raises:
        failure: it is no file, or cannot be read.
    """
    digest = hashlib.sha256()
    try:
        if not S_ISREG(path.stat().st_mode):  # to read a pipe would wait for ever
            raise failure(f"{path}: is no file; give the path of a file")
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                digest.update(block)
    except (OSError, ValueError) as error:
        raise failure(
            f"{path}: cannot be read ({getattr(error, 'strerror', error)}); check the path and its permissions"
        ) from error
    return digest.hexdigest()


def known_sha256(path: Path) -> str:
    """The same of a file that is asked about often: read again only when its size or time of change differs."""
    try:
        state, place = path.stat(), path.resolve()
    except (OSError, ValueError):
        return file_sha256(path)
    return _of(str(place), state.st_size, state.st_mtime_ns)


def is_file(path: Path) -> bool:
    """Also False for what may not be looked at, or has a name that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Also False for what may not be looked at, or has a name that no file can have."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def user_path(text: str | Path) -> Path:
    """The path that a user typed; ``~`` is their home, ``~nobody`` a name like any other."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


@lru_cache(maxsize=32)
def _of(path: str, _size: int, _mtime_ns: int) -> str:
    return file_sha256(Path(path))

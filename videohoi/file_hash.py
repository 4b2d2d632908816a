"""SHA-256 of files: what says that two of them are the same."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from videohoi.errors import ModelError, VideohoiError

_BLOCK_BYTES = 1 << 20


def file_sha256(path: Path, failure: type[VideohoiError] = ModelError) -> str:
    """SHA-256 of a file's content in hexadecimal, read in blocks.

    Raises:
        failure: it is no file, or cannot be read.
    """
    if path.exists() and not path.is_file():
        raise failure(f"{path}: is no file; give the path of a file")
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise failure(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    return digest.hexdigest()


def known_sha256(path: Path) -> str:
    """The same of a file that is asked about often: read again only when its size or time of change differs."""
    try:
        state = path.stat()
    except OSError:
        return file_sha256(path)
    return _of(str(path.resolve()), state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=32)
def _of(path: str, _size: int, _mtime_ns: int) -> str:
    return file_sha256(Path(path))

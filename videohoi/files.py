"""Files of the user: the paths they give, files that appear whole or not at all, and hashes of content."""

from __future__ import annotations

import codecs
import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from functools import lru_cache
from io import FileIO
from pathlib import Path
from stat import S_ISREG

from videohoi.errors import ModelError, SinkError, VideohoiError

_BLOCK_BYTES = 1 << 20
_NO_PERMISSION = "no permission; choose a folder you may write to"
_DISK_FULL = "the disk or quota is full; free some space or choose another folder"
_FILE_IN_THE_WAY = "a part of its path is a file, not a folder; give another path"
_ADVICE = {
    errno.ENOSPC: _DISK_FULL,
    errno.EDQUOT: _DISK_FULL,
    errno.EFBIG: "larger than the file system or the process limit allows; choose another folder or raise the limit",
    errno.EACCES: _NO_PERMISSION,
    errno.EPERM: _NO_PERMISSION,
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.EISDIR: "it is a folder; give the name of a file",
    errno.ENXIO: "it is a device, a pipe or a socket; give the name of a file",
    errno.ENOENT: "its folder does not exist; create it first",
    errno.ENOTDIR: _FILE_IN_THE_WAY,
    errno.EEXIST: _FILE_IN_THE_WAY,
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def user_path(given: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> Path:
    """The path that a user gave; ``~`` is their home. ``~name`` of an unknown user is an ordinary file name."""
    path = Path(os.fsdecode(given))
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def text_encoding(path: Path) -> str:
    """Encoding of a user's text file: UTF-8 with or without a byte order mark, or UTF-16 with one; Excel writes both.

    Raises ``OSError`` when it cannot be read.
    """
    with path.open("rb") as stream:
        return _encoding_of(stream.read(len(codecs.BOM_UTF8)))


def decoded_text(data: bytes) -> str:
    """Text of the bytes of such a file; raises ``UnicodeDecodeError`` when they are not text."""
    return data.decode(_encoding_of(data))


def _encoding_of(data: bytes) -> str:
    return "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def is_file(path: Path) -> bool:
    """False also for a path without permission and for an impossible name."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """False also for a path without permission and for an impossible name."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def file_sha256(path: Path, failure: type[VideohoiError] = ModelError) -> str:
    """SHA-256 of a file's content in hexadecimal, read in blocks.

    Raises:
        failure: the path is no regular file, or it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        if not S_ISREG(path.stat().st_mode):  # reading a pipe would block
            raise failure(f"{path}: not a file; give the path of a file")
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                digest.update(block)
    except (OSError, ValueError) as error:
        raise failure(
            f"{path}: cannot be read ({getattr(error, 'strerror', error)}); check the path and its permissions"
        ) from error
    return digest.hexdigest()


def known_sha256(path: Path) -> str:
    """``file_sha256`` of a file that is asked for often: it is read again only when its size or mtime has changed."""
    try:
        state, place = path.stat(), path.resolve()
    except (OSError, ValueError):
        return file_sha256(path)
    return _remembered_sha256(str(place), state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=32)
def _remembered_sha256(path: str, _size: int, _mtime_ns: int) -> str:
    return file_sha256(Path(path))


def sink_error(path: Path, error: OSError) -> SinkError:
    """The error for a ``path`` that cannot be written: what, why, and what to do, on one line."""
    reason = error.strerror or str(error) or type(error).__name__
    advice = _ADVICE.get(error.errno or 0, f"{reason}; check the disk or choose another folder")
    return SinkError(f"cannot write {path}: {advice}")


def write_whole(path: Path | str, content: bytes | str) -> None:
    """Write a file that appears whole or not at all; text is written as UTF-8.

    Raises:
        SinkError: the file cannot be written.
    """
    file = AtomicFile(path)
    file.open()
    try:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)
        file.commit()
    finally:
        file.abort()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside ``path`` for a library that writes files by name.

    After the block the file there takes the place of ``path``; when the block raises, it is removed. An ``OSError``
    passes through; ``sink_error`` words it.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        with contextlib.suppress(OSError):  # the first failure is the one that counts
            partial.unlink(missing_ok=True)


class AtomicFile:
    """Bytes written to ``.name.partial`` beside ``path``; ``commit`` gives the file its name.

    Writes are unbuffered, so that a crash leaves every finished write in the partial file; a write that fails
    halfway is cut off again. A partial file left by an earlier crash is replaced. Every failure of the operating
    system is a ``SinkError`` of one line.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.partial_path = self.path.with_name(f".{self.path.name}.partial") if self.path.name else self.path
        self._file: FileIO | None = None
        self._identity: os.stat_result | None = None

    @property
    def is_open(self) -> bool:
        """Between ``open`` and ``commit`` or ``abort``."""
        return self._file is not None

    def open(self) -> None:
        """Create the partial file; an impossible target (folder, no permission) fails here, before any work."""
        self.abort()
        try:
            if self.path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if self.path.exists() and not self.path.is_file():  # committing would replace it
                raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
            self.partial_path.unlink(missing_ok=True)
            try:
                self._file = self.partial_path.open("xb", buffering=0)
            except FileExistsError as error:
                raise self._taken() from error
            self._identity = os.fstat(self._file.fileno())
        except OSError as error:
            raise sink_error(self.path, error) from error

    def write(self, data: bytes) -> None:
        """Append all of ``data``; on failure none of it."""
        file = self._opened()
        begin = file.tell()
        rest = memoryview(data)
        try:
            while rest:  # a nearly full disk accepts a part and reports the failure only at the next call
                rest = rest[file.write(rest) or 0 :]
        except OSError as error:
            with contextlib.suppress(OSError):
                file.truncate(begin)
                file.seek(begin)
            raise sink_error(self.path, error) from error

    def commit(self) -> None:
        """Flush to the disk and rename to ``path``; no effect when not open. On failure the partial file stays."""
        if self._file is None:
            return
        try:
            if not self._is_own():
                raise self._taken()
            if not self._file.closed:  # a second try after a failed rename finds it closed
                os.fsync(self._file.fileno())
                self._file.close()
            self.partial_path.replace(self.path)
        except OSError as error:
            raise sink_error(self.path, error) from error
        self._file = None

    def abort(self) -> None:
        """Remove the partial file; no effect when not open."""
        if self._file is None:
            return
        try:
            self._file.close()
            if self._is_own():
                self.partial_path.unlink()
        except OSError as error:
            raise sink_error(self.path, error) from error
        finally:
            self._file = None

    def _opened(self) -> FileIO:
        if self._file is None:
            raise SinkError(f"cannot write {self.path}: it is not open; call open() before process()")
        return self._file

    def _taken(self) -> SinkError:
        return SinkError(f"cannot write {self.path}: another run is writing it; wait for it or choose another name")

    def _is_own(self) -> bool:
        """Whether the partial name still leads to the file opened here; a second run would have replaced it."""
        with contextlib.suppress(FileNotFoundError):
            return self._identity is not None and os.path.samestat(self._identity, self.partial_path.stat())
        return False

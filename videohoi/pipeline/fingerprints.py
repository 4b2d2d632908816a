"""Whether inputs, and the files that settings name, have the same content as before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from videohoi.decode.file_names import IMAGE_SUFFIXES, files_in, numbered_files
from videohoi.decode.inputs import InputItem
from videohoi.decode.registry import IMAGES
from videohoi.detect.factory import detector_files
from videohoi.detect.registry import DETR_PREFIX
from videohoi.errors import InputError, ModelError, UsageError
from videohoi.files import file_sha256, is_file, known_sha256, user_path
from videohoi.pipeline.bundled import bundled_folder
from videohoi.pipeline.model_stages import CALIBRATION_FILE, finds_boxes
from videohoi.pipeline.settings import base_config
from videohoi.pipeline.words import is_word_list

FILE_SAMPLE_BYTES = 1 << 20
"""read at the head, the middle and the tail of a video: 3 MiB, a few milliseconds; smaller files are read whole"""
IMAGE_SAMPLE_BYTES = 1 << 12
"""the same of each image of a sequence, which may have ten thousand"""


@dataclass(frozen=True)
class InputFingerprint:
    """Hashes of an input, in hexadecimal."""

    sampled_sha256: str
    """of size, mtime and samples; for several files also of their names"""
    whole_sha256: str | None = None
    """of all bytes of a file, or of names and bytes of several; None where that was not asked for"""

    @property
    def method(self) -> str:
        """``sampled`` or ``whole``."""
        return "sampled" if self.whole_sha256 is None else "whole"

    def record(self) -> dict[str, Any]:
        """For report.json."""
        return {"method": self.method, **asdict(self)}

    @staticmethod
    def of_record(record: Any) -> InputFingerprint | None:
        """From report.json; None where it has none."""
        if not isinstance(record, dict) or not isinstance(record.get("sampled_sha256"), str):
            return None
        whole = record.get("whole_sha256")
        return InputFingerprint(record["sampled_sha256"], whole if isinstance(whole, str) else None)


def input_fingerprint(item: InputItem, *, whole: bool = False) -> InputFingerprint | None:
    """The fingerprint of an input; None where its content is not known before it is read, as of a pipe.

    The samples show whether an input changed, unless bytes between them were edited with size and mtime restored.
    ``whole`` reads everything.

    Raises:
        InputError: a file cannot be read.
    """
    path = item.path
    if path is None:
        digest = hashlib.sha256(str(item.spec).encode("utf-8", errors="surrogateescape")).hexdigest()
        return InputFingerprint(digest, digest)
    if is_file(path):
        sampled = _sampled(path, FILE_SAMPLE_BYTES).hex()
        return InputFingerprint(sampled, file_sha256(path, InputError) if whole else None)
    if item.kind is not IMAGES:
        return None
    images = _images(path)
    sampled = _of_many(images, lambda path: _sampled(path, IMAGE_SAMPLE_BYTES).hex())
    return InputFingerprint(sampled, _of_many(images, lambda path: file_sha256(path, InputError)) if whole else None)


def is_same_input(item: InputItem, before: InputFingerprint, *, whole: bool = False) -> bool:
    """Whether ``item`` has the content that it had when its fingerprint was ``before``.

    If the samples differ and ``before`` has the whole hash, as for a copy with another mtime, the whole hash
    decides. ``whole``: only the whole hash does.

    Raises:
        InputError: a file cannot be read.
    """
    if not whole:
        now = input_fingerprint(item)
        if now is None or now.sampled_sha256 == before.sampled_sha256:
            return now is not None
    if before.whole_sha256 is None:
        return False
    now = input_fingerprint(item, whole=True)
    return now is not None and now.whole_sha256 == before.whole_sha256


def _of_many(paths: list[Path], digest_of: Callable[[Path], str]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.name}\0{digest_of(path)}\0".encode("utf-8", errors="surrogateescape"))
    return digest.hexdigest()


def _sampled(path: Path, sample_bytes: int) -> bytes:
    try:
        state = path.stat()
        digest = hashlib.sha256(f"{state.st_size}\0{state.st_mtime_ns}\0".encode())
        with path.open("rb") as file:
            _add_samples(digest.update, file, state.st_size, sample_bytes)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    return digest.digest()


def _add_samples(add: Callable[[bytes], None], file: BinaryIO, size_bytes: int, sample_bytes: int) -> None:
    if size_bytes <= 3 * sample_bytes:
        add(file.read())
        return
    for begin in (0, (size_bytes - sample_bytes) // 2, size_bytes - sample_bytes):
        file.seek(begin)
        add(file.read(sample_bytes))


def _images(folder_or_pattern: Path) -> list[Path]:
    if folder_or_pattern.is_dir():
        return files_in(folder_or_pattern, IMAGE_SUFFIXES)
    return [path for _, path in numbered_files(folder_or_pattern)]


def named_files(config: Any) -> dict[str, str]:
    """SHA-256 of each file by its role: those of ``detector_files``, ``weights``, ``clip_weights``, ``words``, and the
    shipped ``calibration`` and ``method`` settings, which a user may have edited.

    A file that cannot be read has no entry: the stage that opens it reports what is wrong, and a user's own pipeline
    may use these settings otherwise.
    """
    base = base_config(config)
    model, spec = base.model, base.detect.detector
    needs_detector = not finds_boxes(model) or spec.startswith(DETR_PREFIX)
    shipped = bundled_folder("configs") / "models"
    named = {
        "weights": model.weights,
        "clip_weights": model.clip_weights,
        "words": model.words if model.words is not None and is_word_list(model.words) else None,
        "calibration": shipped / CALIBRATION_FILE,
        "method": shipped / f"{model.name}.yaml",
    }
    digests = {role: _digest(user_path(str(name).strip())) for role, name in named.items() if name is not None}
    of_detector = _of_detector(spec) if needs_detector else {}
    return of_detector | {role: digest for role, digest in digests.items() if digest is not None}


def _of_detector(spec: str) -> dict[str, str]:
    try:
        return detector_files(spec)
    except (UsageError, ModelError):
        return {}


def _digest(path: Path) -> str | None:
    try:
        return known_sha256(path) if is_file(path) else None
    except ModelError:
        return None

"""One hash for whatever an input is made of: the same hash means the same pictures."""

from __future__ import annotations

import hashlib
from pathlib import Path

from videohoi.decode.file_names import IMAGE_SUFFIXES, files_in, numbered_files
from videohoi.decode.inputs import InputItem
from videohoi.decode.specs import InputKind
from videohoi.errors import InputError
from videohoi.files import file_sha256


def input_sha256(item: InputItem) -> str | None:
    """SHA-256 of a file's content; of names and contents for images; of the text for a generated source.

    None for what can be read only once, such as a pipe.

    Raises:
        InputError: a file cannot be read.
    """
    if not isinstance(item.spec, Path):
        return hashlib.sha256(item.spec.encode()).hexdigest()
    if item.spec.is_file():
        return file_sha256(item.spec, InputError)
    if item.kind is not InputKind.IMAGES:
        return None
    digest = hashlib.sha256()
    for path in _images(item.spec):
        digest.update(f"{path.name}\0{file_sha256(path, InputError)}\0".encode("utf-8", errors="surrogateescape"))
    return digest.hexdigest()


def _images(folder_or_pattern: Path) -> list[Path]:
    if folder_or_pattern.is_dir():
        return files_in(folder_or_pattern, IMAGE_SUFFIXES)
    return [path for _, path in numbered_files(folder_or_pattern)]

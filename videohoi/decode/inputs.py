"""Expands what a user names (files, folders, globs, patterns, cameras) to a list of inputs, one source each."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from videohoi.decode.factory import classify
from videohoi.decode.file_names import (
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    files_in,
    is_sequence_pattern,
    left_out_sentence,
    natural_key,
    numbered_files,
    other_files,
)
from videohoi.decode.registry import IMAGES, VIDEO, SourceKind, claimed_suffixes
from videohoi.errors import InputError
from videohoi.names import counted, redact_credentials


@dataclass(frozen=True)
class InputItem:
    """One input; ``open_source(item.spec)`` reads it."""

    spec: str | Path
    """a path, or the text that names a camera, stream or generated source"""
    kind: SourceKind

    @property
    def live(self) -> bool:
        """A camera or stream."""
        return self.kind.is_live

    @property
    def path(self) -> Path | None:
        """The file or folder; for an address of another package what follows the scheme; None for other addresses."""
        if isinstance(self.spec, Path):
            return self.spec
        return Path(self.spec.partition("://")[2]) if self.kind.is_plugin else None

    @property
    def label(self) -> str:
        """``spec`` for messages, without passwords."""
        return redact_credentials(str(self.spec))


def list_inputs(specs: Sequence[str | Path]) -> list[InputItem]:
    """Expand ``specs`` into inputs, in natural order of their paths, each once.

    A folder is replaced by the videos in it (images beside them count as covers); a folder of images alone is ONE
    sequence, as is ``frames_%06d.jpg``. A glob is replaced by its matches, except files whose suffix is neither of a
    video nor of an image. Cameras (``0``), streams (``rtsp://``) and ``test://`` pass through.

    Raises:
        InputError: no spec, a path that does not exist, a folder without videos or images, a glob without match.
        UsageError: an address of an unknown scheme.
    """
    if isinstance(specs, (str, Path)):
        specs = [specs]
    items: dict[str, InputItem] = {}
    for spec in specs:
        for item in _expand(spec):
            key = str(Path(item.spec).resolve()) if isinstance(item.spec, Path) else item.spec
            items.setdefault(key, item)
    if not items:
        raise InputError("no input given; name a video, a folder, a glob such as 'clips/*.mp4', or a camera such as 0")
    return sorted(items.values(), key=lambda item: natural_key(str(item.spec)))


def left_out(specs: Sequence[str | Path]) -> list[str]:
    """One sentence for each folder of videos, and each glob, that also contains files of other kinds."""
    sentences = []
    for spec in [specs] if isinstance(specs, (str, Path)) else specs:
        path = Path(spec)
        videos = VIDEO_SUFFIXES | claimed_suffixes()
        if path.is_dir() and files_in(path, videos):
            names = [other.name for other in other_files(path, videos)]
        elif _is_glob(spec):
            files = [match for match in _matches(str(spec)) if match.is_file()]
            names = [match.name for match in files if match.suffix.lower() not in videos | IMAGE_SUFFIXES]
        else:
            continue
        if names:
            sentences.append(f"{spec}: {left_out_sentence(names)} left out: not read as videos")
    return sentences


def _is_glob(spec: str | Path) -> bool:
    return "://" not in str(spec) and glob.has_magic(str(spec)) and not Path(spec).exists()


def _expand(spec: str | Path) -> Iterator[InputItem]:
    path = Path(spec)
    if path.is_dir() and (videos := files_in(path, VIDEO_SUFFIXES | claimed_suffixes())):
        for video in videos:
            yield InputItem(video, VIDEO if video.suffix.lower() in VIDEO_SUFFIXES else classify(video))
    elif _is_glob(spec):
        yield from _expand_glob(str(spec))
    else:
        kind = classify(spec)
        if kind is IMAGES and is_sequence_pattern(path):
            numbered_files(path)  # raises when nothing matches: better now than in the middle of a batch
        yield InputItem(path if kind.is_path else str(spec), kind)


def _expand_glob(pattern: str) -> Iterator[InputItem]:
    matches = _matches(pattern)
    suffixes = VIDEO_SUFFIXES | IMAGE_SUFFIXES | claimed_suffixes()
    items = [item for path in matches for item in _glob_items(path, suffixes)]
    if not items:
        matched = f"matches {counted(len(matches), 'file')} but no video or image" if matches else "matches nothing"
        raise InputError(f"{pattern}: the glob {matched}; check it, or name the files")
    yield from items


def _matches(pattern: str) -> list[Path]:
    """What a glob matches. An existing folder is taken literally, as in ``clips [2024]/*.mp4``."""
    escaped, plain = Path(), Path()
    for part in Path(pattern).parts:
        plain /= part
        escaped /= glob.escape(part) if plain.exists() else part
    return [Path(match) for match in glob.glob(str(escaped), recursive=True)]  # noqa: PTH207 - takes absolute patterns


def _glob_items(path: Path, suffixes: frozenset[str]) -> Iterator[InputItem]:
    """The inputs of one match: the videos or the sequence of a folder, or a file with a suitable suffix."""
    if path.is_dir():
        if files_in(path, suffixes):
            yield from _expand(path)
    elif path.suffix.lower() in suffixes:
        yield InputItem(path, classify(path))

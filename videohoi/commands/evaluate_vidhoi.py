"""``videohoi eval vidhoi``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from videohoi.commands.show_report import show_report
from videohoi.errors import TruthError
from videohoi.evaluate.prediction_record import ReadingNotes, read_values
from videohoi.evaluate.vidhoi.frames import read_vidhoi_frames
from videohoi.evaluate.vidhoi.report import VidhoiResult, VidhoiWords, vidhoi_report, vidhoi_result
from videohoi.vocabulary.vidhoi import vidhoi, vidhoi_groups


@dataclass(frozen=True)
class VidhoiRequest:
    """Arguments and options of the command."""

    results: tuple[Path, ...]
    """one file a horizon"""
    only: Path | None
    without: Path | None
    k: int
    threshold: float
    json_file: Path | None
    html_file: Path | None


def show_vidhoi(request: VidhoiRequest) -> None:
    """Score, print, write.

    Raises:
        TruthError: a malformed file.
    """
    words = vidhoi()
    temporal = vidhoi_groups()
    vocabulary = VidhoiWords(words.objects, words.verbs, temporal)
    only, without = _names(request.only), _names(request.without)
    found: dict[str, VidhoiResult] = {}
    remarks: list[str] = []
    for path in request.results:
        notes = ReadingNotes()
        frames = read_vidhoi_frames(
            path, len(words.objects), len(words.verbs), only=only, without=without or frozenset(),
            person_id=words.person_id, notes=notes,
        )  # fmt: skip
        if not frames:
            raise TruthError(f"{path}: no frame is left to score; check --only-frames and --without-frames")
        name = _title(path, found)
        remarks += [f"{name}: {line}" for line in notes.lines()]
        found[name] = vidhoi_result(frames, vocabulary, k=request.k, threshold=request.threshold)
    settings = {"results": ", ".join(str(path) for path in request.results)}
    report = vidhoi_report(found, settings, k=request.k, threshold=request.threshold, notes=remarks)
    show_report(report, request.json_file, request.html_file)


def _title(path: Path, taken: Collection[str]) -> str:
    """File name without extension, or the whole path where two files share it."""
    return str(path) if path.stem in taken else path.stem


def _names(path: Path | None) -> frozenset[str] | None:
    if path is None:
        return None
    names = read_values(path)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TruthError(f"{path}: expected a list of frame names such as 1000/4925211209_000156")
    return frozenset(names)

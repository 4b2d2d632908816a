"""Reader of the photo corpus: JPEGs in plain tar shards, addressed by ``labels.jsonl.gz`` (offset and size)."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

LABELS_FILE = "labels.jsonl.gz"
SURE_SCORE = 0.3
"""at this score or above, 3 of 4 person boxes and 6 of 10 others are right, as measured on the corpus"""


@dataclass(frozen=True)
class CorpusPicture:
    """One picture's row of the label file; pixels are read on demand."""

    shard: Path
    offset_bytes: int
    size_bytes: int
    row: dict[str, Any]
    """the whole label row; boxes are xyxy in stored pixels"""

    def encoded(self) -> bytes:
        """The stored JPEG."""
        with self.shard.open("rb") as stream:
            stream.seek(self.offset_bytes)
            return stream.read(self.size_bytes)

    def pixels_bgr(self) -> NDArray[np.uint8]:
        """Decoded picture (H, W, 3) uint8 BGR.

        Raises:
            ValueError: the stored bytes are not a picture.
        """
        decoded = cv2.imdecode(np.frombuffer(self.encoded(), np.uint8), cv2.IMREAD_COLOR)
        if decoded is None:
            raise ValueError(f"{self.shard.name} at byte {self.offset_bytes}: not a decodable picture")
        return np.asarray(decoded, dtype=np.uint8)

    def sure_classes(self, least_score: float = SURE_SCORE) -> set[int]:
        """Classes of the boxes that score at least ``least_score``."""
        return {k for k, score in zip(self.row["classes"], self.row["scores"], strict=True) if score >= least_score}


def read_corpus(root: Path, split: str, *, leave_out: Collection[str] = ()) -> list[CorpusPicture]:
    """The pictures of ``split`` (train, val, test_coco_val, ...) except those whose source is in ``leave_out``.

    Raises:
        FileNotFoundError: ``root`` holds no label file.
        ValueError: no picture is left.
    """
    labels = root / LABELS_FILE
    if not labels.is_file():
        raise FileNotFoundError(f"{labels} not found: give the folder that holds the corpus ({LABELS_FILE} and shards)")
    with gzip.open(labels, "rt", encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    pictures = [
        CorpusPicture(root / row["shard"], row["offset"], row["size"], row)
        for row in rows
        if row["split"] == split and row["source"] not in leave_out
    ]
    if not pictures:
        raise ValueError(f"no picture of split {split!r} in {labels}")
    return pictures


def corpus_hash(pictures: Sequence[CorpusPicture]) -> str:
    """SHA-256 over the label rows used, in order: names the data a weight file was trained on."""
    digest = hashlib.sha256()
    for picture in pictures:
        digest.update(json.dumps(picture.row, sort_keys=True).encode())
    return digest.hexdigest()

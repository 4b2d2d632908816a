"""Checkpoints in training: published ones to start from, own ones to keep. One import for both.

Reading is ``videohoi.layers.checkpoint_files``, converting ``videohoi.layers.checkpoints``; the file that ``--weights``
takes is ``videohoi.interact.imported``.
"""

from __future__ import annotations

from videohoi.files import file_sha256
from videohoi.interact.imported import (
    ImportedWeights,
    WeightsOrigin,
    load_imported,
    load_origin,
    save_imported,
)
from videohoi.layers.checkpoint_files import read_checkpoint
from videohoi.layers.checkpoints import Converted, convert, ignored_lines

__all__ = [
    "Converted",
    "ImportedWeights",
    "WeightsOrigin",
    "convert",
    "file_sha256",
    "ignored_lines",
    "load_imported",
    "load_origin",
    "read_checkpoint",
    "save_imported",
]

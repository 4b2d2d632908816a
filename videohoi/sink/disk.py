"""The output folder, checked before a run instead of after an hour of it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from videohoi.errors import SinkError
from videohoi.files import sink_error

MINIMUM_FREE_BYTES = 16 * 2**20
"""Below this a run is refused: about half a minute of 720p overlay at the default quality."""


def prepare_output_folder(path: Path | str, *, minimum_free_bytes: int = MINIMUM_FREE_BYTES) -> Path:
    """Create ``path`` with its parents and make sure that files can be written there; return it.

    Raises ``SinkError`` naming the folder when it cannot be made, cannot be written or has too little space.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        raise sink_error(folder, error) from error
    if free_bytes < minimum_free_bytes:
        raise SinkError(
            f"cannot write {folder}: {free_bytes / 2**20:.1f} MiB are free and {minimum_free_bytes / 2**20:.1f} MiB "
            "are needed; free some space or choose another folder"
        )
    return folder

"""Downloads a published model into the cache, only on request."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videohoi.errors import ModelError, UsageError
from videohoi.files import replacing
from videohoi.models.registry import CATALOGUE, PublicModel, cache_folder, lookup

CHUNK_BYTES = 1 << 18
"""read at once: small enough for a smooth progress bar, large enough to be fast"""
MAX_BYTES = 2_000_000_000
"""no detector is larger; a longer answer is not the file"""

ONNX_FIRST_BYTE = b"\x08"
"""protobuf tag of ir_version, the first field of an ONNX file (onnx.proto, ModelProto)"""


@dataclass(frozen=True)
class PulledModel:
    """A model file in the cache."""

    path: Path
    sha256: str
    """of the file in the cache"""
    verified: bool
    """the checksum is the one on record; False: none is on record, show ``sha256`` to the user"""
    downloaded: bool
    """False: it was there already"""


def pull(
    name: str,
    *,
    accept_unverified: bool = False,
    timeout_seconds: float = 30.0,
    progress: Callable[[int, int | None], None] | None = None,
    catalogue: Mapping[str, PublicModel] = CATALOGUE,
) -> PulledModel:
    """Download the model called ``name`` unless it is in the cache, check it, and put it there whole or not at all.

    ``progress`` is called with the bytes so far and the total (None when the server does not say).

    Raises:
        UsageError: unknown name, or no checksum is on record and ``accept_unverified`` is not set.
        ModelError: no network, a refusal of the server, a broken or wrong file, or a cache that cannot be written;
            the message says what to do by hand.
    """
    model = lookup(name, catalogue)
    if model.sha256 is None and not accept_unverified:
        raise UsageError(
            f"no checksum of {name} is on record, so the download cannot be verified; "
            f"add --accept-unverified to fetch {model.url} all the same"
        )
    target = cache_folder() / model.file_name
    if target.is_file():
        return PulledModel(target, _checked(target, model), model.sha256 is not None, downloaded=False)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = _fetch(model, target, timeout_seconds, progress)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise ModelError(
            f"cannot fetch {name} ({_reason(error)}); download {model.url} by hand and use --detector onnx:FILE"
        ) from error
    except OSError as error:
        raise ModelError(
            f"cannot write {target} ({error.strerror}); set VIDEOHOI_CACHE to a folder that can be written"
        ) from error
    return PulledModel(target, digest, model.sha256 is not None, downloaded=True)


def _checked(path: Path, model: PublicModel) -> str:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    _compare(digest, model, f"{path}; delete it and pull again")
    return digest


def _compare(digest: str, model: PublicModel, where: str) -> None:
    if model.sha256 is not None and digest != model.sha256:
        raise ModelError(f"{model.name}: sha256 is {digest}, expected {model.sha256}: wrong file at {where}")


def _fetch(
    model: PublicModel, target: Path, timeout_seconds: float, progress: Callable[[int, int | None], None] | None
) -> str:
    """Download beside ``target`` and move it there once it is whole and right; returns the checksum."""
    with replacing(target) as partial:
        with urllib.request.urlopen(model.url, timeout=timeout_seconds) as answer, partial.open("w+b") as sink:
            digest = _copy(answer, sink, model, progress)
            sink.seek(0)
            if model.sha256 is None and sink.read(1) != ONNX_FIRST_BYTE:
                raise ModelError(f"{model.url}: the download is no ONNX file (a login page?); it was discarded")
        _compare(digest, model, f"{model.url}; it was discarded")
    return digest


def _copy(answer: Any, sink: Any, model: PublicModel, progress: Callable[[int, int | None], None] | None) -> str:
    length = answer.headers.get("Content-Length")
    total = int(length) if length and length.isdigit() else None
    digest, seen = hashlib.sha256(), 0
    while chunk := answer.read(CHUNK_BYTES):
        sink.write(chunk)
        digest.update(chunk)
        seen += len(chunk)
        if seen > MAX_BYTES:
            raise ModelError(f"{model.url}: more than {MAX_BYTES:,} bytes came; this is not the file")
        if progress is not None:
            progress(seen, total)
    if total is not None and seen != total:
        raise ModelError(f"{model.url}: the connection broke after {seen:,} of {total:,} bytes; pull again")
    return digest.hexdigest()


def _reason(error: BaseException) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code}"
    reason = getattr(error, "reason", error)
    return " ".join(str(reason).split()) or type(error).__name__

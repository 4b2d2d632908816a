"""Reading JSON records strictly: an error names file, record and field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import pydantic

from videohoi.errors import InputError
from videohoi.files import decoded_text

Parsed = TypeVar("Parsed")
_FAR = 1e9
"""beyond it nothing is a coordinate in a picture, a size or a frame rate"""
_LARGEST_ID = 1 << 53
Number = Annotated[float, pydantic.Field(allow_inf_nan=False, ge=-_FAR, le=_FAR)]
Box = tuple[Number, Number, Number, Number]
Index = Annotated[int, pydantic.Field(ge=0, le=_LARGEST_ID)]
TrackId = Annotated[int, pydantic.Field(ge=-_LARGEST_ID, le=_LARGEST_ID)]
STRICT = pydantic.ConfigDict(strict=True)
"""no text for a number and no fraction for an index"""
_SHOWN = 60
"""characters of a wrong value that an error shows"""


def record_error(path: Path | str, record: str, field: str, message: str) -> InputError:
    """The one line of a malformed annotation."""
    where = f"{record}: {field}" if record and field else record or field
    return InputError(f"{path}: {where}: {message}")


def read_bytes(path: Path) -> bytes:
    """The contents of a text file as UTF-8 without a byte order mark; ``InputError`` when it cannot be read."""
    try:
        return decoded_text(path.read_bytes()).encode()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not text in UTF-8 ({error.reason}); save it as UTF-8") from error


def parse_json(path: Path, reader: pydantic.TypeAdapter[Parsed], text: bytes | None = None, prefix: str = "") -> Parsed:
    """The values of a JSON file, or of ``text`` that came from it.

    Raises:
        InputError: unreadable, no JSON, a field is missing, or a value is of the wrong type; names record and field.
    """
    try:
        return reader.validate_json(read_bytes(path) if text is None else text)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        message = message[0].lower() + message[1:]
        if first["type"] not in ("missing", "json_invalid", "value_error"):
            message += f", got {_short(first.get('input'))}"
        raise record_error(path, prefix, _where(first["loc"]) or "file", message) from error


def _where(location: Sequence[int | str]) -> str:
    """``annotation[12].boxes_h[3]``; the first number is the record."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    if text.startswith("["):  # the file is a list of records
        record, _, field = text[1:].partition("]")
        return f"record {record}: {field.lstrip('.')}" if field else f"record {record}"
    return text.lstrip(".")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def require_lengths(path: Path, record: str, lists: Mapping[str, Sequence[object]]) -> None:
    """Raise ``InputError`` unless the named lists have one length."""
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise record_error(path, record, "lengths differ", f"{said}; expected one entry each per pair or picture")

"""What is done to an ONNX file without the ``onnx`` package, whose 30 MB the core does not carry.

The file is read as protobuf's wire format (field numbers from onnx.proto3). Two things are needed: the properties that
an exporter wrote, and a graph whose inputs are only what a caller must give. Old exporters list every weight as an
input that a caller may override; the engine then folds no constants (PicoDet's public file runs four times slower).
"""

from __future__ import annotations

from collections.abc import Iterator

from videohoi.errors import ModelError

_GRAPH, _PROPERTIES = 7, 14
"""of ModelProto"""
_KEY, _VALUE = 1, 2
"""of StringStringEntryProto"""
_INITIALIZER, _INPUT = 5, 11
"""of GraphProto"""
_TENSOR_NAME, _VALUE_NAME = 8, 1
"""of TensorProto and ValueInfoProto"""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""wire types"""

Field = tuple[int, memoryview, memoryview]


def without_weights_among_inputs(model: bytes) -> bytes:
    """``model`` with an input list that names only what a caller must give.

    Raises:
        ModelError: the bytes are no protobuf message.
    """
    try:
        return b"".join(
            _with_length(_GRAPH, _inputs_alone(content)) if number == _GRAPH else bytes(whole)
            for number, whole, content in _fields(memoryview(model))
        )
    except (IndexError, ValueError) as error:
        raise ModelError(f"not an ONNX model: {error}") from error


def model_properties(model: bytes) -> dict[str, str]:
    """The properties that the exporter of ``model`` wrote (ONNX's ``metadata_props``).

    Raises:
        ModelError: the bytes are no protobuf message.
    """
    try:
        entries = [content for number, _, content in _fields(memoryview(model)) if number == _PROPERTIES]
        return {_name(entry, _KEY).decode(): _name(entry, _VALUE).decode() for entry in entries}
    except (IndexError, ValueError) as error:
        raise ModelError(f"not an ONNX model: {error}") from error


def _inputs_alone(graph: memoryview) -> bytes:
    fields = list(_fields(graph))
    weights = {_name(content, _TENSOR_NAME) for number, _, content in fields if number == _INITIALIZER}
    return b"".join(
        whole for number, whole, content in fields if number != _INPUT or _name(content, _VALUE_NAME) not in weights
    )


def _name(message: memoryview, field: int) -> bytes:
    return next((bytes(content) for number, _, content in _fields(message) if number == field), b"")


def _fields(message: memoryview) -> Iterator[Field]:
    """Number, bytes with the tag, and content of each field; of a number's the content is empty."""
    at = 0
    while at < len(message):
        begin = at
        tag, at = _varint(message, at)
        kind, content = tag & 7, message[:0]
        if kind == _VARINT:
            _, at = _varint(message, at)
        elif kind == _BYTES:
            length, at = _varint(message, at)
            content, at = message[at : at + length], at + length
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind} at byte {begin}")
        if at > len(message):
            raise ValueError(f"it ends inside the field at byte {begin}")
        yield tag >> 3, message[begin:at], content


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _with_length(number: int, content: bytes) -> bytes:
    return _encoded(number << 3 | _BYTES) + _encoded(len(content)) + content


def _encoded(value: int) -> bytes:
    low = bytearray()
    while value >= 0x80:
        low.append(value & 0x7F | 0x80)
        value >>= 7
    low.append(value)
    return bytes(low)

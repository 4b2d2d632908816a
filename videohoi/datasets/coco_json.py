"""COCO's ``instances_*.json``: pictures, boxes and categories as the file lists them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pydantic

from videohoi.datasets.records import STRICT, Box, Index, Number, parse_json


@dataclass
class CocoImage:
    """A picture."""

    id: Index
    width: Index = 0
    """px; 0 where the file does not say"""
    height: Index = 0
    file_name: str = ""


@dataclass
class CocoBox:
    """An annotated box."""

    image_id: Index
    category_id: Index
    bbox: Box
    """x, y, width, height in px; width and height are 0 or more"""
    id: Index = 0
    area: Number | None = None
    """px of the outline"""
    iscrowd: bool | int = 0
    ignore: bool | int = 0

    def __post_init__(self) -> None:
        if min(self.bbox[2:]) < 0:
            raise ValueError(f"bbox: expected x, y and a width and height of 0 or more, got {list(self.bbox)}")


@dataclass
class CocoCategory:
    """A class of objects."""

    id: Index
    name: str


@pydantic.with_config(STRICT)
@dataclass
class CocoInstances:
    """The file; what it holds besides is ignored."""

    images: list[CocoImage]
    annotations: list[CocoBox]
    categories: list[CocoCategory] = field(default_factory=list)


_READER = pydantic.TypeAdapter(CocoInstances)


def read_coco_instances(path: Path) -> CocoInstances:
    """An ``instances_*.json``.

    Raises:
        InputError: unreadable or malformed; names record and field.
    """
    return parse_json(path, _READER)

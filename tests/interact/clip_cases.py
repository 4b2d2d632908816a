"""A CLIP that a slow core runs at once, and a frame with detections."""

from __future__ import annotations

import numpy as np

from videohoi.layers.clip import ClipConfig
from videohoi.structures import Detections, Frame
from videohoi.vocabulary import hico_det

TINY_CLIP = ClipConfig(
    "tiny", embed_dim=16, image_size_px=32, patch_px=16, image_width=32, image_layers=2, image_heads=2, text_width=32,
    text_layers=2, text_heads=2,
)  # fmt: skip
WORDS = hico_det()
PERSON, CUP, BOTTLE = WORDS.person_id, WORDS.object_id("cup"), WORDS.object_id("bottle")


def frame(height: int = 90, width: int = 120) -> Frame:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Frame(pixels, 0, 0.0, "clip")


def detections(*classes: int) -> Detections:
    """Boxes side by side, all sure."""
    boxes = np.array([[10 * n, 5, 10 * n + 30, 60] for n in range(len(classes))], np.float32).reshape(-1, 4)
    return Detections(boxes, np.full(len(classes), 0.81, np.float32), np.array(classes, np.int64))

"""The names of a result's classes, and its picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.sink.drawing import Style
from videohoi.sink.frame_rows import active_pairs, detection_rows
from videohoi.sink.placement import place
from videohoi.sink.scene import ScenePainter
from videohoi.structures import FrameResult
from videohoi.vocabulary import Vocabulary


@dataclass(frozen=True)
class VocabularyPresenter:
    """A ``Presenter`` with the words of a vocabulary."""

    vocabulary: Vocabulary

    @property
    def objects(self) -> tuple[str, ...]:
        """Names of the object classes, by class id."""
        return self.vocabulary.objects

    @property
    def verbs(self) -> tuple[str, ...]:
        """Names of the columns of verb scores."""
        return self.vocabulary.verbs

    def draw(self, result: FrameResult) -> NDArray[np.uint8]:
        """The picture (H, W, 3) RGB with boxes and interactions; a copy."""
        canvas: NDArray[np.uint8] = result.frame.image.copy()
        size_px = (result.frame.width_px, result.frame.height_px)
        style = Style.for_picture(*size_px)
        painter = ScenePainter(style, self.vocabulary.person_id, show_all=True)
        pairs = active_pairs(result, self.vocabulary)
        painter.draw(canvas, detection_rows(result, self.vocabulary), pairs, place(*size_px, 1.0, size_px))
        return canvas

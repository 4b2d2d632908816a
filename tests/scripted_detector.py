"""A detector that returns given detections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from videohoi.detect.protocol import DetectorInfo
from videohoi.structures import Detections, Frame


class ScriptedDetector:
    """Yields the detections given for each frame index, and none for the others.

    Args:
        detections_by_frame_index: ``Frame.index`` to detections, boxes in source pixels.
    """

    def __init__(self, detections_by_frame_index: Mapping[int, Detections]) -> None:
        self._script = dict(detections_by_frame_index)

    @property
    def info(self) -> DetectorInfo:
        """See ``Detector.info``; the channels are those of the first feature map in the script."""
        maps = [detections.feature_map for detections in self._script.values() if detections.feature_map is not None]
        channels = len(maps[0].values) if maps else 0
        return DetectorInfo("scripted", "scripted", None, None, channels)

    def open(self) -> None:
        """Nothing to load."""

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The script's detections of each frame."""
        return [self._script.get(frame.index, Detections.empty()) for frame in frames]

    def close(self) -> None:
        """Nothing to free."""

"""What flows between stages: frozen dataclasses over numpy arrays, units in the names.

Letters in shapes: N detections, P pairs, V verbs, O object classes, K (verb, object) interaction classes,
C channels, H and W picture height and width in pixels.
"""

from videohoi.structures.detections import Detections, FeatureMap, Tracks
from videohoi.structures.events import GapReason, InteractionEvent, Phase, Segment
from videohoi.structures.frame import Discontinuity, Frame, SourceInfo
from videohoi.structures.interactions import HumanObjectPairs, Interactions, TrackedInteractions
from videohoi.structures.stream_item import FrameResult

__all__ = [
    "Detections",
    "Discontinuity",
    "FeatureMap",
    "Frame",
    "FrameResult",
    "GapReason",
    "HumanObjectPairs",
    "InteractionEvent",
    "Interactions",
    "Phase",
    "Segment",
    "SourceInfo",
    "TrackedInteractions",
    "Tracks",
]

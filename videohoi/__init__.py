"""videohoi: real-time video human-object interaction understanding.

>>> import videohoi
>>> pipeline = videohoi.Pipeline.from_config("offline_annotation")           # doctest: +SKIP
>>> for result in pipeline.run("clip.mp4"):                                  # doctest: +SKIP
...     result.detections, result.tracks, result.interactions, result.events

Names load on first use, so that importing the package stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from videohoi.decode.contact_sheet import contact_sheet
    from videohoi.decode.factory import open_source
    from videohoi.errors import VideohoiError
    from videohoi.pipeline.pipeline import Pipeline
    from videohoi.structures import (
        Detections,
        Frame,
        FrameResult,
        InteractionEvent,
        Segment,
        TrackedInteractions,
        Tracks,
    )
    from videohoi.vocabulary import Vocabulary, hico_det

__version__ = "0.1.0"

_HOMES = {
    "Detections": "videohoi.structures",
    "Frame": "videohoi.structures",
    "FrameResult": "videohoi.structures",
    "InteractionEvent": "videohoi.structures",
    "Pipeline": "videohoi.pipeline.pipeline",
    "Segment": "videohoi.structures",
    "TrackedInteractions": "videohoi.structures",
    "Tracks": "videohoi.structures",
    "VideohoiError": "videohoi.errors",
    "Vocabulary": "videohoi.vocabulary",
    "contact_sheet": "videohoi.decode.contact_sheet",
    "hico_det": "videohoi.vocabulary",
    "open_source": "videohoi.decode.factory",
}

__all__ = [
    "Detections",
    "Frame",
    "FrameResult",
    "InteractionEvent",
    "Pipeline",
    "Segment",
    "TrackedInteractions",
    "Tracks",
    "VideohoiError",
    "Vocabulary",
    "__version__",
    "contact_sheet",
    "hico_det",
    "open_source",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'videohoi' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__

"""videohoi: real-time video human-object interaction understanding.

>>> import videohoi
>>> videohoi.annotate("clip.mp4").segments                                   # doctest: +SKIP
>>> videohoi.detect("photo.jpg").to_pandas("interactions")                   # doctest: +SKIP
>>> with videohoi.Pipeline.from_config("offline_annotation") as pipeline:    # doctest: +SKIP
...     for result in pipeline.run("clip.mp4"):
...         result.detections, result.tracks, result.interactions, result.events

Names load on first use, so that importing the package stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from videohoi.decode.contact_sheet import contact_sheet
    from videohoi.decode.factory import open_source
    from videohoi.errors import VideohoiError
    from videohoi.pipeline.annotate import AnnotatedVideo
    from videohoi.pipeline.pipeline import Pipeline
    from videohoi.pipeline.shortcuts import annotate, detect
    from videohoi.sink.memory import CallbackSink, ListSink
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
    "AnnotatedVideo": "videohoi.pipeline.annotate",
    "CallbackSink": "videohoi.sink.memory",
    "Detections": "videohoi.structures",
    "Frame": "videohoi.structures",
    "FrameResult": "videohoi.structures",
    "InteractionEvent": "videohoi.structures",
    "ListSink": "videohoi.sink.memory",
    "Pipeline": "videohoi.pipeline.pipeline",
    "Segment": "videohoi.structures",
    "TrackedInteractions": "videohoi.structures",
    "Tracks": "videohoi.structures",
    "VideohoiError": "videohoi.errors",
    "Vocabulary": "videohoi.vocabulary",
    "annotate": "videohoi.pipeline.shortcuts",
    "contact_sheet": "videohoi.decode.contact_sheet",
    "detect": "videohoi.pipeline.shortcuts",
    "hico_det": "videohoi.vocabulary",
    "open_source": "videohoi.decode.factory",
}

__all__ = [
    "AnnotatedVideo",
    "CallbackSink",
    "Detections",
    "Frame",
    "FrameResult",
    "InteractionEvent",
    "ListSink",
    "Pipeline",
    "Segment",
    "TrackedInteractions",
    "Tracks",
    "VideohoiError",
    "Vocabulary",
    "__version__",
    "annotate",
    "contact_sheet",
    "detect",
    "hico_det",
    "open_source",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'videohoi' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__

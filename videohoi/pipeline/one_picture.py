"""One picture through detector and head, without time: nothing is tracked or smoothed."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from videohoi.decode.protocol import Source
from videohoi.errors import DecodeError
from videohoi.graph import AnyNode
from videohoi.pipeline.between_runs import ModelShelf
from videohoi.pipeline.model_stages import model_stages
from videohoi.pipeline.settings import base_config
from videohoi.structures import FrameResult, SourceInfo, TrackedInteractions, Tracks


def detect_picture(config: Any, source: Source, shelf: ModelShelf) -> FrameResult:
    """The first frame of ``source`` with its boxes, the verb scores of its pairs, and which of them are on.

    Settings that a user's own pipeline lacks have their defaults.

    Raises:
        InputError: the source cannot be read.
        ModelError: weights are missing or damaged.
    """
    base = base_config(config)
    model = model_stages(base.model, base.detect, base.interact, base.vocabulary, shelf)
    with ExitStack() as stack:
        stack.callback(source.close)
        info = source.open()
        frame = next(iter(source.frames()), None)
        if frame is None:
            raise DecodeError(f"{info.source_id}: no picture could be decoded")
        result: FrameResult = _through(model.before, frame, info, stack)
        result = replace(result, tracks=_numbered(result))
        if model.after:
            result = _through(model.after, result, info, stack)
    return replace(result, interactions=_decided(result, base.smooth.on_threshold))


def _through(nodes: tuple[AnyNode, ...], item: Any, info: SourceInfo, stack: ExitStack) -> Any:
    for node in nodes:
        stack.callback(partial(node.close, complete=True))
        node.open(info)
        (item,) = (*node.process(item), *node.drain())
    return item


def _numbered(result: FrameResult) -> Tracks:
    """Row numbers as ids: later stages treat a box without an id as unconfirmed."""
    return Tracks(np.arange(1, len(result.detections) + 1), result.detections.class_ids)


def _decided(result: FrameResult, on_threshold: float) -> TrackedInteractions | None:
    scores = result.pair_scores
    if scores is None:
        return None
    pairs, ids = scores.pairs, result.tracks.track_ids
    return TrackedInteractions(
        human_ids=ids[pairs.human_rows],
        object_ids=ids[pairs.object_rows],
        object_class_ids=result.tracks.class_ids[pairs.object_rows],
        verb_scores=scores.verb_scores,
        observed=np.ones(len(pairs), np.bool_),
        active=scores.verb_scores >= on_threshold,
        age_seconds=np.zeros(len(pairs), np.float32),
    )

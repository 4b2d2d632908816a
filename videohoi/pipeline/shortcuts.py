"""One call for one input: ``videohoi.detect`` and ``videohoi.annotate``."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from rich.console import Console

from videohoi.decode.inputs import InputItem, list_inputs
from videohoi.errors import InputError, UsageError
from videohoi.files import user_path
from videohoi.pipeline.annotate import AnnotatedVideo
from videohoi.pipeline.annotate import annotate as annotate_item
from videohoi.pipeline.model_stages import check_model
from videohoi.pipeline.pipeline import Pipeline
from videohoi.pipeline.progress import FrameProgress
from videohoi.pipeline.result_folders import plan_jobs
from videohoi.structures import FrameResult

OFFLINE = "offline_annotation"


def detect(
    picture: Any,
    *,
    channels: str = "rgb",
    detector: str | None = None,
    model: str | None = None,
    settings: str | Sequence[str] = (),
) -> FrameResult:
    """Humans, objects and interactions of one picture.

    >>> result = videohoi.detect("photo.jpg")                                  # doctest: +SKIP
    >>> result.names, result.to_pandas("interactions"), result.plot()          # doctest: +SKIP

    The models stay loaded for the next call with the same settings. A picture has no time: nothing is tracked, so the
    ids are those of the boxes, and an interaction is on where its score reaches ``smooth.on_threshold``.

    Args:
        picture: a path, an array (H, W, 3) uint8, or what else ``Pipeline.run`` takes; of a video the first frame.
        channels: ``rgb`` or ``bgr`` (OpenCV's order), of arrays.
        detector: as ``videohoi annotate --detector``; None: the starter.
        model: as ``videohoi annotate --model``; None: the starter.
        settings: one or more ``KEY=VALUE`` as for ``--set``.

    Raises:
        InputError: the picture cannot be read.
        UsageError: an unknown detector, model or setting.
        ModelError: weights are missing or damaged.
    """
    return _pipeline(_overrides(detector, model, settings)).detect(picture, channels=channels)


def annotate(
    path: str | bytes | os.PathLike[str],
    out: str | bytes | os.PathLike[str] | None = None,
    *,
    detector: str | None = None,
    model: str | None = None,
    settings: str | Sequence[str] = (),
    overlay: bool = True,
    progress: bool = True,
) -> AnnotatedVideo:
    """Annotate one video as ``videohoi annotate`` does: segments as the result, all files in its folder.

    >>> video = videohoi.annotate("clip.mp4")                                  # doctest: +SKIP
    >>> video.segments, video.folder, video.to_pandas()                        # doctest: +SKIP

    The models stay loaded for the next call with the same settings.

    Args:
        path: a video file, an image, a folder of images, a pattern such as ``frames_%06d.jpg``.
        out: where the folder ``clip.videohoi`` goes; None: beside the video. Where it holds the results of another
            video, the folder is ``clip.mp4.videohoi``.
        detector: as ``videohoi annotate --detector``; None: the starter.
        model: as ``videohoi annotate --model``; None: the starter.
        settings: one or more ``KEY=VALUE`` as for ``--set``.
        overlay: draw ``overlay.mp4``, the costly output.
        progress: show a bar on terminals and in notebooks.

    Raises:
        InputError: the input cannot be read.
        UsageError: several inputs, a camera, an unknown detector, model or setting.
        ModelError: weights are missing or damaged.
        SinkError: the results cannot be written.
    """
    (job,) = plan_jobs([_one_input(path)], None if out is None else user_path(out))
    pipeline = _pipeline(_overrides(detector, model, settings))
    check_model(pipeline.config)
    with (
        FrameProgress(Console(stderr=True), hidden=not progress) as bar,
        bar.video(Path(job.item.label).name) as advance,
    ):
        return annotate_item(pipeline, job.item, job.folder, overlay=overlay, progress=advance)


def _one_input(path: Any) -> InputItem:
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise InputError(f"annotate: expected a path, got {type(path).__name__}; Pipeline.run takes arrays")
    text = os.fsdecode(path)
    items = list_inputs([text if "://" in text else user_path(path)])
    if len(items) != 1:
        raise UsageError(f"{text}: {len(items)} inputs; annotate them one by one, or with: videohoi annotate {text}")
    return items[0]


def _overrides(detector: str | None, model: str | None, settings: str | Sequence[str]) -> tuple[str, ...]:
    named = (("detect.detector", detector), ("model.name", model))
    given = (settings,) if isinstance(settings, str) else settings
    return (*given, *(f"{key}={json.dumps(value)}" for key, value in named if value is not None))


@lru_cache(maxsize=2)
def _pipeline(overrides: tuple[str, ...]) -> Pipeline:
    return Pipeline.from_config(OFFLINE, overrides)

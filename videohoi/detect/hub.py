"""D-FINE and RT-DETR (v1, v2) through transformers: loading, running, the best classes of their queries.

Papers: D-FINE (arXiv 2410.13842), RT-DETR (arXiv 2304.08069), RT-DETRv2 (arXiv 2407.17140). Code and published weights:
Apache-2.0. Pictures are squeezed to the size in ``preprocessor_config.json`` (640 x 640) and divided by 255, as their
own processors do; done here, so that neither torchvision nor Pillow is needed.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from transformers import AutoConfig, AutoModelForObjectDetection
from transformers.utils import IMAGE_PROCESSOR_NAME, cached_file
from transformers.utils import logging as transformers_log

from videohoi.detect.protocol import LabelledBoxes
from videohoi.errors import ModelError
from videohoi.layers.box_head import corners
from videohoi.layers.checkpoint_files import UNREADABLE
from videohoi.layers.pictures import choose_device

MODEL_TYPES = ("d_fine", "rt_detr", "rt_detr_v2")
"""their queries answer with sigmoids; DETR's softmax has a detector of its own (``detr:FILE``)"""
SIZE_PX = 640
"""of all published weights"""
_COUNTER = ".num_batches_tracked"
"""of batch norm in training; some files leave it out"""
_FAILURES: tuple[type[Exception], ...] = (ImportError, *UNREADABLE)


@dataclass(frozen=True)
class Preparation:
    """What a model's processor does to a picture."""

    height_px: int = SIZE_PX
    width_px: int = SIZE_PX
    factor: float = 1 / 255
    mean: tuple[float, float, float] | None = None
    """None: pictures are not normalised"""
    deviation: tuple[float, float, float] | None = None


class HubModel:
    """A loaded model.

    Raises:
        ModelError: not on this machine, damaged, or another kind of model.
    """

    def __init__(self, name: str, *, device: str = "cpu", size_px: int | None = None) -> None:
        self.device = choose_device(device)
        try:
            config = AutoConfig.from_pretrained(name, local_files_only=True)
            _check_type(name, config)
            with _quietly():
                self._model, loading_info = AutoModelForObjectDetection.from_pretrained(
                    name, config=config, local_files_only=True, output_loading_info=True
                )
        except _FAILURES as error:
            reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise ModelError(f"detector hf:{name}: cannot be loaded ({reason[:200]}); {advice(name)}") from error
        _refuse_gaps(name, loading_info)
        self._model.eval().float().requires_grad_(False).to(self.device)
        self.labels = {int(number): str(label) for number, label in config.id2label.items()}
        own = _preparation(name)
        self.preparation = (
            own if size_px is None else Preparation(size_px, size_px, own.factor, own.mean, own.deviation)
        )

    @torch.inference_mode()
    def __call__(self, images: Sequence[NDArray[np.uint8]], threshold: float) -> list[LabelledBoxes]:
        """The boxes of each picture (H, W, 3) uint8 RGB with scores of at least ``threshold``, best first."""
        pixels = torch.stack([self._prepared(image) for image in images])
        output = self._model(pixel_values=pixels)
        return [best_labels(*answer, threshold) for answer in zip(output.logits, output.pred_boxes, strict=True)]

    def _prepared(self, image: NDArray[np.uint8]) -> Tensor:
        size = self.preparation
        picture = torch.from_numpy(np.ascontiguousarray(image)).to(self.device).permute(2, 0, 1)[None].float()
        shape = (size.height_px, size.width_px)
        picture = functional.interpolate(picture, shape, mode="bilinear", antialias=True).round()[0] * size.factor
        if size.mean is None or size.deviation is None:
            return picture
        mean, deviation = (torch.tensor(v, device=self.device)[:, None, None] for v in (size.mean, size.deviation))
        return (picture - mean) / deviation


def best_labels(logits: Tensor, boxes_cxcywh: Tensor, threshold: float) -> LabelledBoxes:
    """Logits (Q, L) and boxes (Q, 4) of one picture to at most Q (query, label) answers.

    As in RT-DETR's post-processing: the Q best of all Q x L sigmoids, so one query may give two answers.
    """
    scores, places = logits.sigmoid().flatten().topk(len(logits))
    is_kept = scores >= threshold
    queries, labels = places[is_kept] // logits.shape[1], places[is_kept] % logits.shape[1]
    boxes_xyxy = corners(boxes_cxcywh[queries]).clamp(0, 1)
    return LabelledBoxes(boxes_xyxy.float().cpu().numpy(), scores[is_kept].float().cpu().numpy(), labels.cpu().numpy())


@contextmanager
def _quietly() -> Iterator[None]:
    """Without transformers' progress bar and load report: whatever matters in it is raised as an error here."""
    level, has_bars = transformers_log.get_verbosity(), transformers_log.is_progress_bar_enabled()
    transformers_log.set_verbosity_error()
    if has_bars:
        _show_bars(False)
    try:
        yield
    finally:
        transformers_log.set_verbosity(level)
        if has_bars:
            _show_bars(True)


def _show_bars(shown: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # if HF_HUB_DISABLE_PROGRESS_BARS is set, each call warns about it
        (transformers_log.enable_progress_bar if shown else transformers_log.disable_progress_bar)()


def _refuse_gaps(name: str, loading_info: Mapping[str, Any]) -> None:
    """Refuse a file that leaves layers unfilled: they would be random."""
    incomplete_keys = (str(key) for kind in ("missing_keys", "mismatched_keys") for key in loading_info.get(kind, ()))
    gaps = sorted(key for key in incomplete_keys if not key.endswith(_COUNTER))
    if gaps:
        raise ModelError(
            f"detector hf:{name}: {len(gaps)} weights are missing or of another size ({gaps[0]}); {advice(name)}"
        )


def advice(name: str) -> str:
    """What to do if a model is not on this machine; nothing is downloaded automatically."""
    if Path(name).is_dir():
        return "copy config.json and model.safetensors of one model into the folder"
    return (
        f"download it with `hf download {name}` (20 to 300 MB), or copy the folder with config.json and "
        "model.safetensors from another machine and give hf:FOLDER"
    )


def _check_type(name: str, config: Any) -> None:
    if config.model_type not in MODEL_TYPES:
        raise ModelError(f"detector hf:{name}: is a {config.model_type}; expected one of {', '.join(MODEL_TYPES)}")


def _preparation(name: str) -> Preparation:
    """From the processor's file; the published values where there is none."""
    path = cached_file(name, IMAGE_PROCESSOR_NAME, local_files_only=True, _raise_exceptions_for_missing_entries=False)
    if path is None:
        return Preparation()
    values = json.loads(Path(path).read_text(encoding="utf-8"))
    size = values.get("size")
    height, width = (size.get(side, SIZE_PX) if isinstance(size, Mapping) else SIZE_PX for side in ("height", "width"))
    normalised = bool(values.get("do_normalize", False))
    factor = float(values.get("rescale_factor", 1 / 255)) if values.get("do_rescale", True) else 1.0
    return Preparation(
        int(height), int(width), factor, tuple(values["image_mean"]) if normalised else None,
        tuple(values["image_std"]) if normalised else None,
    )  # fmt: skip

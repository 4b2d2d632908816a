"""Detectors that run on torch, as detectors of the streaming graph; torch is imported when they open."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videohoi.detect.protocol import DetectorInfo, LabelledBoxes
from videohoi.detect.registry import DetectorRequest
from videohoi.errors import InputError, ModelError, UsageError
from videohoi.files import is_file, is_folder, known_sha256, user_path
from videohoi.names import normal_form
from videohoi.structures import Detections, Frame
from videohoi.vocabulary import Vocabulary, hico_det
from videohoi.vocabulary.shipped import coco, coco_category_ids, object_rows

WEIGHTS_FILE = "detr-r50-e632da11.pth"
WEIGHTS_URL = f"https://dl.fbaipublicfiles.com/detr/{WEIGHTS_FILE}"
WEIGHTS_MB = 159
SHORT_SIDE_PX, LONG_SIDE_PX = 800, 1333
"""DETR's evaluation size (arXiv 2005.12872, section 4)"""
COCO_OUTPUTS = 92
"""COCO's category ids 0 to 90 and nothing (facebookresearch/detr)"""
HUB_WEIGHTS_FILES = ("model.safetensors", "pytorch_model.bin")
"""the first that is there is loaded"""
HUB_CONFIG_FILE, HUB_PROCESSOR_FILE = "config.json", "preprocessor_config.json"
_SAME_ORDER = 60
"""of COCO's 80 names: with this many in their places a model is taken to have COCO's order, although some names are
spelled differently (``diningtable``)"""
Run = Callable[[Sequence[NDArray[np.uint8]]], list[LabelledBoxes]]
"""pictures (H, W, 3) uint8 RGB to their boxes"""


class TorchDetector(ABC):
    """What the detectors of this file share; all frames of a call run as one batch."""

    def __init__(self, name: str, score_threshold: float, input_size_px: int | None) -> None:
        if not 0.0 <= score_threshold <= 1.0:
            raise UsageError(f"detector score threshold {score_threshold}: expected a number from 0 to 1")
        self._score_threshold = score_threshold
        self._run: Run | None = None
        self._class_ids: NDArray[np.int64] = np.zeros(0, np.int64)
        self._info = DetectorInfo(name, "torch", None, input_size_px, 0)

    @property
    def info(self) -> DetectorInfo:
        """See ``Detector.info``."""
        return self._info

    @abstractmethod
    def load(self) -> tuple[Run, NDArray[np.int64]]:
        """The model, and the class id of HICO-DET's vocabulary of each of its labels, -1 for none; sets ``_info``."""

    def open(self) -> None:
        """Load the model.

        Raises:
            ModelError: a package or the weights are missing, or they belong to another model; one line with the remedy.
        """
        try:
            self._run, self._class_ids = self.load()
        except ImportError as error:
            raise ModelError(
                f"detector {self._info.name} needs {error.name}; run: pip install 'videohoi[models]'"
            ) from error

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """One ``Detections`` per frame, best score first.

        Raises:
            ModelError: called before ``open`` or after ``close``.
            InputError: a picture has no pixels.
        """
        if self._run is None:
            raise ModelError(f"{self._info.name}: the detector is not open; call open() first")
        empty = next((frame for frame in frames if not frame.image.size), None)
        if empty is not None:
            raise InputError(f"{empty.source_id}: frame {empty.index} has no pixels; expected at least 1 x 1")
        boxes = self._run([frame.image for frame in frames]) if frames else []
        return [self._detections(*pair) for pair in zip(boxes, frames, strict=True)]

    def _detections(self, boxes: LabelledBoxes, frame: Frame) -> Detections:
        class_ids = self._class_ids[boxes.labels]
        kept_rows = np.flatnonzero((boxes.scores >= self._score_threshold) & (class_ids >= 0))
        kept_rows = kept_rows[np.argsort(-boxes.scores[kept_rows], kind="stable")]
        size = np.array([frame.width_px, frame.height_px] * 2, np.float32)
        boxes_px = np.clip(boxes.boxes_xyxy[kept_rows], 0, 1) * size
        return Detections(boxes_px.astype(np.float32), boxes.scores[kept_rows], class_ids[kept_rows])

    def close(self) -> None:
        """Free the model; may be called twice."""
        self._run = None


class DetrDetector(TorchDetector):
    """DETR with weights from a file: facebookresearch/detr's, or a fine-tune on the 80 classes (UPT's on HICO-DET).

    Args:
        weights: path of the checkpoint; None or a missing file is one error when it opens.
        score_threshold: lowest score kept, in [0, 1].
        short_side_px: pictures are resized to this short side,
        long_side_px: unless the long one would pass this.
        device: auto, cpu, cuda or any other device name of torch.
        name: how messages and the run report call it.

    Raises:
        UsageError: a threshold outside [0, 1], or a side below 32 px.
    """

    def __init__(
        self,
        weights: str | Path | None,
        *,
        score_threshold: float = 0.1,
        short_side_px: int = SHORT_SIDE_PX,
        long_side_px: int = LONG_SIDE_PX,
        device: str = "cpu",
        name: str = "detr",
    ) -> None:
        self._sides = short_side_px, max(short_side_px, long_side_px)
        super().__init__(name, score_threshold, self._sides[1])
        if min(short_side_px, long_side_px) < 32:  # one cell of the feature map
            raise UsageError(f"detector input {short_side_px} x {long_side_px} px: expected sides of 32 px or more")
        self._weights = None if weights is None else user_path(weights)
        self._device = device

    def load(self) -> tuple[Run, NDArray[np.int64]]:
        """See ``TorchDetector.load``."""
        weights = existing_weights(self._weights, self._info.name)
        from videohoi.detect.detr import DetrRunner

        runner = DetrRunner(weights, device=self._device)
        class_ids = class_of_output(runner.model.config.class_outputs, str(weights))
        self._info = replace(self._info, weights_sha256=known_sha256(weights))
        short, long = self._sides
        return partial(runner, short_side_px=short, long_side_px=long), class_ids


class HubDetector(TorchDetector):
    """D-FINE or RT-DETR from a folder, or from the cache of the Hugging Face hub.

    Args:
        name: folder with config.json and model.safetensors, or OWNER/NAME of a model that was downloaded before.
        score_threshold: lowest score kept, in [0, 1].
        input_size_px: side of the square that pictures are squeezed to; None: the model's own.
        device: auto, cpu, cuda or any other device name of torch.

    Raises:
        UsageError: a threshold outside [0, 1], or a side that is no multiple of 32.
    """

    def __init__(
        self, name: str, *, score_threshold: float = 0.1, input_size_px: int | None = None, device: str = "cpu"
    ) -> None:
        super().__init__(f"hf:{name}", score_threshold, input_size_px)
        if input_size_px is not None and (input_size_px < 32 or input_size_px % 32):
            raise UsageError(f"detector input {input_size_px} px: expected a multiple of 32")
        self._name = local_name(name)
        self._size_px, self._device = input_size_px, device

    def load(self) -> tuple[Run, NDArray[np.int64]]:
        """See ``TorchDetector.load``."""
        from videohoi.detect.hub import HubModel

        model = HubModel(self._name, device=self._device, size_px=self._size_px)
        class_ids, dropped = class_of_label(model.labels, self._info.name)
        note = (
            f"{dropped} of its {len(model.labels)} labels are no class of HICO-DET and are left out" if dropped else ""
        )
        size = max(model.preparation.height_px, model.preparation.width_px)
        digest = hub_files(self._name).get("detector")
        self._info = replace(self._info, weights_sha256=digest, input_size_px=size, note=note)
        return partial(model, threshold=self._score_threshold), class_ids


def existing_weights(weights: Path | None, name: str) -> Path:
    """``weights``, or one ``ModelError`` of the detector ``name`` that says where to get them."""
    if weights is not None and is_file(weights):
        return weights
    missing = "no weights were given" if weights is None else f"weights {weights} do not exist"
    raise ModelError(
        f"detector {name}: {missing}; download {WEIGHTS_FILE} ({WEIGHTS_MB} MB) from {WEIGHTS_URL} and give its path; "
        "without a network copy it from another machine, or leave --detector out"
    )


def class_of_output(outputs: int, label: str) -> NDArray[np.int64]:
    """(outputs,) class id of HICO-DET's vocabulary for each output of a DETR; -1 where an output is no class.

    Raises:
        ModelError: the number of outputs is neither COCO's 92 nor 80 classes and nothing.
    """
    ids = object_rows(coco().objects, hico_det())
    table = np.full(outputs, -1, np.int64)
    if outputs == COCO_OUTPUTS:
        table[list(coco_category_ids())] = ids
    elif outputs == len(ids) + 1:
        table[:-1] = ids
    else:
        raise ModelError(f"{label}: has {outputs} class outputs; expected {COCO_OUTPUTS} (COCO) or {len(ids) + 1}")
    return table


def class_of_label(labels: Mapping[int, str], owner: str) -> tuple[NDArray[np.int64], int]:
    """(L,) class id of HICO-DET's vocabulary for each label id, -1 for labels it lacks; and how many those are.

    Labels are matched by name and synonym; 80 labels in COCO's order by their place.

    Raises:
        ModelError: no label is a person.
    """
    words, names = hico_det(), coco().objects
    table = np.full(max(labels, default=-1) + 1, -1, np.int64)
    in_place = sum(_object_id(words, label) == _object_id(words, names[number]) for number, label in labels.items()
                   if number < len(names))  # fmt: skip
    by_place = len(labels) == len(names) == len(table) and in_place >= _SAME_ORDER
    for number, label in labels.items():
        table[number] = _object_id(words, names[number] if by_place else label)
    if words.person_id not in table:
        raise ModelError(f"detector {owner}: none of its {len(labels)} labels is a person; expected COCO's 80 classes")
    return table, int((table < 0).sum())


def _object_id(words: Vocabulary, label: str) -> int:
    name = normal_form(label)
    name = dict(words.object_synonyms).get(name, name)
    return words.objects.index(name) if name in words.objects else -1


def hub_files(name: str) -> dict[str, str]:
    """SHA-256 of a model's files: ``detector`` (its weights), ``detector_config``, ``detector_processor``.

    ``name`` is a folder, or a model in the hub's cache. Files that are missing are left out.
    """
    folder = _folder(local_name(name))
    if folder is None:
        return {}
    weights = next((file for file in HUB_WEIGHTS_FILES if is_file(folder / file)), HUB_WEIGHTS_FILES[0])
    roles = {"detector": weights, "detector_config": HUB_CONFIG_FILE, "detector_processor": HUB_PROCESSOR_FILE}
    return {role: known_sha256(folder / file) for role, file in roles.items() if is_file(folder / file)}


def _folder(name: str) -> Path | None:
    if is_folder(Path(name)):
        return Path(name)
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    try:
        config = try_to_load_from_cache(name, HUB_CONFIG_FILE)
    except ValueError:  # no OWNER/NAME
        return None
    return Path(config).parent if isinstance(config, str) else None


def local_name(name: str) -> str:
    """A folder as an absolute path, so that transformers does not take it for a name of the hub."""
    folder = user_path(name)
    return str(folder.resolve()) if is_folder(folder) else name


def build_detr(request: DetectorRequest) -> DetrDetector:
    """The checkpoint at ``request.argument``."""
    return DetrDetector(
        request.argument, score_threshold=request.score_threshold,
        short_side_px=request.input_size_px or SHORT_SIDE_PX, long_side_px=request.input_size_px or LONG_SIDE_PX,
        device=request.device, name=request.spec,
    )  # fmt: skip


def build_hub(request: DetectorRequest) -> HubDetector:
    """The model in the folder ``request.argument``."""
    return HubDetector(
        request.argument, score_threshold=request.score_threshold, input_size_px=request.input_size_px,
        device=request.device,
    )  # fmt: skip

"""Average precision of a detector file on the corpus's COCO val pictures.

::

    python -m videohoi.train.evaluate_detector ONNX --corpus FOLDER [--size 416]

Prints one JSON object. Numbers follow COCO's protocol (pycocotools): AP over IoU .50:.95, at most 100 boxes a picture.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from videohoi.detect.onnx_detector import OnnxDetector
from videohoi.detect.protocol import Detector
from videohoi.errors import InputError, VideohoiError
from videohoi.structures import Frame
from videohoi.train.corpus import CorpusPicture, read_corpus
from videohoi.vocabulary import Vocabulary, hico_det

TEST_SPLIT = "test_coco_val"
SCORE_FLOOR = 0.005
"""AP integrates over all scores; boxes below it change AP by less than 0.001"""
NMS_IOU = 0.65
"""YOLOX's evaluation setting"""
WEAKEST_SHOWN = 10
FEWEST_BOXES = 10
"""classes with fewer true boxes are not listed"""


def coco_truth(pictures: Sequence[CorpusPicture], vocabulary: Vocabulary) -> dict[str, Any]:
    """The pictures' human-made boxes as a COCO annotation object; areas are of boxes, in stored pixels."""
    annotations: list[dict[str, Any]] = []
    for image_id, picture in enumerate(pictures, 1):
        row = picture.row
        boxes = [(box, int(kind), 0) for box, kind in zip(row["boxes"], row["classes"], strict=True)]
        crowds = zip(row.get("crowd_boxes") or (), row.get("crowd_classes") or (), strict=True)
        boxes += [(box, int(kind), 1) for box, kind in crowds]
        for (left, top, right, bottom), category, crowd in boxes:
            width, height = right - left, bottom - top
            annotations.append({
                "id": len(annotations) + 1, "image_id": image_id, "category_id": category, "iscrowd": crowd,
                "bbox": [left, top, width, height], "area": width * height,
            })  # fmt: skip
    return {
        "info": {},
        "images": [{"id": image_id} for image_id in range(1, len(pictures) + 1)],
        "annotations": annotations,
        "categories": [{"id": index, "name": name} for index, name in enumerate(vocabulary.objects)],
    }


def coco_detections(detector: Detector, pictures: Sequence[CorpusPicture]) -> list[dict[str, Any]]:
    """The detector's boxes on each picture as COCO result rows."""
    rows = []
    for image_id, picture in enumerate(pictures, 1):
        image = np.ascontiguousarray(picture.pixels_bgr()[..., ::-1])
        detections = detector.detect([Frame(image, image_id, float(image_id), TEST_SPLIT)])[0]
        boxes = detections.boxes_xyxy_px.astype(np.float64)
        boxes[:, 2:] -= boxes[:, :2]
        rows += [
            {"image_id": image_id, "category_id": int(kind), "bbox": box.tolist(), "score": float(score)}
            for box, kind, score in zip(boxes, detections.class_ids, detections.scores, strict=True)
        ]
    return rows


def summarise(truth: dict[str, Any], detections: list[dict[str, Any]], vocabulary: Vocabulary) -> dict[str, Any]:
    """AP, AP50, by size, of persons, and the weakest classes with enough boxes; values in [0, 1]."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools reports on standard output
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(detections), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    precision = evaluation.eval["precision"][:, :, :, 0, -1]  # (IoU, recall, class): all sizes, 100 boxes
    by_class = _by_class(precision[0], truth, vocabulary)
    person = precision[:, :, vocabulary.person_id]
    names = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large")
    return {
        **{name: round(float(value), 4) for name, value in zip(names, evaluation.stats[: len(names)], strict=True)},
        "person_AP": round(float(person.mean()), 4),
        "person_AP50": round(float(person[0].mean()), 4),
        "weakest_AP50": dict(sorted(by_class.items(), key=lambda item: item[1])[:WEAKEST_SHOWN]),
    }


def _by_class(precision_at_50: Any, truth: dict[str, Any], vocabulary: Vocabulary) -> dict[str, float]:
    categories = [row["category_id"] for row in truth["annotations"] if not row["iscrowd"]]
    counts = np.bincount(categories, minlength=len(vocabulary.objects))
    return {
        f"{name} ({counts[index]})": round(float(precision_at_50[:, index].mean()), 3)
        for index, name in enumerate(vocabulary.objects)
        if counts[index] >= FEWEST_BOXES
    }


def evaluate(model: Path, corpus: Path, *, input_size_px: int | None = None, threads: int = 1) -> dict[str, Any]:
    """Run the detector file on the corpus's COCO val pictures.

    Raises:
        ModelError: the file is not a detector that ``--detector onnx:`` takes.
        InputError: there is no corpus at ``corpus``.
    """
    vocabulary = hico_det()
    try:
        pictures = read_corpus(corpus, TEST_SPLIT)
    except (FileNotFoundError, ValueError) as error:
        raise InputError(str(error)) from error
    detector = OnnxDetector(
        model, score_threshold=SCORE_FLOOR, nms_iou=NMS_IOU, input_size_px=input_size_px, threads=threads
    )
    detector.open()
    detections = coco_detections(detector, pictures)
    info = detector.info
    detector.close()
    facts = {"model": str(model), "sha256": info.weights_sha256, "input_size_px": info.input_size_px}
    return {**facts, "pictures": len(pictures), **summarise(coco_truth(pictures, vocabulary), detections, vocabulary)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m videohoi.train.evaluate_detector", description=__doc__)
    parser.add_argument("model", type=Path, help="YOLOX- or PicoDet-style ONNX file")
    parser.add_argument("--corpus", type=Path, required=True, help="folder with labels.jsonl.gz and the shards")
    parser.add_argument("--size", type=int, default=None, help="long side of the network input in pixels")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    options = parser.parse_args(arguments)
    try:
        report = evaluate(options.model, options.corpus, input_size_px=options.size, threads=options.threads)
    except VideohoiError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    sys.stdout.write(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Fits the exponent after which a detector's score equals the share of its boxes that are right.

    python -m videohoi.train.calibrate_detector videohoi/detect/data/starter_detector.onnx --corpus CORPUS --size 384

A detector that multiplies objectness and class probability is underconfident: two factors of 0.5 give 0.25. Raising the
product to a power keeps the order of the boxes (hence AP) and corrects most of that. The exponent minimises the log
loss on the ``val`` part of the corpus, labelled by a stronger teacher; the ``test`` part is not used.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from videohoi.detect.onnx_detector import OnnxDetector
from videohoi.errors import VideohoiError
from videohoi.geometry.boxes import pairwise_iou
from videohoi.structures import Detections, Frame
from videohoi.train.corpus import CorpusPicture, read_corpus

SPLIT = "val"
SCORE_FLOOR = 0.05
"""boxes under this are nearly all wrong and so many that they would dominate the fit"""
LABEL_SCORE = 0.25
"""labels from here up count as objects (the corpus's own threshold)"""
MATCH_IOU = 0.5
EXPONENTS = (0.2, 2.0)
"""range searched"""
BINS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)


def is_right(detections: Detections, picture: CorpusPicture) -> NDArray[np.bool_]:
    """(N,) the box overlaps a label of its class by ``MATCH_IOU``; labels under ``LABEL_SCORE`` are left out."""
    row = picture.row
    sure = np.array(row["scores"], np.float64) >= LABEL_SCORE
    boxes = np.array(row["boxes"], np.float64).reshape(-1, 4)[sure]
    classes = np.array(row["classes"], np.int64)[sure]
    overlap = pairwise_iou(detections.boxes_xyxy_px.astype(np.float64), boxes) >= MATCH_IOU
    right: NDArray[np.bool_] = (overlap & (detections.class_ids[:, None] == classes[None])).any(axis=1)
    return right


def fit_exponent(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """The exponent in ``EXPONENTS`` with the least log loss of ``scores ** exponent`` against ``right``, both (N,)."""

    def log_loss(exponent: float) -> float:
        probability = np.clip(scores**exponent, 1e-6, 1 - 1e-6)
        return float(-np.where(right, np.log(probability), np.log1p(-probability)).mean())

    return float(minimize_scalar(log_loss, bounds=EXPONENTS, method="bounded").x)


def reliability(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> dict[str, str]:
    """Per bin of the score: mean score, share of right boxes, and number of boxes."""
    rows = {}
    for low, high in itertools.pairwise(BINS):
        inside = (scores >= low) & (scores < high)
        if inside.any():
            mean, share = scores[inside].mean(), right[inside].mean()
            rows[f"{low}-{high}"] = f"score {mean:.2f}, right {share:.2f} of {inside.sum()}"
    return rows


def calibrate(model: Path, corpus: Path, *, input_size_px: int | None) -> dict[str, Any]:
    """Exponent and reliability before and after, over the corpus's ``val`` pictures.

    Raises:
        ModelError: the file is not a YOLOX- or PicoDet-style detector.
    """
    detector = OnnxDetector(model, score_threshold=SCORE_FLOOR, input_size_px=input_size_px, threads=1)
    detector.open()
    scores, right = [], []
    for index, picture in enumerate(read_corpus(corpus, SPLIT, leave_out=("clips",))):
        image = np.ascontiguousarray(picture.pixels_bgr()[..., ::-1])
        detections = detector.detect([Frame(image, index, float(index), SPLIT)])[0]
        scores.append(detections.scores.astype(np.float64))
        right.append(is_right(detections, picture))
    detector.close()
    all_scores, all_right = np.concatenate(scores), np.concatenate(right)
    exponent = fit_exponent(all_scores, all_right)
    return {
        "exponent": round(exponent, 3),
        "boxes": len(all_scores),
        "before": reliability(all_scores, all_right),
        "after": reliability(all_scores**exponent, all_right),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m videohoi.train.calibrate_detector", description=__doc__)
    parser.add_argument("model", type=Path, help="YOLOX- or PicoDet-style ONNX file")
    parser.add_argument("--corpus", type=Path, required=True, help="folder with labels.jsonl.gz and the shards")
    parser.add_argument("--size", type=int, default=None, help="long side of the network input in pixels")
    options = parser.parse_args(arguments)
    try:
        report = calibrate(options.model, options.corpus, input_size_px=options.size)
    except (VideohoiError, FileNotFoundError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

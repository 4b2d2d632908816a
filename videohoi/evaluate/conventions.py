"""The rules under which HICO-DET is scored, by name: the public evaluators differ in details that move the result.

What each does was read from its code; ``docs`` of every field says where they differ. All share the matching: a
prediction belongs to the annotation of its picture and class with the best min(IoU(humans), IoU(objects)); the best
scored prediction of an annotation is right, every other one is wrong. All average the best precision at eleven recalls
(PASCAL VOC 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.names import did_you_mean, nearest_names

LEAST_IOU = 0.5
Shift = tuple[float, float, float, float]
UNMOVED: Shift = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Convention:
    """One way to score triplets."""

    name: str
    source: str
    """whose rules these are"""
    border_px: float
    """added to width and height in areas and intersections: 1 counts the pixels from x1 to x2, both included"""
    strict_iou: bool
    """an IoU of exactly 0.5 is not enough"""
    apart_when_touching: bool
    """boxes whose corner intervals share a single coordinate do not overlap, even with a border of 1"""
    top_k: int | None
    """predictions of a picture that count, best score first; None: all"""
    counts_images_without_truth: bool
    """predictions in a picture without any annotation are wrong; otherwise they are left out"""
    truth_shift_xyxy_px: Shift
    """moves annotated boxes (HICO-DET's are 1-based pixel indices) into the predictions' frame"""
    two_ended_recalls: bool
    """recalls 0, 0.1 .. 1 built from both ends (MATLAB's colon, torch.linspace); otherwise as ``numpy.arange`` does,
    where 0.6 and 0.7 come out a hair above, and a recall of 6 of 10 does not reach 0.6 (0.3 is above in both)"""

    def recall_points(self) -> NDArray[np.float64]:
        """(11,) the recalls at which precision is read."""
        if not self.two_ended_recalls:
            return np.arange(0.0, 1.1, 0.1)
        steps, step = np.arange(11), 0.1
        return np.where(steps < 5, steps * step, 1.0 - (10 - steps) * step)


OFFICIAL = Convention(
    name="official",
    source="ywchao/ho-rcnn, VOCevaldet_bboxpair.m: detections moved by 1 to the annotations' 1-based pixels",
    border_px=1.0,
    strict_iou=False,
    apart_when_touching=False,
    top_k=None,
    counts_images_without_truth=True,
    truth_shift_xyxy_px=(-1.0, -1.0, -1.0, -1.0),
    two_ended_recalls=True,
)
QPIC = Convention(
    name="qpic",
    source="hitachi-rd-cv/qpic, datasets/hico_eval.py (also CDN, EoID): its comparison of a list with tuples leaves "
    "out every prediction in a picture without annotation",
    border_px=1.0,
    strict_iou=False,
    apart_when_touching=True,
    top_k=100,
    counts_images_without_truth=False,
    truth_shift_xyxy_px=UNMOVED,
    two_ended_recalls=False,
)
GEN = Convention(
    name="gen",
    source="YueLiao/gen-vlkt, datasets/hico_eval_triplet.py (also HOICLIP)",
    border_px=1.0,
    strict_iou=False,
    apart_when_touching=True,
    top_k=100,
    counts_images_without_truth=True,
    truth_shift_xyxy_px=UNMOVED,
    two_ended_recalls=False,
)
POCKET = Convention(
    name="pocket",
    source="fredzzhang/pocket, BoxPairAssociation and DetectionAPMeter with algorithm '11P', boxes as fredzzhang/upt",
    border_px=0.0,
    strict_iou=True,
    apart_when_touching=False,
    top_k=None,
    counts_images_without_truth=True,
    truth_shift_xyxy_px=(-1.0, -1.0, 0.0, 0.0),
    two_ended_recalls=True,
)
UPT = Convention(
    name="upt",
    source="fredzzhang/upt, test_hico (also PViC, LAIN): pocket's rules over hicodet's loader, which never yields a "
    "picture without annotation",
    border_px=0.0,
    strict_iou=True,
    apart_when_touching=False,
    top_k=None,
    counts_images_without_truth=False,
    truth_shift_xyxy_px=(-1.0, -1.0, 0.0, 0.0),
    two_ended_recalls=True,
)
CONVENTIONS = (OFFICIAL, QPIC, POCKET, GEN, UPT)


def convention_named(name: str) -> Convention:
    """One of ``CONVENTIONS``.

    Raises:
        UsageError: there is none; the message lists the names and offers the nearest.
    """
    known = {convention.name: convention for convention in CONVENTIONS}
    if name not in known:
        hint = did_you_mean(nearest_names(name, known))
        raise UsageError(f"unknown convention {name!r}; expected one of {', '.join(known)}{hint}")
    return known[name]

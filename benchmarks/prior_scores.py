"""The prior of the box scores (UPT, LAIN): one look-up in a table against index lists built pair by pair."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Claim, Contestant, NotEqualError, Options, Row, interleave
from benchmarks.scenes_heads import boxes_of
from videohoi.vocabulary import hico_det

CASES = ((2, 5), (4, 13), (15, 15))
"""humans and objects: a quiet picture, 64 pairs, and the 435 that UPT's and LAIN's choice of boxes allows"""
GOAL_CASES, GOAL = CASES[1:], 20.0
LOOP, PUBLIC = "lists pair by pair", "UPT's code"
TOLERANCE = 1e-6
Call = Callable[[], Any]


def _torch() -> Any:
    """The module, or why it is absent."""
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        return f"torch: {error}"


def verbs_by_class() -> list[list[int]]:
    """Verbs that go with each object class, as the public code keeps them."""
    return [np.flatnonzero(row).tolist() for row in hico_det().valid]


def looped(torch: Any, verbs: list[list[int]], tensors: tuple[Any, ...], power: float) -> Any:
    """(P, V), written plainly: collect (pair, verb) places in lists, then fill both factors and multiply them."""
    humans, others, scores, class_ids = tensors
    prior = torch.zeros(2, len(humans), len(hico_det().verbs))
    allowed = [verbs[class_id.item()] for class_id in class_ids[others]]
    pairs = [pair for pair, columns in enumerate(allowed) for _ in columns]
    places = [column for columns in allowed for column in columns]
    prior[0, pairs, places] = scores[humans].pow(power)[pairs]
    prior[1, pairs, places] = scores[others].pow(power)[pairs]
    return prior.prod(0)


def public_call(folder: Path, tensors: tuple[Any, ...]) -> Call:
    """``compute_prior_scores`` of a checkout of fredzzhang/upt, and the product that its users take."""
    stubs = {"pocket": types.ModuleType("pocket"), "ops": types.ModuleType("ops")}
    vars(stubs["ops"])["compute_spatial_encodings"] = None  # imported by name there, not needed here
    before = {name: sys.modules.get(name) for name in stubs}
    sys.modules.update(stubs)
    sys.path.insert(0, str(folder))
    try:
        theirs = importlib.import_module("interaction_head").InteractionHead.compute_prior_scores
    finally:
        sys.path.remove(str(folder))
        sys.modules.update({name: module for name, module in before.items() if module is not None})
        for name in [name for name, module in before.items() if module is None]:
            del sys.modules[name]
    model = types.SimpleNamespace(
        num_classes=len(hico_det().verbs), training=False, object_class_to_target_class=verbs_by_class()
    )
    return lambda: theirs(model, *tensors).prod(0)


def calls(torch: Any, case: tuple[int, int], options: Options) -> tuple[dict[str, Call], tuple[str, ...]]:
    """(name to call, absent peers): ours first. Each gives the (P, V) prior of one picture."""
    prior = importlib.import_module("videohoi.layers.prior_scores")
    boxes = boxes_of(*case, width=1)
    humans, others = map(torch.from_numpy, boxes.pairs)
    scores, class_ids = torch.from_numpy(boxes.scores[0]), torch.from_numpy(boxes.class_ids[0])
    valid, power = torch.tensor(hico_det().valid, dtype=torch.float32), prior.INFERENCE_POWER
    verbs = verbs_by_class()
    found: dict[str, Call] = {
        "ours": lambda: prior.compute_prior_scores(
            scores.index_select(0, humans),
            scores.index_select(0, others),
            class_ids.index_select(0, others),
            valid,
            power=power,
        ),
        LOOP: lambda: looped(torch, verbs, (humans, others, scores, class_ids), power),
    }
    folder = options.checkout("upt_full")
    if folder is None:
        return found, (f"{PUBLIC}: no checkout upt_full (fredzzhang/upt) below --peer-path",)
    found[PUBLIC] = public_call(folder, (humans, others, scores, class_ids))
    return found, ()


def compare(found: dict[str, Call]) -> int:
    """Numbers compared; ``NotEqualError`` where one differs."""
    ours = found["ours"]()
    for name, call in found.items():
        difference = float((ours - call()).abs().max())
        if difference > TOLERANCE:
            raise NotEqualError(f"the prior differs from that of {name} by {difference:g}")
    return int(ours.numel())


def check(options: Options) -> str:
    """The prior of a quiet picture and of a full one."""
    torch = _torch()
    if isinstance(torch, str):
        return f"nothing: absent {torch}"
    count = sum(compare(calls(torch, case, options)[0]) for case in CASES)
    return f"{count} numbers to {TOLERANCE:g}"


def _row(torch: Any, case: tuple[int, int], options: Options) -> Row:
    found, absent = calls(torch, case, options)
    count = compare(found)
    pairs = case[0] * (sum(case) - 1)
    return Row(
        f"{pairs} pairs",
        f"{count} numbers to {TOLERANCE:g}",
        interleave([Contestant(name, call) for name, call in found.items()], options.rounds),
        goals={LOOP: GOAL, PUBLIC: GOAL} if case in GOAL_CASES else {},
        absent=absent,
    )


def measure(options: Options) -> Sequence[Row]:
    """From a quiet picture to a full one, on one thread."""
    torch = _torch()
    if isinstance(torch, str):
        return [Row("435 pairs", "nothing", absent=(torch,))]
    torch.set_num_threads(1)
    return [_row(torch, case, options) for case in CASES]


CLAIM = Claim(
    "prior_scores",
    "The prior of the box scores for every pair and verb (UPT, LAIN): the same numbers as from lists built pair by "
    f"pair, at least {GOAL:g} times as fast at 64 pairs and at the 435 of 15 humans and 15 objects.",
    check,
    measure,
)

"""HICO-DET's test set scored, against QPIC's evaluator and pocket's meter (checkouts) and the plain twin.

QPIC needs minutes for the whole set, so that row has at most ``WHOLE_ROUNDS`` rounds (``--rounds 1``: one), says so,
and takes its times from the very calls whose answers are compared.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Claim, Contestant, NotEqualError, Options, Row, Timing, interleave
from benchmarks.hico_peers import pocket_run, qpic_evaluator, qpic_inputs, qpic_precisions, qpic_truth
from benchmarks.scenes_hico import every, synthetic_predictions, synthetic_truth
from videohoi.evaluate.conventions import POCKET, QPIC, Convention
from videohoi.evaluate.hico.scoring import evaluate_hico
from videohoi.evaluate.hico.truth import known_objects_of, read_hico_truth
from videohoi.evaluate.matching import class_scores, match
from videohoi.evaluate.triplet_sets import TripletPredictions, TripletTruth

IMAGES, CLASSES = 9658, 600
"""pictures of HICO-DET's test set, interactions"""
WHOLE_ROUNDS = 2
SUBSET_STEP = 20
"""peers score every 20th picture: they take 8 and 3 ms a picture"""
GOALS = {"qpic": 50.0, "pocket": 20.0}
MOST_SECONDS, MOST_MEGABYTES = 1.5, 1000.0
TOLERANCE = 1e-12

Precisions = NDArray[np.float64]


def _truth(images: int) -> tuple[TripletTruth, str]:
    """The real annotations below VIDEOHOI_DATA, or made-up ones of the same size."""
    folder = os.environ.get("VIDEOHOI_DATA")
    file = None if folder is None else Path(folder) / "hicodet" / "instances_test2015.json"
    if images == IMAGES and file is not None and file.is_file():
        return read_hico_truth(file), "real annotations"
    return synthetic_truth(images, CLASSES), "made-up annotations"


def _ours(truth: TripletTruth, found: TripletPredictions, convention: Convention) -> Precisions:
    return evaluate_hico(truth, found, convention).modes["default"].average_precisions


def _plain(truth: TripletTruth, found: TripletPredictions, convention: Convention) -> Precisions:
    return class_scores(match(truth, found, convention, compiled=False), compiled=False).average_precisions


def _quiet(call: Callable[[], Precisions]) -> Callable[[], Precisions]:
    """The peers print, and take means of nothing."""

    def run() -> Precisions:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return call()

    return run


def _peers(
    options: Options, truth: TripletTruth, found: TripletPredictions
) -> tuple[dict[str, Callable[[], Precisions]], tuple[str, ...]]:
    """A call for each peer that is at hand, and the reasons for the others."""
    calls: dict[str, Callable[[], Precisions]] = {}
    absent = []
    qpic, pocket = options.checkout("qpic"), options.checkout("pocket")
    if qpic is None:
        absent.append("qpic: no checkout of hitachi-rd-cv/qpic")
    else:
        checkout, inputs, targets = qpic, list(qpic_inputs(truth, found)), qpic_truth(truth)
        calls["qpic"] = _quiet(lambda: qpic_precisions(qpic_evaluator(checkout, targets, inputs)))
    if pocket is None:
        absent.append("pocket: no checkout of fredzzhang/pocket")
    else:
        try:
            calls["pocket"] = _quiet(pocket_run(pocket, truth, found))
        except ImportError as error:
            absent.append(f"pocket: {error}")
    return calls, tuple(absent)


def _compare(options: Options, truth: TripletTruth, found: TripletPredictions, plain: bool) -> str:
    """Words for what was equal; ``NotEqualError`` where something is not."""
    conventions = {"qpic": QPIC, "pocket": POCKET}
    others = dict(_peers(options, truth, found)[0])
    compared = []
    for name, convention in conventions.items():
        ours = _ours(truth, found, convention)
        theirs = {name: others[name]()} if name in others else {}
        theirs |= {"the plain twin": _plain(truth, found, convention)} if plain else {}
        for peer, values in theirs.items():
            _require_equal(peer, values, ours)
            compared.append(f"{peer} ({convention.name} rules)")
    count, pictures = len(found), len(truth.image_names)
    words = f"average precision of each class within {TOLERANCE:g} of {', '.join(compared)}"
    return f"{words}: {count} triplets, {pictures} pictures"


def check(options: Options) -> str:
    """Small pictures, both conventions, every peer at hand."""
    truth = synthetic_truth(60, CLASSES)
    return _compare(options, truth, synthetic_predictions(truth, at_most=20), plain=True)


def measure(options: Options) -> Sequence[Row]:
    """Every 20th picture against the peers, then the whole set alone."""
    whole, kind = _truth(IMAGES)
    truth = every(whole, SUBSET_STEP)
    found = synthetic_predictions(truth)
    equal = _compare(options, truth, found, plain=True)
    calls, absent = _peers(options, truth, found)
    pictures = len(truth.image_names)
    contestants = [
        Contestant("videohoi", lambda: _ours(truth, found, QPIC), pictures),
        *(Contestant(name, call, pictures) for name, call in calls.items()),
        Contestant("plain twin", lambda: _plain(truth, found, QPIC), pictures),
    ]
    case = f"{pictures} pictures x 100 triplets, {kind}"
    subset = Row(case, equal, interleave(contestants, options.rounds), GOALS, absent=absent)
    return (subset, _whole(kind), *([_whole_against_peers(options, whole, kind)] if calls else []))


def _whole_against_peers(options: Options, truth: TripletTruth, kind: str) -> Row:
    """The whole set in one process, peers in turn; each call is both timed and compared."""
    rounds = min(options.rounds, WHOLE_ROUNDS)
    found = synthetic_predictions(truth)
    calls: dict[str, Callable[[], Precisions]] = {"videohoi": lambda: _ours(truth, found, QPIC)}
    calls["videohoi"]()  # compiles
    calls |= _peers(options, truth, found)[0]
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds):
        for name in (*list(calls)[number:], *list(calls)[:number]):
            started = time.perf_counter()
            values = calls[name]()
            seconds[name].append((time.perf_counter() - started) / len(truth.image_names))
            _require_equal(name, values, _ours(truth, found, POCKET if name == "pocket" else QPIC))
    timings = tuple(Timing(name, tuple(values)) for name, values in seconds.items())
    case = f"{len(truth.image_names)} pictures x 100 triplets in one process, {kind}, {rounds} rounds"
    equal = f"average precision of each class within {TOLERANCE:g} of {', '.join(list(calls)[1:])}"
    return Row(case, f"{equal}: {len(found)} triplets", timings, GOALS)


def _require_equal(name: str, theirs: Precisions, ours: Precisions) -> None:
    known = ~np.isnan(ours)
    worst = float(np.abs(theirs[known] - ours[known]).max())
    if not worst <= TOLERANCE:
        raise NotEqualError(f"average precision differs from {name}'s by {worst:g}")


def _whole(kind: str) -> Row:
    """The whole set in a process of its own, so that its memory is that of the evaluation."""
    code = "from benchmarks.hico_evaluation import run_alone; run_alone()"
    root = Path(__file__).resolve().parents[1]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=root,
        env={**os.environ, **threads},
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    met = figures["seconds"] <= MOST_SECONDS and figures["peak_megabytes"] <= MOST_MEGABYTES
    return Row(f"{IMAGES} pictures x 100 triplets, both modes, one core, {kind}", "as above", figures=figures, met=met)


def run_alone() -> None:
    """Score the whole set in both modes; write seconds (best of three, wall and processor) and memory as JSON."""
    truth, _ = _truth(IMAGES)
    found, known = synthetic_predictions(truth), known_objects_of(truth)
    evaluate_hico(truth, found, QPIC, known_objects=known)  # compiles
    rounds = []
    for _ in range(3):
        wall, processor = time.perf_counter(), time.process_time()
        evaluate_hico(truth, found, QPIC, known_objects=known)
        rounds.append((time.perf_counter() - wall, time.process_time() - processor))
    peak = _peak_megabytes()
    best = {"seconds": min(r[0] for r in rounds), "processor_seconds": min(r[1] for r in rounds)}
    sys.stdout.write(json.dumps({**best, "peak_megabytes": peak, "triplets": len(found)}))


def _peak_megabytes() -> float:
    """Of this process alone: Linux counts what the parent held at the fork into ``ru_maxrss``, not into VmHWM."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1e3
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


CLAIM = Claim(
    name="hico_evaluation",
    text="HICO-DET's test set is scored in at most 1.5 s on one core and 1 GB: at least 50 times QPIC's evaluator and "
    "20 times pocket's meter, with the same average precisions",
    check=check,
    measure=measure,
)

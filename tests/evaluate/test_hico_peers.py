"""The public evaluators themselves, from local checkouts: average precision of every class, to 1e-12.

Set VIDEOHOI_PEER_PATH to a folder with ``qpic`` (hitachi-rd-cv/qpic), ``gen_full`` (YueLiao/gen-vlkt) and ``pocket``
(fredzzhang/pocket, with torch).
With VIDEOHOI_PEER_FULL=1 and the real annotations all 9,658 pictures are compared (minutes); else every 40th.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.hico_peers import (
    gen_evaluator,
    gen_precisions,
    pocket_run,
    qpic_evaluator,
    qpic_inputs,
    qpic_precisions,
    qpic_truth,
)
from benchmarks.scenes_hico import every, synthetic_predictions, synthetic_truth
from videohoi.evaluate.conventions import GEN, POCKET, QPIC
from videohoi.evaluate.hico.scoring import evaluate_hico
from videohoi.evaluate.hico.truth import read_hico_truth
from videohoi.vocabulary import hico_det

PEERS = os.environ.get("VIDEOHOI_PEER_PATH")
REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "hicodet" / "instances_test2015.json"
STEP = 1 if os.environ.get("VIDEOHOI_PEER_FULL") == "1" else 40
TOLERANCE = 1e-12

pytestmark = [
    pytest.mark.skipif(PEERS is None, reason="VIDEOHOI_PEER_PATH names no folder with the public evaluators"),
    pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning"),
]


@pytest.fixture(scope="module", params=["real", "synthetic"])
def scene(request):
    if request.param == "synthetic":
        truth = synthetic_truth(120, len(hico_det().interactions))
        return truth, synthetic_predictions(truth, at_most=20)
    if not REAL.is_file():
        pytest.skip(f"no real annotations at {REAL}")
    truth = every(read_hico_truth(REAL), STEP)
    return truth, synthetic_predictions(truth)


def compare(convention, truth, found, theirs):
    ours = evaluate_hico(truth, found, convention).modes["default"].average_precisions
    known = ~np.isnan(ours)
    assert known.sum() == (truth.positives() > 0).sum() > 200
    np.testing.assert_allclose(ours[known], theirs[known], rtol=0, atol=TOLERANCE)
    assert 0 < ours[known].mean() < 1


def test_qpic(scene):
    truth, found = scene
    evaluator = qpic_evaluator(Path(PEERS) / "qpic", qpic_truth(truth), qpic_inputs(truth, found))
    compare(QPIC, truth, found, qpic_precisions(evaluator))


def test_pocket(scene):
    pytest.importorskip("torch")
    truth, found = scene
    compare(POCKET, truth, found, pocket_run(Path(PEERS) / "pocket", truth, found)())


def test_gen(scene):
    pytest.importorskip("cv2")
    truth, found = scene
    compare(GEN, truth, found, gen_precisions(gen_evaluator(Path(PEERS) / "gen_full", truth, found)))

"""VidHOI: equal to the public metric where that is right; where it is not, the difference is shown."""

import logging
import os
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hico_cases import write_json
from vidhoi_cases import OBJECTS, PREDICATES, frames

from benchmarks.hico_peers import module_of
from videohoi.errors import TruthError
from videohoi.evaluate.vidhoi.frames import frame_triplets, read_vidhoi_frames
from videohoi.evaluate.vidhoi.persons import person_top_k
from videohoi.evaluate.vidhoi.report import VidhoiWords, vidhoi_report, vidhoi_result
from videohoi.evaluate.vidhoi.scoring import evaluate_vidhoi

PEERS = os.environ.get("VIDEOHOI_PEER_PATH")
PEER_TEST = pytest.mark.skipif(
    PEERS is None, reason="VIDEOHOI_PEER_PATH names no folder with a checkout of nizhf/hoi-prediction-gaze-transformer"
)
SILENT = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the public code takes means of nothing
CASES = {"plain": {}, "gone": {"gone": True}, "loose": {"jitter": 0.15}, "oracle": {"jitter": 0.0}}
STORED = {
    "plain": 0.4124200470213229,
    "gone": 0.34897793115881404,
    "loose": 0.2115096206755346,
    "oracle": 0.4183187213924516,
}
"""mean average precision of the public code, which the peer test repeats"""
WORDS = VidhoiWords(
    ("person", "cup", "dog", "ball"), ("hold", "next_to", "push", "behind", "kick"),
    {"spatial": ("next_to", "behind"), "temporal": ("push", "kick")},
)  # fmt: skip


def read(tmp_path, records, **options):
    return read_vidhoi_frames(write_json(tmp_path / "r.json", records), OBJECTS, PREDICATES, **options)


def scored(tmp_path, records, **options):
    truth, found = frame_triplets(read(tmp_path, records), OBJECTS)
    return evaluate_vidhoi(truth, found, OBJECTS, **options)


@pytest.fixture(scope="module")
def public():
    sklearn, common = ModuleType("sklearn.metrics"), ModuleType("common")
    sklearn.hamming_loss = sklearn.confusion_matrix = None  # not reached by what is compared
    progress = ModuleType("tqdm")
    progress.tqdm = lambda rows, **_: rows
    stand_ins = {"sklearn": ModuleType("sklearn"), "sklearn.metrics": sklearn, "tqdm": progress, "common": common}
    before = {name: sys.modules.get(name) for name in stand_ins}
    sys.modules.update(stand_ins)
    folder = Path(PEERS) / "gaze" / "common"
    module_of("common.metrics_utils", folder / "metrics_utils.py")
    yield module_of("common.metrics", folder / "metrics.py")
    for name, module in before.items():
        sys.modules.pop(name) if module is None else sys.modules.update({name: module})


@PEER_TEST
@SILENT
@pytest.mark.parametrize("name", CASES)
def test_the_public_metric_itself(tmp_path, public, name):
    records = frames(**CASES[name])
    theirs, *_ = public.mean_average_precision_qpic(records, logging.getLogger("t"), quiet=True)
    ours = scored(tmp_path, records)
    assert {(0, row // OBJECTS, row % OBJECTS) for row in np.flatnonzero(ours.positives)} == set(theirs)
    for (_, predicate, thing), value in theirs.items():
        assert ours.classes.average_precisions[predicate * OBJECTS + thing] == pytest.approx(value, abs=1e-12)
    assert STORED[name] == pytest.approx(np.mean(list(theirs.values())), abs=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_the_values_of_the_public_metric(tmp_path, name):
    assert scored(tmp_path, frames(**CASES[name])).mean() == pytest.approx(STORED[name], abs=1e-12)


def twice():
    """One annotated pair, predicted by three boxes of the same person; the sum of their claims is too much."""
    person, cup, far = [0, 0, 100, 200], [50, 50, 90, 90], [300, 300, 340, 340]
    claims = np.zeros((3, PREDICATES))
    claims[:, 0] = [0.9, 0.8, 0.7]
    truth = np.zeros((2, PREDICATES))
    truth[:, 0] = 1
    return [
        {
            "video_name": "v", "frame_id": "0",
            "bboxes": [person, person, person, cup], "pred_labels": [0, 0, 0, 1], "confidences": [1, 1, 1, 1],
            "pair_idxes": [[0, 3], [1, 3], [2, 3]], "interaction_distribution": claims.tolist(),
            "bboxes_gt": [person, cup, far], "labels_gt": [0, 1, 1], "pair_idxes_gt": [[0, 1], [0, 2]],
            "interactions_gt": truth.tolist(),
        }
    ]  # fmt: skip


def test_a_second_prediction_of_an_annotation_is_wrong_here_and_right_in_the_public_metric(tmp_path):
    ours, theirs = scored(tmp_path, twice()), scored(tmp_path, twice(), duplicates_count=True)
    hold_cup = 1
    # one of two annotations is found: recalls to 0.5 read a precision of 1, the others nothing
    assert ours.classes.average_precisions[hold_cup] == pytest.approx(6 / 11)
    assert ours.classes.highest_recalls[hold_cup] == 0.5
    assert theirs.classes.average_precisions[hold_cup] == pytest.approx(1.0)
    assert theirs.classes.highest_recalls[hold_cup] == 1.5  # a recall above 1


@PEER_TEST
@SILENT
def test_the_public_metric_counts_second_predictions_as_right(tmp_path, public):
    for records in (twice(), frames(duplicates=True)):
        ap, _, _, recall, _ = public.mean_average_precision_qpic(records, logging.getLogger("t"), quiet=True)
        ours, theirs = scored(tmp_path, records), scored(tmp_path, records, duplicates_count=True)
        assert theirs.mean() == pytest.approx(np.mean(list(ap.values())), abs=1e-12)
        assert ours.mean() < theirs.mean()
        assert max(recall.values()) > 1


@PEER_TEST
@SILENT
@pytest.mark.parametrize("name", CASES)
def test_person_wise_top_k_of_the_public_code(tmp_path, public, name):
    records = [*frames(**CASES[name]), *frames(2, seed=5)]
    for number, record in enumerate(records):
        record["frame_id"] = str(number)
    records[3] |= {"pair_idxes": [], "interaction_distribution": []}
    theirs = public.human_centric_top_k_all(records, [0.3, 0.6], [1, 5], logging.getLogger("t"), quiet=True)
    read_frames = read(tmp_path, records)
    for place, threshold in enumerate((0.3, 0.6)):
        for column, k in enumerate((1, 5)):
            ours = person_top_k(read_frames, k, threshold)
            wanted = [np.nanmean(figure[place][column]) for figure in theirs]
            assert [ours.recall, ours.precision, ours.accuracy, ours.f1] == pytest.approx(wanted, abs=1e-12)


def test_person_wise_by_hand(tmp_path):
    found = read(tmp_path, twice())
    # of three predicted persons the first takes the annotated pair; its best triplet is right
    first = person_top_k(found, k=1, threshold=0.3)
    assert (first.recall, first.precision) == pytest.approx((1.0, 1 / 3))
    assert person_top_k(found, k=1, threshold=0.95).recall == 0.0


def test_a_frame_without_predicted_pairs_has_recall_zero_for_each_annotated_person(tmp_path):
    record = twice()[0] | {"pair_idxes": [], "interaction_distribution": []}
    scores = person_top_k(read(tmp_path, [record]))
    assert (scores.recall, scores.f1, scores.accuracy) == (0.0, 0.0, 0.0)
    assert np.isnan(scores.precision)


def test_temporal_predicates_and_rare_classes_are_subsets(tmp_path):
    scores = scored(tmp_path, frames())
    temporal = scores.of_predicates(WORDS.mask("temporal"))
    assert np.flatnonzero(temporal).tolist() == [8, 9, 10, 11, 16, 17, 18, 19]
    values = scores.classes.average_precisions
    assert scores.mean(temporal) == pytest.approx(np.nanmean(values[temporal]))
    assert (scores.rare == (scores.positives < 25)).all()


def test_frames_are_chosen_by_their_horizon_and_left_out_by_name(tmp_path):
    records = frames(3, gone=True)
    kept = read(tmp_path, records, only={"0001/1234_000031"})
    assert [frame.name for frame in kept] == ["0001/1234_000001"]
    assert len(read(tmp_path, records, without={"0001/1234_000001"})) == 2


def test_a_report_tells_modes_and_duplicates(tmp_path):
    results = {
        "f0": vidhoi_result(read(tmp_path, frames(jitter=0.0, duplicates=True)), WORDS),
        "f1": vidhoi_result(read(tmp_path, frames(gone=True)), WORDS),
    }
    report = vidhoi_report(results, {}, k=5, threshold=0.3)
    figures = report.record["results"]
    assert (figures["f0"]["mode"], figures["f1"]["mode"]) == ("oracle", "detection")
    means = figures["f0"]["mean_average_precision"]
    assert means["full"] < means["full, duplicates right"]
    assert "second predictions of an annotation" in report.notes[0]


DEFECTS = {
    "no name": ({"video_name": ""}, "record 0: video_name: expected a non-empty string"),
    "nan box": ({"bboxes": [[float("nan")] * 4] * 4}, "record 0: bboxes: expected finite numbers"),
    "object class": ({"pred_labels": [0, 0, 0, OBJECTS]}, "record 0: pred_labels: expected object classes from 0 to 3"),
    "pair of no box": (
        {"pair_idxes": [[0, 3], [1, 3], [2, 9]]},
        "record 0: pair_idxes: expected rows of bboxes from 0 to 3",
    ),
    "scores": (
        {"interaction_distribution": [[0.1] * 4] * 3},
        r"interaction_distribution: expected numbers of shape \(3, 5\)",
    ),
    "confidence": ({"confidences": [2, 1, 1, 1]}, r"record 0: confidences: expected scores in \[0, 1\]"),
    "annotation": ({"interactions_gt": [[0.5] * 5] * 2}, "record 0: interactions_gt: expected 0 and 1"),
    "mask": ({"exist_mask": [True]}, r"record 0: exist_mask: expected numbers of shape \(2\)"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_malformed_frames_are_errors(tmp_path, defect):
    fields, message = DEFECTS[defect]
    with pytest.raises(TruthError, match=message):
        read(tmp_path, [twice()[0] | fields])


def test_a_frame_twice_is_an_error(tmp_path):
    with pytest.raises(TruthError, match=r"record 1: frame_id: expected every frame once \(v_0 was there before\)"):
        read(tmp_path, twice() * 2)

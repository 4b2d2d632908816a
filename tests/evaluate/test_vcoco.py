"""V-COCO: by hand, against stored values of the public code, and against that code itself where it is at hand."""

import contextlib
import io
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from vcoco_cases import ACTIONS, write_case

from benchmarks.hico_peers import module_of
from videohoi.errors import InputError, TruthError
from videohoi.evaluate.vcoco.files import read_vcoco_truth, read_vsrl_predictions
from videohoi.evaluate.vcoco.scoring import VcocoActions, VcocoPredictions, VcocoTruth, evaluate_vcoco, vcoco_report

PEERS = os.environ.get("VIDEOHOI_PEER_PATH")
SINGLE_PRECISION = 2e-6
"""the public code computes in 32 bits"""
HOLD = VcocoActions(("hold", "stand"), (("obj",), ()))
PERSON, OTHER, CUP, FAR = [0, 0, 99, 199], [200, 0, 299, 199], [50, 50, 89, 89], [300, 300, 339, 339]
NOTHING = [np.nan] * 4


def truth_of(people):
    """One picture; ``people``: (box, holds 1 / 0 / -1, cup box)."""
    labels = np.array([[holds, holds] for _, holds, _ in people], np.int8)
    roles = np.full((len(people), 2, 2, 4), np.nan)
    for row, (_, _, cup) in enumerate(people):
        roles[row, 0, 0] = cup
    return VcocoTruth((1,), np.array([0, len(people)]), np.array([p[0] for p in people], float), labels, roles, HOLD)


def found_of(rows):
    """``rows``: (person box, cup box, score)."""
    count = len(rows)
    roles = np.full((count, 2, 2, 4), np.nan)
    scores = np.full((count, 2, 2), np.nan)
    agents = np.full((count, 2), np.nan)
    for row, (_, cup, score) in enumerate(rows):
        roles[row, 0, 0], scores[row, 0, 0], agents[row] = cup, score, score
    boxes = np.array([row[0] for row in rows], float).reshape(-1, 4)
    return VcocoPredictions(np.zeros(count, np.int64), boxes, agents, roles, scores)


def role_ap(people, rows):
    scores = evaluate_vcoco(truth_of(people), found_of(rows))
    return tuple(scores.role[scenario][0, 0] for scenario in (1, 2))


def test_person_and_object_must_fit():
    assert role_ap([(PERSON, 1, CUP)], [(PERSON, CUP, 0.9)]) == (1.0, 1.0)
    assert role_ap([(PERSON, 1, CUP)], [(PERSON, FAR, 0.9)]) == (0.0, 0.0)
    assert role_ap([(PERSON, 1, CUP)], [(FAR, CUP, 0.9)]) == (0.0, 0.0)
    assert role_ap([(PERSON, 1, CUP)], [(PERSON, NOTHING, 0.9)]) == (0.0, 0.0)


@pytest.mark.parametrize("empty", [NOTHING, [0.0] * 4])
def test_the_scenarios_differ_where_no_object_was_annotated(empty):
    assert role_ap([(PERSON, 1, NOTHING)], [(PERSON, CUP, 0.9)]) == (0.0, 1.0)
    assert role_ap([(PERSON, 1, NOTHING)], [(PERSON, empty, 0.9)]) == (1.0, 1.0)


def test_a_person_without_labels_counts_neither_way():
    people = [(PERSON, 1, CUP), (OTHER, -1, NOTHING)]
    assert role_ap(people, [(OTHER, CUP, 0.9), (PERSON, CUP, 0.5)]) == (1.0, 1.0)


def test_a_second_prediction_of_a_person_is_wrong():
    people = [(PERSON, 1, CUP), (OTHER, 1, FAR)]
    rows = [(PERSON, CUP, 0.9), (PERSON, CUP, 0.8), (OTHER, FAR, 0.7)]
    assert role_ap(people, rows) == pytest.approx((0.5 + 0.5 * 2 / 3,) * 2)


def test_agents_need_no_object():
    scores = evaluate_vcoco(truth_of([(PERSON, 1, CUP)]), found_of([(PERSON, FAR, 0.9)]))
    assert scores.agent.tolist() == [1.0, 1.0]
    assert scores.mean_agent == 1.0
    assert np.isnan(scores.role[1][1]).all()


def test_a_picture_without_persons_holds_only_wrong_predictions():
    truth = truth_of([(PERSON, 1, CUP)])
    two = VcocoTruth(
        (1, 2), np.array([0, 1, 1]), truth.person_boxes_xyxy_px, truth.actions, truth.role_boxes_xyxy_px, HOLD
    )
    found = found_of([(PERSON, CUP, 0.5), (PERSON, CUP, 0.9)])
    found.image_rows[1] = 1
    assert evaluate_vcoco(two, found).role[1][0, 0] == pytest.approx(0.5)


def test_nothing_predicted_is_zero_and_nobody_annotated_unknown():
    scores = evaluate_vcoco(truth_of([(PERSON, 1, CUP)]), found_of([]))
    assert scores.role[1][0, 0] == 0.0
    scores = evaluate_vcoco(truth_of([(PERSON, 0, NOTHING)]), found_of([(PERSON, CUP, 0.9)]))
    assert np.isnan(scores.role[1]).all()
    assert scores.mean_agent == 0.0


def case(folder):
    annotations, instances, found, _ = write_case(folder)
    truth = read_vcoco_truth(annotations, instances)
    return truth, read_vsrl_predictions(found, truth, "keep")


STORED = {
    "agent": [0.4152381, 0.49285981, 0.29283661, 0.44086357, 0.59223449],
    "scenario_1": [0.07916667, 0.05454545, 0.11111111, 0.13627451, 0.17879627],
    "scenario_2": [0.14901961, 0.05454545, 0.25, 0.13627451, 0.20109254],
}
"""of vsrl_eval.py on seed 0, as the test below found"""


def values_of(scores):
    slots = scores.vocabulary.slots()
    return {
        "agent": scores.agent.tolist(),
        **{f"scenario_{n}": [float(scores.role[n][slot]) for slot in slots] for n in (1, 2)},
    }


def test_the_values_of_the_public_code(tmp_path):
    values = values_of(evaluate_vcoco(*case(tmp_path)))
    assert {name: pytest.approx(row, abs=SINGLE_PRECISION) for name, row in STORED.items()} == values


@pytest.mark.skipif(PEERS is None, reason="VIDEOHOI_PEER_PATH names no folder with a checkout of s-gupta/v-coco")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("seed", range(3))
def test_the_public_code_itself(tmp_path, seed):
    pytest.importorskip("pycocotools")
    annotations, instances, found, ids = write_case(tmp_path, seed)
    fixes = {"role_id[i, j - 1] = aid": "role_id[i, j - 1] = aid[0]"}
    public = module_of("vsrl_eval_peer", Path(PEERS) / "v-coco" / "vsrl_eval.py", fixes)
    inner, curves = public.voc_ap, []

    def noted(recall, precision):
        curves.append(float(inner(recall, precision)))
        return curves[-1]

    public.voc_ap = noted
    with contextlib.redirect_stdout(io.StringIO()):
        public.VCOCOeval(str(annotations), str(instances), str(ids))._do_eval(str(found))
    truth = read_vcoco_truth(annotations, instances)
    values = values_of(evaluate_vcoco(truth, read_vsrl_predictions(found, truth, "keep")))
    assert curves == pytest.approx(
        [*values["agent"], *values["scenario_1"], *values["scenario_2"]], abs=SINGLE_PRECISION
    )


def test_a_report_has_the_means_papers_give(tmp_path):
    truth, found = case(tmp_path)
    report = vcoco_report(evaluate_vcoco(truth, found), truth, found, {"truth": "made up"})
    means = report.record["means"]
    roles = report.record["role"]
    assert means["role, scenario 1"] == pytest.approx(np.mean([row["scenario 1"] for row in roles.values()]))
    others = [row["scenario 2"] for name, row in roles.items() if not name.startswith("point")]
    assert means["role, scenario 2, without point"] == pytest.approx(np.mean(others))
    assert len(roles) == sum(len(names) - 1 for _, names in ACTIONS)


def altered(path, number, change):
    values = pickle.loads(path.read_bytes()) if path.suffix == ".pkl" else json.loads(path.read_text())
    change(values[number])
    if path.suffix == ".pkl":
        path.write_bytes(pickle.dumps(values))
    else:
        path.write_text(json.dumps(values))
    return path


BAD_PREDICTIONS = {
    "picture": (lambda r: r.update(image_id=99), "record 2: image_id: expected one of the 12 pictures"),
    "person": (lambda r: r.update(person_box=[1, 2, float("nan"), 4]), "record 2: person_box: expected finite numbers"),
    "turned": (lambda r: r.update(person_box=[9, 9, 1, 1]), "record 2: person_box: expected corners"),
    "missing action": (lambda r: r.pop("ride_agent"), "record 2: ride_agent: expected numbers .* it is missing"),
    "short role": (
        lambda r: r.update(ride_instr=[1, 2, 3, 4]),
        r"record 2: ride_instr: expected numbers of shape \(5,\)",
    ),
    "half nan": (
        lambda r: r.update(ride_instr=[1, float("nan"), 3, 4, 0.5]),
        "record 2: ride_instr: .* four nan for no box",
    ),
}


@pytest.mark.parametrize("name", BAD_PREDICTIONS)
def test_malformed_predictions_are_errors(tmp_path, name):
    change, message = BAD_PREDICTIONS[name]
    annotations, instances, found, _ = write_case(tmp_path)
    truth = read_vcoco_truth(annotations, instances)
    with pytest.raises(TruthError, match=message):
        read_vsrl_predictions(altered(found, 2, change), truth, "keep")


BAD_TRUTH = {
    "labels": (
        lambda r: r.update(label=[2] * len(r["label"])),
        r"record 1 \(stand\): label\[0\]: expected 0 or 1, got 2",
    ),
    "roles": (lambda r: r.update(role_name=["obj"]), r"record 1 \(stand\): role_name: expected agent first"),
    "three roles": (
        lambda r: r.update(role_name=["agent", "a", "b", "c"], role_object_id=r["ann_id"] * 4),
        r"record 1 \(stand\): role_name: expected agent and at most two roles",
    ),
    "lengths": (lambda r: r["ann_id"].pop(), r"record 1 \(stand\): lengths differ: image_id 32, ann_id 31"),
}


@pytest.mark.parametrize("name", BAD_TRUTH)
def test_malformed_annotations_are_errors(tmp_path, name):
    change, message = BAD_TRUTH[name]
    annotations, instances, _, _ = write_case(tmp_path)
    with pytest.raises(InputError, match=message):
        read_vcoco_truth(altered(annotations, 1, change), instances)


def test_pictures_and_boxes_that_coco_does_not_have_are_errors(tmp_path):
    annotations, instances, _, _ = write_case(tmp_path)
    values = json.loads(instances.read_text())
    instances.write_text(json.dumps({**values, "images": values["images"][1:]}))
    with pytest.raises(TruthError, match="images: picture 1 and 0 more"):
        read_vcoco_truth(annotations, instances)
    people = [row for row in values["annotations"] if row["category_id"] == 1]
    instances.write_text(json.dumps({**values, "annotations": people}))
    with pytest.raises(TruthError, match="annotations: no box for annotation"):
        read_vcoco_truth(annotations, instances)


class CacheTemplate(dict):
    """Pickled by name, as fredzzhang/upt does."""


def test_records_of_upt_fill_in_what_is_missing(tmp_path):
    annotations, instances, _, _ = write_case(tmp_path)
    truth = read_vcoco_truth(annotations, instances)
    path = tmp_path / "cache.pkl"
    path.write_bytes(pickle.dumps([CacheTemplate(image_id=1, person_box=PERSON, hold_agent=0.5, hold_obj=[*CUP, 0.5])]))
    found = read_vsrl_predictions(path, truth)
    assert found.agent_scores[0].tolist() == [0.5, 0, 0, 0, 0]
    assert found.role_boxes_xyxy_px[0, 2, 0].tolist() == [0, 0, 0.1, 0.1]

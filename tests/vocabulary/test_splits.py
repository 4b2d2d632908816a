"""Zero-shot splits: the counts that papers and code state, and what each leaves unseen."""

import pytest

from videohoi.errors import UsageError
from videohoi.vocabulary import hico_det, hico_rare, hico_split, hico_splits
from videohoi.vocabulary.shipped import vcoco
from videohoi.vocabulary.splits import UC_FOLDS, hico_rare_mask

COUNTS = {"rf-uc": 120, "nf-uc": 120, "uc0": 120, "uc1": 120, "uc2": 120, "uc3": 120, "uc4": 120, "uo": 100, "uv": 84,
          "ua": 100, "eoid-rare-first": 138}  # fmt: skip
UO_OBJECTS = "baseball_bat clock dog elephant frisbee pizza refrigerator skateboard skis tennis_racket toothbrush zebra"
UV_VERBS = (
    "block dribble feed herd hose inspect install move park ride sail scratch sign squeeze stab stop_at swing tag "
    "toast wear"
)
UA_VERBS = (
    "carry catch exit greet hop_on hose hunt lasso launch pet pick_up pull race run scratch sip sit_at smell stand_on "
    "stop_at straddle text_on"
)


def test_the_number_of_unseen_classes_of_each_split() -> None:
    assert {name: len(split.unseen) for name, split in hico_splits().items()} == COUNTS
    for split in hico_splits().values():
        assert list(split.unseen) == sorted(set(split.unseen))
        assert split.seen.sum() == 600 - len(split.unseen)
        assert split.source


def test_rare_classes() -> None:
    assert len(hico_rare()) == 138
    assert hico_rare_mask().sum() == 138
    rare = set(hico_rare())
    assert set(hico_split("rf-uc").unseen) < rare
    assert not set(hico_split("nf-uc").unseen) & rare
    assert hico_split("eoid-rare-first").unseen == hico_rare()


def test_unseen_objects_and_verbs_are_unseen_whole() -> None:
    words = hico_det()
    uo, uv, ua = hico_split("uo"), hico_split("uv"), hico_split("ua")
    assert uo.unseen_objects(words) == tuple(sorted(UO_OBJECTS.split(), key=words.objects.index))
    assert uo.unseen_verbs(words) == ("break", "brush_with", "flip", "move", "slide")
    assert uv.unseen_verbs(words) == tuple(UV_VERBS.split())
    assert ua.unseen_verbs(words) == tuple(UA_VERBS.split())
    for split, verbs in ((uv, UV_VERBS), (ua, UA_VERBS)):
        ids = {words.verb_id(verb) for verb in verbs.split()}
        assert split.unseen == tuple(row for row, (verb, _) in enumerate(words.interactions) if verb in ids)
    ids = {words.object_id(name) for name in UO_OBJECTS.split()}
    assert uo.unseen == tuple(row for row, (_, obj) in enumerate(words.interactions) if obj in ids)
    assert set(ua.unseen) != set(uv.unseen)


def test_each_uc_fold_leaves_nine_or_ten_verbs_without_a_seen_class() -> None:
    words = hico_det()
    assert [len(hico_split(fold).unseen_verbs(words)) for fold in UC_FOLDS] == [9, 10, 10, 9, 10]
    assert hico_split("uc0").unseen_verbs(words) == (
        "block", "check", "flip", "greet", "install", "sign", "sit_at", "squeeze", "text_on",
    )  # fmt: skip
    assert hico_split("rf-uc").unseen_verbs(words) == hico_split("nf-uc").unseen_verbs(words) == ()


def test_seen_pairs_are_what_a_training_prior_may_reach() -> None:
    words, split = hico_det(), hico_split("uv")
    table = split.seen_pairs(words)
    assert table.sum() == 516
    assert not (table & ~words.valid).any()
    assert not table[:, words.verb_id("ride")].any()


@pytest.mark.parametrize(
    ("spelling", "name"),
    [("RF-UC", "rf-uc"), ("rare_first", "rf-uc"), ("non_rare_first", "nf-uc"), ("UO", "uo"), ("unseen_verb", "uv"),
     ("UC3", "uc3"), ("eoid_rare_first", "eoid-rare-first")],
)  # fmt: skip
def test_usual_spellings(spelling: str, name: str) -> None:
    assert hico_split(spelling).name == name


@pytest.mark.parametrize(
    ("spelling", "message"), [("uc", "five folds"), ("rf-cu", "did you mean rf-uc"), ("x", "known:")]
)
def test_an_unknown_split_says_what_there_is(spelling: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        hico_split(spelling)


def test_a_split_is_refused_for_another_vocabulary() -> None:
    with pytest.raises(UsageError, match="split uo counts the 600 classes of hico-det, not the 236 of vcoco"):
        hico_split("uo").seen_pairs(vcoco())


@pytest.mark.shared
def test_splits_agree_with_the_public_lists(shared_json) -> None:
    values = shared_json("zeroshot/hico_unseen_index.json")
    unseen = values["unseen"]
    published = {"rf-uc": "rare_first", "nf-uc": "non_rare_first", "uo": "unseen_object", "uv": "unseen_verb",
                 "ua": "ua_consnet", **{fold: fold for fold in UC_FOLDS}}  # fmt: skip
    for name, key in published.items():
        assert set(hico_split(name).unseen) == set(unseen[key]), name
    assert set(hico_split("uo").unseen) == set(unseen["uo_consnet"])
    assert list(hico_rare()) == values["rare_lt10"]
    test = shared_json("hicodet/instances_test2015.json")
    assert list(hico_rare()) == test["rare"]
    assert sorted(set(range(600)) - set(hico_rare())) == test["non_rare"]

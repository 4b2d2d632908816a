"""The shipped vocabularies: counts of the papers, lookups, orders."""

import itertools

import numpy as np
import pytest

from videohoi.errors import UsageError
from videohoi.vocabulary import Vocabulary, hico_det
from videohoi.vocabulary.shipped import (
    SHIPPED,
    coco,
    coco_category_ids,
    hico_object_order,
    object_rows,
    open_vocabulary,
    vcoco,
    vcoco_actions,
    vcoco_role_slots,
    vidhoi,
    vidhoi_groups,
    vidhoi_removed_frames,
)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_vocabulary_is_whole(name: str) -> None:
    words = open_vocabulary(name)
    assert words.name == name
    assert words.objects[words.person_id] == "person"
    assert len(set(words.objects)) == len(words.objects)
    assert len(set(words.verbs)) == len(words.verbs)
    assert len(set(words.interactions)) == len(words.interactions)
    assert words.valid.shape == (len(words.objects), len(words.verbs))
    assert words.valid.sum() == len(words.interactions)
    assert len(words.source) > 20
    assert words.licence
    assert {name for _, name in words.object_synonyms} <= set(words.objects)
    assert {name for _, name in words.verb_synonyms} <= set(words.verbs)
    assert not {word for word, _ in words.object_synonyms} & set(words.objects)
    assert not {word for word, _ in words.verb_synonyms} & set(words.verbs)


def test_hico_det_has_600_interactions_grouped_by_object() -> None:
    words = hico_det()
    assert (len(words.verbs), len(words.objects), len(words.interactions)) == (117, 80, 600)
    assert list(words.verbs) == sorted(words.verbs)
    assert words.verbs[57] == words.no_interaction_verb == "no_interaction"
    per_object = words.valid.sum(axis=1)
    assert (per_object.min(), per_object.max(), per_object.mean()) == (3, 18, 7.5)
    objects = [obj for _, obj in words.interactions]
    assert sum(a != b for a, b in itertools.pairwise(objects)) == 79
    assert [words.verbs[verb] for verb, _ in words.interactions[152:156]] == ["race", "ride", "sit_on", "straddle"]
    assert words.interaction_id("race", "motorcycle") == 152
    groups = [words.objects[obj] for obj in dict.fromkeys(objects)]
    assert groups != sorted(groups)  # PASCAL VOC's 20 objects, then the others
    assert (groups[0], groups[19:22], groups[-1]) == ("airplane", ["tv", "apple", "backpack"], "zebra")
    assert (groups[:20], groups[20:]) == (sorted(groups[:20]), sorted(groups[20:]))
    verbs_of = {name: [words.verbs[verb] for verb, obj in words.interactions if words.objects[obj] == name]
                for name in groups}  # fmt: skip
    assert {verbs[-1] for verbs in verbs_of.values()} == {"no_interaction"}
    assert verbs_of["cup"][-4:-1] == ["smell", "fill", "wash"]  # nearly alphabetical, not quite


def test_interaction_table_inverts_the_interactions() -> None:
    words = hico_det()
    for row, (verb, obj) in enumerate(words.interactions):
        assert words.interaction_table[obj, verb] == row
    assert (words.interaction_table < 0).sum() == 117 * 80 - 600


def test_object_orders_are_mapped_by_name() -> None:
    order = hico_object_order()
    assert order[0] == "airplane"
    assert order[49] == "person"
    rows = object_rows(order, hico_det())
    assert [hico_det().objects[row] for row in rows] == list(order)
    assert object_rows(["Traffic Light", "sofa"], coco()).tolist() == [9, 57]
    ids = coco_category_ids()
    assert len(set(ids)) == 80
    assert (ids[0], ids[11], ids[-1]) == (1, 13, 90)


def test_vcoco_has_26_actions_and_25_role_slots() -> None:
    words, actions = vcoco(), vcoco_actions()
    assert len(actions) == 26
    assert sum(not action.roles for action in actions) == 4  # stand, walk, run, smile
    assert [action.name for action in actions if len(action.roles) == 2] == ["hit", "eat", "cut"]
    slots = vcoco_role_slots()
    assert len(slots) == 25
    assert {f"{action}_{role}" for action, role in slots} - set(words.verbs) == {"point_instr"}
    assert (len(words.verbs), len(words.interactions)) == (24, 236)
    kick = next(action for action in actions if action.name == "kick")
    assert kick.objects == (("sports_ball",),)
    assert words.verbs_of("cup") == ("hold_obj", "look_obj", "carry_obj", "drink_instr")


def test_vidhoi_classes_and_groups() -> None:
    words, groups = vidhoi(), vidhoi_groups()
    assert (len(words.objects), len(words.verbs)) == (78, 50)
    assert {name: len(verbs) for name, verbs in groups.items()} == {"spatial": 8, "action": 42, "temporal": 25}
    assert set(groups["spatial"]) | set(groups["action"]) == set(words.verbs)
    assert len(words.interactions) == 1127
    assert len(vidhoi_removed_frames()) == 168
    assert words.object_id("cow") == words.object_id("cattle/cow")
    assert words.verb_id("play") == words.verb_id("play(instrument)")


@pytest.mark.parametrize(
    ("word", "meant"), [("sofa", "couch"), ("Mobile Phone", "cell_phone"), ("hair-dryer", "hair_drier"), ("Cup", "cup")]
)
def test_synonyms_and_spellings_of_objects(word: str, meant: str) -> None:
    assert hico_det().objects[hico_det().object_id(word)] == meant


@pytest.mark.parametrize(("word", "meant"), [("grasp", "hold"), ("drink from", "drink_with"), ("ride", "ride")])
def test_synonyms_of_verbs(word: str, meant: str) -> None:
    assert hico_det().verbs[hico_det().verb_id(word)] == meant


@pytest.mark.parametrize(
    ("word", "offered"),
    [("rid", "ride"), ("riding", "ride"), ("sit", "sit_on or sit_at"), ("graspp", "hold"), ("pikc_up", "pick_up")],
)
def test_an_unknown_verb_offers_the_nearest(word: str, offered: str) -> None:
    with pytest.raises(UsageError) as caught:
        hico_det().verb_id(word)
    assert str(caught.value).startswith(f"unknown verb of hico-det: {word!r}; did you mean ")
    assert set(offered.split(" or ")) <= set(str(caught.value).split("did you mean ")[1].rstrip("?").split(" or "))


def test_a_word_without_likeness_says_where_the_list_is() -> None:
    with pytest.raises(UsageError, match="'qqqq'; see: videohoi vocab list hico-det"):
        hico_det().object_id("qqqq")


def test_a_pair_that_is_no_interaction_lists_the_verbs_of_the_object() -> None:
    with pytest.raises(UsageError, match="no 'ride' with 'clock'; it has check, hold, no_interaction, repair, set"):
        hico_det().interaction_id("ride", "clock")


def test_an_unknown_vocabulary_offers_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean hico-det"):
        open_vocabulary("hico_det")
    with pytest.raises(UsageError, match="known: hico-det, vcoco, vidhoi, coco, or a file"):
        open_vocabulary("zzz")


def test_a_vocabulary_without_verbs_has_no_valid_pair() -> None:
    words: Vocabulary = coco()
    assert words.valid.shape == (80, 0)
    assert words.acting_verbs.dtype == np.bool_
    assert words.verbs_of("cup") == ()


@pytest.mark.shared
def test_hico_det_agrees_with_the_public_tables(shared_json) -> None:
    words, table = hico_det(), shared_json("zeroshot/hico_static.json")
    assert list(words.verbs) == table["verbs"]
    assert list(words.objects) == table["objects_coco80_order"]
    assert [verb for verb, _ in words.interactions] == table["hoi_verb_idx"]
    assert [obj for _, obj in words.interactions] == table["hoi_obj_idx_coco80"]
    assert list(hico_object_order()) == table["objects_hico_order"]
    assert list(coco_category_ids()) == table["obj_coco91_id"]
    rows = object_rows(hico_object_order(), words)
    for row, obj, verb in table["hoi_obj_verb_hico_order"]:
        assert words.interactions[row] == (verb, rows[obj])


@pytest.mark.shared
def test_object_orders_agree_with_the_public_maps(shared_json) -> None:
    there = np.array([hico_object_order().index(name) for name in coco().objects])
    by_row = shared_json("hicodet/coco80tohico80.json")
    assert [by_row[str(row + 1)] for row in range(80)] == there.tolist()
    by_id = shared_json("hicodet/coco91tohico80.json")
    assert [by_id[str(category)] for category in coco_category_ids()] == there.tolist()


@pytest.mark.shared
def test_vcoco_agrees_with_the_public_files(shared_json) -> None:
    official = shared_json("vcoco/vcoco_val.json")
    assert [(row["action_name"], row["role_name"][1:]) for row in official] == [
        (action.name, list(action.roles)) for action in vcoco_actions()
    ]
    file, words = shared_json("vcoco/instances_vcoco_test.json"), vcoco()
    assert [name.replace(" ", "_") for name in file["classes"]] == list(words.verbs)
    for verb, objects in enumerate(file["action_to_object"]):
        assert {obj - 1 for obj in objects} == set(np.flatnonzero(words.valid[:, verb]).tolist())


@pytest.mark.shared
def test_vidhoi_agrees_with_the_public_files(shared_json) -> None:
    words = vidhoi()
    assert list(words.objects) == shared_json("vidhoi/obj_categories.json")
    assert list(words.verbs) == shared_json("vidhoi/pred_categories.json")
    for group, ids in shared_json("vidhoi/pred_split_categories.json").items():
        assert [words.verbs[verb] for verb in ids] == list(vidhoi_groups()[group])

"""Names that a misspelt word may have meant."""

import pytest

from videohoi.names import counted, did_you_mean, nearest_names, normal_form, screen_name, search_names

VERBS = ("hold", "sit_on", "sit_at", "stand_on", "drink_with")


@pytest.mark.parametrize(
    ("word", "offered"),
    [
        ("hodl", ("hold",)),
        ("sit", ("sit_on", "sit_at")),
        ("Stand-On", ("stand_on",)),
        ("xyz", ()),
        ("", ()),
    ],
)
def test_slips_come_first_and_then_names_that_contain_the_word(word, offered):
    assert nearest_names(word, VERBS)[: len(offered)] == offered
    assert bool(nearest_names(word, VERBS)) == bool(offered)


def test_an_alias_offers_its_name():
    assert nearest_names("grasp", VERBS, {"grasp": "hold", "gaze": "look"}) == ("hold",)


def test_no_more_than_three_are_offered():
    assert len(nearest_names("cat", [f"cat_{number}" for number in range(9)])) == 3


def test_the_question():
    assert did_you_mean(["hold", "hug"]) == "; did you mean hold or hug?"
    assert did_you_mean([]) == ""


def test_normal_form():
    assert normal_form(" Dining-Table ") == "dining_table"


def test_search_finds_all_that_contain_the_word():
    assert search_names("on", VERBS) == ("sit_on", "stand_on")
    assert search_names("grab", VERBS, {"grab": "hold"}) == ("hold",)
    assert search_names("hodl", VERBS) == ("hold",)


def test_one_is_not_many():
    assert [counted(number, "frame") for number in (0, 1, 2, 1.0, 2.5)] == [
        "0 frames", "1 frame", "2 frames", "1 frame", "2.5 frames",
    ]  # fmt: skip
    assert counted(2, "box", "boxes") == "2 boxes"


def test_words_on_screen_have_no_underscores():
    assert screen_name("stand_on") == "stand on"

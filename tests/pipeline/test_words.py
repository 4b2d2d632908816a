"""``--vocab``."""

from __future__ import annotations

import pytest

from videohoi.errors import ConfigError, UsageError
from videohoi.pipeline.words import OWN_WORDS, requested_vocabulary
from videohoi.vocabulary import hico_det


def pairs(words):
    return [(words.verbs[verb], words.objects[obj]) for verb, obj in words.interactions]


def test_phrases_become_pairs_on_the_detectors_classes():
    words = requested_vocabulary("hold cup, drink from bottle , sit on dining table")
    assert pairs(words) == [("hold", "cup"), ("drink_with", "bottle"), ("sit_on", "dining_table")]
    assert words.objects == hico_det().objects
    assert words.person_id == hico_det().person_id
    assert words.name == OWN_WORDS
    assert words.valid.sum() == 3


def test_verbs_may_be_new_and_objects_may_be_synonyms():
    words = requested_vocabulary("polish mug, whisper to woman")
    assert pairs(words) == [("polish", "cup"), ("whisper_to", "person")]


def test_a_slip_of_the_pen_offers_the_nearest_verb():
    with pytest.raises(UsageError, match=r"unknown verb 'hodl'; did you mean hold\?"):
        requested_vocabulary("hodl cup")


def test_articles_and_the_ing_of_a_known_verb_mean_the_same():
    words = requested_vocabulary("hold the cup, riding a bicycle, sit on the dining table")
    assert pairs(words) == [("hold", "cup"), ("ride", "bicycle"), ("sit_on", "dining_table")]


def test_who_does_it_may_be_said_and_names_may_be_written_apart_or_as_one():
    words = requested_vocabulary(
        "person holding cup, a woman riding a motor bike, swing tennis racquet, lift wineglass"
    )
    assert pairs(words) == [("hold", "cup"), ("ride", "motorcycle"), ("swing", "tennis_racket"), ("lift", "wine_glass")]
    words = requested_vocabulary("she is holding her cup, drinking from bottle, the boy is typing on my laptop")
    assert pairs(words) == [("hold", "cup"), ("drink_with", "bottle"), ("type_on", "laptop")]


OTHER_VERBS = (
    "fold close heat slice take stack dust rinse tear spray reach play plant phone sing skip weld polishing shape "
    "fling snip spit sweep pack paint lean grab pass cool sail kneel push shake"
)


@pytest.mark.parametrize("verb", OTHER_VERBS.split())
def test_everyday_verbs_are_no_slips_of_known_ones(verb):
    assert pairs(requested_vocabulary(f"{verb} cup")) == [(verb, "cup")]


SLIPS = {
    "hodl": "hold", "opn": "open", "holdd": "hold", "holds": "hold", "inspeck": "inspect", "hodling": "hold",
    "repare": "repair", "drnik with": "drink_with", "launhc": "launch",
}  # fmt: skip


@pytest.mark.parametrize(("verb", "meant"), SLIPS.items())
def test_slips_of_every_kind_offer_what_was_meant(verb, meant):
    with pytest.raises(UsageError, match=rf"did you mean .*\b{meant}\b"):
        requested_vocabulary(f"{verb} cup")


def test_each_of_hicos_600_interactions_can_be_typed_in_plain_words():
    known = hico_det()
    for verb, thing in pairs(known):
        text = f"{verb.replace('_', ' ')} {thing.replace('_', ' ')}"
        if verb == known.no_interaction_verb:
            with pytest.raises(UsageError, match="nothing would be reported"):
                requested_vocabulary(text)
        else:
            assert pairs(requested_vocabulary(text)) == [(verb, thing)]


@pytest.mark.parametrize("interactions", ["{}", "{cup: [no_interaction]}"])
def test_a_word_list_that_asks_for_nothing_is_refused(interactions, tmp_path):
    (tmp_path / "w.yaml").write_text(
        "objects: [person, cup]\nverbs: [hold, no_interaction]\nno_interaction: no_interaction\n"
        f"interactions: {interactions}\n"
    )
    with pytest.raises(UsageError, match="has no verb that would be reported"):
        requested_vocabulary(str(tmp_path / "w.yaml"))


def test_a_new_verb_of_two_words_is_no_slip_of_one_of_one_word():
    assert pairs(requested_vocabulary("pour into cup")) == [("pour_into", "cup")]


@pytest.mark.parametrize(
    ("text", "message"),
    [("hold cup; drink bottle", r"';' is not part of a word; separate phrases with commas"),
     ("hold cup and bottle", "without 'and'"), ("not hold cup", "without 'not'"),
     ("hold cup drink from bottle", "'cup' is another object besides 'bottle'"),
     ("hold drink from bottle", "'drink_from' is a verb of its own"), ("2 hold cup", "'2' is not a verb"),
     ("person's cup", "is not part of a word"),
     ("man cup", "the verb is missing"), ("no interaction cup", "nothing would be reported"),
     ("no_interaction cup", "nothing would be reported"), ("nothing cup", "nothing would be reported"),
     ("words.txt", "whose name ends in .yaml"), ("lists/words", "whose name ends in .yaml"),
     ("cup", "the verb is missing"), ("hold c\x07up", "is not part of a word")],
)  # fmt: skip
def test_what_is_no_phrase_of_one_verb_and_one_object_is_an_error_and_no_new_verb(text, message):
    with pytest.raises(UsageError, match=message):
        requested_vocabulary(text)


@pytest.mark.parametrize("text", ["hold unicorn", "hold"])
def test_an_object_that_the_detector_cannot_find_names_its_classes(text):
    with pytest.raises(UsageError, match=r"its classes: person, bicycle, .*, toothbrush") as caught:
        requested_vocabulary(text)
    assert "\n" not in str(caught.value)


def test_a_misspelled_object_offers_the_nearest():
    with pytest.raises(UsageError, match=r"did you mean bottle"):
        requested_vocabulary("hold botle")


@pytest.mark.parametrize("text", ["", " , "])
def test_no_phrase_is_an_error(text):
    with pytest.raises(UsageError, match="expected phrases"):
        requested_vocabulary(text)


def test_the_same_thing_twice_in_a_word_list_is_an_error_by_the_detectors_names(tmp_path):
    """Twice among the sentences, the share of each would be half."""
    words = "objects: [person, tv, television]\nverbs: [watch]\ninteractions: {tv: [watch], television: [watch]}\n"
    (tmp_path / "w.yaml").write_text(words)
    with pytest.raises(UsageError, match="'watch tv' is listed twice, perhaps as a synonym"):
        requested_vocabulary(str(tmp_path / "w.yaml"))


def test_the_same_thing_twice_is_an_error_also_by_a_synonym():
    with pytest.raises(UsageError, match="'hold cup' is listed twice"):
        requested_vocabulary("hold cup, grasp mug")


def test_a_word_list_keeps_its_words_on_the_detectors_class_ids(tmp_path):
    path = tmp_path / "kitchen.yaml"
    path.write_text(
        "objects: [cup, person, bottle]\nverbs: [hold, hodl, no_interaction]\nno_interaction: no_interaction\n"
        "interactions: {cup: [hold, hodl], bottle: [hold]}\n"
    )
    words = requested_vocabulary(str(path))
    assert pairs(words) == [("hold", "cup"), ("hodl", "cup"), ("hold", "bottle")]
    assert words.objects == hico_det().objects
    assert words.no_interaction_verb == "no_interaction"


def test_a_word_list_with_an_object_that_no_detector_finds_is_refused(tmp_path):
    path = tmp_path / "stable.yaml"
    path.write_text("objects: [person, unicorn]\nverbs: [ride]\n")
    with pytest.raises(UsageError, match=r"word list 'stable', object 'unicorn'.*its classes: person"):
        requested_vocabulary(str(path))
    with pytest.raises(ConfigError, match="cannot be read"):
        requested_vocabulary(str(tmp_path / "missing.yaml"))

"""Verb grammar and the prompts of each method, word for word."""

import dataclasses

import pytest

from videohoi.errors import UsageError
from videohoi.vocabulary import hico_det
from videohoi.vocabulary.grammar import article, participle, readable
from videohoi.vocabulary.prompts import PROMPTS, object_prompts, prompts, template
from videohoi.vocabulary.shipped import vcoco, vidhoi


@pytest.mark.parametrize(
    ("verb", "words"),
    [("ride", "riding"), ("lie_on", "lying on"), ("sit_at", "sitting at"), ("cut_with", "cutting with"),
     ("open", "opening"), ("dry", "drying"), ("squeeze", "squeezing"), ("see", "seeing"), ("quit", "quitting"),
     ("squat", "squatting"), ("visit", "visiting"), ("control", "controlling"), ("read", "reading"), ("row", "rowing"),
     ("wax", "waxing"), ("play(instrument)", "playing"), ("lasso", "lassoing"), ("stir", "stirring"), ("be", "being"),
     ("eat", "eating"), ("carry", "carrying"), ("canoe", "canoeing")],
)  # fmt: skip
def test_participles(verb: str, words: str) -> None:
    assert participle(verb) == words


def test_nouns() -> None:
    assert readable("cell_phone") == "cell phone"
    assert readable("ball/sports_ball") == "ball"
    assert [article(noun) for noun in ("umbrella", "cup", "Apple")] == ["an", "a", "an"]


@pytest.mark.parametrize(
    ("method", "verb", "obj", "sentence"),
    [
        ("eoid", "ride", "bicycle", "a picture of person riding bicycle"),
        ("eoid", "hose", "car", "a picture of person hosing down car"),
        ("eoid", "no_interaction", "car", "a picture of person no interaction car"),
        ("gen-vlkt", "board", "airplane", "a photo of a person boarding an airplane"),
        ("gen-vlkt", "carry", "umbrella", "a photo of a person carrying a umbrella"),
        ("gen-vlkt", "no_interaction", "cell_phone", "a photo of a person and a cell phone"),
        ("ki2hoi", "text_on", "cell_phone", "a photo of a person texting on a cell phone"),
        ("lain", "drag", "object", "a photo of a person is draging the object."),
        ("lain", "no_interaction", "object", "a photo of a person and the object with no interaction."),
    ],
)
def test_sentences_of_the_methods(method: str, verb: str, obj: str, sentence: str) -> None:
    assert template(method).interaction(hico_det(), verb, obj) == sentence


def test_one_sentence_per_row_of_the_classifier() -> None:
    words = hico_det()
    assert {method: len(prompts(words, method)) for method in PROMPTS} == {
        "eoid": 600, "gen-vlkt": 600, "ki2hoi": 600, "lain": 117,
    }  # fmt: skip
    assert prompts(words, "gen-vlkt") == prompts(words, "ki2hoi")
    assert all(len(set(prompts(words, method))) == len(prompts(words, method)) for method in PROMPTS)
    assert object_prompts(words, "gen-vlkt")[-1] == "a photo of nothing"
    assert len(object_prompts(words, "gen-vlkt")) == 81


def test_other_vocabularies_can_be_worded() -> None:
    assert (
        template("gen-vlkt").interaction(vcoco(), "hit_instr", "baseball_bat").endswith("hitting with a baseball bat")
    )
    sentence = template("gen-vlkt").interaction(vidhoi(), "next_to", "ball/sports_ball")
    assert sentence == "a photo of a person next to a ball"
    own = dataclasses.replace(hico_det(), participles=(("wash", "rinsing"),))
    assert template("eoid").interaction(own, "wash", "dog") == "a picture of person rinsing dog"


def test_unknown_methods_and_missing_object_sentences() -> None:
    with pytest.raises(UsageError, match="did you mean gen-vlkt"):
        prompts(hico_det(), "genvlkt")
    with pytest.raises(UsageError, match="known: eoid, gen-vlkt, ki2hoi, lain"):
        template("xyz")
    with pytest.raises(UsageError, match="eoid words no object classes"):
        object_prompts(hico_det(), "eoid")


@pytest.mark.shared
def test_prompts_agree_with_the_released_code(shared_json) -> None:
    words, table = hico_det(), shared_json("zeroshot/hico_prompts.json")
    assert list(prompts(words, "gen-vlkt")) == [sentence for _, _, sentence in table["hoi_prompt"]]
    assert list(object_prompts(words, "gen-vlkt")) == [sentence for _, sentence in table["obj_prompt"]]
    assert [sentence.rstrip(".") for sentence in prompts(words, "lain")] == table["verb_sentence_lain"]
    spoken = shared_json("zeroshot/hico_static.json")["verb_ing"]
    eoid = template("eoid")
    for verb in words.verbs:
        if verb != words.no_interaction_verb:
            assert eoid.words(words, verb) == spoken[verb]
            assert verb == "hose" or participle(verb) == spoken[verb]

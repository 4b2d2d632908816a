"""Your own YAML word list: reading, refusing, changing and writing back."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.errors import ConfigError, SinkError, UsageError
from videohoi.vocabulary import Vocabulary, hico_det, hico_split
from videohoi.vocabulary import editing as edit
from videohoi.vocabulary.shipped import SHIPPED, open_vocabulary
from videohoi.vocabulary.word_list import read_word_list, word_list_text, write_word_list

KITCHEN = """
name: kitchen
objects: [person, Cup, coffee pot]
verbs: [hold, pour from, none]
interactions:
  coffee pot: [hold, pour from]
  mug: [hold]
no_interaction: none
object_synonyms: {mug: cup}
verb_synonyms: {grasp: hold}
participles: {pour from: pouring out of}
version: 3
"""


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    path = tmp_path / "kitchen.yaml"
    path.write_text(KITCHEN, encoding="utf-8")
    return path


def test_a_word_list_is_a_vocabulary(kitchen: Path) -> None:
    words = open_vocabulary(str(kitchen))
    assert words.objects == ("person", "cup", "coffee_pot")
    assert words.verbs == ("hold", "pour_from", "none")
    assert words.interactions == ((0, 2), (1, 2), (0, 1))
    assert (words.version, words.no_interaction_verb) == (3, "none")
    assert words.verb_id("grasp") == 0
    assert words.participles == (("pour_from", "pouring out of"),)


def test_without_interactions_every_verb_goes_with_every_object(tmp_path: Path) -> None:
    path = tmp_path / "small.yml"
    path.write_text("objects: [person, dog]\nverbs: [pet, walk]\n", encoding="utf-8")
    words = read_word_list(path)
    assert words.name == "small"
    assert words.valid.all()
    assert len(words.interactions) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("verbs: [hold]\n", "objects: field required"),
        ("objects: [person]\nverb: [hold]\n", "unknown key verb; did you mean verbs"),
        ("objects: [person, on]\nverbs: [hold]\n", r"objects\.1: .*got True; write words in quotes"),
        ("objects: [person, cup, Cup]\nverbs: [hold]\n", "objects: 'cup' appears twice"),
        ("objects: [cup]\nverbs: [hold]\n", "objects: 'person' is missing"),
        ("objects: [person, cup]\nverbs: [hold]\ninteractions: {cpu: [hold]}\n", "'cpu'; did you mean cup"),
        ("objects: [person, cup]\nverbs: [hold]\ninteractions: {cup: [hold, hold]}\n", "hold cup appears twice"),
        ("objects: [person, cup]\nverbs: [hold]\ninteractions:\n  cup: [hold]\n  cup: []\n", "key 'cup' appears twice"),
        ("objects: [person, cup]\nverbs: [hold]\nobject_synonyms: {mug: cap}\n", "'mug' stands for 'cap'.*mean cup"),
        ("objects: [person, cup]\nverbs: [hold]\nobject_synonyms: {cup: person}\n", "'cup' is a listed word itself"),
        ("objects: [person]\nverbs: [hold]\nversion: 0\n", "version: .*got 0"),
        ("objects: [person]\nverbs: [hold]\nparticiples: {hodl: x}\n", "'hodl'; did you mean hold"),
        ("objects: []\nverbs: [hold]\n", "objects: expected at least one word"),
        ("- a\n", "expected keys such as objects"),
        ("objects: [a\n", "not valid YAML"),
    ],
)
def test_a_malformed_list_is_one_line_that_names_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "words.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as caught:
        read_word_list(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_an_unwritable_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_word_list(tmp_path / "none.yaml")
    with pytest.raises(SinkError, match=r"cannot write .*folder\.yaml: its folder does not exist"):
        write_word_list(hico_det(), tmp_path / "no" / "folder.yaml")


@pytest.mark.parametrize("name", [name for name in SHIPPED if name != "coco"])
def test_shipped_vocabularies_survive_the_file(name: str, tmp_path: Path) -> None:
    words = open_vocabulary(name)
    write_word_list(words, tmp_path / "copy.yaml")
    assert read_word_list(tmp_path / "copy.yaml") == words
    assert [path.name for path in tmp_path.iterdir()] == ["copy.yaml"]


NAMES = st.lists(st.from_regex(r"[a-z]{1,6}(_[a-z]{1,3})?", fullmatch=True), min_size=1, max_size=5, unique=True)


@settings(max_examples=20, deadline=None)
@given(objects=NAMES, verbs=NAMES, data=st.data())
def test_any_vocabulary_survives_the_file(tmp_path_factory, objects, verbs, data) -> None:
    objects = ["person", *(name for name in objects if name != "person")]
    every = [(verb, obj) for verb in range(len(verbs)) for obj in range(len(objects))]
    chosen = data.draw(st.lists(st.sampled_from(every), unique=True))
    words = Vocabulary("mine", tuple(objects), tuple(verbs), tuple(chosen), 0, "a", "b")
    path = tmp_path_factory.mktemp("words") / "words.yaml"
    write_word_list(words, path)
    assert read_word_list(path) == words


def test_added_words_come_last_and_other_ids_stay(kitchen: Path) -> None:
    words = read_word_list(kitchen)
    more = edit.add_interaction(edit.add_verb(edit.add_object(words, "Kettle"), "fill"), "fill", "kettle")
    assert more.objects[:3] == words.objects
    assert more.objects[3] == "kettle"
    assert more.interactions == (*words.interactions, (3, 3))
    assert edit.next_version(more).version == 4


def test_removing_a_word_removes_all_that_hangs_on_it(kitchen: Path) -> None:
    words = read_word_list(kitchen)
    less = edit.remove_object(words, "mug")
    assert less.objects == ("person", "coffee_pot")
    assert less.interactions == ((0, 1), (1, 1))
    assert less.object_synonyms == ()
    fewer = edit.remove_verb(words, "pour_from")
    assert fewer.verbs == ("hold", "none")
    assert fewer.interactions == ((0, 2), (0, 1))
    assert (fewer.participles, fewer.no_interaction_verb) == ((), "none")
    assert edit.remove_verb(words, "none").no_interaction_verb is None
    assert edit.remove_interaction(words, "pour_from", "coffee_pot").interactions == ((0, 2), (0, 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda words: edit.add_object(words, "cup"), "object 'cup' is there already"),
        (lambda words: edit.add_object(words, "mug"), "'mug' is a synonym of 'cup' already"),
        (lambda words: edit.add_verb(words, " "), "needs a name"),
        (lambda words: edit.add_interaction(words, "hold", "cup"), "has hold cup already"),
        (lambda words: edit.remove_interaction(words, "pour_from", "cup"), "no 'pour_from' with 'cup'; it has hold"),
        (lambda words: edit.remove_object(words, "person"), "must stay"),
        (lambda words: edit.remove_verb(words, "hodl"), "did you mean hold"),
        (lambda words: edit.add_object_synonym(words, "cup", "person"), "is there already"),
        (lambda words: edit.add_verb_synonym(words, "grip", "hodl"), "did you mean hold"),
    ],
)
def test_an_impossible_change_is_refused(kitchen: Path, change, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        change(read_word_list(kitchen))


def test_synonyms_can_be_added(kitchen: Path) -> None:
    words = edit.add_verb_synonym(read_word_list(kitchen), "Grip", "grasp")
    assert words.verb_id("grip") == words.verb_id("hold")
    assert words.verb_synonyms[-1] == ("grip", "hold")
    assert edit.add_object_synonym(words, "beaker", "mug").object_id("beaker") == 1


def test_a_changed_hico_det_no_longer_fits_its_splits() -> None:
    fewer = edit.remove_verb(hico_det(), "zip")
    with pytest.raises(UsageError, match="600 classes of hico-det, not the"):
        hico_split("uo").seen_pairs(fewer)


def test_pairs_are_listed_where_grouping_would_change_their_order() -> None:
    words = Vocabulary("mine", ("person", "a", "b"), ("x", "y"), ((0, 1), (0, 2), (1, 1)), 0, "s", "l")
    assert "- [x, a]" in word_list_text(words)

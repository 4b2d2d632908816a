"""What the ``videohoi vocab`` commands do: list, search, splits, prompts, text banks, edit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from videohoi.commands.tables import print_table
from videohoi.errors import UsageError
from videohoi.files import write_whole
from videohoi.names import counted, did_you_mean, nearest_names, search_names
from videohoi.vocabulary import Vocabulary, hico_det, hico_splits
from videohoi.vocabulary import editing as change
from videohoi.vocabulary.prompts import object_prompts, prompts, template
from videohoi.vocabulary.shipped import (
    SHIPPED,
    coco,
    coco_category_ids,
    hico_object_order,
    open_vocabulary,
    vcoco,
    vcoco_actions,
    vcoco_role_slots,
    vidhoi,
    vidhoi_groups,
)
from videohoi.vocabulary.splits import ZeroShotSplit, hico_split
from videohoi.vocabulary.text_bank import compute_text_bank, save_text_bank
from videohoi.vocabulary.text_encoder import OpenClipTextEncoder
from videohoi.vocabulary.word_list import read_word_list, write_word_list


def list_vocabularies() -> None:
    """Print the shipped vocabularies."""
    table = Table(title="Vocabularies", title_justify="left")
    for column in ("name", "objects", "verbs", "interactions", "source"):
        table.add_column(column, overflow="fold")
    for name, loader in SHIPPED.items():
        words = loader()
        counts = (len(words.objects), len(words.verbs), len(words.interactions))
        table.add_row(name, *(str(count) for count in counts), escape(words.source))
    print_table(Console(highlight=False), table)


def list_words(name: str) -> None:
    """Print the objects of a vocabulary with their verbs, then verbs that go with none."""
    words = open_vocabulary(name)
    console = Console(highlight=False)
    table = Table(title=escape(f"{words.name}, version {words.version}: {_counts(words)}"), title_justify="left")
    table.add_column("object")
    table.add_column("verbs", overflow="fold")
    for name_of_object in words.objects:
        table.add_row(escape(name_of_object), escape(", ".join(words.verbs_of(name_of_object))))
    print_table(console, table)
    unused = [verb for verb, used in zip(words.verbs, words.valid.sum(axis=0), strict=True) if not used]
    if unused:
        console.print(escape(f"verbs without an object: {', '.join(unused)}"), soft_wrap=True)
    for line in details(words):
        console.print(escape(line), soft_wrap=True)


def _counts(words: Vocabulary) -> str:
    numbers = {"object": words.objects, "verb": words.verbs, "interaction": words.interactions}
    return ", ".join(counted(len(entries), name) for name, entries in numbers.items())


def search_words(word: str, name: str) -> None:
    """Print the verbs and objects that contain or resemble ``word``; ``UsageError`` when there is none."""
    words = open_vocabulary(name)
    verbs = search_names(word, words.verbs, dict(words.verb_synonyms))
    objects = search_names(word, words.objects, dict(words.object_synonyms))
    if not verbs and not objects:
        raise UsageError(f"{words.name} has no word like {word!r}; see: videohoi vocab list {name}")
    table = Table()
    for column in ("word", "kind", "also", "goes with"):
        table.add_column(column, overflow="fold")
    for verb in verbs:
        partners = [words.objects[obj] for row, obj in words.interactions if words.verbs[row] == verb]
        table.add_row(escape(verb), "verb", _others(words.verb_synonyms, verb), escape(", ".join(partners)))
    for thing in objects:
        partners = list(words.verbs_of(thing))
        table.add_row(escape(thing), "object", _others(words.object_synonyms, thing), escape(", ".join(partners)))
    print_table(Console(highlight=False), table)


def _others(synonyms: Sequence[tuple[str, str]], name: str) -> str:
    return escape(", ".join(word for word, meant in synonyms if meant == name))


def list_splits() -> None:
    """Print the zero-shot splits of HICO-DET with their sources."""
    table = Table(title="Zero-shot splits of HICO-DET", title_justify="left")
    for column in ("name", "in papers", "unseen", "seen", "note", "source"):
        table.add_column(column, overflow="fold")
    for name, split in hico_splits().items():
        table.add_row(name, split.title, str(len(split.unseen)), str(int(split.seen.sum())), escape(split.note),
                      escape(split.source))  # fmt: skip
    print_table(Console(highlight=False), table)


def show_prompts(method: str, name: str) -> None:
    """Print the sentences a method gives its text encoder, one a line."""
    console = Console(highlight=False)
    for sentence in prompts(open_vocabulary(name), method):
        console.print(escape(sentence), soft_wrap=True)


@dataclass(frozen=True)
class EditRequest:
    """What ``videohoi vocab edit`` was asked to do; pairs are ``VERB OBJECT``, synonyms ``WORD=NAME``."""

    file: Path
    start: str | None = None
    """vocabulary to begin with when ``file`` does not exist yet"""
    add_objects: tuple[str, ...] = ()
    add_verbs: tuple[str, ...] = ()
    add_pairs: tuple[str, ...] = ()
    remove_pairs: tuple[str, ...] = ()
    remove_objects: tuple[str, ...] = ()
    remove_verbs: tuple[str, ...] = ()
    object_synonyms: tuple[str, ...] = ()
    verb_synonyms: tuple[str, ...] = ()


def edit_words(request: EditRequest) -> None:
    """Change a word list, or start one; the old file stays beside it as ``.bak``.

    Raises:
        UsageError: an unknown or repeated word, a malformed option, nothing to do, or a file that exists already
            together with ``--from``.
    """
    before = _beginning(request)
    after = _changed(before, request)
    if after == before and request.start is None:
        raise UsageError(f"nothing to change in {request.file}; see: videohoi vocab edit --help")
    if request.file.is_file():
        after = change.next_version(after)
        _keep_old(request.file)
    write_word_list(after, request.file)
    text = f"{request.file}: version {after.version}, {_counts(after)}"
    Console(highlight=False).print(escape(text), soft_wrap=True)


def _beginning(request: EditRequest) -> Vocabulary:
    exists = request.file.exists()
    if request.start is None and exists:
        return read_word_list(request.file)
    if request.start is None:
        raise UsageError(f"{request.file}: no such file; start one with --from, as --from hico-det")
    if exists:
        raise UsageError(f"{request.file} exists already; leave out --from to change it")
    start = open_vocabulary(request.start)
    return replace(start, name=request.file.stem, source=f"from {start.name}: {start.source}", version=1)


def _changed(words: Vocabulary, request: EditRequest) -> Vocabulary:
    """Apply words, synonyms, pairs and removals in this order, so that new words can be used in pairs."""
    for name in request.add_objects:
        words = change.add_object(words, name)
    for name in request.add_verbs:
        words = change.add_verb(words, name)
    for text in request.object_synonyms:
        words = change.add_object_synonym(words, *_synonym(text))
    for text in request.verb_synonyms:
        words = change.add_verb_synonym(words, *_synonym(text))
    for text in request.add_pairs:
        words = change.add_interaction(words, *_pair(text, words))
    for text in request.remove_pairs:
        words = change.remove_interaction(words, *_pair(text, words))
    return _removed(words, request)


def _removed(words: Vocabulary, request: EditRequest) -> Vocabulary:
    removals: tuple[tuple[tuple[str, ...], Callable[[Vocabulary, str], Vocabulary]], ...] = (
        (request.remove_objects, change.remove_object), (request.remove_verbs, change.remove_verb),
    )  # fmt: skip
    for names, remove in removals:
        for name in names:
            words = remove(words, name)
    return words


def _pair(text: str, words: Vocabulary) -> tuple[str, str]:
    """Verb and object of ``hold cup``; ``sit on dining table`` is split after a known verb."""
    parts = text.split()
    for cut in range(len(parts) - 1, 0, -1):
        verb = "_".join(parts[:cut])
        if verb.lower() in words.verbs or verb.lower() in dict(words.verb_synonyms):
            return verb, "_".join(parts[cut:])
    if len(parts) != 2:
        hint = did_you_mean(nearest_names(parts[0], words.verbs)) if parts else ""
        raise UsageError(f"expected 'VERB OBJECT' as 'hold cup', got {text!r}{hint}")
    return parts[0], parts[1]


def _synonym(text: str) -> tuple[str, str]:
    word, separator, name = text.partition("=")
    if not separator or not word.strip() or not name.strip():
        raise UsageError(f"expected WORD=NAME as mug=cup, got {text!r}")
    return word, name


def _keep_old(path: Path) -> None:
    """Keep a copy of the old file, because YAML comments are lost."""
    write_whole(path.with_name(f"{path.name}.bak"), path.read_bytes())


def show_ids(name: str) -> None:
    """Print the id of each object in every published order, by name.

    Raises:
        UsageError: not the 80 objects of COCO.
    """
    words = open_vocabulary(name)
    if sorted(words.objects) != sorted(coco().objects):
        raise UsageError(f"{words.name}: the published orders are of COCO's 80 objects, which it does not have")
    table = Table(title=escape(f"Object ids of {words.name}"), title_justify="left")
    table.add_column("object")
    for column in ("coco", "coco91", "hico"):
        table.add_column(column, justify="right")
    alphabetical = hico_object_order()
    for thing in words.objects:
        place = coco().objects.index(thing)
        table.add_row(escape(thing), str(place), str(coco_category_ids()[place]), str(alphabetical.index(thing)))
    print_table(Console(highlight=False), table)


def details(words: Vocabulary) -> tuple[str, ...]:
    """Lines on what a shipped vocabulary has besides words: V-COCO's roles, VidHOI's groups."""
    if words == vcoco():
        roles = (f"{action.name} ({', '.join(action.roles) or 'no role'})" for action in vcoco_actions())
        count = len(vcoco_actions())
        return (f"{count} actions with their roles, {len(vcoco_role_slots())} in all: {', '.join(roles)}",)
    if words == vidhoi():
        return tuple(f"{name}, {len(verbs)} predicates: {', '.join(verbs)}" for name, verbs in vidhoi_groups().items())
    return ()


def show_split(name: str) -> None:
    """Print a zero-shot split and the classes training may not see, with their rows; ``UsageError`` if unknown."""
    split, words, console = hico_split(name), hico_det(), Console(highlight=False)
    seen = int(split.seen.sum())
    console.print(escape(f"{split.name} ({split.title}): {len(split.unseen)} unseen, {seen} seen classes"))
    console.print(escape(f"source: {split.source}"), soft_wrap=True)
    for line in (split.note, *_without_seen(split, words)):
        if line:
            console.print(escape(line), soft_wrap=True)
    for row in split.unseen:
        verb, thing = words.interactions[row]
        console.print(escape(f"{row:4d} {words.verbs[verb]} {words.objects[thing]}"))


def _without_seen(split: ZeroShotSplit, words: Vocabulary) -> tuple[str, ...]:
    unseen = (("verbs", split.unseen_verbs(words)), ("objects", split.unseen_objects(words)))
    return tuple(f"{kind} without a seen class ({len(names)}): {', '.join(names)}" for kind, names in unseen if names)


def show_object_prompts(method: str, name: str) -> None:
    """Print the sentences of the objects; ``UsageError`` where the method words none."""
    console = Console(highlight=False)
    for sentence in object_prompts(open_vocabulary(name), method):
        console.print(escape(sentence), soft_wrap=True)


def embed(method: str, name: str, architecture: str, weights: str, output: Path) -> None:
    """Compute the text bank of a method's sentences with open_clip and write it.

    Raises:
        UsageError: an unknown method or vocabulary, or one without any class.
        ModelError: open_clip or the weights are missing.
        SinkError: the file cannot be written.
    """
    words = open_vocabulary(name)
    sentences = prompts(words, method)
    pairs = tuple(f"{words.verbs[verb]} {words.objects[thing]}" for verb, thing in words.interactions)
    names = words.verbs if template(method).per == "verb" else pairs
    bank = compute_text_bank(names, sentences, OpenClipTextEncoder(architecture, weights))
    save_text_bank(bank, output)
    rows, width = bank.embeddings.shape
    text = f"{output}: {counted(rows, 'sentence')} of {method}, {width} numbers each, by {bank.encoder}"
    Console(highlight=False).print(escape(text), soft_wrap=True)

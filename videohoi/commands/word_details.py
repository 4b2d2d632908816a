"""What ``videohoi vocab`` shows beyond the words: ids in published orders, roles, groups, splits, text banks."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from videohoi.commands.tables import print_table
from videohoi.errors import UsageError
from videohoi.names import counted
from videohoi.vocabulary import Vocabulary, hico_det
from videohoi.vocabulary.catalogue import open_vocabulary
from videohoi.vocabulary.objects import coco, coco_category_ids, hico_object_order
from videohoi.vocabulary.prompts import object_prompts, prompts, template
from videohoi.vocabulary.splits import ZeroShotSplit, hico_split
from videohoi.vocabulary.text_bank import compute_text_bank, save_text_bank
from videohoi.vocabulary.text_encoder import OpenClipTextEncoder
from videohoi.vocabulary.vcoco import vcoco, vcoco_actions, vcoco_role_slots
from videohoi.vocabulary.vidhoi import vidhoi, vidhoi_groups


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
    found = (("verbs", split.unseen_verbs(words)), ("objects", split.unseen_objects(words)))
    return tuple(f"{kind} without a seen class ({len(names)}): {', '.join(names)}" for kind, names in found if names)


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

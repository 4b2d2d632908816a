"""Which sentences a head compares pictures with, and which verb and object each of them stands for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from videohoi.interact.options import ModelOptions
from videohoi.interact.scoring import ClassRows
from videohoi.vocabulary import Vocabulary, hico_det
from videohoi.vocabulary.prompts import template

NO_VERB = -1
"""a sentence that competes with the others but reports no verb"""


@dataclass(frozen=True, repr=False)
class TextClasses:
    """K sentences and their meaning."""

    names: tuple[str, ...]
    """(K,) ``verb object``, for people and files"""
    sentences: tuple[str, ...]
    """(K,)"""
    rows: ClassRows


def reported_rows(options: ModelOptions) -> ClassRows | None:
    """What columns trained on HICO-DET's interactions mean in a run; None where text takes their place.

    Words that are all among the trained interactions keep their trained rows, unless the run names CLIP weights.
    """
    if not options.own_words:
        return ClassRows.interactions(hico_det())
    return None if options.clip_weights else trained_rows(options.vocabulary, hico_det())


def trained_rows(vocabulary: Vocabulary, trained: Vocabulary) -> ClassRows | None:
    """What the columns of ``trained``'s interactions mean in ``vocabulary``; None if it has an interaction of its own.

    Columns of interactions that ``vocabulary`` leaves out report no verb.
    """
    places = {(vocabulary.verbs[verb], vocabulary.objects[obj]): (verb, obj) for verb, obj in vocabulary.interactions}
    known = [(trained.verbs[verb], trained.objects[obj]) for verb, obj in trained.interactions]
    if not places.keys() <= set(known):
        return None
    ids = np.array([places.get(name, (NO_VERB, NO_VERB)) for name in known], np.int64)
    return ClassRows(ids[:, 0], ids[:, 1])


def text_classes(vocabulary: Vocabulary, prompts: str, rivals: Vocabulary | None = None) -> TextClasses:
    """One sentence for each interaction of ``vocabulary`` except "no interaction", in the words of method ``prompts``.

    ``rivals``: interactions of these words with the same objects are added. They compete in a softmax and report no
    verb; without them a list of one verb an object would always be certain. Nothing is added for the vocabulary itself.
    """
    chosen = template(prompts)
    classes = [
        (verb, vocabulary.verbs[verb], obj)
        for verb, obj in vocabulary.interactions
        if vocabulary.verbs[verb] != vocabulary.no_interaction_verb
    ]
    sentences = [chosen.interaction(vocabulary, name, vocabulary.objects[obj]) for _, name, obj in classes]
    if rivals is not None:
        known = {(name, vocabulary.objects[obj]) for _, name, obj in classes}
        wanted = {vocabulary.objects[obj]: obj for _, _, obj in classes}
        for verb, obj in rivals.interactions:
            name, thing = rivals.verbs[verb], rivals.objects[obj]
            if thing in wanted and (name, thing) not in known and name != rivals.no_interaction_verb:
                classes.append((NO_VERB, name, wanted[thing]))
                sentences.append(chosen.interaction(rivals, name, thing))
    names = tuple(f"{name} {vocabulary.objects[obj]}" for _, name, obj in classes)
    ids = np.array([(verb, obj) for verb, _, obj in classes], np.int64).reshape(-1, 2)
    return TextClasses(names, tuple(sentences), ClassRows(ids[:, 0], ids[:, 1]))

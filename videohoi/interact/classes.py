"""Which verb and object each column of a model's logits stands for: trained classes, or sentences in their place.

The pipeline speaks HICO-DET's classes; weights that were trained for others are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from videohoi.errors import ModelError
from videohoi.interact.imported import WeightsOrigin
from videohoi.interact.protocol import ModelOptions
from videohoi.interact.scoring import ClassRows
from videohoi.vocabulary import Vocabulary, hico_det
from videohoi.vocabulary.grammar import readable
from videohoi.vocabulary.prompts import template

NO_VERB = -1
"""a sentence that competes with the others but reports no verb"""
NOTHING = "a picture of person and {object}"
"""in EoID's style; its own "a picture of person no interaction {object}" is no sentence that CLIP would have seen"""


@dataclass(frozen=True, repr=False)
class TextClasses:
    """K sentences and what each of them stands for."""

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


@dataclass(frozen=True)
class _Class:
    verb_id: int
    object_id: int
    name: str
    sentence: str


def text_classes(
    vocabulary: Vocabulary, prompts: str, rivals: Vocabulary | None = None, *, nothing: bool = False
) -> TextClasses:
    """One sentence for each interaction of ``vocabulary`` except "no interaction", in the words of method ``prompts``.

    Further sentences compete in the softmax but report no verb:

    Args:
        vocabulary: the interactions to report.
        prompts: a name of ``vocabulary.prompts``.
        rivals: interactions of this vocabulary with the same objects compete too; without them the only verb of an
            object would always be certain.
        nothing: add, for each sentence about an object, one that only says that human and object are there, so that
            "nothing happens" starts as likely as all interactions together.
    """
    reported = _worded(vocabulary, prompts)
    object_ids_by_name = {vocabulary.objects[each.object_id]: each.object_id for each in reported}
    names = {each.name for each in reported}
    others = () if rivals is None else _worded(rivals, prompts)
    competing = [
        _Class(NO_VERB, object_ids_by_name[rivals.objects[other.object_id]], other.name, other.sentence)
        for other in others
        if rivals is not None and rivals.objects[other.object_id] in object_ids_by_name and other.name not in names
    ]
    classes = [*reported, *competing]
    if nothing:
        classes += [_idle(vocabulary, each.object_id) for each in classes]
    ids = np.array([(each.verb_id, each.object_id) for each in classes], np.int64).reshape(-1, 2)
    return TextClasses(
        tuple(each.name for each in classes), tuple(each.sentence for each in classes), ClassRows(ids[:, 0], ids[:, 1])
    )


def _worded(vocabulary: Vocabulary, prompts: str) -> tuple[_Class, ...]:
    chosen = template(prompts)
    pairs = ((verb, vocabulary.verbs[verb], obj, vocabulary.objects[obj]) for verb, obj in vocabulary.interactions)
    return tuple(
        _Class(verb, obj, f"{name} {object_name}", chosen.interaction(vocabulary, name, object_name))
        for verb, name, obj, object_name in pairs
        if name != vocabulary.no_interaction_verb
    )


def _idle(vocabulary: Vocabulary, object_id: int) -> _Class:
    object_name = vocabulary.objects[object_id]
    return _Class(NO_VERB, object_id, f"nothing {object_name}", NOTHING.format(object=readable(object_name)))


_COUNTS = {
    "verbs": ("verb_classes", "verbs"),
    "interactions": ("interaction_classes", "interactions", "classes"),
    "objects": ("object_classes", "objects"),
}
"""fields of the methods' configs that say how many there are"""


def vocabulary_of_config(config: Any) -> str:
    """Name of HICO-DET's vocabulary if the config has its counts, else the other ones (``29 verbs instead of 117``)."""
    other = "; ".join(_other_counts(config))
    return other or hico_det().name


def refuse_other_objects(weights: Path, config: Any) -> None:
    """``ModelError`` where text gives the verbs and interactions, but the objects are not HICO-DET's."""
    objects = [line for line in _other_counts(config) if " objects " in line]
    if objects:
        raise ModelError(
            f"{weights}: trained for other classes ({objects[0]}), expected the objects of {hico_det().name}; weights "
            "of another data set can be imported and used from Python, but not run in the pipeline"
        )


def refuse_other_classes(weights: Path, origin: WeightsOrigin, config: Any) -> None:
    """``ModelError`` for weights whose outputs are not HICO-DET's classes."""
    expected = hico_det().name
    trained_for = vocabulary_of_config(config) if origin.vocabulary == expected else origin.vocabulary
    if trained_for != expected:
        raise ModelError(
            f"{weights}: trained for other classes ({trained_for}), expected those of {expected}; weights of another "
            "data set can be imported and used from Python, but not run in the pipeline"
        )


def _other_counts(config: Any) -> list[str]:
    known = hico_det()
    expected = {"verbs": len(known.verbs), "interactions": len(known.interactions), "objects": len(known.objects)}
    parts = (config, getattr(config, "head", None))
    differences = []
    for what, names in _COUNTS.items():
        counts = [getattr(part, name) for part in parts for name in names if isinstance(getattr(part, name, None), int)]
        differences += [f"{count} {what} instead of {expected[what]}" for count in counts if count != expected[what]]
    return differences

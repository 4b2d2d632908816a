"""Vocabularies: objects, verbs and the table of (verb, object) interactions."""

from videohoi.vocabulary.splits import ZeroShotSplit, hico_rare, hico_split, hico_splits
from videohoi.vocabulary.text_bank import TextBank, load_text_bank
from videohoi.vocabulary.vocabulary import Vocabulary, hico_det

__all__ = [
    "TextBank",
    "Vocabulary",
    "ZeroShotSplit",
    "hico_det",
    "hico_rare",
    "hico_split",
    "hico_splits",
    "load_text_bank",
]

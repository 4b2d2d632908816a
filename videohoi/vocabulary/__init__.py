"""The words: objects, verbs and the table of (verb, object) interactions."""

from videohoi.vocabulary.vocabulary import Vocabulary, hico_det

__all__ = ["Vocabulary", "hico_det"]

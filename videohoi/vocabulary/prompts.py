"""Prompts of the published methods: the sentences for their text encoders, for any vocabulary.

A released model was trained on the very tokens of its prompts, so oddities (``a umbrella``, ``draging``) are kept, in
the template they belong to. Sources: EoID models/EoID.py and datasets/static_hico.py (Apache-2.0), GEN-VLKT
datasets/hico_text_label.py and vcoco_text_label.py (MIT), LAIN utils/hico_list.py (MIT).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from videohoi.errors import UsageError
from videohoi.names import did_you_mean, nearest_names
from videohoi.vocabulary.grammar import article, participle, readable
from videohoi.vocabulary.vocabulary import Vocabulary


@dataclass(frozen=True)
class PromptTemplate:
    """How a method words an interaction, a verb or an object. Fields: ``{verb}``, ``{a}``, ``{object}``."""

    method: str
    per: str
    """what each sentence stands for: ``interaction`` (600 rows for HICO-DET) or ``verb`` (117 rows)"""
    sentence: str
    no_interaction: str
    """the sentence of the no-interaction verb"""
    source: str
    object_sentence: str | None = None
    """the sentence of an object class, where the method classifies objects by text"""
    nothing_sentence: str | None = None
    """the background's sentence, a row after the objects"""
    article_vowels: str = "aeiou"
    """letters that take ``an``"""
    respelled: tuple[tuple[str, str], ...] = ()
    """(verb, words) that the method spells differently"""

    def words(self, vocabulary: Vocabulary, verb: str) -> str:
        """The participle of ``verb`` as the method spells it."""
        return dict(self.respelled).get(verb) or dict(vocabulary.participles).get(verb) or participle(verb)

    def interaction(self, vocabulary: Vocabulary, verb: str, object_name: str) -> str:
        """The sentence of one (verb, object)."""
        sentence = self.no_interaction if verb == vocabulary.no_interaction_verb else self.sentence
        return self._filled(sentence, self.words(vocabulary, verb), object_name)

    def object(self, object_name: str) -> str:
        """The sentence of an object class.

        Raises:
            UsageError: the method has none.
        """
        if self.object_sentence is None:
            raise UsageError(f"{self.method} words no object classes; use gen-vlkt for objects")
        return self._filled(self.object_sentence, "", object_name)

    def _filled(self, sentence: str, verb: str, object_name: str) -> str:
        noun = readable(object_name)
        return sentence.format(verb=verb, a=article(noun, self.article_vowels), object=noun)


_GEN = PromptTemplate(
    method="gen-vlkt",
    per="interaction",
    sentence="a photo of a person {verb} {a} {object}",
    no_interaction="a photo of a person and {a} {object}",
    object_sentence="a photo of {a} {object}",
    nothing_sentence="a photo of nothing",
    article_vowels="aeio",
    source="GEN-VLKT (CVPR 2022), YueLiao/gen-vlkt datasets/hico_text_label.py (MIT); it writes 'a umbrella'",
)

PROMPTS: Mapping[str, PromptTemplate] = MappingProxyType({
    "eoid": PromptTemplate(
        method="eoid",
        per="interaction",
        sentence="a picture of person {verb} {object}",
        no_interaction="a picture of person no interaction {object}",
        respelled=(("hose", "hosing down"),),
        source="EoID (AAAI 2023), section 4.3: 'a picture of person {verb} {object}'; words of datasets/static_hico.py",
    ),
    "gen-vlkt": _GEN,
    "ki2hoi": PromptTemplate(
        method="ki2hoi",
        per=_GEN.per,
        sentence=_GEN.sentence,
        no_interaction=_GEN.no_interaction,
        object_sentence=_GEN.object_sentence,
        nothing_sentence=_GEN.nothing_sentence,
        article_vowels=_GEN.article_vowels,
        source="KI2HOI (xwyscut/K2HOI) uses the text labels of GEN-VLKT",
    ),
    "lain": PromptTemplate(
        method="lain",
        per="verb",
        sentence="a photo of a person is {verb} the object.",
        no_interaction="a photo of a person and the object with no interaction.",
        respelled=(("control", "controling"), ("drag", "draging"), ("hit", "hiting"), ("sip", "siping"),
                   ("spin", "spining")),
        source="LAIN (CVPR 2025), OreoChocolate/LAIN utils/hico_list.py (MIT): one sentence a verb, closed by a full "
        "stop; learnable tokens come before it",
    ),
})  # fmt: skip
"""templates by the method's name"""


def template(method: str) -> PromptTemplate:
    """The template of a method; an unknown name is a ``UsageError`` that offers the nearest."""
    wanted = method.strip().lower()
    if wanted in PROMPTS:
        return PROMPTS[wanted]
    known = tuple(PROMPTS)
    hint = did_you_mean(nearest_names(method, known)) or f"; known: {', '.join(known)}"
    raise UsageError(f"no prompts of method {method!r}{hint}")


def prompts(vocabulary: Vocabulary, method: str) -> tuple[str, ...]:
    """One sentence per interaction (K) or per verb (V), as the method's classifier has its rows.

    Raises:
        UsageError: an unknown method.
    """
    chosen = template(method)
    if chosen.per == "verb":
        return tuple(chosen.interaction(vocabulary, verb, "object") for verb in vocabulary.verbs)
    return tuple(
        chosen.interaction(vocabulary, vocabulary.verbs[verb], vocabulary.objects[obj])
        for verb, obj in vocabulary.interactions
    )


def object_prompts(vocabulary: Vocabulary, method: str) -> tuple[str, ...]:
    """One sentence per object class, then the background's; ``UsageError`` where the method has none."""
    chosen = template(method)
    rows = tuple(chosen.object(name) for name in vocabulary.objects)
    return rows if chosen.nothing_sentence is None else (*rows, chosen.nothing_sentence)

"""Whose classes a model's weights were trained for: the pipeline speaks HICO-DET's, and reads no other column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from videohoi.errors import ModelError
from videohoi.interact.imported import WeightsOrigin
from videohoi.vocabulary import hico_det

_COUNTS = {
    "verbs": ("verb_classes", "verbs"),
    "interactions": ("interaction_classes", "interactions", "classes"),
    "objects": ("object_classes", "objects"),
}
"""fields of the methods' configs that say how many there are"""


def vocabulary_of_config(config: Any) -> str:
    """Name of HICO-DET's vocabulary if the config's counts are its own, else what they are (``29 verbs``)."""
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
    wanted = hico_det().name
    found = vocabulary_of_config(config) if origin.vocabulary == wanted else origin.vocabulary
    if found != wanted:
        raise ModelError(
            f"{weights}: trained for other classes ({found}), expected those of {wanted}; weights of another data set "
            "can be imported and used from Python, but not run in the pipeline"
        )


def _other_counts(config: Any) -> list[str]:
    known = hico_det()
    expected = {"verbs": len(known.verbs), "interactions": len(known.interactions), "objects": len(known.objects)}
    parts = (config, getattr(config, "head", None))
    found = []
    for what, names in _COUNTS.items():
        counts = [getattr(part, name) for part in parts for name in names if isinstance(getattr(part, name, None), int)]
        found += [f"{count} {what} instead of {expected[what]}" for count in counts if count != expected[what]]
    return found

"""From the name after ``--model`` to its code: one table; nothing is imported until a method is used.

Facts for people (paper, licence, needs) are in ``videohoi.models.methods``; the names are the same.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from videohoi.errors import ModelError, UsageError
from videohoi.models.methods import INSTALL, METHODS, MethodFacts
from videohoi.names import did_you_mean, nearest_names
from videohoi.plugins import plugins

STARTER = "starter"
_HEADS = "videohoi.interact.heads."
_PAIRS = _HEADS + "detr_pairs"
_REASON = 200
"""characters of another library's message that an error of one line keeps"""
_EXTRA = frozenset({"torch", "torchvision", "open_clip", "timm", "transformers", "safetensors"})
"""packages of the ``models`` extra"""


@dataclass(frozen=True)
class Method:
    """Where a method's code is, and how it runs."""

    name: str
    module: str
    """has ``KEY_MAP`` and ``IGNORED_KEYS`` where published weights exist"""
    config: str
    """name of its config dataclass"""
    model: str
    """name of its ``nn.Module``, made of the config alone"""
    head: str | None = None
    """name of its ``HOIHead``, for methods that score a detector's boxes"""
    runner: str | None = None
    """``module:class`` of its ``HOIRunner``, for methods that find boxes"""
    kind: str = "fusion"
    """of score, see ``scoring``"""
    keys: tuple[str, str] = ("KEY_MAP", "IGNORED_KEYS")
    """names of its tables of published weights"""
    prompts: str | None = None
    """template of ``vocabulary.prompts`` for the text it compares with"""

    @property
    def own_detr(self) -> bool:
        """Its boxes come from a DETR that its weights carry along and that another may replace."""
        return self.module == _PAIRS

    @property
    def facts(self) -> MethodFacts:
        """What ``videohoi models`` shows."""
        return METHODS[self.name]

    def load(self, name: str | None = None) -> Any:
        """The module, or ``name`` in it (or ``module:name``).

        Raises:
            ModelError: a package of the ``models`` extra is missing.
        """
        module_name, _, attribute = name.partition(":") if name and ":" in name else (self.module, "", name)
        try:
            module = importlib.import_module(module_name)
        except ImportError as error:
            missing = (error.name or "").split(".")[0]
            if missing not in _EXTRA:
                raise
            raise ModelError(f"model {self.name} needs {missing}, which is not installed; {INSTALL}") from error
        return getattr(module, attribute) if attribute else module

    def build(self, config: Any) -> Any:
        """The ``nn.Module`` of this config, randomly initialised.

        Raises:
            ModelError: a package of the ``models`` extra is missing.
            UsageError: sizes that cannot be built.
        """
        kind = self.load(self.model)
        try:
            return kind(config)
        except (ArithmeticError, AssertionError, RuntimeError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:_REASON]
            raise UsageError(
                f"a model of {self.name} cannot be built with these settings ({reason}); "
                f"see configs/models/{self.name}.yaml"
            ) from error

    def tables(self, config: Any) -> tuple[Any, Any]:
        """Key map and ignored keys of weights of this config (HOICLIP and KI2HOI have others in zero-shot settings)."""
        zero_shot = "ZERO_SHOT_" if getattr(config, "zero_shot", False) else ""
        names, ignored = (f"{zero_shot}{table}" for table in self.keys)
        return self.load(names), self.load(ignored)


_RUNNERS = "videohoi.interact.heads.runners:"
TABLE: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            Method("clip_prior", _HEADS + "clip_prior", "ClipPriorConfig", "ClipPrior", head="ClipPriorHead",
                   kind="prior", prompts="eoid"),
            Method("hts", _HEADS + "hts", "HtsConfig", "Hts", head="HtsHead", prompts="gen-vlkt"),
            Method("eoid", _HEADS + "eoid", "EoIDConfig", "EoID", runner=_RUNNERS + "PictureRunner", kind="product"),
            Method("gen_vlkt", _HEADS + "gen_vlkt", "GenVlktConfig", "GenVlkt", runner=_RUNNERS + "TextRunner",
                   prompts="gen-vlkt"),
            Method("hoiclip", _HEADS + "hoiclip", "HoiclipConfig", "Hoiclip", runner=_RUNNERS + "ClipTextRunner",
                   prompts="gen-vlkt"),
            Method("ki2hoi", _HEADS + "ki2hoi", "Ki2hoiConfig", "Ki2hoi", runner=_RUNNERS + "ClipTextRunner",
                   prompts="ki2hoi"),
            Method("upt", _PAIRS, "UptModelConfig", "UptModel", runner=_PAIRS + ":UptRunner",
                   keys=("UPT_KEY_MAP", "UPT_IGNORED_KEYS")),
            Method("lain", _PAIRS, "LainModelConfig", "LainModel", runner=_PAIRS + ":LainRunner", prompts="lain",
                   keys=("LAIN_KEY_MAP", "LAIN_IGNORED_KEYS")),
        )
    }
)  # fmt: skip
"""by name; ``starter`` runs without torch and is not among them"""


def method(name: str) -> Method:
    """The method called ``name``; ``UsageError`` offers the nearest."""
    if name in TABLE:
        return TABLE[name]
    known = (STARTER, *TABLE, *plugins("heads"))
    hint = did_you_mean(nearest_names(name, known)) or f"; expected one of {', '.join(known)}"
    raise UsageError(f"unknown model {name!r}{hint}")

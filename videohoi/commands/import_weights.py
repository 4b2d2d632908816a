"""``videohoi models import``: a published checkpoint becomes a file for ``--weights``."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from videohoi import config as strict_config
from videohoi.errors import ModelError, SinkError, UsageError
from videohoi.files import file_sha256
from videohoi.interact.methods import STARTER, TABLE, Method, method
from videohoi.pipeline.model_stages import method_config
from videohoi.vocabulary import hico_det
from videohoi.vocabulary.prompts import prompts
from videohoi.vocabulary.text_bank import fingerprint, sentences_of

SUFFIX = "safetensors"
_DAMAGED = (
    "its names are right, but its values are not those of trained weights: download it again, or take another epoch's"
)


def import_checkpoint(checkpoint: Path, name: str, out: Path | None, settings: tuple[str, ...]) -> Path:
    """Convert ``checkpoint``, say what was ignored and why, and write the file, whose path is returned.

    ``settings``: KEY=VALUE sizes of the method's config that differ from the paper's.

    Raises:
        UsageError: an unknown method or setting, sizes of which no model can be built, or ``out`` is the checkpoint.
        ModelError: packages are missing, the file is no checkpoint, or it does not fit; says what differs.
        SinkError: the file cannot be written.
    """
    if name == STARTER:
        raise UsageError(f"{name} ships with this package and takes no weights; nothing to import")
    chosen = method(name)
    target = out or checkpoint.with_name(f"{checkpoint.stem}.{name}.{SUFFIX}")
    _check_target(target, checkpoint)
    if not hasattr(chosen.load(), chosen.keys[0]):
        raise ModelError(f"{name} has no weights of its own to import; see docs/methods.md")
    chosen.load("videohoi.interact.imported:save_imported")  # says which package is missing
    from videohoi.interact.classes import vocabulary_of_config
    from videohoi.interact.imported import WeightsOrigin, save_imported
    from videohoi.layers.checkpoint_files import read_checkpoint
    from videohoi.layers.checkpoints import NOT_FINITE, OTHER_TYPE, MisfitError, convert, ignored_lines, unfilled

    _refuse_imported(checkpoint)
    config = method_config(chosen, None, strict_config.apply_overrides({}, settings))
    digest = file_sha256(checkpoint)
    published = read_checkpoint(checkpoint)
    try:
        unfilled_model = unfilled(lambda: chosen.build(config))
        converted = convert(published, unfilled_model, *chosen.tables(config), name=str(checkpoint))
    except MisfitError as error:
        is_damaged = error.kinds <= {NOT_FINITE, OTHER_TYPE}
        advice = _DAMAGED if is_damaged else _what_fits(chosen, published, config)
        raise ModelError(f"{error}; {advice}") from error
    values: dict[str, Any] = strict_config.to_mapping(config)
    vocabulary = vocabulary_of_config(config)
    origin = WeightsOrigin(name, vocabulary, values, _text_bank(chosen, digest), digest, checkpoint.name)
    save_imported(target, converted.state_dict, origin)
    counts = f"{len(converted.state_dict)} of {len(published)} entries imported, {len(converted.ignored)} not needed"
    lines = [f"not needed: {line}" for line in ignored_lines(converted.ignored)]
    for key, advice in getattr(chosen.load(), "IMPORT_ADVICE", {}).items():
        lines += [] if any(setting.startswith(f"{key}=") for setting in settings) else [advice]
    if vocabulary != hico_det().name:
        lines.append(f"its classes are not HICO-DET's ({vocabulary}): the pipeline will refuse it")
    lines.append(f"{target}: {counts}; use it with --model {name} --weights {shlex.quote(str(target))}")
    console = Console(highlight=False)
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
    return target


def _check_target(target: Path, checkpoint: Path) -> None:
    """Before minutes of work: refuse to overwrite the checkpoint itself, a folder or a device."""
    if target.exists() and checkpoint.exists() and target.samefile(checkpoint):
        raise UsageError(f"--out {target} is the checkpoint itself; choose another file")
    if not target.name or (target.exists() and not target.is_file()):
        raise SinkError(f"cannot write weights {target}: it is not a file; give the name of a file")


def _refuse_imported(checkpoint: Path) -> None:
    from videohoi.interact.imported import is_imported, load_origin

    if is_imported(checkpoint):
        method_name = load_origin(checkpoint).method
        raise UsageError(
            f"{checkpoint} was imported already; use it with --model {method_name} "
            f"--weights {shlex.quote(str(checkpoint))}"
        )


def _what_fits(chosen: Method, published: Mapping[str, Any], config: Any) -> str:
    """Advice: the setting or method that has these names, else that sizes can be given."""
    from videohoi.layers.checkpoints import unknown_keys

    if unknown_keys(published, *chosen.tables(config)):
        if hasattr(config, "zero_shot"):
            turned = dataclasses.replace(config, zero_shot=not config.zero_shot)
            if not unknown_keys(published, *chosen.tables(turned)):
                return f"its names are those of --set zero_shot={str(turned.zero_shot).lower()}"
        for other in (other for other in TABLE.values() if other.runner is not None and other is not chosen):
            if not unknown_keys(published, *other.tables(other.load(other.config)())):
                return f"its names are those of {other.name}: import it with --as {other.name}"
    return f"sizes that differ are given with --set KEY=VALUE, see configs/models/{chosen.name}.yaml"


def _text_bank(chosen: Method, source_sha256: str) -> str | None:
    """Fingerprint of the text rows inside the file: the method's sentences, encoded by whoever made the file."""
    if chosen.prompts is None:
        return None
    return fingerprint(sentences_of(prompts(hico_det(), chosen.prompts)), f"published:{source_sha256}")

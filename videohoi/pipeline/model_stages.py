"""From the settings of a run to the nodes that find boxes and name verbs, whatever the method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videohoi import config as strict_config
from videohoi.detect.factory import create_detector, runs_on_torch
from videohoi.detect.protocol import Detector
from videohoi.detect.registry import DETR_PREFIX
from videohoi.errors import ConfigError, UsageError
from videohoi.files import user_path
from videohoi.graph import AnyNode
from videohoi.interact.heads.starter import StarterPairHead
from videohoi.interact.hoi_detector import HOIDetector, MergeSettings
from videohoi.interact.methods import STARTER, TABLE, Method, method
from videohoi.interact.protocol import HOIHead, HOIRunner, ModelOptions
from videohoi.interact.scoring import Calibration
from videohoi.models.methods import METHODS
from videohoi.pipeline.between_runs import KeptDetector, KeptHead, KeptRunner, ModelShelf
from videohoi.pipeline.bundled import bundled_folder, laid_over
from videohoi.pipeline.detect_node import DetectNode
from videohoi.pipeline.nodes import HOIDetectNode, InteractNode
from videohoi.pipeline.settings import CalibrationSettings, DetectSettings, InteractSettings, ModelSettings, base_config
from videohoi.plugins import build_plugin, plugins
from videohoi.vocabulary import Vocabulary

CLIP_ALONE = "clip_prior"
"""the method that uses CLIP alone"""
CALIBRATION_FILE = "calibration.yaml"


@dataclass(frozen=True)
class ModelStages:
    """Nodes before and after tracking."""

    before: tuple[AnyNode, ...]
    """from frames to detections"""
    after: tuple[AnyNode, ...]
    """from tracked detections to verb scores; empty where the nodes before gave them"""


def model_stages(
    model: ModelSettings,
    detect: DetectSettings,
    pair: InteractSettings,
    vocabulary: Vocabulary,
    shelf: ModelShelf | None = None,
) -> ModelStages:
    """The nodes of a run; nothing is loaded yet. The models come from ``shelf`` and go back to it after the run.

    Raises:
        UsageError: an unknown method or detector, words for a method of closed classes, a detector for a method that
            finds its own boxes, a file that the method would not read.
        ModelError: packages of the ``models`` extra are missing, or weights are of another method.
    """
    _check_words(model)
    _check_files(model)
    _check_engine(model, pair)
    key = repr((model, detect, pair, vocabulary.name, vocabulary.version))
    if model.name == STARTER:
        return _two_stages(_detectors(detect), _starter(model, detect, pair), key, shelf)
    if is_plugin(model):
        return _two_stages(_detectors(detect), _plugin_head(model, pair, vocabulary), key, shelf)
    chosen = method(model.name)
    if chosen.head is not None:
        detectors = _detectors(detect)
        head: HOIHead = chosen.load(chosen.head)(model_options(chosen, model, detect, pair, vocabulary))
        return _two_stages(detectors, head, key, shelf)
    options = model_options(chosen, model, detect, pair, vocabulary)
    runner: HOIRunner = chosen.load(chosen.runner)(chosen, options)
    if shelf is not None:
        runner = KeptRunner(shelf, key, runner)
    settings = MergeSettings(options.box_score, pair_limit=pair.pair_limit)
    return ModelStages((HOIDetectNode(HOIDetector(runner, settings)),), ())


def _two_stages(detectors: Sequence[Detector], head: HOIHead, key: str, shelf: ModelShelf | None) -> ModelStages:
    if shelf is not None:
        detectors = [KeptDetector(shelf, f"detector {key}", detector) for detector in detectors]
        head = KeptHead(shelf, f"head {key}", head)
    return ModelStages((DetectNode(detectors),), (InteractNode(head),))


def finds_boxes(model: ModelSettings) -> bool:
    """The method of these settings needs no detector."""
    return model.name in METHODS and METHODS[model.name].finds_boxes


def is_plugin(model: ModelSettings) -> bool:
    """The method is a head that an installed package registered as ``videohoi.heads``."""
    return model.name != STARTER and model.name not in TABLE and model.name in plugins("heads")


def _plugin_head(model: ModelSettings, pair: InteractSettings, vocabulary: Vocabulary) -> HOIHead:
    """The head that the package builds; ``ModelOptions.config`` are the ``model.options`` as they were written."""
    options = ModelOptions(
        vocabulary=vocabulary,
        own_words=model.words is not None,
        weights=None if model.weights is None else user_path(model.weights),
        clip_weights=model.clip_weights,
        config=model.options,
        device=model.device,
        human_score=pair.human_score,
        object_score=pair.object_score,
        box_lambda=pair.box_lambda,
        pair_limit=pair.pair_limit,
    )
    head: HOIHead = build_plugin("heads", model.name, options)
    return head


def check_model(config: Any) -> None:
    """Report what is wrong before anything is loaded: unknown methods and words; ``UsageError``."""
    base = base_config(config)
    _check_words(base.model)
    _check_files(base.model)
    _check_engine(base.model, base.interact)
    base.vocabulary  # noqa: B018 - read here, so that a mistake in the words is reported at once


def _check_words(model: ModelSettings) -> None:
    if is_plugin(model):
        return
    method_is_known = model.name == STARTER or method(model.name)
    if model.words is not None and method_is_known and not METHODS[model.name].open_vocabulary:
        able = ", ".join(name for name, facts in METHODS.items() if facts.open_vocabulary)
        raise UsageError(f"model {model.name} has closed classes and cannot take --vocab; methods that can: {able}")


def _check_files(model: ModelSettings) -> None:
    """Refuse a file that the method would not read, such as ``--weights`` without ``--model``."""
    if model.name == STARTER and (model.weights or model.clip_weights):
        given = "--weights" if model.weights else "--clip-weights"
        raise UsageError(f"model {STARTER} takes no {given}; say with --model NAME which method the file is for")
    if model.name == STARTER and (model.options or model.device not in ("auto", "cpu")):
        given = f"model.options.{next(iter(model.options))}" if model.options else f"model.device={model.device}"
        raise UsageError(f"model {STARTER} has no use for {given}: it runs on the CPU and has no settings of its own")
    if model.name == CLIP_ALONE and model.weights:
        raise UsageError(f"model {CLIP_ALONE} has no weights but CLIP's; give {model.weights} with --clip-weights")
    if model.name in METHODS and model.clip_weights and not METHODS[model.name].open_vocabulary:
        raise UsageError(f"model {model.name} never reads CLIP's own weights; leave --clip-weights out")
    if model.clip_weights and model.words is None and model.name != CLIP_ALONE:
        raise UsageError(f"model {model.name} reads --clip-weights for words of --vocab only; give both or neither")


def _check_engine(model: ModelSettings, pair: InteractSettings) -> None:
    """Only the starter's pair head is an ONNX graph; other methods run on torch."""
    default = InteractSettings()
    if model.name != STARTER and (pair.engine, pair.threads) != (default.engine, default.threads):
        given = (
            f"interact.engine={pair.engine}" if pair.engine != default.engine else f"interact.threads={pair.threads}"
        )
        raise UsageError(f"model {model.name} has no use for {given}: it runs on torch; leave the setting out")


def _detectors(detect: DetectSettings) -> list[Detector]:
    """Engines that work side by side; torch spreads one model over the cores by itself."""
    return [
        create_detector(
            detect.detector,
            threads=detect.threads,
            score_threshold=detect.score_threshold,
            input_size_px=detect.input_size_px,
            engine=detect.engine,
            device=detect.device,
        )
        for _ in range(1 if runs_on_torch(detect.detector) else detect.workers)
    ]


def _starter(model: ModelSettings, detect: DetectSettings, pair: InteractSettings) -> StarterPairHead:
    return StarterPairHead(
        calibration=_calibration(STARTER, model.calibration),
        human_score=pair.human_score,
        object_score=pair.object_score,
        box_lambda=pair.box_lambda,
        pair_limit=pair.pair_limit,
        use_appearance=detect.detector == "starter",
        engine=pair.engine,
        threads=pair.threads,
    )


def model_options(
    chosen: Method,
    model: ModelSettings,
    detect: DetectSettings,
    pair: InteractSettings,
    vocabulary: Vocabulary,
) -> ModelOptions:
    """Options of the method; errors as ``model_stages``."""
    weights = None if model.weights is None else user_path(model.weights)
    return ModelOptions(
        vocabulary=vocabulary,
        own_words=model.words is not None,
        weights=weights,
        detector=_own_detector(chosen, detect.detector),
        clip_weights=model.clip_weights,
        config=method_config(chosen, weights, model.options),
        calibration=_calibration(chosen.name, model.calibration),
        device=model.device,
        human_score=pair.human_score,
        object_score=pair.object_score,
        box_lambda=pair.box_lambda,
        pair_limit=pair.pair_limit,
        box_score=ModelOptions.box_score if detect.score_threshold is None else detect.score_threshold,
        input_size_px=detect.input_size_px,
    )


def _own_detector(chosen: Method, detector: str) -> Path | None:
    """DETR weights that take the place of those in the method's file; ``UsageError`` where it takes no detector."""
    if chosen.head is not None or detector == DetectSettings.detector:
        return None
    if chosen.own_detr and detector.startswith(DETR_PREFIX) and detector != DETR_PREFIX:
        return user_path(detector.removeprefix(DETR_PREFIX))
    instead = f" or give {DETR_PREFIX}FILE" if chosen.own_detr else ""
    raise UsageError(f"model {chosen.name} finds its own boxes; leave --detector {detector} out{instead}")


def method_config(chosen: Method, weights: Path | None, options: Mapping[str, Any]) -> Any:
    """The method's config: its shipped values, over them those the weights were made with, over them ``options``.

    Raises:
        ConfigError: an unknown key or a value of the wrong type.
        ModelError: packages are missing, or the weights are unreadable or of another method.
    """
    kind = chosen.load(chosen.config)
    values = laid_over(strict_config.to_mapping(kind()), shipped_values(chosen.name))
    if weights is not None:
        origin = chosen.load("videohoi.interact.imported:load_origin")(weights, chosen.name)
        values = laid_over(values, dict(origin.config))
    return strict_config.build(
        kind, laid_over(values, dict(options)), origin=f"settings of {chosen.name} (model.options)"
    )


def shipped_values(name: str) -> dict[str, Any]:
    """Values of configs/models/NAME.yaml; none where there is no such file."""
    path = bundled_folder("configs") / "models" / f"{name}.yaml"
    return strict_config.read_mapping(path) if path.is_file() else {}


def _calibration(name: str, asked: CalibrationSettings) -> Calibration:
    shipped = shipped_calibration(name)
    slope = shipped.slope if asked.slope is None else asked.slope
    return Calibration(slope, shipped.offset if asked.offset is None else asked.offset)


def shipped_calibration(name: str) -> Calibration:
    """The method's row of configs/models/calibration.yaml; identity where there is none."""
    path = bundled_folder("configs") / "models" / CALIBRATION_FILE
    rows = strict_config.read_mapping(path)
    unknown = sorted(set(rows) - set(METHODS))
    if unknown:
        raise ConfigError(f"{path.name}: {unknown[0]} is no method; expected some of {', '.join(METHODS)}")
    return strict_config.build(Calibration, rows.get(name, {}), origin=f"{path.name}: {name}")

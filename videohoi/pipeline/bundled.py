"""Where pipelines and configs are: in the wheel (``videohoi/_bundled``), in a checkout, or where the user says."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from videohoi import config as strict_config
from videohoi.errors import ConfigError
from videohoi.models.methods import METHODS
from videohoi.names import did_you_mean, nearest_names

FOR_DETECTOR = "for_detector"
"""key of the settings that go with one detector"""


@dataclass(frozen=True)
class LoadedPipeline:
    """A pipeline module and its settings."""

    name: str
    module: ModuleType
    """has ``Config`` and ``build``"""
    config: Any
    """an instance of the module's ``Config``"""
    path: Path
    """of the module's file"""


def bundled_folder(kind: str) -> Path:
    """Folder of the shipped ``pipelines`` or ``configs``."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_bundled" / kind
    return installed if installed.is_dir() else package.parent / kind


def load_pipeline(spec: str | Path, overrides: tuple[str, ...] = ()) -> LoadedPipeline:
    """The pipeline that ``spec`` names: a shipped config's name, or a YAML file with a ``pipeline`` key.

    ``pipeline`` is a shipped pipeline's name or the path of a Python file with ``Config`` and ``build``, relative to
    the YAML file. ``for_detector`` holds settings by the name of a detector, laid over the rest when it is chosen.
    ``overrides`` are ``a.b=c`` assignments; they have the last word.

    Raises:
        ConfigError: unknown name, key or value; a file without ``Config`` and ``build``.
    """
    path = _config_path(spec)
    values = strict_config.read_mapping(path)
    name = str(values.pop("pipeline", ""))
    file = _module_file(name, path)
    module = _load_module(file)
    values = strict_config.apply_overrides(_with_detector_settings(values, overrides), overrides)
    return LoadedPipeline(name, module, strict_config.build(module.Config, values, origin=str(path.name)), file)


def restored_pipeline(name: str, file: Path, values: dict[str, Any]) -> LoadedPipeline:
    """The pipeline of a module's file and all its settings, as another process had them."""
    module = _load_module(file)
    return LoadedPipeline(name, module, strict_config.build(module.Config, values, origin=name), file)


def _with_detector_settings(values: dict[str, Any], overrides: tuple[str, ...]) -> dict[str, Any]:
    """``values`` with the ``for_detector`` settings of the detector, or of the method that finds its own boxes."""
    by_detector = values.pop(FOR_DETECTOR, {})
    chosen = strict_config.apply_overrides(values, overrides)
    method = METHODS.get(str(_named(chosen, "model", "name")))
    name = method.name if method is not None and method.finds_boxes else _named(chosen, "detect", "detector")
    special = by_detector.get(name, {}) if isinstance(by_detector, dict) else {}
    if not isinstance(special, dict):
        raise ConfigError(f"{FOR_DETECTOR}.{name}: expected settings, got {special!r}")
    return laid_over(values, special)


def _named(values: dict[str, Any], section: str, key: str) -> Any:
    part = values.get(section)
    return part.get(key) if isinstance(part, dict) else None


def laid_over(values: dict[str, Any], special: dict[str, Any]) -> dict[str, Any]:
    """Both mappings merged, key by key; ``special`` wins."""
    result = dict(values)
    for key, value in special.items():
        below = result.get(key)
        result[key] = laid_over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def _config_path(spec: str | Path) -> Path:
    path = Path(spec)
    if path.suffix in {".yaml", ".yml"} or path.is_file():
        return path
    folder = bundled_folder("configs") / "pipelines"
    names = sorted(file.stem for file in folder.glob("*.yaml"))
    if str(spec) in names:
        return folder / f"{spec}.yaml"
    hint = did_you_mean(nearest_names(str(spec), names)) or f"; expected one of {', '.join(names)} or a YAML file"
    raise ConfigError(f"unknown pipeline configuration {str(spec)!r}{hint}")


def _module_file(name: str, config_path: Path) -> Path:
    own = config_path.parent / name
    path = own if name.endswith(".py") else bundled_folder("pipelines") / f"{name}.py"
    if not name or not path.is_file():
        raise ConfigError(f"{config_path.name}: pipeline: {name!r} not found; expected a shipped name or a .py file")
    return path.resolve()


def _load_module(path: Path) -> ModuleType:
    module_name = f"videohoi_pipeline_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"pipeline: {path.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses look their module up by name
    try:
        spec.loader.exec_module(module)
    except (ImportError, SyntaxError) as error:
        raise ConfigError(f"{path.name}: the pipeline cannot be loaded ({error})") from error
    for wanted in ("Config", "build"):
        if not hasattr(module, wanted):
            raise ConfigError(f"{path.name}: a pipeline defines Config and build; {wanted} is missing")
    return module

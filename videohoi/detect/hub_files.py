"""Where the files of a transformers model lie on this machine, found without transformers."""

from __future__ import annotations

from pathlib import Path

from videohoi.files import is_file, is_folder, known_sha256, user_path

WEIGHTS_FILES = ("model.safetensors", "pytorch_model.bin")
"""the first that is there is loaded"""
CONFIG_FILE, PROCESSOR_FILE = "config.json", "preprocessor_config.json"


def hub_files(name: str) -> dict[str, str]:
    """SHA-256 of what a model is made of: ``detector`` (its weights), ``detector_config``, ``detector_processor``.

    Of a folder, or of what the hub's cache holds under ``name`` now; files that are not there are left out.
    """
    folder = _folder(local_name(name))
    if folder is None:
        return {}
    weights = next((file for file in WEIGHTS_FILES if is_file(folder / file)), WEIGHTS_FILES[0])
    roles = {"detector": weights, "detector_config": CONFIG_FILE, "detector_processor": PROCESSOR_FILE}
    return {role: known_sha256(folder / file) for role, file in roles.items() if is_file(folder / file)}


def _folder(name: str) -> Path | None:
    if is_folder(Path(name)):
        return Path(name)
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    try:
        config = try_to_load_from_cache(name, CONFIG_FILE)
    except ValueError:  # no OWNER/NAME
        return None
    return Path(config).parent if isinstance(config, str) else None


def local_name(name: str) -> str:
    """A folder as an absolute path, so that transformers does not take it for a name of the hub."""
    folder = user_path(name)
    return str(folder.resolve()) if is_folder(folder) else name

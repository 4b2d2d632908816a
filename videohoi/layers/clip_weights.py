"""Reading CLIP weights from a file: OpenAI's TorchScript archives, state dicts of ``torch.save``, safetensors."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor, nn

from videohoi.errors import ModelError
from videohoi.files import is_file, is_folder
from videohoi.layers.checkpoint_files import DAMAGED, one_line, printable, read_checkpoint
from videohoi.layers.torchscript import is_torchscript, read_torchscript

_SERVER = "https://openaipublic.azureedge.net/clip/models"
PUBLISHED: Mapping[str, tuple[str, str, int]] = {
    "ViT-B/32": ("ViT-B-32.pt", "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af", 338),
    "ViT-B/16": ("ViT-B-16.pt", "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f", 335),
    "ViT-L/14": ("ViT-L-14.pt", "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836", 890),
    "ViT-L/14@336px": ("ViT-L-14-336px.pt", "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02", 891),
}
"""file, SHA-256 (a part of its address) and MiB of OpenAI's weights"""

IMAGE_KEYS: tuple[tuple[str, str], ...] = (
    (r"^visual\.transformer\.resblocks\.", "blocks."),
    (r"^visual\.", ""),
)
TEXT_KEYS: tuple[tuple[str, str], ...] = (
    (r"^(?:text\.)?transformer\.resblocks\.", "blocks."),
    (r"^(?:text\.)?(token_embedding\.|positional_embedding$|ln_final\.|text_projection$)", r"\1"),
)
SCALE_KEYS: tuple[tuple[str, str], ...] = ((r"^logit_scale$", "logit_scale"),)
"""(regex of OpenAI's key, replacement) for ``ImageTower``, ``TextTower`` and ``Clip.logit_scale``"""
_PARTS = {"image": IMAGE_KEYS, "text": TEXT_KEYS, "scale": SCALE_KEYS}
_TRANSFORMERS = ("vision_model.", "text_model.")
"""how keys of another library begin"""
_BOOKKEEPING = re.compile(
    r"^(?:text\.)?(input_resolution|context_length|vocab_size|(?:transformer\.resblocks\.\d+\.)?attn_mask)$"
)
"""sizes that archives store as tensors, and a mask that the towers compute"""


def read_clip_weights(path: Path, name: str) -> dict[str, Tensor]:
    """All tensors of a weights file in fp32, under OpenAI's keys.

    Raises:
        ModelError: the file is missing, or is no CLIP state dict.
    """
    if not is_file(path):
        what = "is a folder, expected a file" if is_folder(path) else "does not exist"
        raise ModelError(f"CLIP {name}: weights file {path} {what}; {where_to_get(name)}")
    state = _read(path, name)
    if any(key.startswith(_TRANSFORMERS) for key in state):
        raise ModelError(
            f"CLIP {name}: {path} has the names of transformers ({_TRANSFORMERS[0]}*), expected those of OpenAI or "
            f"open_clip (visual.*); {where_to_get(name)}"
        )
    if not any(key.startswith(("visual.", "text_projection", "text.")) for key in state):
        raise ModelError(f"CLIP {name}: {path} holds no CLIP weights (no key visual.*); {where_to_get(name)}")
    unknown = [key for key in state if not _BOOKKEEPING.match(key) and not _known(key)]
    if unknown:
        raise ModelError(
            f"CLIP {name}: {path} has unknown keys ({', '.join(map(printable, unknown[:3]))}); {where_to_get(name)}"
        )
    return {key: value.float() for key, value in state.items() if not _BOOKKEEPING.match(key)}


def where_to_get(name: str) -> str:
    """Which file, from where, how large, and what to do without a network; for the end of an error message."""
    if name not in PUBLISHED:
        return f"give the path of a state dict of {name} with OpenAI's keys (visual.*, transformer.*)"
    file, digest, size_mib = PUBLISHED[name]
    return (
        f"download {file} ({size_mib} MiB) from {_SERVER}/{digest}/{file} and give its path; without a network, "
        "download it elsewhere and copy it here (a state dict or safetensors with the same keys will do)"
    )


def published_sha256(name: str) -> str | None:
    """SHA-256 of OpenAI's file of this model; None where there is none."""
    return PUBLISHED[name][1] if name in PUBLISHED else None


def load_tower(tower: nn.Module, part: str, state: Mapping[str, Tensor], path: Path, name: str) -> None:
    """Load the keys of one ``part`` ("image", "text" or "scale") strictly.

    Raises:
        ModelError: a tensor is missing or of another shape.
    """
    mapped = {new: value for key, value in state.items() if (new := _mapped(key, _PARTS[part])) is not None}
    own = tower.state_dict()
    wanted = {"logit_scale": own["logit_scale"]} if part == "scale" else own
    missing, extra = sorted(wanted.keys() - mapped.keys()), sorted(mapped.keys() - wanted.keys())
    if missing or extra:
        what = f"lacks {missing[0]}" if missing else f"has {printable(extra[0])}, which the model lacks"
        raise ModelError(f"CLIP {name}: {path} {what}: it is not {name}; {where_to_get(name)}")
    for key, target in wanted.items():
        if mapped[key].shape != target.shape:
            have, want = tuple(mapped[key].shape), tuple(target.shape)
            raise ModelError(f"CLIP {name}: {path} has {key} of shape {have}, expected {want}; {where_to_get(name)}")
    tower.load_state_dict({**own, **mapped}, strict=True)


def _mapped(key: str, rules: tuple[tuple[str, str], ...]) -> str | None:
    for pattern, replacement in rules:
        new, count = re.subn(pattern, replacement, key)
        if count:
            return new
    return None


def _known(key: str) -> bool:
    return any(_mapped(key, rules) is not None for rules in _PARTS.values())


def _read(path: Path, name: str) -> Mapping[str, Tensor]:
    try:
        if not is_torchscript(path):
            return read_checkpoint(path)
        content = path.read_bytes()
        published = {
            digest for _, digest, _ in PUBLISHED.values()
        }  # only a file with exactly these bytes may run its code
        return _published(content) if sha256(content).hexdigest() in published else read_torchscript(path)
    except ModelError as error:
        raise ModelError(f"CLIP {name}: {error}; {where_to_get(name)}") from error
    except DAMAGED as error:
        raise ModelError(f"CLIP {name}: {path} cannot be read ({one_line(error)}); {where_to_get(name)}") from error


def _published(content: bytes) -> Mapping[str, Tensor]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch has deprecated TorchScript: nothing the user can act on
        archive: Mapping[str, Tensor] = torch.jit.load(io.BytesIO(content), map_location="cpu").state_dict()  # type: ignore[no-untyped-call]
        return archive

"""What the torch methods share at run time: device, CLIP, text rows, arrays out. Imported only once one is chosen."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from videohoi.errors import ModelError
from videohoi.files import file_sha256, user_path
from videohoi.layers.clip import Clip, ClipConfig, TextTower, build_clip, clip_config, tokenize
from videohoi.layers.clip_weights import published_sha256, where_to_get
from videohoi.models.registry import cache_folder
from videohoi.structures.interactions import HOIOutput
from videohoi.vocabulary.text_bank import TextBank, cached_text_bank, compute_text_bank

RANDOM = "random"
"""``--clip-weights random``: only to see that everything is connected; the scores mean nothing"""
RANDOM_NOTE = "CLIP IS RANDOMLY INITIALISED: EVERY SCORE IS MEANINGLESS; this run only shows that the parts fit."
FOREIGN_NOTE = (
    "the CLIP weights are not OpenAI's own file; they are run with QuickGELU, as OpenAI trained. clip_prior and hts "
    "take those trained with the exact GELU (LAION's, DataComp's) with --set model.options.exact_gelu=true"
)
_SEED = 0
"""random weights are the same in every run"""
_BATCH = 64
"""sentences at a time: bounds the memory"""


@dataclass(frozen=True, repr=False)
class LoadedClip:
    """Both towers and where their weights come from."""

    clip: Clip
    identity: str
    """changes whenever the vectors would"""
    sha256: str | None
    """of the weights file; None for random ones"""

    @property
    def note(self) -> str:
        """For the report, if the weights are random or it is unknown with which GELU they were trained."""
        if self.sha256 is None:
            return RANDOM_NOTE
        sizes = self.clip.image.config
        return FOREIGN_NOTE if sizes.quick_gelu and self.sha256 != published_sha256(sizes.name) else ""

    @property
    def text(self) -> TextSource:
        """The text tower."""
        return TextSource(self.clip.text, self.identity, keep=self.sha256 is not None)


def load_clip(config: ClipConfig | str, weights: str | None, method: str) -> LoadedClip:
    """CLIP for ``method`` from a file, or randomly initialised if ``weights`` is ``random``.

    Raises:
        ModelError: no weights were given or they do not fit; names the file, its address and size, and the offline
            alternative.
        UsageError: an unknown CLIP model.
    """
    sizes = clip_config(config) if isinstance(config, str) else config
    if weights is None:
        raise ModelError(
            f"{method} needs CLIP {sizes.name}: {where_to_get(sizes.name)} with --clip-weights FILE; "
            f"to see only that everything is connected: --clip-weights {RANDOM}"
        )
    if weights == RANDOM:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_SEED)
            return LoadedClip(build_clip(sizes), f"{RANDOM}:{sizes.name}", None)
    path = user_path(weights)
    clip = build_clip(sizes, path)
    digest = file_sha256(path)
    activation = "" if sizes.quick_gelu else "/gelu"
    return LoadedClip(clip, f"clip:{sizes.name}{activation}/sha256:{digest}", digest)


class TextSource:
    """A ``TextEncoder`` on a CLIP text tower. Only as many token places as the longest sentence needs are computed."""

    def __init__(self, tower: TextTower, identity: str, *, keep: bool = True) -> None:
        """``keep``: text banks stay in the cache folder under ``identity``, and come from there the next time."""
        self._tower, self._identity, self._keep = tower, identity, keep

    @property
    def identity(self) -> str:
        """See ``TextEncoder.identity``."""
        return self._identity

    @torch.inference_mode()
    def encode(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """(N, E); ``UsageError`` on a sentence that CLIP cannot read whole. Equal sentences are read once."""
        once = list(dict.fromkeys(sentences))
        parts = [self._encode(once[start : start + _BATCH]) for start in range(0, len(once), _BATCH)]
        row_of = {sentence: row for row, sentence in enumerate(once)}
        return np.concatenate(parts)[[row_of[sentence] for sentence in sentences]]

    def _encode(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        tokens = tokenize(sentences, self._tower.config.context_length)
        longest = int(tokens.argmax(dim=-1).max()) + 1
        encoded = self._tower(tokens[:, :longest].to(self._tower.positional_embedding.device))
        return np.asarray(encoded.float().cpu().numpy(), np.float32)

    def bank(self, names: Sequence[str], sentences: Sequence[str]) -> TextBank:
        """Unit rows (K, E) of K sentences."""
        if not self._keep:
            return compute_text_bank(names, sentences, self)
        return cached_text_bank(names, sentences, self, cache_folder() / "text_banks")


def to_arrays(output: HOIOutput[Tensor]) -> HOIOutput[NDArray[Any]]:
    """The one crossing from device to host."""
    fields = ((field.name, getattr(output, field.name)) for field in dataclasses.fields(output))
    return HOIOutput(**{name: None if value is None else value.detach().cpu().numpy() for name, value in fields})


def largest_gamma(logit_scale: Tensor) -> float:
    """Exp of CLIP's trained scale, the factor on cosines: about 100 in OpenAI's weights."""
    return math.exp(logit_scale.item())


def fill(model: nn.Module, state_dict: dict[str, Any], name: str) -> None:
    """Load strictly; ``ModelError`` on one line where file and configuration do not fit."""
    try:
        model.load_state_dict(state_dict)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(
            f"{name}: does not fit its configuration ({reason}); leave out --set model.options that change sizes, or "
            "import it again"
        ) from error

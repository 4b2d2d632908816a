"""Names in LAIN's published checkpoints (OreoChocolate/LAIN, MIT: ``model_state_dict``) and in ``lain.LainHead``."""

from __future__ import annotations

from videohoi.layers.mlp import mlp_keys

_ADAPTER = r"clip_head\.image_encoder\.transformer\.resblocks\.(\d+)\.adaptermlp\."
_READINGS = (("mhsa_layers", "context"), ("mhsa_layers3", "mutual"), ("mhsa_layers2", "reading"))
_READING_PARTS = (
    (r"multihead_attn\.in_proj_", "attention.projection_"),
    (r"multihead_attn\.out_proj\.", "attention.output."),
    (r"norm2\.", "norm."),
    (r"linear1\.", "feedforward.expand."),
    (r"linear2\.", "feedforward.contract."),
    (r"norm3\.", "feedforward.norm."),
)
_ADAPTER_PARTS = (
    (r"scale$", "interaction.scale"),
    (r"down_proj\.", "interaction.token_down."),
    (r"down_proj2\.", "interaction.region_down."),
    (r"ln\.", "interaction.region_norm."),
    (r"prompt\.weight$", "interaction.queries"),
    (r"up_proj\.", "interaction.up."),
    (r"scale2$", "locality.scale"),
    (r"down_proj3\.", "locality.down."),
    (r"ln3\.", "locality.mix_norm."),
    (r"down_proj6\.", "locality.mix."),
    (r"down_proj4\.", "locality.convolutions.0."),
    (r"down_proj5\.", "locality.convolutions.1."),
    (r"ln2\.", "locality.norm."),
    (r"up_proj2\.", "locality.up."),
)
KEY_MAP: tuple[tuple[str, str], ...] = (
    *((_ADAPTER + theirs, rf"adapters.\1.{ours}") for theirs, ours in _ADAPTER_PARTS),
    *(
        (rf"{_ADAPTER}{layer}\.0\.{theirs}", rf"adapters.\1.interaction.{name}.{ours}")
        for layer, name in _READINGS
        for theirs, ours in _READING_PARTS
    ),
    (r"clip_head\.image_encoder\.transformer\.resblocks\.(\d+)\.(attn|ln_1|mlp|ln_2)\.", r"image.blocks.\1.\2."),
    (r"clip_head\.image_encoder\.(conv1|ln_pre|ln_post)\.", r"image.\1."),
    (r"clip_head\.image_encoder\.(class_embedding|positional_embedding|proj)$", r"image.\1"),
    (r"clip_head\.text_encoder\.transformer\.resblocks\.", "text.blocks."),
    (r"clip_head\.text_encoder\.(positional_embedding$|ln_final\.|text_projection$)", r"text.\1"),
    (r"clip_head\.prompt_learner\.ctx$", "text.context"),
    (r"clip_head\.prompt_learner\.token_(prefix|suffix)$", r"text.\1"),
    *mlp_keys("priors_downproj", "layout.mlp", depth=3),
    *mlp_keys("query_proj", "pair_token", depth=2),
    (r"logit_scale_text$", "logit_scale"),
    (r"object_embedding$", "object_vectors"),
)
"""(regex of the published key, replacement)"""
DETECTOR_PREFIX = "detector."
"""before the keys of the DETR that a published checkpoint carries along; detect/detr.py takes them"""
IGNORED_KEYS: tuple[tuple[str, str], ...] = (
    (r"detector\.", "weights of the DETR inside the checkpoint; the detector is a part of its own (detect/detr.py)"),
    (r"clip_head\.logit_scale$", "CLIP's own factor; LAIN scales by logit_scale_text and never reads it"),
)
"""(regex of the published key, reason)"""

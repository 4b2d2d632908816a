"""LAIN with the picture's tokens computed once, against all tokens running through every batch of pairs."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Claim, Contestant, NotEqualError, Options, Row, interleave
from videohoi.vocabulary import hico_det


@dataclass(frozen=True, repr=False)
class Boxes:
    """N detections of one picture, humans first."""

    boxes_cxcywh: NDArray[np.float32]
    """(1, N, 4) in fractions of the picture"""
    scores: NDArray[np.float32]
    """(1, N)"""
    class_ids: NDArray[np.int64]
    """(1, N)"""
    features: NDArray[np.float32]
    """(1, N, D)"""


def boxes_of(humans: int, objects: int, width: int, seed: int = 0) -> Boxes:
    """``humans`` people and ``objects`` things of any class, inside the picture, with features of ``width`` numbers."""
    rng = np.random.default_rng(seed)
    count, kinds = humans + objects, hico_det()
    side = rng.uniform(0.1, 0.4, (1, count, 2))
    centre = side / 2 + rng.random((1, count, 2)) * (1 - side)
    things = [row for row in range(len(kinds.objects)) if row != kinds.person_id]
    classes = np.concatenate((np.full(humans, kinds.person_id), rng.choice(things, objects)))
    return Boxes(
        np.concatenate((centre, side), axis=-1).astype(np.float32),
        rng.uniform(0.2, 1.0, (1, count)).astype(np.float32),
        classes[None].astype(np.int64),
        rng.standard_normal((1, count, width)).astype(np.float32),
    )


HUMANS, OBJECTS, PAIRS = 4, 13, 64
"""4 humans with 16 others each"""
BATCHES = (8, 16, PAIRS)
"""pairs that run at a time; all 64 at once is how the public code runs: the picture runs once there too, so no gain"""
GOAL_BATCHES, GOAL = (8, 16), 3.0
TOLERANCE = 1e-4
SENTENCES = ("a photo of a person is holding the object.", "a photo of a person is riding the object.")


def _torch() -> Any:
    """The module, or why it or open_clip is absent."""
    try:
        importlib.import_module("open_clip")
        return importlib.import_module("torch")
    except ImportError as error:
        return f"torch and open_clip: {error}"


def _config(small: bool) -> Any:
    """LAIN's sizes (ViT-B/16, 12 blocks), or a tiny model of the same kind. The text tower is not timed: one layer."""
    lain, clip = (
        importlib.import_module(f"videohoi.{name}").__dict__ for name in ("interact.heads.lain", "layers.clip")
    )
    sizes = {"image_width": 48, "image_layers": 3, "image_heads": 3, "embed_dim": 32} if small else {}
    tower = dataclasses.replace(clip["clip_config"]("ViT-B/16"), text_layers=1, text_width=32, text_heads=2, **sizes)
    return lain["LainConfig"](clip=tower, max_pairs=PAIRS, pair_chunk=PAIRS)


def all_tokens_head() -> Any:
    """The class of a ``LainHead`` that computes as the public code does: the picture's tokens run with every chunk."""
    torch, lain = importlib.import_module("torch"), importlib.import_module("videohoi.interact.heads.lain")

    class AllTokensHead(lain.LainHead):  # type: ignore[name-defined,misc]  # imported here, as torch may be absent
        def _through_clip(self, tokens: Any, rows: Any, scene: Any) -> Any:
            starts = range(0, tokens.shape[1], self.config.pair_chunk)
            ends = [slice(at, at + self.config.pair_chunk) for at in starts]
            return torch.cat([self._all_tokens(tokens[:, part], rows[:, part], scene) for part in ends], dim=1)

        def _all_tokens(self, tokens: Any, rows: Any, scene: Any) -> Any:
            """Pair tokens (B, C, W) after all blocks, with the public code's attention mask."""
            human, other = rows.unbind(-1)
            count, patches = tokens.shape[1], self.config.clip.patches
            mask = _sight(torch, count, patches).to(tokens.device)
            tokens = self.image.ln_pre(torch.cat((tokens, self.image.embed(scene.pictures)), dim=1))
            for block, adapter in self._blocks():
                local, contexts = self._adapt_patches(adapter, tokens[:, -patches:], scene)
                human_seen, other_seen = (
                    torch.cat((lain.take_rows(contexts, row), contexts[:, -1:]), dim=1) for row in (human, other)
                )
                change = adapter.interaction(tokens[:, :-patches], human_seen, other_seen)
                tokens = block(tokens + torch.cat((change, local), dim=1), attn_mask=mask)
            return tokens[:, :count]

    return AllTokensHead


def _sight(torch: Any, count: int, patches: int) -> Any:
    """Additive mask over [pairs, class token, patches]: pairs see themselves and patches, the picture sees no pair."""
    sees = torch.ones(count + 1 + patches, count + 1 + patches, dtype=torch.bool)
    sees[: count + 1, : count + 1] = torch.eye(count + 1, dtype=torch.bool)
    sees[count:, :count] = False
    return torch.zeros(sees.shape).masked_fill(~sees, float("-inf"))


class Subject:
    """One head and its input; runs in any way of computing the same logits."""

    def __init__(self, torch: Any, *, small: bool) -> None:
        lain = importlib.import_module("videohoi.interact.heads.lain")
        self.torch, self.config = torch, _config(small)
        torch.manual_seed(0)
        self.once = lain.LainHead(self.config, SENTENCES).eval()
        with torch.no_grad():
            for adapter in self.once.adapters:  # at their initial 1e-9 the adapters would not be compared at all
                adapter.locality.scale.normal_(0.1, 0.05)
                adapter.interaction.scale.normal_(0.1, 0.05)
            self.text = self.once.verb_text()
        self.together = all_tokens_head()(self.config, SENTENCES).eval()
        self.together.load_state_dict(self.once.state_dict())
        boxes = boxes_of(HUMANS, OBJECTS, self.config.detector_width)
        found = [torch.from_numpy(part) for part in (boxes.boxes_cxcywh, boxes.scores, boxes.class_ids)]
        mask = torch.ones_like(found[1], dtype=torch.bool)
        side = self.config.clip.image_size_px
        picture = torch.randn(1, 3, side, side)
        self.inputs = (*found, mask, torch.from_numpy(boxes.features), picture, self.text)

    def run(self, *, together: bool, batch: int) -> Any:
        """(64, V) logits."""
        head = self.together if together else self.once
        head.config = dataclasses.replace(self.config, pair_chunk=batch)
        with self.torch.no_grad():
            return head(*self.inputs).logits[0]

    def compare(self) -> int:
        """Logits compared of each way; ``NotEqualError`` where one differs."""
        ours = self.run(together=False, batch=PAIRS)
        others = {f"all tokens, {batch} pairs at a time": self.run(together=True, batch=batch) for batch in BATCHES}
        for name, logits in {
            **others,
            "the picture once, 8 pairs at a time": self.run(together=False, batch=8),
        }.items():
            difference = float((ours - logits).abs().max())
            if not difference <= TOLERANCE:
                raise NotEqualError(f"logits differ from those of {name} by {difference:g}")
        return int(ours.numel())


def check(options: Options) -> str:
    """A tiny model on 64 pairs."""
    torch = _torch()
    if isinstance(torch, str):
        return f"nothing: absent {torch}"
    return f"{Subject(torch, small=True).compare()} logits to {TOLERANCE:g}"


def measure(options: Options) -> Sequence[Row]:
    """ViT-B/16 on one thread: 64 pairs of one picture."""
    torch = _torch()
    if isinstance(torch, str):
        return [Row(f"{PAIRS} pairs", "nothing", absent=(torch,))]
    torch.set_num_threads(1)
    subject = Subject(torch, small=False)
    count = subject.compare()
    names = {batch: f"all tokens, {batch} pairs at a time" for batch in BATCHES}
    contestants = [Contestant("ours, the picture once", partial(subject.run, together=False, batch=PAIRS))] + [
        Contestant(names[batch], partial(subject.run, together=True, batch=batch)) for batch in BATCHES
    ]
    return [
        Row(
            f"{PAIRS} pairs, ViT-B/16",
            f"{count} logits to {TOLERANCE:g}",
            interleave(contestants, options.rounds),
            goals={names[batch]: GOAL for batch in GOAL_BATCHES},
        )
    ]


CLAIM = Claim(
    "lain_patch_stream",
    "LAIN computes the picture's tokens once: the same logits as with all tokens running through every batch of pairs, "
    f"at least {GOAL:g} times as fast at {PAIRS} pairs in batches of 8 or 16. "
    "In one batch of all 64, as the public code runs, both do the same work.",
    check,
    measure,
)

"""Methods that find their own boxes, at run time: a frame in, ``HOIOutput`` of numpy arrays out.

Weights are files of ``videohoi models import``; pictures are resized and normalised as each method's public code does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from videohoi.errors import ModelError
from videohoi.files import known_sha256
from videohoi.interact.classes import (
    TextClasses,
    refuse_other_classes,
    refuse_other_objects,
    reported_rows,
    text_classes,
)
from videohoi.interact.imported import load_imported
from videohoi.interact.methods import Method
from videohoi.interact.protocol import HeadInfo, ModelOptions
from videohoi.interact.scoring import ClassRows, ScoreRule
from videohoi.interact.torch_engine import TextSource, fill, load_clip, to_arrays
from videohoi.layers.clip import ClipConfig
from videohoi.layers.pictures import (
    LONG_SIDE_PX,
    SHORT_SIDE_PX,
    Resampling,
    as_picture,
    choose_device,
    clip_whole,
    normalised,
    padded,
    resized,
    resized_shape,
)
from videohoi.models.methods import weights_advice
from videohoi.structures import Frame
from videohoi.structures.interactions import HOIOutput
from videohoi.vocabulary import Vocabulary, hico_det
from videohoi.vocabulary.prompts import template


class PictureRunner:
    """A ``HOIRunner`` of a method that reads the picture alone (EoID). One thread at a time."""

    resampling: ClassVar[Resampling] = "bilinear"
    """of the picture, as the method's public code resizes it"""

    def __init__(self, method: Method, options: ModelOptions) -> None:
        self.method, self.options = method, options
        self.device = torch.device("cpu")
        self.note, self.sha256 = "", ""
        self._model: nn.Module | None = None
        self._rule: ScoreRule | None = None
        self._info = HeadInfo(method.name, "torch", None, len(options.vocabulary.verbs), 0)

    @property
    def info(self) -> HeadInfo:
        """Known after ``open``."""
        return self._info

    @property
    def rule(self) -> ScoreRule:
        """Known after ``open``; ``ModelError`` before."""
        if self._rule is None:
            raise ModelError(f"model {self.method.name} is not open; call open() first")
        return self._rule

    def open(self) -> None:
        """Load the weights; ``ModelError`` when they are missing, of another method or of other classes."""
        options = self.options
        if options.weights is None:
            raise ModelError(weights_advice(self.method.name))
        self.device, self.sha256 = choose_device(options.device), known_sha256(options.weights)
        model = self.build_model(options.weights).eval().requires_grad_(False)
        rows = self.class_rows(model)
        self._model = model.to(self.device)
        self._rule = ScoreRule(options.vocabulary, self.method.kind, rows, options.box_lambda, options.calibration)
        self._info = HeadInfo(
            self.method.name, f"torch {self.device.type}", self.sha256, self._info.verb_count, 0,
            options.calibration.added_to(self.note or "published method"),
        )  # fmt: skip

    @property
    def boxes_note(self) -> str:
        """Where the boxes come from."""
        return "the method finds its own boxes"

    def build_model(self, weights: Path) -> nn.Module:
        """The method's model, filled."""
        imported = load_imported(weights, self.method.name)
        if self.reads_trained_classes():
            refuse_other_classes(weights, imported.origin, self.options.config)
        else:
            refuse_other_objects(weights, self.options.config)
        model: nn.Module = self.method.build(self.options.config)
        fill(model, imported.state_dict, str(weights))
        return model

    def reads_trained_classes(self) -> bool:
        """The columns are HICO-DET's, as in the weights."""
        return not self.options.own_words

    def class_rows(self, model: nn.Module) -> ClassRows:
        """What the columns of the logits are."""
        del model
        return ClassRows.verbs(hico_det())

    def run(self, frame: Frame) -> HOIOutput[NDArray[Any]]:
        """B = 1; ``ModelError`` when not open."""
        if self._model is None:
            raise ModelError(f"model {self.method.name} is not open; call open() first")
        with torch.inference_mode():
            return to_arrays(self.answer(self._model, frame))

    def answer(self, model: nn.Module, frame: Frame) -> HOIOutput[Tensor]:
        """The model's output for a frame."""
        output: HOIOutput[Tensor] = model(*padded([normalised(self.picture(frame))]))
        return output

    def picture(self, frame: Frame) -> Tensor:
        """(3, h, w) pixel values in DETR's size, from which all inputs are made; ``input_size_px`` is the long side."""
        long_side = self.options.input_size_px
        short = SHORT_SIDE_PX if long_side is None else long_side
        shape = resized_shape(frame.height_px, frame.width_px, short, long_side or LONG_SIDE_PX)
        return resized(as_picture(frame.image, self.device), shape, self.resampling)

    def close(self) -> None:
        """Free the model; may be called twice."""
        self._model = None


class TextRunner(PictureRunner):
    """A method that compares with text (GEN-VLKT): trained rows, or text rows for the user's own words."""

    def __init__(self, method: Method, options: ModelOptions, clip: ClipConfig | None = None) -> None:
        """``clip``: sizes of the text tower for own words; None: those of the config, or ViT-B/32's."""
        super().__init__(method, options)
        self.texts: dict[str, Tensor] = {}
        self._clip = clip or getattr(options.config, "clip", None) or ClipConfig()

    def reads_trained_classes(self) -> bool:
        """No text takes the place of the trained rows."""
        return reported_rows(self.options) is not None

    def class_rows(self, model: nn.Module) -> ClassRows:
        """One column an interaction."""
        trained = reported_rows(self.options)
        if trained is not None:
            return trained
        classes = text_classes(self.options.vocabulary, self.method.prompts or "gen-vlkt")
        self.texts = self.text_inputs(classes, self.text_source(model))
        return classes.rows

    def text_source(self, model: nn.Module) -> TextSource:
        """What encodes sentences; ``ModelError`` where the weights hold no text tower and the run names none."""
        del model
        loaded = load_clip(self._clip, self.options.clip_weights, f"{self.method.name} --vocab with new words")
        self.note = loaded.note
        return loaded.text

    def text_inputs(self, classes: TextClasses, source: TextSource) -> dict[str, Tensor]:
        """Arguments of the model's ``forward``."""
        return {"text": self._encoded(classes, source)}

    def _encoded(self, classes: TextClasses, source: TextSource) -> Tensor:
        return torch.from_numpy(source.bank(classes.names, classes.sentences).embeddings).to(self.device)

    def answer(self, model: nn.Module, frame: Frame) -> HOIOutput[Tensor]:
        """With the text rows, if any."""
        output: HOIOutput[Tensor] = model(*padded([normalised(self.picture(frame))]), **self.texts)
        return output


class ClipTextRunner(TextRunner):
    """A method that also reads CLIP's view of the whole picture (HOICLIP, KI2HOI); its weights hold a text tower."""

    def class_rows(self, model: nn.Module) -> ClassRows:
        """One column an interaction; the text tower is no longer needed and is freed."""
        rows = super().class_rows(model)
        del model.clip_text
        return rows

    def text_source(self, model: nn.Module) -> TextSource:
        """The tower in the weights, unless the run names another."""
        if self.options.clip_weights:
            return super().text_source(model)
        tower: Any = model.clip_text
        return TextSource(tower, f"{self.method.name}:{self.sha256}")

    def text_inputs(self, classes: TextClasses, source: TextSource) -> dict[str, Tensor]:
        """Also the verbs' rows, and which interaction is of which verb."""
        words, verb_ids = self.options.vocabulary, classes.rows.verb_ids
        matrix = torch.zeros(len(words.verbs), len(verb_ids), device=self.device)
        matrix[torch.from_numpy(verb_ids), torch.arange(len(verb_ids))] = 1
        verbs = self._encoded(verb_classes(words), source)
        return super().text_inputs(classes, source) | {"verb_to_interaction": matrix, "verb_text": verbs}

    def answer(self, model: nn.Module, frame: Frame) -> HOIOutput[Tensor]:
        """With CLIP's pixels, and the text rows, if any."""
        picture, size = self.picture(frame), self.options.config.clip.image_size_px
        output: HOIOutput[Tensor] = model(*padded([normalised(picture)]), clip_whole(picture, size), **self.texts)
        return output


def verb_classes(vocabulary: Vocabulary) -> TextClasses:
    """One sentence a verb, about "something", used where a verb has no prototype."""
    chosen = template("gen-vlkt")
    sentences = tuple(f"a photo of a person {chosen.words(vocabulary, verb)} something" for verb in vocabulary.verbs)
    return TextClasses(vocabulary.verbs, sentences, ClassRows(np.arange(len(vocabulary.verbs)), None))

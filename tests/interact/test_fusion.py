import numpy as np
import pytest

from videohoi.interact.fusion import allowed_verbs, fuse
from videohoi.vocabulary import hico_det


def test_score_by_hand():
    logits = np.array([[0.0, 100.0, -200.0]], np.float32)
    boxes = np.array([0.5], np.float32), np.array([0.8], np.float32)
    everything = np.ones((1, 3), np.bool_)
    assert fuse(logits, *boxes, everything, 0.5)[0] == pytest.approx([0.5 * 0.4**0.5, 0.4**0.5, 0])
    assert fuse(logits, *boxes, everything, 2.8)[0, 0] == pytest.approx(0.5 * 0.4**2.8)
    assert fuse(logits, *boxes, everything, 0.0)[0, 0] == 0.5


def test_masked_verbs_score_zero_and_no_interaction_is_always_masked():
    vocabulary = hico_det()
    bicycle = vocabulary.object_id("bicycle")
    allowed = allowed_verbs(vocabulary, np.array([bicycle, bicycle]))
    names = {vocabulary.verbs[verb] for verb in np.nonzero(allowed[0])[0]}
    assert {"ride", "push", "wash"} <= names
    assert not {"eat", "no_interaction"} & names
    ones = np.ones(2, np.float32)
    scores = fuse(np.full((2, 117), 9, np.float32), ones, ones, allowed, 0.5)
    assert ((scores > 0) == allowed).all()
    assert scores.dtype == np.float32

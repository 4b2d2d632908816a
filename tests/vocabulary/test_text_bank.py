"""Text embeddings: computed once, found again by fingerprint, loadable without the model."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from videohoi.errors import InputError, ModelError, SinkError, UsageError
from videohoi.vocabulary import hico_det
from videohoi.vocabulary.prompts import prompts
from videohoi.vocabulary.text_bank import (
    TextBank,
    cached_text_bank,
    compute_text_bank,
    fingerprint,
    load_text_bank,
    save_text_bank,
)
from videohoi.vocabulary.text_encoder import OpenClipTextEncoder


class LetterCounter:
    """A real, if simple, encoder: how often each letter occurs."""

    def __init__(self, identity: str = "letters:1") -> None:
        self.identity = identity
        self.calls = 0

    def encode(self, sentences: Sequence[str]) -> np.ndarray:
        self.calls += 1
        return np.array(
            [[row.count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for row in sentences], np.float32
        )


def test_rows_are_unit_vectors_and_sentences_of_a_class_are_averaged() -> None:
    bank = compute_text_bank(["a", "b"], [["aaaa", "bb"], ["b"]], LetterCounter())
    half = np.sqrt(0.5)
    assert np.allclose(bank.embeddings[0, :2], [half, half])  # each sentence counts the same, however long
    assert np.allclose(bank.embeddings[1, :2], [0, 1])
    assert np.allclose(np.linalg.norm(bank.embeddings, axis=1), 1)


def test_the_bank_of_a_vocabulary_is_computed_once(tmp_path: Path) -> None:
    encoder, rows = LetterCounter(), prompts(hico_det(), "lain")
    first = cached_text_bank(hico_det().verbs, rows, encoder, tmp_path / "banks")
    again = cached_text_bank(hico_det().verbs, rows, encoder, tmp_path / "banks")
    assert encoder.calls == 1
    assert np.array_equal(first.embeddings, again.embeddings)
    assert len(first) == 117
    assert (tmp_path / "banks" / f"{first.fingerprint}.npz").is_file()
    renamed = cached_text_bank([f"v{row}" for row in range(117)], rows, encoder, tmp_path / "banks")
    assert encoder.calls == 1
    assert renamed.names[0] == "v0"


def test_other_prompts_or_weights_have_another_fingerprint(tmp_path: Path) -> None:
    rows = (("a",), ("b",))
    prints = {
        fingerprint(rows, "x"), fingerprint(rows, "y"), fingerprint((("a",), ("c",)), "x"),
        fingerprint((("a", "b"),), "x"), fingerprint((("b",), ("a",)), "x"),
    }  # fmt: skip
    assert len(prints) == 5
    encoder = LetterCounter()
    cached_text_bank(["a"], ["a"], encoder, tmp_path)
    cached_text_bank(["a"], ["aa b"], encoder, tmp_path)
    cached_text_bank(["a"], ["a"], LetterCounter("letters:2"), tmp_path)
    assert encoder.calls == 2
    assert len(list(tmp_path.iterdir())) == 3


def test_a_bank_survives_the_file(tmp_path: Path) -> None:
    bank = compute_text_bank(["é", "b"], ["aé", "bc"], LetterCounter())
    save_text_bank(bank, tmp_path / "bank.npz")
    loaded = load_text_bank(tmp_path / "bank.npz")
    assert np.array_equal(loaded.embeddings, bank.embeddings)
    assert (loaded.names, loaded.prompts, loaded.encoder, loaded.fingerprint) == (
        bank.names, bank.prompts, bank.encoder, bank.fingerprint,
    )  # fmt: skip


def test_reading_a_bank_imports_no_torch(tmp_path: Path) -> None:
    save_text_bank(compute_text_bank(["a"], ["a"], LetterCounter()), tmp_path / "bank.npz")
    code = (
        "import pathlib, sys; from videohoi.vocabulary.text_bank import load_text_bank; "
        "load_text_bank(pathlib.Path(sys.argv[1])); sys.exit(bool({'torch', 'open_clip'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "bank.npz")], check=True, timeout=60)


@pytest.mark.parametrize("damage", ["missing", "cut", "text", "array"])
def test_a_damaged_file_is_one_error(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "bank.npz"
    if damage != "missing":
        save_text_bank(compute_text_bank(["a"], ["a"], LetterCounter()), path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "text":
        path.write_text("no bank", encoding="utf-8")
    elif damage == "array":
        np.savez(path, other=np.zeros(3))
    with pytest.raises(InputError, match=r"bank.npz: cannot be read as a text bank"):
        load_text_bank(path)


def test_changed_prompts_are_noticed(tmp_path: Path) -> None:
    bank = compute_text_bank(["a"], ["a"], LetterCounter())
    other = TextBank(bank.embeddings, bank.names, (("b",),), bank.encoder, bank.fingerprint)
    save_text_bank(other, tmp_path / "bank.npz")
    with pytest.raises(InputError, match="do not fit the fingerprint"):
        load_text_bank(tmp_path / "bank.npz")


def test_impossible_requests_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2 names but 1 prompts"):
        compute_text_bank(["a", "b"], ["a"], LetterCounter())
    with pytest.raises(UsageError, match="every class needs a prompt; empty: \\[1\\]"):
        compute_text_bank(["a", "b"], [["a"], []], LetterCounter())
    with pytest.raises(UsageError, match="vector of '123' is zero or not finite"):
        compute_text_bank(["a"], ["123"], LetterCounter())
    with pytest.raises(ValueError, match="rows of length 1"):
        TextBank(np.ones((1, 3), np.float32), ("a",), (("a",),), "x", "y")
    (tmp_path / "file").write_text("", encoding="utf-8")
    bank = compute_text_bank(["a"], ["a"], LetterCounter())
    with pytest.raises(SinkError, match=r"cannot write .*bank\.npz: a part of its path is a file"):
        save_text_bank(bank, tmp_path / "file" / "bank.npz")


def test_without_open_clip_one_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)  # what an absent package does to an import
    with pytest.raises(
        ModelError, match=r"open_clip is not installed; install it with pip install 'videohoi\[models\]'"
    ):
        OpenClipTextEncoder("ViT-B-16", "openai").encode(["a"])


def test_a_weights_file_counts_by_its_contents(tmp_path: Path) -> None:
    weights = tmp_path / "clip.pt"
    weights.write_bytes(b"one")
    one = OpenClipTextEncoder("ViT-B-16", str(weights)).identity
    weights.write_bytes(b"two")
    assert one != OpenClipTextEncoder("ViT-B-16", str(weights)).identity
    assert one.startswith("open_clip:ViT-B-16/sha256:")
    assert OpenClipTextEncoder("ViT-B-16", "openai").identity == "open_clip:ViT-B-16/openai"


def test_open_clip_itself(tmp_path: Path) -> None:
    """A small model with weights of no training: what comes out is what the model says, and mistakes are one error."""
    open_clip, torch = pytest.importorskip("open_clip"), pytest.importorskip("torch")
    architecture, weights = "ViT-S-32-alt", tmp_path / "weights.pt"
    model = open_clip.create_model(architecture, pretrained=None).eval()
    torch.save(model.state_dict(), weights)
    sentences = ["a person riding a bicycle", "a person feeding a dog"]
    bank = compute_text_bank(["ride", "feed"], sentences, OpenClipTextEncoder(architecture, str(weights)))
    with torch.no_grad():
        raw = model.encode_text(open_clip.get_tokenizer(architecture)(sentences))
    expected = torch.nn.functional.normalize(raw, dim=-1).numpy()
    np.testing.assert_allclose(bank.embeddings, expected, atol=1e-6)
    with pytest.raises(ModelError, match=r"open_clip has no architecture 'ViT-S-32-at'; did you mean ViT-S-32"):
        OpenClipTextEncoder("ViT-S-32-at", str(weights)).encode(sentences)
    weights.write_bytes(b"nonsense")
    for path in (weights, tmp_path / "none.pt"):
        with pytest.raises(ModelError, match="cannot be loaded"):
            OpenClipTextEncoder(architecture, str(path)).encode(sentences)

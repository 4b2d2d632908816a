"""Files that a spreadsheet or an editor saved again: a byte order mark, UTF-16, other separators."""

from __future__ import annotations

import json

import pytest
from hico_cases import annotation_file, qpic_record, ride_bicycle
from test_run_files import write_clip

from videohoi.config import read_mapping
from videohoi.datasets.records import read_bytes
from videohoi.errors import TruthError
from videohoi.evaluate.hico.predictions import read_hico_predictions
from videohoi.evaluate.hico.truth import read_hico_truth
from videohoi.evaluate.segments.run_files import read_run_clip
from videohoi.vocabulary import hico_det
from videohoi.vocabulary.word_list import read_word_list, write_word_list

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]


def saved_as(path, encoding):
    text = path.read_text(encoding="utf-8")
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    path.write_bytes((mark + text).encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_tables_of_a_run(tmp_path, encoding, separator):
    folder = write_clip(tmp_path / "clip.videohoi", report=json.dumps({"source": "ä.mp4"}))
    expected = read_run_clip(folder)
    for name in ("segments.csv", "tracks.csv"):
        path = folder / name
        path.write_text(path.read_text(encoding="utf-8").replace(",", separator), encoding="utf-8")
        saved_as(path, encoding)
    saved_as(folder / "report.json", encoding)
    again = read_run_clip(folder)
    assert again.segments == expected.segments
    assert again.clip == expected.clip


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_predictions_and_truth(tmp_path, encoding):
    truth = ride_bicycle(1)
    annotations = saved_as(annotation_file(tmp_path / "truth.json", truth), encoding)
    assert read_hico_truth(annotations).image_names == truth.image_names
    found = tmp_path / "found.json"
    found.write_text(json.dumps([qpic_record(each) for each in truth.image_names]), encoding="utf-8")
    read = read_hico_predictions(saved_as(found, encoding), read_hico_truth(annotations))
    assert len(read.predictions.scores) > 0


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_settings_word_lists_and_annotations(tmp_path, encoding):
    settings = tmp_path / "own.yaml"
    settings.write_text("pipeline: offline_annotation\n", encoding="utf-8")
    assert read_mapping(saved_as(settings, encoding)) == {"pipeline": "offline_annotation"}
    words = tmp_path / "words.yaml"
    write_word_list(hico_det(), words)
    assert read_word_list(saved_as(words, encoding)).verbs == hico_det().verbs
    assert read_bytes(settings) == b"pipeline: offline_annotation\n"


def test_an_empty_list_is_called_empty(tmp_path):
    truth = ride_bicycle(1)
    annotations = annotation_file(tmp_path / "truth.json", truth)
    found = tmp_path / "found.json"
    found.write_text("[]", encoding="utf-8")
    with pytest.raises(TruthError, match=r"found\.json: the list is empty; expected a record for each picture"):
        read_hico_predictions(found, read_hico_truth(annotations))

"""VidHOI: records of predicates become frames in time."""

from pathlib import Path
from typing import Any

import one_picture as one
import pytest

from videohoi.datasets.vidhoi_json import read_vidhoi
from videohoi.errors import InputError
from videohoi.vocabulary.shipped import vidhoi, vidhoi_removed_frames


def record(frame: str = "000016", verb: str = "watch", thing: str = "dog", **changes: Any) -> dict[str, Any]:
    box = {"xmin": 10, "ymin": 20, "xmax": 110, "ymax": 220}
    return {
        "video_folder": "1024", "video_id": "555", "frame_id": frame, "video_fps": 30, "height": 360, "width": 640,
        "middle_frame_timestamp": 1, "person_box": box, "object_box": {**box, "xmax": 120}, "person_id": 0,
        "object_id": 3, "object_class": vidhoi().object_id(thing), "action_class": vidhoi().verb_id(verb), **changes,
    }  # fmt: skip


def read(tmp_path: Path, rows: list[dict[str, Any]], **options: Any):
    return read_vidhoi(one.write_json(tmp_path / "val_frame_annots.json", rows), **options)


def test_frames_are_grouped_and_in_time(tmp_path: Path) -> None:
    rows = [record("000046"), record("000016"), record("000016", "hold", "cup", object_id=4), record(video_id="777")]
    table = read(tmp_path, rows)
    assert table.file_names == ("1024/555/000016", "1024/555/000046", "1024/777/000016")
    assert table.pts_seconds is not None
    assert table.pts_seconds.tolist() == [0.5, 1.5, 0.5]
    assert table.pair_start.tolist() == [0, 2, 3, 4]
    assert table.track_ids is not None
    assert table.track_ids[:2].tolist() == [[0, 3], [0, 4]]
    assert [vidhoi().verbs[verb] for verb in table.verb_ids] == ["watch", "hold", "watch", "watch"]
    assert table.object_boxes_xyxy_px[0].tolist() == [10, 20, 120, 220]
    assert (table.interaction_ids >= 0).all()


def test_frames_that_the_caller_leaves_out_are_counted(tmp_path: Path) -> None:
    key = min(vidhoi_removed_frames())
    folder, rest = key.split("/")
    video, frame = rest.rsplit("_", 1)
    rows = [record(), record(frame, video_folder=folder, video_id=video)]
    table = read(tmp_path, rows, remove_frames=vidhoi_removed_frames())
    assert table.file_names == ("1024/555/000016",)
    assert table.left_out == (("frames left out as asked", 1),)
    assert len(read(tmp_path, rows)) == 2


def test_a_pair_that_the_vocabulary_does_not_count_is_kept(tmp_path: Path) -> None:
    table = read(tmp_path, [record(verb="kiss", thing="toilet")])
    assert table.interaction_ids.tolist() == [-1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"object_class": 78}, r"record 1 \(1024/555_000016\): object_class: expected 0 to 77, got 78"),
        ({"action_class": 50}, "action_class: expected 0 to 49, got 50"),
        ({"frame_id": "x1"}, "frame_id: expected a number from 1, got 'x1'"),
        ({"video_fps": 0}, "video_fps: expected more than 0"),
        ({"width": 641}, "frame 1024/555_000016: width, height, video_fps: its records disagree"),
        ({"person_box": {"xmin": 9, "ymin": 0, "xmax": 5, "ymax": 9}}, r"person_box\[1\]: the box is inside out"),
        ({"person_box": {"xmin": 9, "ymin": 0, "xmax": 15}}, "record 1: person_box.ymax: field required"),
        ({"person_id": "0"}, "record 1: person_id: .*got '0'"),
    ],
)
def test_a_malformed_record_is_named(changes, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, [record(), record(**changes)])

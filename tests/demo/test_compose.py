import json
from dataclasses import replace

import av
import numpy as np
import pytest

from videohoi.demo.compose import compose_demo, write_demo
from videohoi.demo.photographs import load_cutout
from videohoi.demo.scene import Scene
from videohoi.errors import InputError, SinkError, UsageError


def _without_cup(clip):
    """The clip with a cup that cannot be seen."""
    person, cup = load_cutout("person"), load_cutout("cup")
    unseen = replace(cup, colour_alpha=np.zeros_like(cup.colour_alpha))
    return replace(clip, scene=Scene(person, unseen, clip.staging.scale, seed=0))


def _changed_box(clip, index):
    """Bounding box of the pixels that the cup changed by more than its shadow can."""
    with_cup = clip.frame(index).image.astype(int)
    without = _without_cup(clip).frame(index).image.astype(int)
    rows, columns = np.nonzero(np.abs(with_cup - without).max(axis=2) > 80)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


def test_same_arguments_give_the_same_bytes(small_clip):
    again = compose_demo(4.0, 10.0, height_px=240)
    first = [frame.image.tobytes() for frame in small_clip.frames()]
    assert first == [frame.image.tobytes() for frame in again.frames()]
    assert len(set(first)) == len(first), "no two frames are equal: the clip is no still"


def test_another_seed_changes_noise_but_not_the_truth(small_clip):
    other = compose_demo(4.0, 10.0, height_px=240, seed=1)
    assert (other.frame(3).image != small_clip.frame(3).image).any()
    assert other.truth.document("x.mp4") == small_clip.truth.document("x.mp4")


def test_frames_have_the_promised_size_times_and_number(small_clip):
    frames = list(small_clip.frames())
    assert [frame.index for frame in frames] == list(range(40))
    assert [frame.pts_seconds for frame in frames] == pytest.approx([i / 10 for i in range(40)])
    assert {frame.image.shape for frame in frames} == {(240, 320, 3)}


@pytest.mark.parametrize("at_seconds", [0.5, 2.3, 4.5, 6.7, 8.5])
def test_cup_box_is_where_the_pixels_changed(at_seconds):
    clip = compose_demo()
    index = round(at_seconds * clip.frame_rate_hz)
    changed, truth = _changed_box(clip, index), clip.truth.cup_boxes_xyxy_px[index]
    # never beyond the box; a dark red rim before the orange suit may stay below the threshold
    assert (changed[:2] >= truth[:2] - 2).all()
    assert (changed[2:] <= truth[2:] + 2).all()
    assert np.prod(changed[2:] - changed[:2]) > 0.9 * np.prod(truth[2:] - truth[:2])


def test_person_box_is_where_the_person_is():
    clip = compose_demo()
    for index in (0, 40, 120):
        image = _without_cup(clip).frame(index).image.astype(int)
        orange = (image[..., 0] > 190) & (image[..., 2] < 90) & (image[..., 1] < 140)
        rows, columns = np.nonzero(orange)
        left, _, right, bottom = clip.truth.person_boxes_xyxy_px[index]
        assert columns.min() == pytest.approx(left, abs=8)
        assert columns.max() == pytest.approx(right, abs=8)
        assert rows.max() <= bottom


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"seconds": 1.0}, "choose 4 to 60 s"),
        ({"seconds": float("nan")}, "choose 4 to 60 s"),
        ({"frame_rate_hz": 0.0}, "choose 5 to 120"),
        ({"height_px": 481}, "divisible by 6"),
        ({"height_px": 2160}, "choose 240 to 720"),
    ],
)
def test_what_cannot_be_made_is_refused(arguments, complaint):
    with pytest.raises(UsageError, match=complaint):
        compose_demo(**arguments)


def test_missing_photographs_are_an_input_error(tmp_path):
    with pytest.raises(InputError, match="reinstall videohoi"):
        compose_demo(photographs=tmp_path)


def test_written_video_and_truth_agree_with_the_clip(tmp_path, small_clip):
    path = tmp_path / "new" / "demo.mp4"
    truth = write_demo(path, small_clip)
    assert sorted(p.name for p in path.parent.iterdir()) == ["demo.json", "demo.mp4"]
    assert json.loads(path.with_suffix(".json").read_text()) == truth.document("demo.mp4")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == 10
        decoded = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(stream)]
    assert [time for time, _ in decoded] == pytest.approx([i / 10 for i in range(40)], abs=1e-3)
    # lossy coding and halved colour: near on average, not pixel by pixel
    error = np.abs(decoded[20][1].astype(int) - small_clip.frame(20).image).mean()
    assert error < 6


def test_the_index_comes_before_the_pictures(tmp_path, small_clip):
    write_demo(tmp_path / "demo.mp4", small_clip)
    raw = (tmp_path / "demo.mp4").read_bytes()
    assert raw.index(b"moov") < raw.index(b"mdat")


def test_another_container_is_refused(tmp_path, small_clip):
    with pytest.raises(UsageError, match=r"ends in \.mp4"):
        write_demo(tmp_path / "demo.avi", small_clip)


def test_an_unwritable_place_is_one_clear_error_and_leaves_nothing(tmp_path, small_clip):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SinkError, match="cannot write the demo clip"):
        write_demo(tmp_path / "file" / "demo.mp4", small_clip)
    (tmp_path / "demo.mp4").mkdir()
    with pytest.raises(SinkError, match="cannot write the demo clip"):
        write_demo(tmp_path / "demo.mp4", small_clip)
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix == ".partial") == []

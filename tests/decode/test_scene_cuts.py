"""Cuts of composed films are found at their frame; light, motion and passers-by are no cuts."""

import cv2
import numpy as np
import pytest

from videohoi.decode.scene_cuts import CutSettings, SceneCuts
from videohoi.errors import ConfigError

RATE_HZ = 25.0
WIDTH, HEIGHT = 160, 90


def scenery(seed, width=WIDTH, height=HEIGHT):
    """A picture with the structure of a photograph: large shapes, smaller ones on them, some noise."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for cells, strength in ((5, 90), (14, 45), (40, 18)):
        coarse = rng.uniform(-1, 1, (cells * 9 // 16 + 1, cells, 3)).astype(np.float32)
        picture += strength * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(picture + 110, 0, 255)


def shot(seed, count=20, drift=0.5):
    """Frames (float) of a scenery under a slowly moving camera with sensor noise."""
    wide = scenery(seed, WIDTH + count, HEIGHT)
    rng = np.random.default_rng(seed + 1000)
    for index in range(count):
        left = round(index * drift)
        yield wide[:, left : left + WIDTH] + rng.normal(0, 2, (HEIGHT, WIDTH, 3))


def cuts(frames, settings=None, rate_hz=RATE_HZ):
    finder = SceneCuts(settings)
    pictures = (np.ascontiguousarray(np.clip(frame, 0, 255).astype(np.uint8)) for frame in frames)
    return [index for index, picture in enumerate(pictures) if finder.is_cut(picture, index / rate_hz)]


def film(*seeds, count=20):
    return [frame for seed in seeds for frame in shot(seed, count)]


@pytest.mark.parametrize("first", range(0, 24, 4))
def test_each_shot_of_a_film_begins_at_its_first_frame(first) -> None:
    assert cuts(film(first, first + 1, first + 2, first + 3)) == [20, 40, 60]


@pytest.mark.parametrize("size", [(64, 36), (1280, 720), (360, 640), (33, 500)])
def test_pictures_of_any_size_are_compared(size) -> None:
    frames = [cv2.resize(frame, size) for frame in film(1, 2)]
    assert cuts(frames) == [20]


def test_shots_of_a_few_frames_are_shots() -> None:
    assert cuts(film(*range(8), count=3)) == [3, 6, 9, 12, 15, 18, 21]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("gain", "offset"), [(1, 150), (2.5, 60), (4, 0), (0.3, 0), (0, 255), (0, 0)])
@pytest.mark.parametrize("length", [1, 3])
def test_a_flash_is_no_cut(seed, gain, offset, length) -> None:
    frames = film(seed)
    for index in range(8, 8 + length):
        frames[index] = frames[index] * gain + offset
    assert cuts(frames) == []


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("gains", [(0.5, 0.5, 0.5), (1.5, 1.5, 1.5), (1.2, 1.0, 0.8)])
def test_a_sudden_exposure_or_white_balance_is_no_cut(seed, gains) -> None:
    frames = film(seed)
    assert cuts(frames[:10] + [frame * gains for frame in frames[10:]]) == []


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", [0.03, 0.08, 0.15])
def test_a_pan_is_no_cut(seed, share) -> None:
    wide, step = scenery(seed, 4 * WIDTH), round(share * WIDTH)
    starts = [0] * 5 + list(range(0, 3 * WIDTH, step))
    assert cuts([wide[:, start : start + WIDTH] for start in starts]) == []


@pytest.mark.parametrize("seed", range(3))
def test_somebody_who_walks_through_the_picture_is_no_cut(seed) -> None:
    frames, body = film(seed, count=30), scenery(seed + 70, 60, HEIGHT)
    for index, left in enumerate(range(-60, WIDTH, 13)):
        shown = slice(max(left, 0), min(left + 60, WIDTH))
        frames[5 + index][:, shown] = body[:, shown.start - left : shown.stop - left]
    assert cuts(frames) == []


@pytest.mark.parametrize("seed", range(3))
def test_the_cut_of_a_fade_through_black_is_where_the_new_shot_shows(seed) -> None:
    ramp = np.linspace(1, 0, 12)
    down = [frame * light for frame, light in zip(shot(seed, 12), ramp, strict=True)]
    up = [frame * light for frame, light in zip(shot(seed + 50, 12), ramp[::-1], strict=True)]
    (cut,) = cuts([*film(seed), *down, *up, *film(seed + 50)])
    assert 32 <= cut <= 37


@pytest.mark.parametrize("seed", range(3))
def test_a_shot_that_comes_back_from_black_is_the_same_shot(seed) -> None:
    frames, ramp = film(seed, count=40), [*np.linspace(1, 0, 10), *np.linspace(0, 1, 10)]
    for index, light in enumerate(ramp):
        frames[10 + index] = frames[10 + index] * light
    assert cuts(frames) == []


def test_a_still_picture_and_a_plain_one_have_no_cut() -> None:
    assert cuts([scenery(1)] * 10) == []
    assert cuts([np.full((90, 160, 3), 128.0)] * 10) == []


def plain(red, green, blue, count=10):
    return [np.full((90, 160, 3), (red, green, blue), np.float32)] * count


def test_plain_pictures_are_told_apart_by_their_hue() -> None:
    assert cuts(plain(200, 30, 30) + plain(30, 30, 200) + plain(30, 160, 60)) == [10, 20]


def test_a_plain_picture_under_another_light_is_the_same() -> None:
    assert cuts(plain(100, 100, 100) + plain(180, 180, 180) + plain(0, 0, 0) + plain(120, 120, 120)) == []


def test_small_things_before_plain_walls_of_two_rooms() -> None:
    frames = []
    for room, (wall, left) in enumerate((((180, 60, 60), 30), ((60, 90, 180), 100))):
        for index in range(12):
            frame = np.full((90, 160, 3), wall, np.float32)
            frame[40:60, left + index : left + 12 + index] = 255 * (room == 0)
            frames.append(frame)
    assert cuts(frames) == [12]


def test_a_picture_with_structure_after_a_plain_one_is_another_shot() -> None:
    assert cuts([*plain(90, 90, 90), *film(3)]) == [10]


def test_after_a_reset_the_next_frame_follows_nothing() -> None:
    finder = SceneCuts()
    first, second = (scenery(seed).astype(np.uint8) for seed in (1, 2))
    assert not finder.is_cut(first, 0.0)
    finder.reset()
    assert not finder.is_cut(second, 0.04)
    assert finder.is_cut(first, 0.08)


def test_the_settings_decide() -> None:
    assert cuts(film(1, 2), CutSettings(least_difference=255.0)) == []
    assert cuts(film(1, 2), CutSettings(explained_share=0.0)) == []


@pytest.mark.parametrize(
    "values",
    [{"least_difference": -1.0}, {"usual_ratio": 0.5}, {"explained_share": 1.1}, {"usual_ratio": np.nan}],
)
def test_settings_out_of_range_are_refused(values) -> None:
    with pytest.raises(ConfigError, match=rf"cuts\.{next(iter(values))}"):
        CutSettings(**values)


def test_it_finds_what_pyscenedetect_finds(tmp_path) -> None:
    detectors = pytest.importorskip("scenedetect.detectors", reason="scenedetect is not installed")
    from scenedetect import FrameTimecode

    frames = [np.clip(frame, 0, 255).astype(np.uint8) for seed in range(6) for frame in shot(seed, 25)]
    theirs = detectors.ContentDetector(min_scene_len=5)
    found = []
    for index, frame in enumerate(frames):
        found += theirs.process_frame(FrameTimecode(index, RATE_HZ), np.ascontiguousarray(frame[..., ::-1]))
    assert [int(getattr(cut, "frame_num", cut)) for cut in found] == cuts(frames) == [25, 50, 75, 100, 125]

"""Composes the demo clip and writes it as a video beside its truth.

A person (photograph of Eileen Collins, NASA, public domain) sways behind a table; a cup of coffee (photograph by
Rachel Michetti, CC0) is brought to them, moves with them for a while and is put back. The pixels are real, the motion
is known exactly, so a run on the clip can be scored. The same arguments give the same frames.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from videohoi.demo.photographs import load_cutout
from videohoi.demo.scene import Scene
from videohoi.demo.staging import REFERENCE_HEIGHT_PX, Staging
from videohoi.demo.truth import DemoTruth
from videohoi.errors import SinkError, UsageError
from videohoi.files import replacing, write_whole
from videohoi.structures import Frame

SHORTEST_SECONDS, LONGEST_SECONDS = 4.0, 60.0
"""in a shorter clip the cup would move too fast; a longer one shows nothing new"""
_CRF = "18"
"""x264's constant rate factor; 18 is commonly taken as visually lossless"""
_RATE_DENOMINATOR = 1001
"""enough for the broadcast rates (30000/1001 Hz)"""


@dataclass(frozen=True, repr=False)
class DemoClip:
    """A clip that is drawn on demand."""

    scene: Scene
    staging: Staging
    truth: DemoTruth

    @property
    def frame_count(self) -> int:
        """How many frames it has."""
        return self.truth.frame_count

    @property
    def frame_rate_hz(self) -> float:
        """Frames per second; frame i shows the time i / rate."""
        return self.truth.frame_rate_hz

    def frames(self) -> Iterator[Frame]:
        """The frames in order, drawn one at a time."""
        for index in range(self.frame_count):
            yield self.frame(index)

    def frame(self, index: int) -> Frame:
        """Frame ``index``."""
        at_seconds = index / self.frame_rate_hz
        image = self.scene.render(self.staging.pose(at_seconds), index)
        return Frame(image, index, at_seconds, source_id="demo")

    def __repr__(self) -> str:
        size = f"{self.truth.width_px}x{self.truth.height_px}"
        return f"DemoClip({size}, {self.frame_count} frames at {self.frame_rate_hz} Hz, {self.truth})"


def compose_demo(
    seconds: float = 9.0,
    frame_rate_hz: float = 25.0,
    *,
    height_px: int = REFERENCE_HEIGHT_PX,
    seed: int = 0,
    photographs: Path | None = None,
) -> DemoClip:
    """Prepare the clip; nothing is drawn yet.

    ``height_px``: the picture is 4:3 and this high. ``seed``: wood grain and camera noise. ``photographs``: folder of
    ``astronaut.webp`` and ``coffee.webp`` (default: the shipped ones). Raises ``UsageError`` for a length,
    rate or height that cannot be made and ``InputError`` when a photograph is missing.
    """
    _check(seconds, frame_rate_hz, height_px)
    person, cup = load_cutout("person", photographs), load_cutout("cup", photographs)
    scale = height_px / REFERENCE_HEIGHT_PX
    staging = Staging(seconds, scale, person.outline_xy_px, cup.outline_xy_px)
    scene = Scene(person, cup, scale, seed)
    return DemoClip(scene, staging, _truth(staging, scene, frame_rate_hz))


def write_demo(path: str | Path, clip: DemoClip | None = None) -> DemoTruth:
    """Write the clip (default: ``compose_demo()``) as H.264 MP4, and its truth as JSON of the same name beside it.

    Each file appears whole or not at all. Raises ``UsageError`` unless ``path`` ends in .mp4 and ``SinkError`` when a
    file cannot be written.
    """
    video = Path(path)
    if video.suffix.lower() != ".mp4":
        raise UsageError(f"the demo clip is written as MP4: give a name that ends in .mp4, not {video.name!r}")
    made = clip if clip is not None else compose_demo()
    try:
        video.parent.mkdir(parents=True, exist_ok=True)
        with replacing(video) as partial:
            _encode(made, partial)
            write_whole(video.with_suffix(".json"), json.dumps(made.truth.document(video.name), indent=1) + "\n")
    except (OSError, av.error.FFmpegError) as error:
        reason = error.strerror or str(error)
        raise SinkError(f"cannot write the demo clip to {video} ({reason}): choose a writable place") from error
    return made.truth


def _check(seconds: float, frame_rate_hz: float, height_px: int) -> None:
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        span = f"{SHORTEST_SECONDS:g} to {LONGEST_SECONDS:g} s"
        raise UsageError(f"a demo clip of {seconds} s cannot be made: choose {span}")
    if not 5 <= frame_rate_hz <= 120:
        raise UsageError(f"a demo clip at {frame_rate_hz} frames/s cannot be made: choose 5 to 120")
    # 4:3 with both sides even, as yuv420p wants
    if not 240 <= height_px <= 720 or height_px % 6:
        raise UsageError(f"a demo clip {height_px} px high cannot be made: choose 240 to 720, divisible by 6")


def _truth(staging: Staging, scene: Scene, frame_rate_hz: float) -> DemoTruth:
    count = round(staging.seconds * frame_rate_hz)
    poses = [staging.pose(index / frame_rate_hz) for index in range(count)]
    begin, end = staging.hold_seconds
    # a frame that falls on an edge belongs to the hold; the slack absorbs the rounding of seconds x rate
    slack = 1e-6
    return DemoTruth(
        scene.width_px,
        scene.height_px,
        frame_rate_hz,
        hold_begin_frame=math.ceil(begin * frame_rate_hz - slack),
        hold_end_frame=math.floor(end * frame_rate_hz + slack),
        person_boxes_xyxy_px=np.array([staging.person_box(pose) for pose in poses], np.float32),
        cup_boxes_xyxy_px=np.array([staging.cup_box(pose) for pose in poses], np.float32),
    )


def _encode(clip: DemoClip, path: Path) -> None:
    rate = Fraction(clip.frame_rate_hz).limit_denominator(_RATE_DENOMINATOR)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": _CRF, "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = clip.truth.width_px, clip.truth.height_px, "yuv420p"
        for frame in clip.frames():
            picture = av.VideoFrame.from_ndarray(frame.image, format="rgb24")
            picture.pts, picture.time_base = frame.index, 1 / rate
            container.mux(stream.encode(picture))
        container.mux(stream.encode())

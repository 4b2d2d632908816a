"""The kinds of input: one table, from which ``open_source``, ``--help`` and the docs come; packages add schemes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videohoi.plugins import build_part, build_plugin, package_of, plugins


@dataclass(frozen=True)
class SourceRequest:
    """What a builder is given: an input and the settings of ``decode``."""

    spec: str | Path
    """the input as the user named it"""
    source_id: str | None = None
    """name of the source; None: one that the source chooses"""
    frame_rate_hz: float | None = None
    """pictures a second, in place of the input's own times"""
    backend: str = "pyav"
    decode_threads: int = 2
    stream: int | None = None
    """index of the video stream of a file that has several"""

    @property
    def argument(self) -> str:
        """A path, or what follows ``scheme://``."""
        _, scheme_end, rest = str(self.spec).partition("://")
        return rest if scheme_end else str(self.spec)


@dataclass(frozen=True)
class SourceKind:
    """One row of the table."""

    name: str
    usage: str
    """how it is written on the command line"""
    what: str
    builder: str
    """``module:function``, imported when it is used; the function takes a ``SourceRequest``. Empty: of a package"""
    schemes: tuple[str, ...] = ()
    """``scheme://`` of its addresses; empty: its inputs are paths"""
    suffixes: tuple[str, ...] = ()
    """of files that it alone reads; files of other suffixes are distinguished by their content"""
    takes_rate: bool = True
    """honours ``SourceRequest.frame_rate_hz``"""
    takes_stream: bool = False
    """honours ``SourceRequest.stream``"""
    is_live: bool = False

    @property
    def is_path(self) -> bool:
        """Its inputs are files and folders."""
        return not self.schemes

    @property
    def is_plugin(self) -> bool:
        """Another package registered it."""
        return not self.builder

    def build(self, request: SourceRequest) -> Any:
        """The source, not yet opened; errors as ``build_plugin``."""
        return build_plugin("sources", self.name, request) if self.is_plugin else build_part(self.builder, request)


@dataclass(frozen=True)
class Backend:
    """A library that reads video files."""

    what: str
    builder: str
    """as in ``SourceKind``"""
    extra: str = ""
    """the package, and extra of this package, that must be installed; empty: none"""

    @property
    def install(self) -> str:
        """What to type to install ``extra``."""
        return f"pip install 'videohoi[{self.extra}]'"

    def build(self, request: SourceRequest) -> Any:
        """The source, not yet opened."""
        return build_part(self.builder, request)


BACKENDS: Mapping[str, Backend] = {
    "pyav": Backend("FFmpeg; also reads damaged files", "videohoi.decode.video_file:build"),
    "decord": Backend("batches of undamaged files", "videohoi.decode.decord_file:build", "decord"),
}
"""what ``decode.backend`` takes"""
VIDEO = SourceKind("video", "clip.mp4", "a video file or GIF; its content decides, not its name",
                   "videohoi.decode.factory:build_video", takes_stream=True)  # fmt: skip
PICTURES = SourceKind("pictures", "scan.tif", "a file of many pictures: animated WebP, PNG, AVIF, pages of a TIFF",
                      "videohoi.decode.picture_file:build")  # fmt: skip
IMAGES = SourceKind("images", "frames/ or frames_%06d.jpg", "a folder of images or numbered images, as one video",
                    "videohoi.decode.image_folder:build")  # fmt: skip
CAMERA = SourceKind("camera", "0, /dev/video0 or rtsp://...", "a camera or a stream; live",
                    "videohoi.decode.camera:build", ("rtsp", "rtsps", "rtmp", "http", "https", "udp", "srt"),
                    takes_rate=False, is_live=True)  # fmt: skip
GENERATED = SourceKind("generated", "test://320x240?frames=100", "generated moving shapes, for a trial",
                       "videohoi.decode.synthetic:build", ("test",), takes_rate=False)  # fmt: skip
SOURCES = (VIDEO, PICTURES, IMAGES, CAMERA, GENERATED)


def kind_of_scheme(scheme: str) -> SourceKind | None:
    """The kind whose addresses begin with ``scheme://``, of this package or of another; None where there is none."""
    own = next((kind for kind in SOURCES if scheme in kind.schemes), None)
    if own is not None:
        return own
    for name, point in plugins("sources").items():
        if name.lower() == scheme:  # schemes are written in either case
            return SourceKind(name, f"{scheme}://...", f"of {package_of(point)}", "", (scheme,), takes_stream=True)
    return None


def known_schemes() -> tuple[str, ...]:
    """The schemes of all kinds and packages."""
    of_packages = (name for name in plugins("sources") if not name.startswith("."))
    return (*(scheme for kind in SOURCES for scheme in kind.schemes), *of_packages)


def kind_of_suffix(suffix: str) -> SourceKind | None:
    """The kind that alone reads files of this suffix, such as ``.bag``; None where there is none."""
    own = next((kind for kind in SOURCES if suffix.lower() in kind.suffixes), None)
    if own is not None:
        return own
    for name, point in plugins("sources").items():
        if name.lower() == suffix.lower() != "":
            return SourceKind(name, f"FILE{name}", f"of {package_of(point)}", "", suffixes=(name,), takes_stream=True)
    return None


def claimed_suffixes() -> frozenset[str]:
    """The suffixes of all kinds and packages that claim one, in lower case."""
    of_packages = (name.lower() for name in plugins("sources") if name.startswith("."))
    return frozenset((*(suffix for kind in SOURCES for suffix in kind.suffixes), *of_packages))

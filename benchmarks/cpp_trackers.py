"""The C++ trackers of others, built on the spot with g++ and called through ctypes.

Their sources are read where they are (a checkout, an installed package). What is written here is only the few lines
that let them be called with arrays, and stand-ins for the two or three OpenCV types that their headers name.
"""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Options

MOST_ROWS = 4096
"""rows of a frame there is room for"""

_OPENCV = """
#pragma once
#include <algorithm>
#include <array>
#include <climits>
#include <cstddef>
#include <iostream>
#include <map>
#include <string>
#include <vector>
#define CV_8UC1 0
#define CV_8UC3 16
#define CV_8UC4 24
namespace cv {
template <class T> struct Rect_ { T x, y, width, height; };
struct Scalar { Scalar(double = 0, double = 0, double = 0) {} };
struct Point2f { float x = 0, y = 0; Point2f(float a = 0, float b = 0) : x(a), y(b) {} };
struct Size2f { float width, height; Size2f(float a, float b) : width(a), height(b) {} };
struct Mat { int rows = 0, cols = 0; Mat() {} Mat(int r, int c, int, void*) : rows(r), cols(c) {}
             bool empty() const { return rows == 0; } };
struct RotatedRect { RotatedRect(Point2f, Size2f, float) {} void points(Point2f*) const {} };
inline int setNumThreads(int) { return 0; }
}
"""
_ORIGINAL = """
#include "BYTETracker.h"
extern "C" void* make() { cout.setstate(ios_base::failbit); return new BYTETracker(30, 30); }
extern "C" void drop(void* t) { delete static_cast<BYTETracker*>(t); }
extern "C" int update(void* t, const float* b, const float* s, int n, long long* ids, float* out) {
  vector<Object> rows(n);
  for (int i = 0; i < n; i++, b += 4)
    rows[i] = Object{{b[0], b[1], b[2] - b[0], b[3] - b[1]}, 0, s[i]};
  vector<STrack> tracks = static_cast<BYTETracker*>(t)->update(rows);
  for (size_t k = 0; k < tracks.size(); k++) {
    ids[k] = tracks[k].track_id;
    for (int side = 0; side < 4; side++) out[4 * k + side] = tracks[k].tlbr[side];
  }
  return static_cast<int>(tracks.size());
}
"""
_BOXMOT = """
#include "bytetrack/tracker.hpp"
using namespace bytetrack;
extern "C" void* make() {
  Config c; c.track_thresh = 0.5F; c.match_thresh = 0.8F; return new ByteTrackTracker(c); }
extern "C" void drop(void* t) { delete static_cast<ByteTrackTracker*>(t); }
extern "C" int update(void* t, const float* b, const float* s, int n, long long* ids, float* out) {
  std::vector<Detection> rows(n);
  for (int i = 0; i < n; i++, b += 4) {
    rows[i].xyxy << b[0], b[1], b[2], b[3]; rows[i].conf = s[i]; rows[i].det_ind = i; }
  auto tracks = static_cast<ByteTrackTracker*>(t)->Update(rows, cv::Mat());
  for (size_t k = 0; k < tracks.size(); k++) {
    ids[k] = tracks[k].id;
    for (int side = 0; side < 4; side++) out[4 * k + side] = static_cast<float>(tracks[k].xyxy[side]);
  }
  return static_cast<int>(tracks.size());
}
"""


class CppTracker:
    """A built tracker: ``step`` as that of the others."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        library.make.restype = ctypes.c_void_p
        library.drop.argtypes = [ctypes.c_void_p]
        library.update.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_int] + [ctypes.c_void_p] * 2
        self._ids, self._boxes = np.zeros(MOST_ROWS, np.int64), np.zeros((MOST_ROWS, 4), np.float32)
        self._out = self._ids.ctypes.data, self._boxes.ctypes.data
        self._handle = ctypes.c_void_p(library.make())

    def step(
        self, boxes: NDArray[np.float32], scores: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Ids and boxes of the next frame."""
        count = self._library.update(self._handle, boxes.ctypes.data, scores.ctypes.data, len(scores), *self._out)
        return self._ids[:count].copy(), self._boxes[:count].astype(np.float64)

    def __del__(self) -> None:
        self._library.drop(self._handle)


@dataclass(frozen=True)
class Sources:
    """What to compile."""

    shim: str
    files: Sequence[Path]
    includes: Sequence[Path]


def build_original(options: Options) -> ctypes.CDLL | str:
    """``deploy/ncnn/cpp`` of the ByteTrack checkout, or why not."""
    checkout = options.checkout("ByteTrack")
    if checkout is None:
        return "no checkout ByteTrack below the peer path"
    folder = checkout / "deploy" / "ncnn" / "cpp"
    names = ("BYTETracker", "STrack", "kalmanFilter", "lapjv", "utils")
    files = [folder / "src" / f"{name}.cpp" for name in names]
    return _build(Sources(_ORIGINAL, files, [folder / "include"]), options)


def build_boxmot(options: Options) -> ctypes.CDLL | str:
    """The C++ ByteTrack that lies in the package boxmot, or why not."""
    spec = importlib.util.find_spec("boxmot")
    if spec is None or spec.origin is None:
        return "package boxmot is not installed"
    native = Path(spec.origin).parent / "native" / "cpp"
    base, own = native / "trackers" / "base", native / "trackers" / "bytetrack"
    if not own.is_dir():
        return "this version of boxmot has no C++ ByteTrack"
    files = [
        *sorted((base / "src").glob("*.cpp")),
        *(p for p in sorted((own / "src").glob("*.cpp")) if "api" not in p.name),
    ]
    return _build(Sources(_BOXMOT, files, [base / "include", own / "include", native / "include"]), options)


def _eigen(options: Options) -> Path | None:
    checkout = options.checkout("eigen")
    places = [Path("/usr/include/eigen3"), Path("/usr/local/include/eigen3")]
    return next((place for place in [*([checkout] if checkout else []), *places] if place.is_dir()), None)


def _build(sources: Sources, options: Options) -> ctypes.CDLL | str:
    eigen = _eigen(options)
    if shutil.which("g++") is None or eigen is None:
        return "needs g++ and Eigen (a checkout eigen below the peer path, or the system's)"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "opencv2").mkdir()
        for header in ("opencv.hpp", "core.hpp"):
            (folder / "opencv2" / header).write_text(_OPENCV, encoding="utf-8")
        shim, library = folder / "shim.cpp", folder / "tracker.so"
        shim.write_text(sources.shim, encoding="utf-8")
        flags = ["-O3", "-march=native", "-std=c++17", "-w", "-shared", "-fPIC", "-DNDEBUG"]
        includes = [f"-I{path}" for path in (folder, *sources.includes, eigen)]
        files = [str(path) for path in (shim, *sources.files)]
        done = subprocess.run(
            ["g++", *flags, *includes, *files, "-o", str(library)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            return "does not compile: " + next((line for line in done.stderr.splitlines() if "error" in line), "?")
        return ctypes.CDLL(str(library))

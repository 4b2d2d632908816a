"""The class that users call: a pipeline from a config, run over one input, results as they are decided."""

from __future__ import annotations

import inspect
import os
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from videohoi import config as strict_config
from videohoi.decode.protocol import Source, SourceReport
from videohoi.errors import ConfigError, InputError, StageError, UsageError
from videohoi.graph import Graph, RunReport
from videohoi.pipeline.between_runs import ModelShelf, RunMemory
from videohoi.pipeline.bundled import LoadedPipeline, load_pipeline, restored_pipeline
from videohoi.pipeline.fingerprints import named_files
from videohoi.pipeline.inputs import open_input
from videohoi.pipeline.one_picture import detect_picture
from videohoi.pipeline.presenter import VocabularyPresenter
from videohoi.pipeline.settings import base_config
from videohoi.pipeline.stage_graph import StageGraph
from videohoi.sink.protocol import Sink
from videohoi.structures import FrameResult
from videohoi.vocabulary import Vocabulary

SCHEMA_VERSION = 1
"""version of every record this release writes (docs/output_schema.md)"""


class Pipeline:
    """A configured pipeline; its settings do not change.

    Each ``run`` is a fresh graph: no track or state is carried from one input to the next. The models are loaded by
    the first run and stay open for the others until ``close``; as a context manager a pipeline closes itself.

    >>> with Pipeline.from_config("offline_annotation") as pipeline:           # doctest: +SKIP
    ...     for result in pipeline.run("clip.mp4"):
    ...         result.detections, result.tracks, result.interactions, result.events
    """

    def __init__(self, loaded: LoadedPipeline) -> None:
        self._loaded = loaded
        self._shelf = ModelShelf()
        self.memory = RunMemory()
        """to be notified of the end of each run"""
        self._graph: Graph[FrameResult] | None = None
        self._source: Source | None = None

    @classmethod
    def from_config(
        cls, spec: str | bytes | os.PathLike[str] = "offline_annotation", overrides: str | Sequence[str] = ()
    ) -> Pipeline:
        """From a shipped config's name or a YAML file, with one or more ``a.b=c`` overrides.

        Raises:
            ConfigError: unknown name, key or value.
        """
        if not isinstance(spec, (str, bytes, os.PathLike)):
            raise ConfigError(f"expected the name of a configuration or a YAML file, got {type(spec).__name__}")
        given = (overrides,) if isinstance(overrides, str) else tuple(overrides)
        return cls(load_pipeline(os.fsdecode(spec) if isinstance(spec, bytes) else str(spec), given))

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the models. May be called twice; a later run loads them again."""
        self._shelf.close()

    @property
    def config(self) -> Any:
        """The pipeline's settings (its ``Config``)."""
        return self._loaded.config

    @property
    def vocabulary(self) -> Vocabulary:
        """The words of class ids and verb columns."""
        return base_config(self.config).vocabulary

    def header(self) -> dict[str, Any]:
        """What every output of a run starts with."""
        return {
            "pipeline": self._loaded.name,
            "policy": getattr(self._loaded.module, "POLICY", "lossless"),
            "vocabulary": {"name": self.vocabulary.name, "version": self.vocabulary.version},
            "config_sha256": strict_config.fingerprint(self.config),
            "config": strict_config.to_mapping(self.config),
        }

    def graph(self, source: Source, branches: Sequence[Sequence[Sink]] = ()) -> Graph[FrameResult]:
        """A graph over ``source`` that runs once."""
        self._source = source
        build = self._loaded.module.build
        options: dict[str, Any] = {}
        if "shelf" in inspect.signature(build).parameters:  # a user's own pipeline may load its models itself
            options["shelf"] = self._opened_shelf()
        graph: Graph[FrameResult] = build(self.config, source, branches, self.header(), **options)
        self._graph = graph
        return graph

    def run(
        self,
        source: Any,
        *,
        channels: str = "rgb",
        frame_rate_hz: float | None = None,
        source_id: str | None = None,
    ) -> Generator[FrameResult, None, None]:
        """Results of every frame, in order, in bounded memory; leaving the loop early stops everything.

        Args:
            source: a path or address, a camera number, a picture (H, W, 3) uint8, a list of pictures, a video
                (T, H, W, 3) uint8, an iterator of pictures or of (seconds, picture), or a ``Source``.
            channels: ``rgb`` or ``bgr`` (OpenCV's order), of arrays.
            frame_rate_hz: pictures a second of arrays; of files, in place of their own times.
            source_id: name of the source in the results; None: that of the file, camera or address.

        Raises:
            InputError: the input cannot be used.
            UsageError: an option that does not go with the input.
            StageError: a stage failed; the message names it and the frame.
        """
        opened = open_input(source, base_config(self.config).decode, channels=channels, frame_rate_hz=frame_rate_hz,
                            source_id=source_id)  # fmt: skip
        return self._results(opened)

    def _results(self, source: Source) -> Generator[FrameResult, None, None]:
        presenter = VocabularyPresenter(self.vocabulary)
        try:
            with closing(self.graph(source).iterate()) as results:  # type: ignore[type-var]
                for result in results:
                    yield replace(result, presenter=presenter)
        except StageError as failure:
            if isinstance(failure.__cause__, InputError):  # its message is complete
                raise failure.__cause__ from failure
            raise
        finally:
            self.memory.run_is_over()

    def detect(self, picture: Any, *, channels: str = "rgb", source_id: str | None = None) -> FrameResult:
        """One picture alone: its boxes, and the interactions that score at least ``smooth.on_threshold``.

        Without time nothing is tracked or smoothed: the ids are the rows of the boxes, counted from 1.

        Args:
            picture: a path, (H, W, 3) uint8, or what else ``run`` takes; of a video the first frame.
            channels: ``rgb`` or ``bgr``, of arrays.
            source_id: name of the source in the result.

        Raises:
            InputError: the picture cannot be read.
        """
        source = open_input(picture, base_config(self.config).decode, channels=channels, source_id=source_id)
        result = detect_picture(self.config, source, self._opened_shelf())
        return replace(result, presenter=VocabularyPresenter(self.vocabulary))

    def _opened_shelf(self) -> ModelShelf:
        self._shelf.hold(tuple(sorted(named_files(self.config).items())))
        return self._shelf

    def __reduce__(self) -> tuple[Any, ...]:
        """Settings are pickled, models are not: another process loads its own."""
        return _restored, (self._loaded.name, self._loaded.path, strict_config.to_mapping(self.config))

    def __repr__(self) -> str:
        return f"Pipeline({self._loaded.name!r}, {self.header()['policy']})"

    def report(self) -> RunReport:
        """Counts and times of the last run.

        Raises:
            UsageError: nothing ran yet.
        """
        if self._graph is None:
            raise UsageError("Pipeline.report before run: nothing ran yet")
        return self._graph.report()

    def facts(self) -> dict[str, Any]:
        """What the stages of the last run report: ``detector``, ``head``, ``truncated_pairs``.

        Empty before a run, and for a pipeline whose ``build`` gives a plain ``Graph``.
        """
        return self._graph.facts() if isinstance(self._graph, StageGraph) else {}

    def source_report(self) -> SourceReport:
        """What went wrong while decoding in the last run.

        Raises:
            UsageError: nothing ran yet.
        """
        if self._source is None:
            raise UsageError("Pipeline.source_report before run: nothing ran yet")
        return self._source.report


def _restored(name: str, path: Path, values: dict[str, Any]) -> Pipeline:
    return Pipeline(restored_pipeline(name, path, values))

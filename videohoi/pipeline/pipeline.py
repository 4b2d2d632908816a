"""The public way in: a pipeline from a config, run over one input, results as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from videohoi import config as strict_config
from videohoi.decode.protocol import Source, SourceReport
from videohoi.errors import UsageError
from videohoi.graph import Graph, RunReport
from videohoi.pipeline.bundled import LoadedPipeline, load_pipeline
from videohoi.pipeline.settings import decode_settings
from videohoi.pipeline.stage_graph import StageGraph
from videohoi.pipeline.words import vocabulary_of
from videohoi.sink.protocol import Sink
from videohoi.structures import FrameResult
from videohoi.vocabulary import Vocabulary

SCHEMA_VERSION = 1
"""version of every record this release writes (docs/output_schema.md)"""


class Pipeline:
    """A configured pipeline. Each ``run`` builds a fresh graph: nothing is carried from one input to the next.

    >>> pipeline = Pipeline.from_config("offline_annotation")                  # doctest: +SKIP
    >>> for result in pipeline.run("clip.mp4"):                                # doctest: +SKIP
    ...     result.detections, result.tracks, result.interactions, result.events
    """

    def __init__(self, loaded: LoadedPipeline) -> None:
        self._loaded = loaded
        self._graph: Graph[FrameResult] | None = None
        self._source: Source | None = None

    @classmethod
    def from_config(cls, spec: str | Path = "offline_annotation", overrides: Sequence[str] = ()) -> Pipeline:
        """From a shipped config's name or a YAML file, with ``a.b=c`` overrides.

        Raises:
            ConfigError: unknown name, key or value.
        """
        return cls(load_pipeline(spec, tuple(overrides)))

    @property
    def config(self) -> Any:
        """The pipeline's settings (its ``Config``)."""
        return self._loaded.config

    @property
    def vocabulary(self) -> Vocabulary:
        """The words of class ids and verb columns."""
        return vocabulary_of(self.config)

    def header(self) -> dict[str, Any]:
        """What every output of a run begins with."""
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
        graph: Graph[FrameResult] = self._loaded.module.build(self.config, source, branches, self.header())
        self._graph = graph
        return graph

    def run(self, source: str | int | Path | Source) -> Iterator[FrameResult]:
        """Results of every frame, in order, in bounded memory; leaving the loop early stops everything.

        Raises:
            InputError: the input cannot be used.
            StageError: a stage failed; the message names it and the frame.
        """
        opened = decode_settings(self.config).open(source) if isinstance(source, (str, int, Path)) else source
        with closing(self.graph(opened).iterate()) as results:  # type: ignore[type-var]
            yield from results

    def report(self) -> RunReport:
        """Counts and times of the last run.

        Raises:
            UsageError: nothing ran yet.
        """
        if self._graph is None:
            raise UsageError("Pipeline.report before run: nothing ran yet")
        return self._graph.report()

    def facts(self) -> dict[str, Any]:
        """What the stages of the last run say of themselves: ``detector``, ``head``, ``truncated_pairs``.

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

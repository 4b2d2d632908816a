"""Filters of verb scores over time, each as its settings and one plain numpy step over rows of pairs.

A step takes what is remembered of P pairs and their new scores; seconds since each pair's last score are positive
there. ``videohoi.smooth._slot_kernels`` holds the compiled twins, ``pair_filters`` the class that uses either. All
numbers are float32, as the scores are. A pair's first score is taken as it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import ConfigError

Scores = NDArray[np.float32]
Seconds = NDArray[np.float64]


class SlotFilter(Protocol):
    """A filter whose state is ``planes`` numbers a verb and one number a pair."""

    @property
    def planes(self) -> int:
        """S, rows of (V,) remembered for each pair."""
        ...

    @property
    def settings(self) -> tuple[float, float, float]:
        """What the compiled twin takes."""
        ...

    def start(self, state: Scores, memory: Seconds, scores: Scores) -> None:
        """Set ``state`` (P, S, V) and ``memory`` (P,) from the first ``scores`` (P, V)."""
        ...

    def step(self, state: Scores, memory: Seconds, scores: Scores, dt_seconds: Seconds) -> None:
        """Advance ``state`` (P, S, V) and ``memory`` (P,) in place by ``dt_seconds`` (P,) > 0."""
        ...

    def read(self, state: Scores) -> Scores:
        """Filtered scores (P, V)."""
        ...


@dataclass(frozen=True)
class ExponentialAverage:
    """y += alpha * (x - y) with alpha = 1 - exp(-dt / tau): the first-order low-pass for uneven time steps."""

    tau_seconds: float = 0.25
    """a step of the score is followed to 63 % after this long"""
    planes: ClassVar[int] = 1

    def __post_init__(self) -> None:
        _require_positive(self, "tau_seconds")

    @property
    def settings(self) -> tuple[float, float, float]:
        """The time constant."""
        return self.tau_seconds, 0.0, 0.0

    def start(self, state: Scores, memory: Seconds, scores: Scores) -> None:
        """Take x as it is."""
        state[:, 0] = scores

    def step(self, state: Scores, memory: Seconds, scores: Scores, dt_seconds: Seconds) -> None:
        """See the class."""
        alpha = (1.0 - np.exp(-dt_seconds / self.tau_seconds)).astype(np.float32)[:, None]
        state[:, 0] += alpha * (scores - state[:, 0])

    def read(self, state: Scores) -> Scores:
        """The level y."""
        return state[:, 0]


@dataclass(frozen=True)
class LocalLevelKalman:
    """One-dimensional Kalman filter of a level that wanders: p += q dt; k = p / (p + r); y += k (x - y); p -= k p.

    Source: Kalman 1960; as the "local level" in Harvey, "Forecasting, structural time series models and the Kalman
    filter", 1989, section 2.3. The variance p depends on times only, so a pair's verbs share it.
    """

    wander_per_second: float = 0.2
    """q: variance a true score gains in a second"""
    noise_variance: float = 0.05
    """r: variance of one frame's score"""
    planes: ClassVar[int] = 1

    def __post_init__(self) -> None:
        _require_positive(self, "wander_per_second", "noise_variance")

    @property
    def settings(self) -> tuple[float, float, float]:
        """Both variances."""
        return self.wander_per_second, self.noise_variance, 0.0

    def start(self, state: Scores, memory: Seconds, scores: Scores) -> None:
        """Take x as it is, with the variance r."""
        state[:, 0] = scores
        memory[:] = self.noise_variance

    def step(self, state: Scores, memory: Seconds, scores: Scores, dt_seconds: Seconds) -> None:
        """See the class."""
        variance = memory + self.wander_per_second * dt_seconds
        gain = variance / (variance + self.noise_variance)
        state[:, 0] += gain.astype(np.float32)[:, None] * (scores - state[:, 0])
        memory[:] = variance - gain * variance

    def read(self, state: Scores) -> Scores:
        """The level y."""
        return state[:, 0]


@dataclass(frozen=True)
class OnOffForward:
    """Belief p that a verb holds: forward pass of a two-state hidden Markov model in continuous time.

    Between scores p relaxes to its share of the time, p = s + (p - s) exp(-(1/on + 1/off) dt) with
    s = on / (on + off), the transition probabilities of a two-state chain with mean dwell times on and off (Norris,
    "Markov Chains", 1997, example 2.1.1). A score x, read as P(holds | this frame) at a base rate b, gives the
    likelihoods x / b and (1 - x) / (1 - b); then Bayes (Rabiner 1989, equation 20).
    """

    mean_on_seconds: float = 2.0
    mean_off_seconds: float = 6.0
    base_rate: float = 0.3
    """share of frames in which the score's model saw the verb hold"""
    planes: ClassVar[int] = 1

    LEAST: ClassVar[float] = 1e-3
    """no single frame is surer than this: scores are kept this far from 0 and 1"""

    def __post_init__(self) -> None:
        _require_positive(self, "mean_on_seconds", "mean_off_seconds", "base_rate")
        if not self.base_rate < 1:
            raise ConfigError(f"OnOffForward.base_rate: expected a number below 1, got {self.base_rate}")

    @property
    def share(self) -> float:
        """s, the share of the time a verb holds."""
        return self.mean_on_seconds / (self.mean_on_seconds + self.mean_off_seconds)

    @property
    def settings(self) -> tuple[float, float, float]:
        """Share of the time, rate of relaxing, base rate."""
        return self.share, 1.0 / self.mean_on_seconds + 1.0 / self.mean_off_seconds, self.base_rate

    def start(self, state: Scores, memory: Seconds, scores: Scores) -> None:
        """Bayes with the share of the time."""
        state[:, 0] = self._bayes(np.full_like(scores, self.share), scores)

    def step(self, state: Scores, memory: Seconds, scores: Scores, dt_seconds: Seconds) -> None:
        """See the class."""
        decay = np.exp(-self.settings[1] * dt_seconds).astype(np.float32)[:, None]
        share = np.float32(self.share)
        state[:, 0] = self._bayes(share + (state[:, 0] - share) * decay, scores)

    def read(self, state: Scores) -> Scores:
        """The belief p."""
        return state[:, 0]

    def _bayes(self, belief: Scores, scores: Scores) -> Scores:
        bounded = np.clip(scores, np.float32(self.LEAST), np.float32(1.0 - self.LEAST))
        holds = belief * bounded * np.float32(1.0 / self.base_rate)
        holds_not = (1 - belief) * (1 - bounded) * np.float32(1.0 / (1.0 - self.base_rate))
        result: Scores = holds / (holds + holds_not)
        return result


@dataclass(frozen=True)
class OneEuro:
    """A low-pass whose cutoff rises with the speed of change: still scores are calm, jumps are followed at once.

    Casiez, Roussel and Vogel, "1 Euro Filter", CHI 2012, algorithm 1: dx = (x - y) / dt, low-passed with the
    derivative's cutoff to e; cutoff = least + beta |e|; alpha = 1 / (1 + 1 / (2 pi cutoff dt)); y += alpha (x - y).
    """

    least_cutoff_hz: float = 0.6
    """lower: calmer while nothing changes"""
    speed_weight: float = 1.0
    """beta: cutoff in hertz gained per score a second; higher: less delay when something changes"""
    derivative_cutoff_hz: float = 1.0
    """as in the paper"""
    planes: ClassVar[int] = 2

    def __post_init__(self) -> None:
        _require_positive(self, "least_cutoff_hz", "derivative_cutoff_hz")
        if not 0 <= self.speed_weight < math.inf:
            raise ConfigError(f"OneEuro.speed_weight: expected 0 or more, got {self.speed_weight}")

    @property
    def settings(self) -> tuple[float, float, float]:
        """Least cutoff, beta, the derivative's cutoff."""
        return self.least_cutoff_hz, self.speed_weight, self.derivative_cutoff_hz

    def start(self, state: Scores, memory: Seconds, scores: Scores) -> None:
        """Take x as it is, at rest."""
        state[:, 0] = scores
        state[:, 1] = 0

    def step(self, state: Scores, memory: Seconds, scores: Scores, dt_seconds: Seconds) -> None:
        """See the class."""
        turn = 2.0 * math.pi * dt_seconds
        slow = turn * self.derivative_cutoff_hz
        derivative_alpha = (slow / (slow + 1.0)).astype(np.float32)[:, None]
        rate, turned = (1.0 / dt_seconds).astype(np.float32)[:, None], turn.astype(np.float32)[:, None]
        jump = scores - state[:, 0]
        state[:, 1] += derivative_alpha * (jump * rate - state[:, 1])
        wide = turned * (np.float32(self.least_cutoff_hz) + np.float32(self.speed_weight) * np.abs(state[:, 1]))
        state[:, 0] += wide / (wide + 1) * jump

    def read(self, state: Scores) -> Scores:
        """The level y."""
        return state[:, 0]


@dataclass(frozen=True)
class MedianOfFive:
    """Median of a pair's last five scores: single wrong frames leave no trace. Before five, the first counts more."""

    planes: ClassVar[int] = 5

    @property
    def settings(self) -> tuple[float, float, float]:
        """None."""
        return 0.0, 0.0, 0.0

    def start(self, state: Scores, memory: Seconds, scores: Scores) -> None:
        """All five are the first."""
        state[:] = scores[:, None]
        memory[:] = 0

    def step(self, state: Scores, memory: Seconds, scores: Scores, dt_seconds: Seconds) -> None:
        """The new score takes the oldest one's place."""
        state[np.arange(len(scores)), memory.astype(np.int64)] = scores
        memory[:] = (memory + 1) % 5

    def read(self, state: Scores) -> Scores:
        """The median."""
        return np.asarray(np.median(state, axis=1), np.float32)


def clean_scores(scores: Scores) -> Scores:
    """Scores within [0, 1]; what is not a number is 0."""
    return np.asarray(np.where(scores > 0, np.minimum(scores, np.float32(1)), np.float32(0)), np.float32)


def _require_positive(owner: object, *names: str) -> None:
    for name in names:
        value = getattr(owner, name)
        if not 0 < value < math.inf:
            raise ConfigError(f"{type(owner).__name__}.{name}: expected a number above 0, got {value}")

"""Settings of the temporal logic. All times are seconds of media time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal, get_args

from videohoi.errors import ConfigError
from videohoi.ranges import MOST_SECONDS, NotNegative, PositiveSeconds, Range, Seconds, Share, check_ranges

FilterName = Literal["exponential", "gaussian", "none"]
"""value of ``smooth.filter``"""
REACH_TAUS = 3.0
"""samples farther than this many time constants weigh under 5 % and are left out"""

Logit = Annotated[float, Range(-100.0, 100.0)]
"""added to a logit; beyond 100 every probability is 0 or 1"""

MOMENTARY_VERBS = frozenset({"catch", "hit", "kick", "throw"})
"""verbs that name a moment, not a state: reported as short events around an impact"""

CARRYING_VERBS = frozenset(
    {
        "carry", "drag", "drink_with", "eat", "hold", "lift", "move", "pick", "pick_up", "pour", "sip",
        "swing", "wield",
    }
)  # fmt: skip
"""verbs whose object the human moves: motion separates them from an object that only lies near"""

PORTABLE_OBJECTS = frozenset(
    {
        "apple", "backpack", "banana", "baseball_bat", "baseball_glove", "book", "bottle", "bowl", "broccoli", "cake",
        "carrot", "cell_phone", "cup", "donut", "fork", "frisbee", "hair_drier", "handbag", "hot_dog", "keyboard",
        "kite", "knife", "laptop", "mouse", "orange", "pizza", "remote", "sandwich", "scissors", "spoon",
        "sports_ball", "suitcase", "teddy_bear", "tennis_racket", "tie", "toothbrush", "umbrella", "vase", "wine_glass",
    }
)  # fmt: skip
"""objects that one or two hands can lift: the motion rule applies to them, not to a bed that the camera pans over"""

BALL_LOOKALIKES = frozenset({"apple", "clock", "donut", "frisbee", "orange", "sports_ball"})
"""classes that detectors confuse with a ball: one that is kicked is a sports_ball"""

LEAST_HOLD_STEPS = 1.5
"""a pair that is missed in one frame goes on, however far apart frames are"""


@dataclass(frozen=True)
class MotionConfig:
    """How motion changes the belief in a carrying verb."""

    window_seconds: PositiveSeconds = 0.5
    """velocity is the slope of a straight line through this much of the track"""
    still_sizes_per_second: NotNegative = 0.15
    """an object slower than this (object sizes a second) is still: detector jitter measures 0.05-0.1 on real clips"""
    moving_sizes_per_second: NotNegative = 0.6
    """an object faster than this moves"""
    contact_gap_sizes: NotNegative = 0.25
    """boxes closer than this many object sizes touch"""
    moving_logit: Logit = 1.5
    """added to a carrying verb's logit while the object moves in contact"""
    resting_logit: Logit = -2.0
    """added while the object rests in contact and was not carried before"""
    apart_logit: Logit = -4.0
    """added while human and object do not touch, or the object moves faster than a hand does"""
    free_heights_per_second: NotNegative = 1.2
    """against the human, in human heights: a hand seldom moves faster for half a second (2 m/s at 1.75 m)"""
    kicked_seconds: Seconds = 0.7
    """an object that is kicked within this time, before or after, is not in the hand"""
    low_seconds: PositiveSeconds = 0.7
    """a ball that stays low for this long before and after is at the feet"""
    low_heights: NotNegative = 0.45
    """low: its centre under this many human heights above the feet (the knee lies at 0.28)"""
    dribble_logits: tuple[Logit, Logit] = (-2.0, 1.5)
    """added to "dribble" while the ball lies still or flies high, and while it rolls low or was just kicked low"""
    carried_floor: Share = 0.6
    """least probability of "hold" for a portable object that surely moves in contact"""
    carried_memory_seconds: PositiveSeconds = 2.0
    """how fast a carried object that is held still turns into a resting one"""
    pick_up_seconds: PositiveSeconds = 0.15
    """how fast common motion turns a resting object into a carried one"""

    def __post_init__(self) -> None:
        check_ranges(self, "smooth.motion")
        if not self.still_sizes_per_second < self.moving_sizes_per_second:
            raise ConfigError(
                "smooth.motion: expected still_sizes_per_second below moving_sizes_per_second, "
                f"got {self.still_sizes_per_second} and {self.moving_sizes_per_second}"
            )


@dataclass(frozen=True)
class ImpactConfig:
    """When a change of an object's velocity near a human is a kick, hit, throw or catch."""

    half_window_seconds: PositiveSeconds = 0.16
    """velocity before and after is fitted over this much time"""
    least_change_heights_per_second: NotNegative = 1.6
    """velocity change in human heights a second; gravity alone makes 0.9 over the window (9.8 m/s2, 1.75 m, 0.16 s)"""
    reach_heights: NotNegative = 0.2
    """the object's centre lies at most this many human heights outside the human box"""
    dribble_score: Share = 0.8
    """an impact by the foot weaker than this is part of the dribbling that goes on, not a kick of its own"""
    refractory_seconds: Seconds = 0.25
    """two impacts of a pair are at least this far apart"""
    half_span_seconds: PositiveSeconds = 0.08
    """an impact is reported as a segment of this much before and after the contact"""
    foot_share: Share = 0.45
    """contact in this lowest share of the human box is by the foot"""

    def __post_init__(self) -> None:
        check_ranges(self, "smooth.impact")


@dataclass(frozen=True)
class SmoothingConfig:
    """Temporal logic of one pipeline."""

    filter: FilterName = "exponential"
    """weight of a score by its distance in time: exponential, gaussian, or none (each frame on its own)"""
    tau_seconds: PositiveSeconds = 0.25
    """time constant of the score filter"""
    lookahead_seconds: Seconds = 0.5
    """how far ahead a decision may look; above 0, results also wait until they are final (offline); 0 for live use"""
    verb_contrast: Annotated[float, Range(0.0, 100.0)] = 2.0
    """how fast a pair's weaker verbs fall behind its best one (exponent; see ``scoring.interaction_scores``)"""
    on_threshold: Share = 0.4
    """smoothed score at which an interaction begins"""
    off_threshold: Share = 0.25
    """smoothed score under which it ends"""
    confirm_seconds: Seconds = 0.1
    """it must be seen to hold for this long before it is announced"""
    min_seconds: Seconds = 0.2
    """states seen for less are never reported (retracted when already announced); only time that saw both counts"""
    bridge_seconds: Seconds = 0.4
    """an interruption up to this long does not end it"""
    hold_unseen_seconds: Seconds = 1.2
    """an active pair is kept for this long while one of the two is hidden; it stays on if it then holds again"""
    hold_occluded_seconds: Seconds = 0.4
    """a state goes on for up to this long after the last frame that saw both boxes, if the scores before support it: a
    hand hides what it takes away; 0: the state ends in the last frame that saw both"""
    update_seconds: PositiveSeconds = 1.0
    """period of update events"""
    max_verbs_per_pair: Annotated[int, Range(1, 10_000)] = 3
    """how many verbs of one pair may be active at once; the best ones win"""
    enabled: bool = True
    """False reports every frame's thresholded score as it is: the reference for flips per minute"""
    motion: MotionConfig = MotionConfig()
    impact: ImpactConfig = ImpactConfig()

    def __post_init__(self) -> None:
        check_ranges(self, "smooth")
        if not self.off_threshold <= self.on_threshold:
            raise ConfigError(
                "smooth: expected off_threshold at most on_threshold, "
                f"got off {self.off_threshold}, on {self.on_threshold}"
            )
        if self.filter not in get_args(FilterName):
            raise ConfigError(f"smooth.filter: expected one of {', '.join(get_args(FilterName))}, got {self.filter!r}")

    @property
    def memory_seconds(self) -> float:
        """How long the scores of a pair are remembered: two reaches of the filter round a frame that waits."""
        return 2 * REACH_TAUS * self.tau_seconds + self.lookahead_seconds + 1.0

    def for_frame_step(self, step_seconds: float) -> SmoothingConfig:
        """These settings for a source with a frame every ``step_seconds`` (0: unknown).

        In a time-lapse a pair that is missed in one frame is hidden for two steps: that much is bridged.
        """
        least = min(LEAST_HOLD_STEPS * step_seconds, MOST_SECONDS)
        return (
            self if self.hold_unseen_seconds >= least or not self.enabled else replace(self, hold_unseen_seconds=least)
        )

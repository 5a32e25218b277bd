"""The verdict on one goal of one experiment, as a value: its kind, its sentence and its figures.

`gimel.analysis.refusals` and `gimel.analysis.decision` reach it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gimel.analysis.forecast import Forecast
from gimel.analysis.mixture import Lift


class Kind(Enum):
    """The kinds of verdict."""

    NO_DATA = "no-data"
    SPLIT_MISMATCH = "split-mismatch"
    NOT_A_CONVERSION = "not-a-conversion"
    SINGLE_VARIANT = "single-variant"
    NO_CONVERSIONS = "no-conversions"
    WINNER = "winner"
    CONTROL_WINS = "control-wins"
    AHEAD = "ahead"
    NO_DIFFERENCE = "no-difference"
    SMALL_DIFFERENCE = "small-difference"
    TOO_NOISY = "too-noisy"
    TOO_EARLY = "too-early"
    HARMED = "harmed"
    NOT_HARMED = "not-harmed"
    NO_VERDICT = "no-verdict"
    CONFLICT = "conflict"


UNTRUSTED = (Kind.SPLIT_MISMATCH, Kind.NOT_A_CONVERSION)
"""The kinds with which no figure may be used."""


@dataclass(frozen=True)
class Verdict:
    """A verdict: the sentence for people, the other fields for programs.

    Attributes:
        kind: The kind of verdict.
        sentence: The verdict in words; names in it are as they were sent.
        variant: The arm to keep (WINNER, CONTROL_WINS, AHEAD), or the one that the sentence is
            about; None if it is about none in particular.
        lift: The lift of the winner, or of the variant closest to winning. None if there is no
            comparison, or no conversions to compare.
        better: All variants that are better than the control.
        worse: All variants that are worse.
        days_left: Days until the planned minimum, if that alone keeps it from being decided.
        forecast: When it may be decided; None if it is, or if there are too few visitors.
        goal: In a headline, the goal that it speaks of; None if it speaks of none or of several.
        open_guardrails: The guardrails that a decision on the primary goal may still harm.
        failed: The variants that failed for so many visitors that a decision has to wait.
        reached: The time of the look at which it was known first, in seconds since 1970. None while
            nothing is decided.
        disagrees: The variants about which later data disagrees with what was decided.
    """

    kind: Kind
    sentence: str
    variant: str | None = None
    lift: Lift | None = None
    better: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    days_left: int = 0
    forecast: Forecast | None = None
    goal: str | None = None
    open_guardrails: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    reached: int | None = None
    disagrees: tuple[str, ...] = ()

    @property
    def is_untrusted(self) -> bool:
        """Whether the figures behind the verdict must not be used."""
        return self.kind in UNTRUSTED

    @property
    def safe_to_stop(self) -> bool:
        """Whether the experiment has answered its question.

        Not if a guardrail is open, if a variant failed, or if later data disagrees.
        """
        is_decided = self.kind in (Kind.WINNER, Kind.CONTROL_WINS, Kind.NO_DIFFERENCE)
        return is_decided and not (self.open_guardrails or self.failed or self.disagrees)


NO_DATA = Verdict(Kind.NO_DATA, "No visitors counted yet.")

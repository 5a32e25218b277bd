"""What the figures mean: a verdict in one sentence on one goal of one experiment.

Decides and puts it into words; every figure comes from `gimel.analysis.stats`. A reason to distrust
the data comes before anything else. A winner rests on intervals that hold at every look, never on
the p-value of one look.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from gimel.analysis.counts import EXACT, Arm
from gimel.analysis.phrases import join_names, percent, pluralize, signed_percent
from gimel.analysis.sample_size import visitors_to_detect, visitors_to_resolve
from gimel.analysis.split import Split, check_split
from gimel.analysis.stats import Comparison, Estimate, compare

_MOST_SHARES = 4  # of a wrong split, beyond which the sentence names only the worst one


class Kind(Enum):
    """The kinds of verdict."""

    NO_DATA = "no-data"
    SPLIT_MISMATCH = "split-mismatch"
    NOT_A_CONVERSION = "not-a-conversion"
    SINGLE_VARIANT = "single-variant"
    NO_CONVERSIONS = "no-conversions"
    WINNER = "winner"
    CONTROL_WINS = "control-wins"
    NO_DIFFERENCE = "no-difference"
    TOO_NOISY = "too-noisy"
    TOO_EARLY = "too-early"


@dataclass(frozen=True)
class Verdict:
    """A verdict: the sentence for people, the other fields for programs.

    Attributes:
        kind: The kind of verdict.
        sentence: The verdict in words; names in it are as they were sent.
        variant: The arm to keep (WINNER, CONTROL_WINS), or the one that the sentence is about; None
            if it is about none in particular.
        lift: The always-valid lift of the winner, or of the variant closest to winning. None if
            there is no comparison, or no conversions to compare.
        winners: All variants that beat the control.
        losers: All variants that lose to it.
        more_visitors: Visitors per variant still needed; None unless TOO_EARLY.
    """

    kind: Kind
    sentence: str
    variant: str | None = None
    lift: Estimate | None = None
    winners: tuple[str, ...] = ()
    losers: tuple[str, ...] = ()
    more_visitors: int | None = None

    @property
    def is_untrusted(self) -> bool:
        """Whether the figures behind the verdict must not be used."""
        return self.kind in (Kind.SPLIT_MISMATCH, Kind.NOT_A_CONVERSION)

    @property
    def safe_to_stop(self) -> bool:
        """Whether the experiment has answered its question."""
        return self.kind in (Kind.WINNER, Kind.CONTROL_WINS, Kind.NO_DIFFERENCE)


NO_DATA = Verdict(Kind.NO_DATA, "no data: no visitors counted yet")


@dataclass(frozen=True)
class _Target:
    """What an undecided experiment is measured against: the lift to detect, and how surely."""

    baseline: float
    lift: float
    confidence: float
    power: float


def decide(
    arms: Sequence[Arm],
    control: Arm,
    confidence: float = 0.95,
    minimum_lift: float = 0.1,
    power: float = 0.8,
) -> Verdict:
    """Return the verdict on one goal; `control` is one of `arms`.

    A variant wins or loses when its always-valid intervals exclude zero. Over all variants and all
    looks that is wrong in at most 1 - confidence of experiments. There is no difference worth
    detecting when every always-valid interval of a lift lies within +-`minimum_lift`, the smallest
    lift worth detecting. Until then it is too early; with the number of visitors in the sentence,
    `minimum_lift` is detected with probability `power`.
    """
    refusal = _refusal(arms)
    if refusal:
        return refusal
    comparisons = [
        comparison
        for comparison in compare(arms, control, confidence)
        if comparison.arm.visitors.value
    ]
    winning = [comparison for comparison in comparisons if comparison.wins]
    losing = [comparison for comparison in comparisons if comparison.loses]
    undecided = [
        comparison for comparison in comparisons if not comparison.wins and not comparison.loses
    ]
    if winning:
        return _winner(winning, losing)
    if not undecided:
        return _control_wins(losing)
    if all(_is_within(comparison.anytime_lift, minimum_lift) for comparison in undecided):
        return _no_difference(undecided, losing)
    corrected = 1 - (1 - confidence) / (len(arms) - 1)
    target = _Target(_baseline(arms, control), minimum_lift, corrected, power)
    return _too_early(undecided, losing, target)


def _refusal(arms: Sequence[Arm]) -> Verdict | None:
    """Return why these arms allow no verdict, or None if they do."""
    split = check_split(arms)
    if split.is_mismatch:
        return _mismatch(arms, split)
    misused = [arm for arm in arms if not arm.is_conversion]
    if misused:
        worst = max(misused, key=lambda arm: arm.conversions.value - arm.visitors.value)
        goals = pluralize(worst.conversions.value, "goal")
        visitors = pluralize(worst.visitors.value, "visitor")
        sentence = f"not a conversion: more goals than visitors ({worst.name}: {goals}, {visitors})"
        return Verdict(Kind.NOT_A_CONVERSION, sentence, worst.name)
    seen = [arm for arm in arms if arm.visitors.value]
    if not seen:
        return NO_DATA
    if len(seen) == 1:
        sentence = f"nothing to compare: only {seen[0].name} has visitors"
        return Verdict(Kind.SINGLE_VARIANT, sentence, seen[0].name)
    if not any(arm.conversions.value for arm in arms):
        visitors = pluralize(math.fsum(arm.visitors.value for arm in arms), "visitor")
        return Verdict(Kind.NO_CONVERSIONS, f"no conversions yet among {visitors}")
    return None


def _mismatch(arms: Sequence[Arm], split: Split) -> Verdict:
    """Name all shares of up to four arms; of more arms, the share that is furthest off."""
    cells = [cell for cell in zip(split.observed, split.expected, arms, strict=True) if cell[1]]
    observed, expected, worst = max(
        cells, key=lambda cell: abs(cell[0] - cell[1]) / math.sqrt(cell[1])
    )
    digits = _distinguishing_digits(100 * observed, 100 * expected)
    if len(cells) <= _MOST_SHARES:
        found = "/".join(f"{100 * share:.{digits}f}" for share, _, _ in cells)
        wanted = "/".join(f"{100 * share:.{digits}f}" for _, share, _ in cells)
        problem = f"visitors are split {found}, expected {wanted}"
    else:
        found, wanted = (f"{100 * share:.{digits}f}%" for share in (observed, expected))
        problem = f"{worst.name} has {found} of visitors, expected {wanted}"
    p = f"= {split.p:.{-math.floor(math.log10(split.p))}f}" if split.p >= 1e-6 else "< 0.000001"
    return Verdict(Kind.SPLIT_MISMATCH, f"do not trust this: {problem} (p {p})", worst.name)


def _distinguishing_digits(first: float, second: float) -> int:
    """Return the fewest decimal places at which two numbers differ, at most three."""
    for digits in range(3):
        if f"{first:.{digits}f}" != f"{second:.{digits}f}":
            return digits
    return 3


def _winner(winning: Sequence[Comparison], losing: Sequence[Comparison]) -> Verdict:
    best = _highest(winning)
    control = best.control.name
    others = [comparison for comparison in winning if comparison is not best]
    verb = "beats" if len(others) == 1 else "beat"
    also = f"; {_names(others)} also {verb} {control}" if others else ""
    return Verdict(
        Kind.WINNER,
        f"{best.arm.name} beats {control} ({_evidence(best)}), safe to stop{also}{_lost(losing)}",
        best.arm.name,
        best.anytime_lift,
        winners=tuple(comparison.arm.name for comparison in winning),
        losers=tuple(comparison.arm.name for comparison in losing),
    )


def _control_wins(losing: Sequence[Comparison]) -> Verdict:
    closest = _highest(losing)
    control, name = closest.control.name, closest.arm.name
    if len(losing) == 1:
        beaten = f"{name} ({_evidence(closest)})"
    else:
        beaten = f"every variant ({name} comes closest: {_evidence(closest)})"
    return Verdict(
        Kind.CONTROL_WINS,
        f"{control}, the control, beats {beaten}, safe to stop",
        control,
        closest.anytime_lift,
        losers=tuple(comparison.arm.name for comparison in losing),
    )


def _no_difference(undecided: Sequence[Comparison], losing: Sequence[Comparison]) -> Verdict:
    highest = _highest(undecided)
    lifts = [comparison.anytime_lift for comparison in undecided if comparison.anytime_lift]
    low = signed_percent(min(lift.low for lift in lifts))
    high = signed_percent(max(lift.high for lift in lifts))
    subject = "the lift of" if len(lifts) == 1 else "the lifts of"
    verb = "is" if len(lifts) == 1 else "are"
    return Verdict(
        Kind.NO_DIFFERENCE,
        f"no difference worth detecting: {subject} {_names(undecided)} {verb} between {low} and "
        f"{high}, safe to stop{_lost(losing)}",
        highest.arm.name,
        highest.anytime_lift,
        losers=tuple(comparison.arm.name for comparison in losing),
    )


def _too_early(
    undecided: Sequence[Comparison], losing: Sequence[Comparison], target: _Target
) -> Verdict:
    """Say how many more visitors per variant are needed to detect the wanted lift.

    If there are that many already, say how many are needed to decide at the observed rates.
    """
    highest = _highest(undecided)
    losers = tuple(comparison.arm.name for comparison in losing)
    precision = _precision(undecided)
    current = min(
        arm.visitors.value
        for comparison in undecided
        for arm in (comparison.arm, comparison.control)
    )
    needed = _visitors_to_detect(target, precision)
    purpose = f"detect a {percent(target.lift)} lift"
    if needed is not None and needed <= current:
        needed = _visitors_to_decide(undecided, target, precision)
        purpose = f"tell {_names(undecided)} from {highest.control.name}"
    if needed is None:
        hidden_by_counting = precision != EXACT and _visitors_to_detect(target, EXACT) is not None
        limit = (
            f"at counting precision {precision}"
            if hidden_by_counting
            else "with any feasible number of visitors"
        )
        problem = f"a {percent(target.lift)} lift is too small to detect {limit}"
        return Verdict(
            Kind.TOO_NOISY,
            f"cannot be decided: {problem}{_lost(losing)}",
            highest.arm.name,
            highest.anytime_lift,
            losers=losers,
        )
    more = _round_up(max(needed - current, current / 10, 1))
    visitors = pluralize(more, "more visitor")
    return Verdict(
        Kind.TOO_EARLY,
        f"too early: needs about {visitors} per variant to {purpose}{_lost(losing)}",
        highest.arm.name,
        highest.anytime_lift,
        losers=losers,
        more_visitors=more,
    )


def _visitors_to_detect(target: _Target, precision: int) -> int | None:
    return visitors_to_detect(
        target.baseline, target.lift, target.confidence, target.power, precision
    )


def _visitors_to_decide(
    undecided: Sequence[Comparison], target: _Target, precision: int
) -> int | None:
    """Return the visitors per variant that decide every comparison at the observed rates.

    With them an interval around the observed difference excludes either zero or the wanted lift.
    """
    most = 0
    for comparison in undecided:
        difference, sought = abs(comparison.anytime_difference.value), target.lift * target.baseline
        rates = (comparison.control.rate or target.baseline, comparison.arm.rate or target.baseline)
        delta = max(difference, sought - difference)
        visitors = visitors_to_resolve(rates, delta, target.confidence, precision)
        if visitors is None:
            return None
        most = max(most, visitors)
    return most


def _baseline(arms: Sequence[Arm], control: Arm) -> float:
    """Return the control's rate, or that of all arms together while the control has none."""
    converted = math.fsum(arm.rate * arm.visitors.value for arm in arms)
    return control.rate or converted / math.fsum(arm.visitors.value for arm in arms)


def _precision(undecided: Sequence[Comparison]) -> int:
    """Return the lowest precision that these comparisons were counted with, or `EXACT`."""
    counts = [
        count
        for comparison in undecided
        for arm in (comparison.arm, comparison.control)
        for count in (arm.visitors, arm.conversions)
    ]
    return min((count.precision for count in counts if count.precision != EXACT), default=EXACT)


def _is_within(lift: Estimate | None, bound: float) -> bool:
    return lift is not None and -bound <= lift.low and lift.high <= bound


def _highest(comparisons: Sequence[Comparison]) -> Comparison:
    return max(comparisons, key=lambda comparison: comparison.anytime_difference.value)


def _names(comparisons: Sequence[Comparison]) -> str:
    return join_names([comparison.arm.name for comparison in comparisons])


def _lost(losing: Sequence[Comparison]) -> str:
    if not losing:
        return ""
    verb = "loses" if len(losing) == 1 else "lose"
    return f"; {_names(losing)} {verb} to {losing[0].control.name}"


def _evidence(comparison: Comparison) -> str:
    lift = comparison.anytime_lift
    if lift is None:
        return f"{percent(comparison.arm.rate)} against {percent(comparison.control.rate)}"
    low, high = signed_percent(lift.low), signed_percent(lift.high)
    return f"lift {signed_percent(lift.value)}, between {low} and {high}"


def _round_up(visitors: float) -> int:
    """Round up to two digits: nobody knows such a number more precisely."""
    unit = int(10 ** max(0, math.floor(math.log10(visitors)) - 1))
    return math.ceil(visitors / unit) * unit

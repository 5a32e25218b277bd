"""What the figures mean: for one goal of one experiment, a verdict in one sentence.

Decides and words; every figure comes from `gimel.analysis.stats`. What cannot be trusted is said before anything else, and a winner
rests on intervals that may be looked at every day, never on the p-value of one look.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from gimel.analysis.counts import EXACT, Arm
from gimel.analysis.sample_size import visitors_to_detect, visitors_to_resolve
from gimel.analysis.stats import Comparison, Estimate, Split, compare, split


class Kind(Enum):
    """What there is to say; of two that apply the upper one is said."""

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
    """The verdict: `sentence` for people, the rest for programs.

    `variant` is the arm to keep (WINNER, CONTROL_WINS) or the one that the sentence is about; `lift` is anytime-valid, of the
    winner over the control, or of the variant that came closest to it; `winners` and `losers` are all that beat the control or
    lose to it; `more_visitors` is how many more each variant needs when it is TOO_EARLY.
    """

    kind: Kind
    sentence: str
    variant: str | None = None
    lift: Estimate | None = None
    winners: tuple[str, ...] = ()
    losers: tuple[str, ...] = ()
    more_visitors: int | None = None

    @property
    def safe_to_stop(self) -> bool:
        """Whether the experiment has answered its question."""
        return self.kind in (Kind.WINNER, Kind.CONTROL_WINS, Kind.NO_DIFFERENCE)


def verdict(
    arms: Sequence[Arm],
    control: Arm,
    confidence: float = 0.95,
    wanted_lift: float = 0.1,
    power: float = 0.8,
) -> Verdict:
    """Return the verdict on one goal; `control` is one of `arms`.

    A variant wins or loses when its anytime-valid intervals leave out zero; over all variants and all looks that goes wrong in
    at most 1 - confidence of experiments. There is no difference worth detecting when every such interval of a lift lies within
    +-`wanted_lift`. Until then it is too early: with the visitors named, `wanted_lift` is detected with the chance `power`.
    """
    refusal = _refusal(arms)
    if refusal:
        return refusal
    compared = [
        comparison
        for comparison in compare(arms, control, confidence)
        if comparison.arm.visitors.value
    ]
    winning = [comparison for comparison in compared if comparison.wins]
    losing = [comparison for comparison in compared if comparison.loses]
    undecided = [
        comparison for comparison in compared if not comparison.wins and not comparison.loses
    ]
    if winning:
        return _winner(winning, losing)
    if not undecided:
        return _control_wins(losing)
    if all(_is_within(comparison.anytime_lift, wanted_lift) for comparison in undecided):
        return _no_difference(undecided, losing)
    each = 1 - (1 - confidence) / (len(arms) - 1)
    return _too_early(undecided, losing, _baseline(arms, control), each, wanted_lift, power)


def _refusal(arms: Sequence[Arm]) -> Verdict | None:
    """Return why these arms allow no verdict, or None if they do."""
    seen = [arm for arm in arms if arm.visitors.value]
    misused = [arm for arm in arms if not arm.is_conversion]
    visitors = math.fsum(arm.visitors.value for arm in arms)
    checked = split(arms)
    if checked.is_mismatch:
        return _mismatch(arms, checked)
    if misused:
        worst = max(misused, key=lambda arm: arm.conversions.value - arm.visitors.value)
        counts = f"{worst.name}: {worst.conversions.value:,.0f} goals, {worst.visitors.value:,.0f} visitors"
        return Verdict(
            Kind.NOT_A_CONVERSION,
            f"not a conversion: more goals than visitors ({counts})",
            worst.name,
        )
    if not seen:
        return Verdict(Kind.NO_DATA, "no data: no visitor has been counted yet")
    if len(seen) == 1:
        return Verdict(
            Kind.SINGLE_VARIANT,
            f"nothing to compare: only {seen[0].name} has visitors",
            seen[0].name,
        )
    if not any(arm.conversions.value for arm in arms):
        return Verdict(Kind.NO_CONVERSIONS, f"no conversions yet among {visitors:,.0f} visitors")
    return None


def _mismatch(arms: Sequence[Arm], checked: Split) -> Verdict:
    """Tell the whole split of up to four arms, or of more the arm that is furthest off."""
    cells = [cell for cell in zip(checked.observed, checked.expected, arms, strict=True) if cell[1]]
    observed, expected, worst = max(
        cells, key=lambda cell: abs(cell[0] - cell[1]) / math.sqrt(cell[1])
    )
    digits = next(
        (
            digits
            for digits in range(3)
            if f"{100 * observed:.{digits}f}" != f"{100 * expected:.{digits}f}"
        ),
        3,
    )
    if len(cells) <= 4:
        came = "/".join(f"{100 * share:.{digits}f}" for share, _, _ in cells)
        meant = "/".join(f"{100 * share:.{digits}f}" for _, share, _ in cells)
        found = f"visitors are split {came} where {meant} was expected"
    else:
        found = f"{worst.name} has {100 * observed:.{digits}f}% of visitors where {100 * expected:.{digits}f}% was expected"
    chance = (
        f"p = {checked.p:.{-math.floor(math.log10(checked.p))}f}"
        if checked.p >= 1e-6
        else "p < 0.000001"
    )
    return Verdict(Kind.SPLIT_MISMATCH, f"do not trust this: {found} ({chance})", worst.name)


def _winner(winning: Sequence[Comparison], losing: Sequence[Comparison]) -> Verdict:
    best = max(winning, key=lambda comparison: comparison.anytime_difference.value)
    others = [comparison for comparison in winning if comparison is not best]
    too = f"; {_names(others)} {'beats' if len(others) == 1 else 'beat'} it too" if others else ""
    return Verdict(
        Kind.WINNER,
        f"{best.arm.name} beats {best.control.name} ({_by(best)}), safe to stop{too}{_lost(losing)}",
        best.arm.name,
        best.anytime_lift,
        winners=tuple(comparison.arm.name for comparison in winning),
        losers=tuple(comparison.arm.name for comparison in losing),
    )


def _control_wins(losing: Sequence[Comparison]) -> Verdict:
    closest = max(losing, key=lambda comparison: comparison.anytime_difference.value)
    control, name = closest.control.name, closest.arm.name
    beaten = (
        f"{name} ({_by(closest)})"
        if len(losing) == 1
        else f"every variant ({name} comes closest: {_by(closest)})"
    )
    return Verdict(
        Kind.CONTROL_WINS,
        f"{control}, the control, beats {beaten}, safe to stop",
        control,
        closest.anytime_lift,
        losers=tuple(comparison.arm.name for comparison in losing),
    )


def _no_difference(undecided: Sequence[Comparison], losing: Sequence[Comparison]) -> Verdict:
    highest = max(undecided, key=lambda comparison: comparison.anytime_difference.value)
    lifts = [comparison.anytime_lift for comparison in undecided if comparison.anytime_lift]
    between = f"between {_signed(min(lift.low for lift in lifts))} and {_signed(max(lift.high for lift in lifts))}"
    which = (
        f"the lift of {highest.arm.name} is"
        if len(lifts) == 1
        else f"the lifts of {_names(undecided)} are"
    )
    return Verdict(
        Kind.NO_DIFFERENCE,
        f"no difference worth detecting: {which} {between}, safe to stop{_lost(losing)}",
        highest.arm.name,
        highest.anytime_lift,
        losers=tuple(comparison.arm.name for comparison in losing),
    )


def _too_early(
    undecided: Sequence[Comparison],
    losing: Sequence[Comparison],
    baseline: float,
    each: float,
    wanted: float,
    power: float,
) -> Verdict:
    """Tell how many more visitors a variant are needed to detect the wanted lift; past that, to decide at the rates seen."""
    highest = max(undecided, key=lambda comparison: comparison.anytime_difference.value)
    losers = tuple(comparison.arm.name for comparison in losing)
    precision = _precision(undecided)
    have = min(
        arm.visitors.value
        for comparison in undecided
        for arm in (comparison.arm, comparison.control)
    )
    need = visitors_to_detect(baseline, wanted, each, power, precision)
    purpose = f"detect a {_percent(wanted)} lift"
    if need is not None and need <= have:
        need = _visitors_to_decide(undecided, baseline, each, wanted, precision)
        purpose = f"tell {_names(undecided)} from {highest.control.name}"
    if need is None:
        hidden_by = "than any feasible number of visitors can show"
        if (
            precision != EXACT
            and visitors_to_detect(baseline, wanted, each, power, EXACT) is not None
        ):
            hidden_by = f"than counting at precision {precision} can show"
        sentence = (
            f"cannot be told: a {_percent(wanted)} lift is smaller {hidden_by}{_lost(losing)}"
        )
        return Verdict(
            Kind.TOO_NOISY, sentence, highest.arm.name, highest.anytime_lift, losers=losers
        )
    more = _about(max(need - have, have / 10, 1))
    sentence = f"too early: about {more:,} more visitors a variant to {purpose}{_lost(losing)}"
    return Verdict(
        Kind.TOO_EARLY,
        sentence,
        highest.arm.name,
        highest.anytime_lift,
        losers=losers,
        more_visitors=more,
    )


def _visitors_to_decide(
    undecided: Sequence[Comparison], baseline: float, each: float, wanted: float, precision: int
) -> int | None:
    """Return the visitors a variant after which intervals as narrow as the differences now observed would leave out either zero
    or the wanted lift."""
    most = 0
    for comparison in undecided:
        difference, sought = abs(comparison.anytime_difference.value), wanted * baseline
        rates = (comparison.control.rate or baseline, comparison.arm.rate or baseline)
        visitors = visitors_to_resolve(rates, max(difference, sought - difference), each, precision)
        if visitors is None:
            return None
        most = max(most, visitors)
    return most


def _baseline(arms: Sequence[Arm], control: Arm) -> float:
    """Return the control's rate, or that of all arms together while the control has none."""
    converted = math.fsum(arm.rate * arm.visitors.value for arm in arms)
    return control.rate or converted / math.fsum(arm.visitors.value for arm in arms)


def _precision(undecided: Sequence[Comparison]) -> int:
    """Return the precision that limits these comparisons: the lowest of those counted with, or `EXACT`."""
    counts = [
        count
        for each in undecided
        for arm in (each.arm, each.control)
        for count in (arm.visitors, arm.conversions)
    ]
    return min((count.precision for count in counts if count.precision != EXACT), default=EXACT)


def _is_within(lift: Estimate | None, wanted: float) -> bool:
    return lift is not None and -wanted <= lift.low and lift.high <= wanted


def _names(comparisons: Sequence[Comparison]) -> str:
    *others, last = (comparison.arm.name for comparison in comparisons)
    return f"{', '.join(others)} and {last}" if others else last


def _lost(losing: Sequence[Comparison]) -> str:
    return (
        f"; {_names(losing)} {'loses' if len(losing) == 1 else 'lose'} to {losing[0].control.name}"
        if losing
        else ""
    )


def _by(comparison: Comparison) -> str:
    lift = comparison.anytime_lift
    if lift is None:
        return f"{_percent(comparison.arm.rate)} against {_percent(comparison.control.rate)}"
    return f"lift {_signed(lift.value)}, between {_signed(lift.low)} and {_signed(lift.high)}"


def _percent(share: float) -> str:
    """Write a share in percent, with two digits below 10%: 12%, 3.4%, 0.05%."""
    percent = 100 * share
    if abs(percent) < 0.005:
        return "0%"
    return f"{percent:,.0f}%" if abs(percent) >= 9.95 else f"{percent:.2g}%"


def _signed(share: float) -> str:
    return f"+{_percent(share)}" if share > 0 else _percent(share)


def _about(visitors: float) -> int:
    """Round up to two digits: nobody knows such a number better."""
    unit = int(10 ** max(0, math.floor(math.log10(visitors)) - 1))
    return math.ceil(visitors / unit) * unit

"""The decision on one goal: which variant wins, or what keeps it from being decided.

Decides; `gimel.analysis.sentences` puts the figures into words. A reason to distrust the data comes
before anything else. A winner rests on the always-valid interval, never on the p-value of one look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from gimel.analysis import sentences
from gimel.analysis.comparison import Comparison
from gimel.analysis.counts import EXACT, Arm
from gimel.analysis.design import Role
from gimel.analysis.forecast import Forecast, Progress, estimate
from gimel.analysis.phrases import exact_percent, join_names, pluralize, quote, quote_names
from gimel.analysis.refusals import refuse
from gimel.analysis.verdict import Kind, Verdict

SAFE = "Safe to stop."
"""Ends the sentence of a verdict that is safe to stop at."""

UNTIL_NOW = "This holds if you stop now,"
"""Begins what ends the sentence of a decision that leaves a guardrail open."""


@dataclass(frozen=True)
class Case:
    """What a verdict on one goal rests on.

    Attributes:
        control: The control.
        comparisons: The comparison of every other variant with it.
        role: What the goal is for.
        progress: How far the experiment has come.
        control_is_guess: Whether the control was chosen only because it is first by name.
        failed: The variants that failed for many visitors, who saw the control instead.
        better_elsewhere: The variants that are better under another goal of the same importance.
        worse_elsewhere: Those that are worse under another goal that may decide.
        guardrails: What the verdicts on the guardrails of a primary goal rest on, by name.
    """

    control: Arm
    comparisons: tuple[Comparison, ...]
    role: Role
    progress: Progress
    control_is_guess: bool = False
    failed: tuple[str, ...] = ()
    better_elsewhere: frozenset[str] = frozenset()
    worse_elsewhere: frozenset[str] = frozenset()
    guardrails: Mapping[str, Case] = field(default_factory=dict)

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The variants: the control first."""
        return (self.control, *(comparison.arm for comparison in self.comparisons))

    @cached_property
    def judged(self) -> tuple[Comparison, ...]:
        """The comparisons that the verdict is about: of variants with visitors and a weight."""
        return tuple(each for each in self.comparisons if each.has_visitors and each.arm.weight)

    @property
    def is_conversion(self) -> bool:
        """Whether the goal can be a conversion: no variant has more goals than visitors."""
        return all(arm.is_conversion for arm in self.arms)

    @property
    def is_guardrail(self) -> bool:
        """Whether the goal must not get worse."""
        return self.role is Role.GUARDRAIL

    def decided(self, direction: int) -> frozenset[str]:
        """Return the variants that are better (1) or worse (-1) than the control."""
        return frozenset(each.arm.name for each in self.judged if each.direction == direction)

    @property
    def lift(self) -> float:
        """The lift worth detecting."""
        return self.comparisons[0].question.lift

    @property
    def over(self) -> str:
        """The control as it is called in a comparison."""
        guess = ", the assumed control" if self.control_is_guess else ""
        return f"{quote(self.control.name)}{guess}"


def decide(case: Case) -> Verdict:
    """Return the verdict on one goal.

    A variant wins or loses when its always-valid interval excludes zero. There is no difference
    when every interval lies within the lift worth detecting on both sides and no fixed-horizon
    interval excludes zero. Before the minimum days a winner is only ahead. If all winners are worse
    under another goal, or the losers better, it is a conflict.
    """
    if refusal := refuse(case.arms):
        return refusal
    if case.role is Role.SECONDARY:
        return _without_verdict(case)
    if case.is_guardrail:
        return _guard(case)
    better = [comparison for comparison in case.judged if comparison.direction > 0]
    if better:
        harmless = [each for each in better if each.arm.name not in case.worse_elsewhere]
        return _winner(case, max(harmless or better, key=_gain), not harmless)
    undecided = [comparison for comparison in case.judged if not comparison.direction]
    if not undecided:
        return _control_wins(case)
    is_small = all(comparison.is_small for comparison in undecided)
    if is_small and not any(comparison.leaning for comparison in undecided):
        return _no_difference(case, undecided)
    return _undecided(case, undecided, is_small)


def describe(case: Case, direction: int) -> str:
    """Return which variants are better (1) or worse (-1) than the control, and by how much."""
    return "; ".join(
        f"{quote(each.arm.name)} {sentences.effect(each, case.over)}"
        for each in case.judged
        if each.direction == direction
    )


def _winner(case: Case, best: Comparison, is_harmful: bool) -> Verdict:
    found = f"{sentences.effect(best, case.over)}."
    others = [each for each in case.judged if each is not best]
    found += sentences.mention([each for each in others if each.direction > 0], "also better")
    found += _lost(others)
    found += sentences.mention([each for each in others if not each.direction], "not decided")
    name, days = quote(best.arm.name), case.progress.days_left
    fix = _fix_first(case, best.arm.name, "choose")
    if is_harmful:
        harm = "harms a guardrail" if case.role is Role.PRIMARY else "is worse under another goal"
        kind, sentence = Kind.CONFLICT, f"{name} {found} But it {harm}."
    elif days:
        kind, sentence = Kind.AHEAD, f"{name} is ahead: it {found} {sentences.wait(case.progress)}"
    elif is_open := _open_guardrails(case, [best.arm.name]):
        by = f" by {name}" if len(case.judged) > 1 else ""
        subject = f"{fix}it" if fix else name
        sentence = f"{subject} {found} {_until_now(is_open, by)}"
        return replace(_verdict(case, Kind.WINNER, sentence, best), open_guardrails=is_open)
    else:
        kind = Kind.WINNER
        sentence = f"{fix or f'Choose {name}: '}it {found}{_ending(case)}"
    return _verdict(case, kind, sentence, best, days_left=days)


def _control_wins(case: Case) -> Verdict:
    closest = max(case.judged, key=_gain)
    name = quote(closest.arm.name)
    found = f"{name} {sentences.effect(closest)}."
    if len(case.judged) > 1:
        effect = sentences.effect(closest)
        found = f"every variant is worse. The closest is {name}, which {effect}."
    control = sentences.label_control(case.control.name, case.control_is_guess)
    days = case.progress.days_left
    if helped := case.better_elsewhere & case.decided(-1):
        verb = "is" if len(helped) == 1 else "are"
        kind = Kind.CONFLICT
        sentence = f"{found} But {quote_names(sorted(helped))} {verb} better under another goal."
    elif days:
        kind = Kind.AHEAD
        sentence = f"{control} is ahead: {found} {sentences.wait(case.progress)}"
    else:
        kind = Kind.CONTROL_WINS
        fix = _fix_first(case, case.control.name, "keep")
        sentence = f"{fix or f'Keep {control}: '}{found}{_ending(case)}"
    return replace(
        _verdict(case, kind, sentence, closest, days_left=days), variant=case.control.name
    )


def _no_difference(case: Case, undecided: Sequence[Comparison]) -> Verdict:
    closest, days = max(undecided, key=_gain), case.progress.days_left
    bound = f"{exact_percent(case.lift)} or more{_in_failures(undecided)}"
    if days:
        wait = sentences.wait(case.progress)
        sentence = f"No difference of {bound} so far.{_lost(case.judged)} {wait}"
        return _verdict(case, Kind.TOO_EARLY, sentence, closest, days_left=days)
    between = sentences.bounds(undecided)
    is_open = _open_guardrails(case, [each.arm.name for each in undecided])
    sentence = f"No difference of {bound}: {between}.{_lost(case.judged)}"
    sentence += f" {_until_now(is_open)}" if is_open else _ending(case)
    verdict = _verdict(case, Kind.NO_DIFFERENCE, sentence, closest)
    return replace(verdict, open_guardrails=is_open)


def _open_guardrails(case: Case, variants: Sequence[str]) -> tuple[str, ...]:
    """Return the guardrails that choosing one of these variants may harm, by a lift that matters.

    A guardrail that is not a conversion is a doubt about the whole experiment.
    """
    return tuple(
        name
        for name, guardrail in case.guardrails.items()
        if guardrail.is_conversion
        and any(
            not each.direction and not each.is_small
            for each in guardrail.comparisons
            if each.arm.name in variants
        )
    )


def _until_now(guardrails: Sequence[str], by: str = "") -> str:
    """Return what holds if the experiment ends now, and which guardrails are open."""
    noun = "guardrail" if len(guardrails) == 1 else "guardrails"
    return f"{UNTIL_NOW} but harm to {noun} {quote_names(guardrails)}{by} is not ruled out yet."


def _fix_first(case: Case, chosen: str, verb: str) -> str:
    """Return the start of a sentence: what to fix first; '' if neither arm of it failed."""
    broken = [name for name in case.failed if name in (chosen, case.control.name)]
    if not broken:
        return ""
    what = "it" if broken == [chosen] else quote(chosen)
    return f"Fix {quote_names(broken)} before you {verb} {what}: "


def _ending(case: Case) -> str:
    """Return what ends a decision, with a space in front: that it is safe, or what it hides."""
    if not case.failed:
        return f" {SAFE}"
    diluted = [name for name in case.failed if name != case.control.name]
    if not diluted:
        return ""
    verb = "is" if len(diluted) == 1 else "are"
    return f" The difference may be larger once {quote_names(diluted)} {verb} fixed."


def _undecided(case: Case, undecided: Sequence[Comparison], is_small: bool) -> Verdict:
    """Return when there may be a decision, and how small the difference is if that is known."""
    closest, progress = max(undecided, key=_gain), case.progress
    forecast = estimate(undecided, progress)
    lift, in_failures = exact_percent(case.lift), _in_failures(undecided)
    if is_small:
        leaning = join_names([_lean(each) for each in undecided if each.leaning])
        kind = Kind.SMALL_DIFFERENCE
        start = f"Not decided, but no difference of {lift} or more{in_failures}: {leaning}."
    elif forecast and forecast.is_hopeless:
        return _too_noisy(case, undecided)
    else:
        kind, start = Kind.TOO_EARLY, "Not decided yet."
        if progress.planned is not None and progress.is_plan_complete:
            planned = pluralize(progress.planned, "visitor")
            start = f"Not decided after the planned {planned}."
    when = (
        sentences.outlook(forecast, _worth_detecting(case, undecided), len(case.judged) > 1)
        if forecast
        else "There are too few visitors to estimate how long it takes."
    )
    return _verdict(case, kind, f"{start} {when}{_lost(case.judged)}", closest, forecast=forecast)


def _too_noisy(case: Case, undecided: Sequence[Comparison]) -> Verdict:
    counts = [
        count
        for each in undecided
        for arm in (each.arm, each.control)
        for count in (arm.visitors, arm.conversions)
    ]
    precision = min((each.precision for each in counts if each.precision != EXACT), default=EXACT)
    where = "" if precision == EXACT else f" at counting precision {precision}"
    hidden = "the difference seen"
    if not any(each.leaning for each in undecided):
        hidden += f" and a {_worth_detecting(case, undecided)}"
    sentence = (
        f"Unlikely to be decided{where}: the counting error hides {hidden}. A new experiment can"
        " have a higher precision in config.json."
    )
    closest = max(undecided, key=_gain)
    return _verdict(case, Kind.TOO_NOISY, f"{sentence}{_lost(case.judged)}", closest)


def _guard(case: Case) -> Verdict:
    """Return whether a guardrail is harmed. Harm is reported before the minimum days, too.

    What a single look would call worse is not said to be unharmed, however little it is.
    """
    worst = min(case.judged, key=_gain)
    if any(comparison.direction < 0 for comparison in case.judged):
        return _verdict(case, Kind.HARMED, f"Harmed: {describe(case, -1)}.", worst)
    found = _intervals(case)
    if all(comparison.direction > 0 or comparison.is_small for comparison in case.judged):
        if leaning := [comparison for comparison in case.judged if comparison.leaning < 0]:
            leans = join_names(list(map(_lean, leaning)))
            sentence = f"No harm of {exact_percent(case.lift)} or more, but {leans}."
            return _verdict(case, Kind.SMALL_DIFFERENCE, sentence, worst)
        ending = _ending(case).removesuffix(f" {SAFE}")
        sentence = f"No harm of {exact_percent(case.lift)} or more ({found}).{ending}"
        return _verdict(case, Kind.NOT_HARMED, sentence, worst)
    return _verdict(case, Kind.TOO_EARLY, f"Harm not ruled out yet ({found}).", worst)


def _without_verdict(case: Case) -> Verdict:
    """Return the intervals of a goal that the design does not ask about."""
    sentence = f"Secondary goal, shown without a verdict ({_intervals(case)})."
    return _verdict(case, Kind.NO_VERDICT, sentence, max(case.judged, key=_gain))


def _verdict(
    case: Case,
    kind: Kind,
    sentence: str,
    about: Comparison,
    days_left: int = 0,
    forecast: Forecast | None = None,
) -> Verdict:
    return Verdict(
        kind,
        sentence,
        about.arm.name,
        about.lift,
        better=tuple(sorted(case.decided(1))),
        worse=tuple(sorted(case.decided(-1))),
        days_left=days_left,
        forecast=forecast,
        failed=case.failed,
    )


def _intervals(case: Case) -> str:
    return "; ".join(f"{quote(each.arm.name)}: {sentences.interval(each)}" for each in case.judged)


def _lean(comparison: Comparison) -> str:
    direction = "better" if comparison.leaning > 0 else "worse"
    return f"{quote(comparison.arm.name)} leans {direction} ({sentences.interval(comparison)})"


def _lost(comparisons: Sequence[Comparison]) -> str:
    return sentences.mention([each for each in comparisons if each.direction < 0], "worse")


def _in_failures(comparisons: Sequence[Comparison]) -> str:
    """Return what the lift worth detecting is one of, unless it is one of conversions."""
    return f" in {sentences.FAILURES}" if all(each.failures for each in comparisons) else ""


def _worth_detecting(case: Case, comparisons: Sequence[Comparison]) -> str:
    """Return the lift worth detecting: "10% lift", "10% change in failures to convert"."""
    in_failures = _in_failures(comparisons)
    return f"{exact_percent(case.lift)} {'change' if in_failures else 'lift'}{in_failures}"


def _gain(comparison: Comparison) -> float:
    return comparison.gain

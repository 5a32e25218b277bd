"""The decision on one goal: which variant wins, or what keeps it from being decided.

Decides; `gimel.analysis.sentences` puts the figures into words. A reason to distrust the data comes
before anything else. A winner rests on the always-valid interval, never on the p-value of one look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gimel.analysis import dating, sentences
from gimel.analysis.case import Case, describe
from gimel.analysis.comparison import Comparison
from gimel.analysis.counts import EXACT
from gimel.analysis.design import Role
from gimel.analysis.forecast import Forecast, estimate
from gimel.analysis.phrases import day, exact_percent, join_names, pluralize, quote, quote_names
from gimel.analysis.refusals import refuse
from gimel.analysis.verdict import Kind, Verdict

SAFE = "Safe to stop."
"""Ends the sentence of a verdict that is safe to stop at."""

UNTIL_NOW = "This holds if you stop now,"
"""Begins what ends the sentence of a decision that leaves a guardrail open."""


def decide(case: Case) -> Verdict:
    """Return the verdict on one goal.

    A variant wins or loses when its always-valid interval excludes zero. There is no difference
    when every interval lies within the lift worth detecting on both sides and no fixed-horizon
    interval excludes zero. Before the minimum days a winner is only ahead. If all winners are worse
    under another goal, or the losers better, it is a conflict.

    What was decided at an earlier look stays, with the time of that look. If later data disagrees
    with it, the sentence says so, and nothing is safe to stop at.
    """
    if refusal := refuse(case.arms, case.mismatch_since):
        return refusal
    if case.role is Role.SECONDARY:
        return _without_verdict(case)
    if case.is_guardrail:
        return _guard(case)
    better = [comparison for comparison in case.judged if comparison.direction > 0]
    if better:
        harmless = [each for each in better if each.arm.name not in case.worse_elsewhere]
        return _winner(case, max(harmless or better, key=_rank), not harmless)
    undecided = [comparison for comparison in case.judged if not comparison.direction]
    if not undecided:
        return _control_wins(case)
    is_small = all(comparison.is_small for comparison in undecided)
    if is_small and (reached := dating.no_difference_since(case, undecided)) is not None:
        return _no_difference(case, undecided, reached)
    return _undecided(case, undecided, is_small)


def _winner(case: Case, best: Comparison, is_harmful: bool) -> Verdict:
    found = f"{sentences.effect(best, case.over)}."
    others = [each for each in case.judged if each is not best]
    agreed = [each for each in others if not each.disagrees]
    found += sentences.mention([each for each in agreed if each.direction > 0], "also better")
    found += _lost(others)
    found += sentences.mention([each for each in others if not each.direction], "not decided")
    found += dating.disputes(others)
    name, days, reached = (
        quote(best.arm.name),
        case.progress.days_left,
        dating.decided_at(case, best),
    )
    fix = _fix_first(case, best.arm.name, "choose")
    if is_harmful:
        harm = "harms a guardrail" if case.role is Role.PRIMARY else "is worse under another goal"
        kind, sentence = Kind.CONFLICT, f"{name} {found} But it {harm}."
        reached = max(reached, case.worse_elsewhere[best.arm.name])
    elif best.disagrees:
        kind, sentence = Kind.WINNER, f"{name} {found}"
    elif days:
        kind, sentence = Kind.AHEAD, f"{name} is ahead: it {found} {sentences.wait(case.progress)}"
        return _verdict(case, kind, sentence, best, days_left=days)
    elif is_open := _open_guardrails(case, [best.arm.name]):
        by = f" by {name}" if len(case.judged) > 1 else ""
        subject = f"{fix}it" if fix else name
        sentence = f"{subject} {found}{dating.known_since(case, reached)} {_until_now(is_open, by)}"
        verdict = _verdict(case, Kind.WINNER, sentence, best, reached=reached)
        return replace(verdict, open_guardrails=is_open)
    else:
        kind = Kind.WINNER
        start = fix or f"Choose {name}: "
        sentence = f"{start}it {found}{dating.known_since(case, reached)}{_ending(case)}"
    return _verdict(case, kind, sentence, best, days_left=days, reached=reached)


def _control_wins(case: Case) -> Verdict:
    closest = max(case.judged, key=_rank)
    name = quote(closest.arm.name)
    found = f"{name} {sentences.effect(closest)}."
    if len(case.judged) > 1:
        effect = sentences.effect(closest)
        found = f"every variant is worse. The closest is {name}, which {effect}."
        found += dating.disputes([each for each in case.judged if each is not closest])
    control = sentences.label_control(case.control.name, case.control_is_guess)
    days, reached = (
        case.progress.days_left,
        max(dating.decided_at(case, each) for each in case.judged),
    )
    lost = case.decided(-1)
    if helped := sorted(name for name in case.better_elsewhere if name in lost):
        verb = "is" if len(helped) == 1 else "are"
        kind = Kind.CONFLICT
        sentence = f"{found} But {quote_names(helped)} {verb} better under another goal."
        reached = max(reached, min(case.better_elsewhere[each] for each in helped))
    elif days:
        kind = Kind.AHEAD
        sentence = f"{control} is ahead: {found} {sentences.wait(case.progress)}"
    elif closest.disagrees:
        kind, sentence = Kind.CONTROL_WINS, f"{found[0].upper()}{found[1:]}"
    else:
        kind = Kind.CONTROL_WINS
        fix = _fix_first(case, case.control.name, "keep")
        sentence = (
            f"{fix or f'Keep {control}: '}{found}{dating.known_since(case, reached)}{_ending(case)}"
        )
    at = None if kind is Kind.AHEAD else reached
    verdict = _verdict(case, kind, sentence, closest, days_left=days, reached=at)
    return replace(verdict, variant=case.control.name)


def _no_difference(case: Case, undecided: Sequence[Comparison], reached: int) -> Verdict:
    closest, days = max(undecided, key=_gain), case.progress.days_left
    bound = f"{exact_percent(case.lift)} or more{_in_failures(undecided)}"
    if days:
        wait = sentences.wait(case.progress)
        sentence = f"No difference of {bound} so far.{_lost(case.judged)} {wait}"
        return _verdict(case, Kind.TOO_EARLY, sentence, closest, days_left=days)
    if changed := [each for each in undecided if each.disagrees]:
        now = "; ".join(f"{quote(each.arm.name)} {sentences.now(each)}" for each in changed)
        sentence = (
            f"No difference of {bound} was found on {day(reached)}, but later data disagrees:"
            f" {now}.{_lost(case.judged)}"
        )
        return _verdict(case, Kind.NO_DIFFERENCE, sentence, closest, reached=reached)
    between = sentences.bounds(undecided)
    is_open = _open_guardrails(case, [each.arm.name for each in undecided])
    sentence = (
        f"No difference of {bound}: {between}.{_lost(case.judged)}{dating.disputes(case.judged)}"
    )
    sentence += dating.known_since(case, reached)
    sentence += f" {_until_now(is_open)}" if is_open else _ending(case)
    verdict = _verdict(case, Kind.NO_DIFFERENCE, sentence, closest, reached=reached)
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
    if any(each.disagrees for each in case.judged):
        return ""
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
        if progress.is_idle:
            start = "Not decided yet, and no visitors in the last 7 days."
        if progress.planned is not None and progress.is_plan_complete:
            planned = pluralize(progress.planned, "visitor")
            start = f"Not decided after the planned {planned}."
    when = (
        sentences.outlook(forecast, _worth_detecting(case, undecided), len(case.judged) > 1)
        if forecast
        else "There are too few visitors to estimate how long it takes."
    )
    sentence = f"{start} {when}{_lost(case.judged)}{dating.disputes(case.judged)}"
    return _verdict(case, kind, sentence, closest, forecast=forecast)


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
    if harmed := [comparison for comparison in case.judged if comparison.direction < 0]:
        reached = min(dating.decided_at(case, each) for each in harmed)
        sentence = f"Harmed: {describe(case, -1)}.{dating.known_since(case, reached)}"
        return _verdict(case, Kind.HARMED, sentence, worst, reached=reached)
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
    reached: int | None = None,
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
        reached=reached,
        disagrees=tuple(each.arm.name for each in case.judged if each.disagrees),
    )


def _intervals(case: Case) -> str:
    return "; ".join(f"{quote(each.arm.name)}: {sentences.interval(each)}" for each in case.judged)


def _lean(comparison: Comparison) -> str:
    direction = "better" if comparison.leaning > 0 else "worse"
    return f"{quote(comparison.arm.name)} leans {direction} ({sentences.interval(comparison)})"


def _lost(comparisons: Sequence[Comparison]) -> str:
    worse = [each for each in comparisons if each.direction < 0 and not each.disagrees]
    return sentences.mention(worse, "worse")


def _in_failures(comparisons: Sequence[Comparison]) -> str:
    """Return what the lift worth detecting is one of, unless it is one of conversions."""
    return f" in {sentences.FAILURES}" if all(each.failures for each in comparisons) else ""


def _worth_detecting(case: Case, comparisons: Sequence[Comparison]) -> str:
    """Return the lift worth detecting: "10% lift", "10% change in failures to convert"."""
    in_failures = _in_failures(comparisons)
    return f"{exact_percent(case.lift)} {'change' if in_failures else 'lift'}{in_failures}"


def _gain(comparison: Comparison) -> float:
    return comparison.gain


def _rank(comparison: Comparison) -> tuple[bool, float]:
    """Return what decides among variants: one about which later data disagrees comes last."""
    return not comparison.disagrees, comparison.gain

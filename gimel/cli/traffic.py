"""The visitors that the options of `gimel simulate` describe: rates, goals and weights.

Parses the options and checks that they agree. It sends and prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import click

from gimel.analysis.failed import FAILED_EVENT
from gimel.analysis.phrases import join_names
from gimel.api.simulation import MAX_GOALS, Rate
from gimel.errors import suggest
from gimel.runtime import fields
from gimel.runtime.errors import BadRequest
from gimel.runtime.event import PARTICIPATE

DEFAULT_RATES = "red=0.05,blue=0.055"
DEFAULT_GOAL = "conversion"

_LARGEST_WEIGHT = 1_000_000  # as in config.json

Value = TypeVar("Value")
Rates = dict[str, Rate]


@dataclass(frozen=True)
class Goal:
    """A goal as --goal gives it. Without `rates` it has those of --rates."""

    name: str
    rates: Rates | None = None


def parse_name(_context: click.Context, _option: click.Parameter, text: str) -> str:
    """Return a name that the track URL accepts."""
    return _check_name(text)


def parse_rates(_context: click.Context, _option: click.Parameter, text: str | None) -> Rates:
    """Return red=0.05,blue=0.055 as {variant: rate}; {} without the option."""
    return {} if text is None else _rates(text)


def parse_goals(
    _context: click.Context, _option: click.Parameter, texts: Sequence[str]
) -> tuple[Goal, ...]:
    """Return each NAME or NAME:RATES; the default goal without the option."""
    goals = tuple(map(_goal, texts)) or (Goal(DEFAULT_GOAL),)
    names: set[str] = set()
    for goal in goals:
        if goal.name in names:
            raise click.BadParameter(f"{goal.name!r} is given twice.")
        names.add(goal.name)
    if len(goals) > MAX_GOALS:
        raise click.BadParameter(f"at most {MAX_GOALS} goals are possible, not {len(goals)}.")
    return goals


def parse_weights(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> dict[str, float]:
    """Return red=2,blue=1 as {variant: weight}; {} without the option."""
    if text is None:
        return {}
    weights = _assignments(
        text,
        _weight,
        f"VARIANT=WEIGHT with a weight from 0 to {_LARGEST_WEIGHT:,}, like red=2",
    )
    if not any(weights.values()):
        raise click.BadParameter("at least one weight must be above 0.")
    return weights


def combine_goals(goals: Sequence[Goal], rates: Rates) -> dict[str, Rates]:
    """Return {goal: {variant: rate}}, the same variants for every goal.

    `rates` are those of --rates, {} if it was not given. Raises UsageError.
    """
    if rates and all(goal.rates for goal in goals):
        raise click.UsageError(
            "--rates is not needed: every --goal has its own rates. Remove one of them."
        )
    shared = rates or _rates(DEFAULT_RATES)
    combined = {goal.name: goal.rates or shared for goal in goals}
    first, *others = combined
    for name in others:
        _check_variants(f"The goal {name!r}", "rate", combined[name], combined[first])
    return combined


def combine_weights(weights: Mapping[str, float], variants: Collection[str]) -> dict[str, float]:
    """Return the weight of each variant, 1 if --weights was not given. Raises UsageError."""
    if not weights:
        return dict.fromkeys(variants, 1.0)
    _check_variants("--weights", "weight", weights, variants)
    return {variant: weights[variant] for variant in variants}


def _goal(text: str) -> Goal:
    before, equals, _ = text.partition("=")
    if not equals:
        return Goal(_check_goal(text))
    name, colon, _ = before.rpartition(":")
    if not colon:
        raise click.BadParameter(
            f"expected NAME or NAME:RATES, like buy:red=0.05,blue=0.06; got {text!r}."
        )
    return Goal(_check_goal(name), _rates(text[len(name) + 1 :]))


def _check_goal(name: str) -> str:
    if name == PARTICIPATE:
        raise click.BadParameter(
            f"a goal cannot be named {PARTICIPATE!r}: every visitor sends that event."
        )
    if name == FAILED_EVENT:
        raise click.BadParameter(
            f"a goal cannot be named {FAILED_EVENT!r}: a variant that fails sends that event."
        )
    return _check_name(name)


def _rates(text: str) -> Rates:
    return _assignments(text, _rate, "VARIANT=RATE with a rate from 0 to 1, like red=0.05")


def _rate(text: str) -> Rate:
    """Return 0.08..0.05/0.05 as a rate. Raises ValueError."""
    parts: list[tuple[float, float]] = []
    for part in text.split("/"):
        start, dots, end = part.partition("..")
        parts.append((_share(start), _share(end if dots else start)))
    return Rate(tuple(parts))


def _share(text: str) -> float:
    return _number(text, 1)


def _weight(text: str) -> float:
    return _number(text, _LARGEST_WEIGHT)


def _number(text: str, largest: float) -> float:
    number = float(text)
    if not 0 <= number <= largest:  # also if it is not a number
        raise ValueError
    return number


def _assignments(text: str, parse: Callable[[str], Value], expected: str) -> dict[str, Value]:
    """Return red=1,blue=2 as {variant: value}. Raises BadParameter."""
    values: dict[str, Value] = {}
    for item in text.split(","):
        variant, _, value = item.rpartition("=")
        variant = variant.strip()
        try:
            parsed = parse(value)
        except ValueError:
            parsed = None
        if not variant or parsed is None:
            raise click.BadParameter(f"expected {expected}; got {item!r}.")
        if variant in values:
            raise click.BadParameter(f"{variant!r} is given twice.")
        values[_check_name(variant)] = parsed
    return values


def _check_name(name: str) -> str:
    try:
        return fields.text({"the name": name}, "the name")
    except BadRequest as error:
        raise click.BadParameter(f"{error}.") from None


def _check_variants(
    subject: str, noun: str, given: Collection[str], expected: Collection[str]
) -> None:
    for variant in given:
        if variant not in expected:
            raise click.UsageError(
                f"{subject} has a {noun} for the unknown variant {variant!r}."
                f" {suggest(variant, expected)}"
            )
    missing = [repr(variant) for variant in expected if variant not in given]
    if missing:
        raise click.UsageError(f"{subject} has no {noun} for {join_names(missing)}.")

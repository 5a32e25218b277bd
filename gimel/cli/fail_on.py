"""`gimel results --fail-on`: an exit code for cron jobs and scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

from gimel.analysis.experiment import Experiment
from gimel.analysis.phrases import quote
from gimel.report.figures import visible
from gimel.report.summary import State, brief, state_of

EXIT_CODE = 3
"""Differs from 1 for a failure and 2 for wrong usage."""

_STATES = {"broken": State.ATTENTION, "decided": State.DECIDED}

Command = TypeVar("Command", bound=Callable[..., Any])


def fail_on_option(command: Command) -> Command:
    """Add --fail-on."""
    return click.option(
        "--fail-on",
        multiple=True,
        type=click.Choice(list(_STATES)),
        help=f"Exit with {EXIT_CODE} if an experiment needs attention (broken) or is decided. May"
        " be repeated.",
    )(command)


def check(experiments: Iterable[Experiment], fail_on: Sequence[str]) -> None:
    """Exit with EXIT_CODE if an experiment is in one of these states, and print which on stderr."""
    states = {_STATES[name] for name in fail_on}
    found = [each for each in experiments if state_of(each) in states]
    for each in found:
        words = f"{state_of(each).words}: {brief(each)}"
        click.echo(f"{quote(visible(each.name))} {words}", err=True)
    if found:
        raise click.exceptions.Exit(EXIT_CODE)

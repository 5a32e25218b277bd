"""What the commands about AWS have in common: their options, progress, and how findings and steps are shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gimel.deploy.checks.findings import Finding
from gimel.errors import GimelError

if TYPE_CHECKING:
    from gimel.deploy.aws import Aws
    from gimel.deploy.models import Deployed, Observed
    from gimel.deploy.steps import Step

Command = TypeVar("Command", bound=Callable[..., Any])

_MARKS = {"ok": "[green]ok     [/]", "warning": "[yellow]warning[/]", "failed": "[red]failed [/]"}


def aws_options(command: Command) -> Command:
    """Add --profile and --region."""
    command = click.option("--region", help="AWS region. [default: $AWS_REGION, or the profile's]")(
        command
    )
    return click.option(
        "--profile", help="Profile in ~/.aws. [default: $AWS_PROFILE, or the default one]"
    )(command)


def connect(profile: str | None, region: str | None) -> Aws:
    """Return the way to AWS. Raises GimelError where no region or profile is found."""
    from gimel.deploy.aws import Aws

    return Aws(profile, region)


class _HeedlessConsole(Console):
    """A console whose reader may go away, as `head` does: what is being done is done to its end, unseen."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


def stderr() -> Console:
    """Return a console on stderr; rich honours NO_COLOR and what is no terminal."""
    return _HeedlessConsole(stderr=True, soft_wrap=True, highlight=False)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def show_findings(findings: Iterable[Finding], console: Console) -> None:
    """Print a line a finding, and what to do below it."""
    for finding in findings:
        console.print(
            f"{_MARKS[finding.status]}  {escape(finding.name)}: {escape(finding.message)}"
        )
        if finding.hint:
            console.print(f"         {escape(finding.hint)}")


def show_steps(planned: tuple[Step, ...], console: Console) -> None:
    """Print the numbered steps of a plan."""
    for number, step in enumerate(planned, 1):
        console.print(f"{number:3}. {escape(str(step))}")


def can_ask() -> bool:
    """Return whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, yes: bool) -> None:
    """Go on if `yes` or somebody agrees. Raises GimelError where nobody does, or can be asked."""
    if yes:
        return
    if not can_ask():
        raise GimelError("Nobody is there to be asked.", "Give --yes to go on without a question.")
    if not click.confirm(question, err=True):
        raise GimelError("Nothing was changed.")


def perform(aws: Aws, planned: tuple[Step, ...], observed: Observed, console: Console) -> Deployed:
    """Apply steps with a bar on a terminal, or a line a step elsewhere."""
    from gimel.deploy.apply import apply

    with _progress(len(planned), console) as show:
        aws.on_wait = lambda reason: show(None, f"waiting: {reason}")
        return apply(aws, planned, observed, lambda number, step: show(number, str(step)))


@contextmanager
def _progress(total: int, console: Console) -> Iterator[Callable[[int | None, str], None]]:
    if not console.is_terminal:

        def say(number: int | None, text: str) -> None:
            if number is not None:
                console.print(f"[{number}/{total}] {text}", markup=False)

        yield say
        return
    columns = (
        BarColumn(20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total)

        def show(number: int | None, text: str) -> None:
            bar.update(task, description=text)
            if number is not None:
                bar.update(task, completed=number - 1)

        yield show

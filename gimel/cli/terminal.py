"""What the commands about AWS share: options, progress, and how findings and steps are shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gimel.errors import GimelError

if TYPE_CHECKING:
    from gimel.deploy.aws import Aws
    from gimel.deploy.checks.findings import Finding
    from gimel.deploy.deployed import Deployed
    from gimel.deploy.outputs import Outputs
    from gimel.deploy.resources.base import Observed, Step

Command = TypeVar("Command", bound=Callable[..., Any])

_MARKS = {"ok": "[green]ok     [/]", "warning": "[yellow]warning[/]", "failed": "[red]failed [/]"}


def aws_options(command: Command) -> Command:
    """Add --profile and --region."""
    region = click.option("--region", help="AWS region. [default: $AWS_REGION, or the profile's]")
    profile = click.option(
        "--profile", help="Profile in ~/.aws. [default: $AWS_PROFILE, or the default profile]"
    )
    return profile(region(command))


def connect(profile: str | None, region: str | None) -> Aws:
    """Return the way to AWS. Raises GimelError where no region or profile is found."""
    from gimel.deploy.aws import Aws

    return Aws(profile, region)


class _HeedlessConsole(Console):
    """A console whose reader may go away, as `head` does: the command still finishes its work."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


def stderr() -> Console:
    """Return a console on stderr; rich honours NO_COLOR and notices what is not a terminal."""
    return _HeedlessConsole(stderr=True, soft_wrap=True, highlight=False)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def show_findings(findings: Iterable[Finding], console: Console) -> None:
    """Print one line per finding, and below it what to do."""
    for finding in findings:
        console.print(
            f"{_MARKS[finding.status]}  {escape(finding.name)}: {escape(finding.message)}"
        )
        if finding.hint:
            console.print(f"         {escape(finding.hint)}")


def show_steps(steps: Sequence[Step], console: Console) -> None:
    """Print the numbered steps of a plan."""
    for line in numbered(steps):
        console.print(escape(line))


def numbered(steps: Sequence[Step]) -> Iterator[str]:
    """Yield the steps of a plan as numbered lines."""
    return (f"{number:3}. {step}" for number, step in enumerate(steps, 1))


def steps_as_json(steps: Sequence[Step]) -> list[dict[str, str]]:
    """Return the steps for a program to read: the kind of each, and its sentence."""
    return [{"step": type(step).__name__, "says": str(step)} for step in steps]


def show_endpoints(outputs: Outputs, *, show_key: bool) -> None:
    """Print the URLs of a deployment, one per line, and the API key.

    The key is a secret: what may be a log shows it only on request.
    """
    for endpoint in outputs.endpoints:
        key = "  (API key)" if endpoint.api_key_required else ""
        click.echo(f"{endpoint.method:7} {endpoint.url}{key}")
    if outputs.key:
        shown = show_key or sys.stdout.isatty()
        click.echo(f"API key {outputs.key if shown else 'not shown; `gimel status --show-key`'}")


def endpoints_as_json(outputs: Outputs | None) -> list[dict[str, Any]]:
    """Return the URLs of a deployment for a program to read."""
    return [
        {
            "method": each.method,
            "url": each.url,
            "handler": each.handler,
            "api_key_required": each.api_key_required,
        }
        for each in (outputs.endpoints if outputs else ())
    ]


show_key_option = click.option(
    "--show-key",
    is_flag=True,
    help="Print the API key even where the output is not a terminal, or is JSON.",
)


def can_ask() -> bool:
    """Return whether there is a terminal on which to ask for confirmation."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, yes: bool) -> None:
    """Return if `yes` or the user agrees. Raises GimelError otherwise."""
    if yes:
        return
    if not can_ask():
        raise GimelError("Cannot ask for confirmation: not a terminal.", "Pass --yes to proceed.")
    if not click.confirm(question, err=True):
        raise GimelError("Nothing was changed.")


def perform(aws: Aws, steps: Sequence[Step], observed: Observed, console: Console) -> Deployed:
    """Apply steps, with a progress bar on a terminal, or one line per step elsewhere."""
    from gimel.deploy.apply import apply

    with _progress(len(steps), console) as show:
        aws.on_wait = lambda reason: show(None, f"waiting: {reason}")
        return apply(aws, steps, observed, lambda number, step: show(number, str(step)))


@contextmanager
def _progress(total: int, console: Console) -> Iterator[Callable[[int | None, str], None]]:
    if not console.is_terminal or not total:

        def print_step(number: int | None, text: str) -> None:
            if number is not None:
                console.print(f"[{number}/{total}] {text}", markup=False)

        yield print_step
        return
    description = TextColumn("{task.description}", markup=False)
    columns = (BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn(), description)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total)

        def show(number: int | None, text: str) -> None:
            bar.update(task, description=text)
            if number is not None:
                bar.update(task, completed=number - 1)

        yield show

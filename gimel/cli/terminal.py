"""What the commands about AWS share: options, questions, and how findings and steps are shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from gimel.cli.progress import progress
from gimel.errors import GimelError
from gimel.wiring import TRACK_PATH

if TYPE_CHECKING:
    from gimel.cli import Options
    from gimel.config import Config
    from gimel.deploy.aws import Aws
    from gimel.deploy.checks.findings import Finding
    from gimel.deploy.deployed import Deployed
    from gimel.deploy.identity import Deployment, Identity
    from gimel.deploy.outputs import Outputs
    from gimel.deploy.resources.base import Run, Step

Command = TypeVar("Command", bound=Callable[..., Any])

_MARKS = {
    "ok": "[green]ok     [/]  ",
    "warning": "[yellow]warning[/]  ",
    "failed": "[red]failed [/]  ",
}
_NO_MARK = " " * 9
_BLOCKED = f"  (ad blockers block it: new pages use /{TRACK_PATH})"


def aws_options(command: Command) -> Command:
    """Add --profile and --region."""
    region = click.option("--region", help="AWS region. [default: $AWS_REGION, or the profile's]")
    profile = click.option(
        "--profile", help="Profile in ~/.aws. [default: $AWS_PROFILE, or the default profile]"
    )
    return profile(region(command))


def connect(profile: str | None, region: str | None, deployment: Deployment) -> Aws:
    """Return the way to AWS. Raises GimelError where no region or profile is found."""
    from gimel.deploy.aws import Aws

    return Aws(profile, region, deployment)


name_option = click.option(
    "--name", metavar="NAME", help="Name of the deployment. [default: aws.name in config.json]"
)


def find_deployment(options: Options, name: str | None = None) -> Deployment:
    """Return the deployment of a name, or that of the configuration. Raises GimelError.

    With a name, the configuration is not read: it may be what is broken.
    """
    from gimel.deploy.identity import Deployment

    if name is not None:
        return Deployment(name)
    return configured_deployment(options.load_config())


def configured_deployment(config: Config) -> Deployment:
    """Return the deployment that a configuration describes."""
    from gimel.deploy.identity import Deployment

    return Deployment(config.document.aws.name, config.document.aws.role)


def show_place(identity: Identity, console: Console) -> None:
    """Print which deployment a plan is about, where a question about it is seen."""
    place = f"region {identity.region}, account {identity.account}"
    dialog(console).print(f"Deployment {identity.name}, {place}:")


class _HeedlessConsole(Console):
    """A console whose reader may go away, as `head` does: the command still finishes its work."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


def stdout() -> Console:
    """Return a console for what a command prints."""
    return Console(soft_wrap=True, highlight=False)


def stderr() -> Console:
    """Return a console on stderr; rich honours NO_COLOR and notices what is not a terminal."""
    return _HeedlessConsole(stderr=True, soft_wrap=True, highlight=False)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def show_findings(findings: Iterable[Finding], console: Console) -> None:
    """Print one line per finding, and below it what to do. A terminal gets wrapped lines."""
    for finding in findings:
        _print_hanging(_MARKS[finding.status], f"{finding.name}: {finding.message}", console)
        if finding.hint:
            _print_hanging(_NO_MARK, finding.hint, console)


def show_steps(steps: Sequence[Step], console: Console) -> None:
    """Print the numbered steps of a plan where a question about them is seen."""
    seen = dialog(console)
    for number, step in enumerate(steps, 1):
        _print_hanging(f"{number:3}. ", str(step), seen)


def show_notices(texts: Iterable[str], console: Console) -> None:
    """Print what the steps of a plan do not show, where a question about it is seen."""
    for text in texts:
        _print_hanging("   ! ", text, dialog(console))


def show_below_plan(lines: Iterable[str], console: Console) -> None:
    """Print sentences below a plan, where a question about it is seen."""
    for line in lines:
        _print_hanging("", line, dialog(console))


def show_lines(lines: Iterable[str]) -> None:
    """Print lines as they are."""
    for line in lines:
        click.echo(line)


def list_steps(steps: Sequence[Step], notes: Iterable[str] = ()) -> None:
    """Print the steps of a plan that is not applied, or that there are none, and notes below."""
    console = stdout()
    for number, step in enumerate(steps, 1):
        _print_hanging(f"{number:3}. ", str(step), console)
    for note in (*(() if steps else ("Nothing to do.",)), *notes):
        _print_hanging("", note, console)


def steps_as_json(steps: Sequence[Step]) -> list[dict[str, str]]:
    """Return the steps for a program to read: the kind of each, and its sentence."""
    return [{"step": type(step).__name__, "says": str(step)} for step in steps]


def show_endpoints(outputs: Outputs, *, show_key: bool) -> None:
    """Print the URLs of a deployment, one per line, and the API key.

    The key is a secret: what may be a log shows it only on request.
    """
    for endpoint in outputs.endpoints:
        key = "  (API key)" if endpoint.api_key_required else ""
        note = _BLOCKED if endpoint.is_blocked else ""
        click.echo(f"{endpoint.method:7} {endpoint.url}{key}{note}")
    if outputs.key:
        show_api_key(outputs.key, show_key)


def show_api_key(key: str, show_key: bool) -> None:
    """Print the API key if stdout is a terminal, or on request."""
    shown = show_key or sys.stdout.isatty()
    click.echo(f"API key {key if shown else 'not shown; `gimel status --show-key`'}")


def endpoints_as_json(outputs: Outputs | None) -> list[dict[str, Any]]:
    """Return the URLs of a deployment for a program to read."""
    return [
        {
            "method": each.method,
            "url": each.url,
            "handler": each.handler,
            "api_key_required": each.api_key_required,
            "blocked_by_ad_blockers": each.is_blocked,
        }
        for each in (outputs.endpoints if outputs else ())
    ]


show_key_option = click.option(
    "--show-key",
    is_flag=True,
    help="Print the API key even where the output is not a terminal, or is JSON.",
)


def can_ask() -> bool:
    """Return whether somebody reads the output on a terminal and can answer there.

    Only then is a question asked: a log or a pipe must not wait for an answer.
    """
    return sys.stdin.isatty() and sys.stdout.isatty()


def asks_on_stderr() -> bool:
    """Return whether questions go to stderr: unless it is a file, and stdout is the terminal."""
    return sys.stderr.isatty() or not can_ask()


def dialog(console: Console | None = None) -> Console:
    """Return the console for what a question is about. By default that is stderr."""
    return (console or stderr()) if asks_on_stderr() else stdout()


def confirm(question: str, yes: bool) -> None:
    """Return if `yes` or the user agrees. Raises GimelError otherwise."""
    if yes:
        return
    if not can_ask():
        raise GimelError("Cannot ask for confirmation: not a terminal.", "Pass --yes to proceed.")
    if not click.confirm(question, err=asks_on_stderr()):
        raise GimelError("Nothing was changed.")


def perform(run: Run, steps: Sequence[Step], console: Console) -> Deployed:
    """Perform steps, with a progress bar on a terminal, or one line per step elsewhere."""
    from gimel.deploy import apply

    with progress(len(steps), console) as bar:
        run.aws.on_wait = bar.wait
        return apply.perform(run, steps, lambda number, step: bar.begin(number, str(step)))


def _print_hanging(mark: str, text: str, console: Console) -> None:
    """Print a mark and a text. A terminal gets the text wrapped, each line below the first."""
    shown = Text.from_markup(mark)
    indent = shown.cell_len
    lines = [text]
    if console.is_terminal:
        lines = [line for part in text.split("\n") for line in _wrap(part, console.width - indent)]
    console.print(shown + lines[0])
    for line in lines[1:]:
        console.print(" " * indent + line, markup=False)


def _wrap(text: str, width: int) -> list[str]:
    """Return lines of at most `width` columns; a longer word, such as a URL, stays whole."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and cell_len(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines

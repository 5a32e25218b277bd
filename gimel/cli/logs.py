"""`gimel logs`"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

import click
from rich.console import Console
from rich.text import Text

from gimel.analysis.phrases import join_names, pluralize
from gimel.cli import Options, terminal
from gimel.cli.help import Command
from gimel.deploy.identity import log_group
from gimel.deploy.log_lines import is_error, is_routine, readable
from gimel.deploy.logs import Line, Logs, error_pattern, short_name
from gimel.errors import GimelError, suggest

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LONGEST = 3653 * 86_400  # seconds: CloudWatch Logs keeps nothing longer


def _parse_span(context: click.Context, parameter: click.Parameter, value: str) -> int:
    """Return a length of time such as "10m" in seconds."""
    parsed = re.fullmatch(r"([0-9]{1,9})([smhdw])", value.strip().lower())
    if not parsed or int(parsed[1]) == 0:
        raise click.BadParameter(f"{value!r} is not a length of time such as 10m, 2h or 1d.")
    return min(int(parsed[1]) * _UNITS[parsed[2]], _LONGEST)


@click.command(
    cls=Command,
    examples={
        "gimel logs": "the last hour",
        "gimel logs --errors --since 1d": "what failed since yesterday",
        "gimel logs --follow --function track": "new lines of one function",
    },
)
@click.option("--follow", "-f", is_flag=True, help="Show new lines as they arrive, until Ctrl-C.")
@click.option("--errors", is_flag=True, help="Show errors and time-outs only.")
@click.option(
    "--since",
    metavar="TIME",
    default="1h",
    show_default=True,
    callback=_parse_span,
    help="How far back, such as 10m, 2h or 1d.",
)
@click.option(
    "--function",
    "names",
    metavar="NAME",
    multiple=True,
    help="Show this function only, such as track. May be repeated.",
)
@click.option(
    "--all", "with_routine", is_flag=True, help="Also show Lambda's START, END and REPORT lines."
)
@click.option("--json", "as_json", is_flag=True, help="Print each line as a JSON object.")
@terminal.aws_options
@click.pass_obj
def command(
    options: Options,
    follow: bool,
    errors: bool,
    since: int,
    names: tuple[str, ...],
    with_routine: bool,
    as_json: bool,
    profile: str | None,
    region: str | None,
) -> None:
    """Show what the functions log: all functions together, the oldest line first.

    Lambda's lines about calls that went well are not shown. Times are UTC.
    """
    config = options.load_config()
    deployment = config.document.aws.name
    functions = _select([each.name for each in config.wiring.functions], names, deployment)
    aws = terminal.connect(profile, region, terminal.configured_deployment(config))
    logs = Logs(aws, functions, error_pattern(aws) if errors else None)
    printer = _Printer(
        deployment, max(len(short_name(each, deployment)) for each in functions), as_json=as_json
    )
    view = _View(printer.print, errors=errors, with_routine=with_routine)
    now = time.time()
    begin = round((now - since) * 1000)
    if follow:
        _follow(logs, begin, view)
        return
    for line in logs.between(begin, round(now * 1000)):
        view.add(line)
    _report_unread(logs)
    if not view.shown:
        _explain_nothing(view, begin, errors=errors)


def _select(functions: Sequence[str], names: Sequence[str], deployment: str) -> list[str]:
    """Return the functions of these names, short or not; all without names. Raises GimelError."""
    by_name = {short_name(each, deployment): each for each in functions}
    by_name |= {each: each for each in functions}
    for name in names:
        if name not in by_name:
            short = [short_name(each, deployment) for each in functions]
            raise GimelError(f"Unknown function {name!r}.", suggest(name, short))
    return list(dict.fromkeys(by_name[name] for name in names)) or list(functions)


@dataclass
class _View:
    """Selects the lines to show, and counts them and the others."""

    show: Callable[[Line], None]
    errors: bool
    with_routine: bool
    shown: int = 0
    hidden: int = 0

    def add(self, line: Line) -> None:
        if self.errors:
            is_wanted = is_error(line.text)
        else:
            is_wanted = self.with_routine or not is_routine(line.text)
        if is_wanted:
            self.show(line)
            self.shown += 1
        else:
            self.hidden += 1


@dataclass
class _Printer:
    """Prints lines: the time, the function and the text, whose further lines are indented."""

    deployment: str
    width: int
    as_json: bool
    console: Console = field(default_factory=terminal.stdout)

    def print(self, line: Line) -> None:
        if self.as_json:
            document = {
                "time": _iso(line.time, "milliseconds"),
                "function": line.function,
                "message": line.text,
            }
            click.echo(json.dumps(document, ensure_ascii=False))
            return
        time_shown = _iso(line.time)
        name = f"{short_name(line.function, self.deployment):{self.width}}"
        indent = " " * (len(time_shown) + self.width + 4)
        text = readable(line.text).replace("\n", f"\n{indent}")
        if not self.console.is_terminal:  # where there may be many lines, and rich is slow
            click.echo(f"{time_shown}  {name}  {text}")
            return
        style = "red" if is_error(line.text) else ""
        shown = Text.assemble((time_shown, "dim"), "  ", (name, "cyan"), "  ", (text, style))
        self.console.print(shown, markup=False)


def _follow(logs: Logs, since: int, view: _View) -> None:
    """Show lines until Ctrl-C. A log group that appears later is shown from then on."""
    told: set[str] = set()
    for line in logs.follow(since, time.time, time.sleep):
        if line is not None:
            view.add(line)
            continue
        if len(logs.missing) + len(logs.refused) == len(logs.functions):
            _report_unread(logs)
        for name in [*logs.missing, *logs.refused]:
            if name not in told:
                told.add(name)
                click.echo(_unread(logs, name), err=True)


def _report_unread(logs: Logs) -> None:
    """Name the log groups that could not be read. Raises GimelError if AWS refused one.

    A log group that does not exist is an error only if all the others are missing too.
    """
    if len(logs.missing) == len(logs.functions):
        raise GimelError(
            f"There are no logs in {logs.aws.region}: none of the log groups exists.",
            "Run `gimel deploy`, or choose another --region or --profile.",
        )
    for name in sorted(logs.missing):
        click.echo(_unread(logs, name), err=True)
    if logs.refused:
        first = next(iter(logs.refused.values()))
        which = join_names([log_group(each) for each in logs.refused])
        raise GimelError(f"Could not read {which}: {first.message}", first.hint)


def _unread(logs: Logs, name: str) -> str:
    if name in logs.missing:
        return f"The log group {log_group(name)} does not exist: `gimel deploy` creates it."
    return f"Could not read {log_group(name)}: {logs.refused[name].message}"


def _explain_nothing(view: _View, begin: int, *, errors: bool) -> None:
    what = "errors" if errors else "lines"
    click.echo(f"No {what} since {_iso(begin)}.", err=True)
    if view.hidden and not errors:
        click.echo(
            f"{pluralize(view.hidden, 'line')} of Lambda about calls that went well: "
            "--all shows them.",
            err=True,
        )


def _iso(milliseconds: int, unit: str = "seconds") -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
    return moment.isoformat(timespec=unit).replace("+00:00", "Z")

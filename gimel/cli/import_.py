"""`gimel import`: what `gimel export` wrote, into another store."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gimel.analysis.phrases import pluralize
from gimel.cli import Options, terminal
from gimel.cli.help import Command
from gimel.cli.progress import counting, working
from gimel.cli.store import Store, Where, open_store, store_options
from gimel.errors import GimelError
from gimel.report.figures import visible

if TYPE_CHECKING:
    from gimel.transfer.restore import Outcome

_NAMED = 20


@click.command(
    cls=Command,
    examples={
        "gimel import counters.json.gz": "into the configured Redis",
        "gimel import --dry-run --local counters.json": "what it would do to `gimel serve`",
        "gimel import --redis rediss://user:password@host counters.json": "into another Redis",
    },
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check everything, and write nothing.")
@store_options
@click.pass_obj
def command(
    options: Options,
    file: Path,
    dry_run: bool,
    redis_url: str | None,
    local: bool,
    profile: str | None,
    region: str | None,
) -> None:
    """Import FILE, which `gimel export` wrote.

    Counts are merged with those in Redis: each visitor counts once. So the import may be repeated,
    also after an interruption, and events may be counted meanwhile.
    """
    from gimel.transfer import files, restore

    began = time.monotonic()
    with working(f"Checking {file}", terminal.stderr()):
        totals = files.check(file)
    with (
        open_store(options, Where(redis_url, local, profile, region)) as store,
        counting(totals.experiments, "experiments imported", terminal.stderr()) as progress,
    ):
        outcome = restore.restore(store.redis, files.read(file), progress, only_check=dry_run)
    _show(outcome, store, dry_run, time.monotonic() - began)
    if outcome.failed:
        raise GimelError(
            f"{pluralize(len(outcome.failed), 'experiment')} cannot be imported:"
            f"{_listed(outcome.failed)}",
            "Remove the reason, and run the same command again: the others do not change.",
        )


def _show(outcome: Outcome, store: Store, dry_run: bool, seconds: float) -> None:
    number = outcome.new + outcome.merged
    experiments = pluralize(number, "experiment")
    details = f"{outcome.new:,} new, {outcome.merged:,} merged with what it had"
    if dry_run:
        click.echo(f"Would import {experiments} into {store.name}: {details}.")
    else:
        click.echo(f"Imported {experiments} into {store.name} in {seconds:.1f} s: {details}.")
    for title, found in (("Skipped", outcome.skipped), ("Note", outcome.notes)):
        if found:
            click.echo(f"{title}:{_listed(found)}", err=True)


def _listed(found: Mapping[tuple[str, str], str]) -> str:
    """Return each experiment and its reason, each on its own line if there are several."""
    lines = [
        f"{visible(experiment)} ({visible(namespace)}): {reason}."
        for (namespace, experiment), reason in list(found.items())[:_NAMED]
    ]
    if len(found) > _NAMED:
        lines.append(f"and {len(found) - _NAMED:,} more")
    return f" {lines[0]}" if len(lines) == 1 else "".join(f"\n  {line}" for line in lines)

"""`gimel simulate`"""

from __future__ import annotations

import json
import secrets
from collections import Counter

import click
import urllib3
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import gimel
from gimel.api.client import pool_for, send, whole_url
from gimel.api.simulation import batches, visitors
from gimel.errors import GimelError

USER_AGENT = f"gimel-simulate/{gimel.__version__}"

# A repeated event changes nothing, so whatever did not arrive is sent again: at once, then after 0.5 s, 1 s, ... 8 s.
_RETRIES = urllib3.Retry(
    total=6,
    connect=0,
    redirect=False,
    status_forcelist=(429, 502, 503, 504),
    allowed_methods=("POST",),
    backoff_factor=0.25,
    raise_on_status=False,
    raise_on_redirect=False,
)


def _rates(_context: click.Context, _option: click.Parameter, text: str) -> dict[str, float]:
    """Return red=0.05,blue=0.055 as {variant: rate}."""
    rates: dict[str, float] = {}
    for item in text.split(","):
        variant, _equals, number = item.rpartition("=")
        variant = variant.strip()
        try:
            rate = float(number)
        except ValueError:
            rate = -1.0
        if not variant or not 0 <= rate <= 1:
            raise click.BadParameter(
                f"{item!r} is no variant with its rate between 0 and 1, like red=0.05."
            )
        if variant in rates:
            raise click.BadParameter(f"{variant!r} stands there twice.")
        rates[variant] = rate
    return rates


@click.command()
@click.option(
    "--url", default="http://127.0.0.1:8000/track", show_default=True, help="The track URL."
)
@click.option(
    "--visitors",
    "number",
    default=10_000,
    show_default=True,
    type=click.IntRange(1, 100_000_000),
    help="Visitors in all.",
)
@click.option(
    "--rates",
    default="red=0.05,blue=0.055",
    show_default=True,
    callback=_rates,
    help="The variants and their conversion rates.",
)
@click.option(
    "--experiment", default="simulation", show_default=True, help="The experiment's name."
)
@click.option("--goal", default="conversion", show_default=True, help="The goal's name.")
@click.option(
    "--namespace",
    default="alephbet",
    show_default=True,
    help="Keeps experiments apart, as of two sites.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    help="The same seed makes the same visitors. [default: a new one]",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was sent as JSON.")
def command(
    url: str,
    number: int,
    rates: dict[str, float],
    experiment: str,
    goal: str,
    namespace: str,
    seed: int | None,
    as_json: bool,
) -> None:
    """Send made-up visitors through a track URL, to try things out.

    Each sees a variant, drawn with equal chances, and converts at its rate. Delete the experiment afterwards.
    """
    whole_url(url, "a track URL", "https://host/path")
    if seed is None:
        seed = secrets.randbelow(2**32)
    seen: Counter[str] = Counter()
    converted: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    errors = Console(stderr=True)
    columns = (TextColumn("visitors"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        pool_for(url, _RETRIES) as pool,
        Progress(
            *columns, console=errors, transient=True, disable=not errors.is_terminal
        ) as progress,
    ):
        task = progress.add_task("visitors", total=number)
        for group, events in batches(visitors(number, rates, seed), namespace, experiment, goal):
            try:
                outcomes.update(_outcomes(url, *_post(pool, url, events)))
            except GimelError as error:
                sent = sum(seen.values())
                again = (
                    f"`--seed {seed}` continues after {sent:,} of {number:,} visitors."
                    if sent
                    else ""
                )
                raise GimelError(error.message, f"{error.hint} {again}".strip()) from None
            seen.update(visitor.variant for visitor in group)
            converted.update(visitor.variant for visitor in group if visitor.converted)
            progress.advance(task, len(group))
    counted = outcomes.pop("", 0)
    if as_json:
        truth = {
            variant: {"visitors": seen[variant], "conversions": converted[variant]}
            for variant in rates
        }
        facts = {
            "namespace": namespace,
            "experiment": experiment,
            "goal": goal,
            "seed": seed,
            "counted_events": counted,
        }
        click.echo(
            json.dumps({**facts, "refused_events": dict(outcomes), "variants": truth}, indent=2)
        )
    else:
        click.echo(
            f"{number:,} visitors of {experiment!r} sent, {counted:,} events counted (seed {seed}):"
        )
        for variant in rates:
            click.echo(
                f"  {variant!r}: {seen[variant]:,} visitors, {converted[variant]:,} converted"
            )
    for reason, refused in outcomes.items():
        click.echo(f"Not counted: {refused:,} events: {reason}", err=True)
    if not counted:
        raise GimelError("Nothing was counted.", "See the reasons above.")


def _post(pool: urllib3.PoolManager, url: str, events: list[dict[str, str]]) -> tuple[int, bytes]:
    headers = {"User-Agent": USER_AGENT, "Content-Type": "application/json"}
    return send(pool, "POST", url, headers, json.dumps(events).encode())


def _outcomes(url: str, status: int, body: bytes) -> list[str]:
    """Return why each event was not counted, '' for those that were. Raises GimelError for any other answer."""
    if status == 503:
        raise GimelError(f"{url} cannot reach its store now.", "Is Redis running?")
    if status not in (200, 400):
        raise GimelError(
            f"{url} answered with status {status}.",
            "Is it the track URL? It usually ends in /track.",
        )
    try:
        document = json.loads(body)
        if "events" not in document:
            raise GimelError(f"{url} refused the events: {document['error']}.")
        return [
            "" if each.get("status") == "ok" else str(each.get("reason") or each["error"])
            for each in document["events"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise GimelError(
            f"{url} does not answer as Gimel does.",
            "Is it the track URL? It usually ends in /track.",
        ) from None

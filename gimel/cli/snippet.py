"""`gimel snippet`"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import click

from gimel.analysis.failed import FAILED_EVENT
from gimel.cli.connection import LOCAL_TRACK_URL
from gimel.cli.help import Command
from gimel.page.snippet import ALEPHBET, EXAMPLE, Design, snippet
from gimel.page.track_url import is_mixed_content
from gimel.runtime import fields
from gimel.runtime.errors import BadRequest
from gimel.runtime.event import PARTICIPATE

_LARGEST_WEIGHT = 1_000_000  # as in config.json
_RESERVED = {
    PARTICIPATE: "every visitor sends that event",
    FAILED_EVENT: "the client sends that event when a variant fails",
}
_ALEPHBETS_OWN = ("variant", "in_sample")  # what AlephBet stores where it stores goals


def _parse_name(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    return None if text is None else _check_name(text)


def _parse_variants(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> tuple[str, ...]:
    if text is None:
        return ()
    names: list[str] = []
    for name in _split(text):
        if name in names:
            raise click.BadParameter(f"{name!r} is given twice.")
        names.append(_check_name(name))
    if len(names) < 2:
        raise click.BadParameter("an experiment needs at least two variants, like red,blue.")
    return tuple(names)


def _parse_weights(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> tuple[int, ...]:
    """Return weights in the same proportions as integers without a common divisor."""
    if text is None:
        return ()
    given = [_weight(item) for item in _split(text)]
    scale = math.lcm(*(each.denominator for each in given))
    weights = [int(each * scale) for each in given]
    divisor = math.gcd(*weights)
    return tuple(each // divisor for each in weights)


def _parse_goals(
    _context: click.Context, _option: click.Parameter, texts: Sequence[str]
) -> dict[str, str | None]:
    """Return {goal: selector}, None without one."""
    goals: dict[str, str | None] = {}
    for text in texts:
        name, equals, selector = (part.strip() for part in text.partition("="))
        if reason := _RESERVED.get(_check_name(name)):
            raise click.BadParameter(f"a goal cannot be named {name!r}: {reason}.")
        if name in goals:
            raise click.BadParameter(f"{name!r} is given twice.")
        goals[name] = _check_selector(name, selector) if equals else None
    return goals


def _parse_file(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    scheme = re.match(r"([a-z][a-z0-9+.-]*):", text or "", re.IGNORECASE)
    if scheme and scheme[1].lower() not in ("http", "https"):
        raise click.BadParameter(
            f"{text!r} is not a path of your site, like /gimel.js, or an https URL."
        )
    if text is not None and not re.fullmatch(r"[^\s\x00-\x20\x7f-\x9f\\\"<>^`{|}]+", text):
        raise click.BadParameter(f"{text!r} is empty or contains a character that no URL may have.")
    return text


@click.command(
    cls=Command,
    examples={
        "gimel snippet": "an example for `gimel serve`",
        'gimel snippet --experiment "buy button" --variants blue,red --goal bought=.buy': "",
        "gimel snippet --url https://example.com/e": "for a deployed track URL",
        "gimel snippet --file /gimel.js": "with `gimel client > gimel.js` on your site",
    },
)
@click.option(
    "--experiment",
    "name",
    metavar="NAME",
    callback=_parse_name,
    help="Name of the experiment. Without it an example is printed.",
)
@click.option(
    "--variants",
    metavar="NAMES",
    callback=_parse_variants,
    help="Its variants, the control first: blue,red. Quote a name that contains a comma.",
)
@click.option(
    "--weights",
    metavar="NUMBERS",
    callback=_parse_weights,
    help="Share of each variant in relation to the others: 2,1. [default: equal shares]",
)
@click.option(
    "--goal",
    "goals",
    metavar="NAME[=SELECTOR]",
    multiple=True,
    callback=_parse_goals,
    help="A goal. A visitor reaches it by a click on an element that matches the CSS selector, or"
    " by submitting such a form. Without a selector, the page calls a function. May be repeated.",
)
@click.option(
    "--url", default=LOCAL_TRACK_URL, show_default=True, help="Track URL that receives the events."
)
@click.option(
    "--namespace",
    default=fields.DEFAULT_NAMESPACE,
    show_default=True,
    callback=_parse_name,
    help="Keeps experiments separate, e.g. one namespace per site.",
)
@click.option(
    "--alephbet",
    is_flag=True,
    help=f"Use AlephBet {ALEPHBET.version} from a public CDN instead of gimel.js.",
)
@click.option(
    "--file",
    metavar="URL",
    callback=_parse_file,
    help="Refer to the client as a file of your site, e.g. /gimel.js, instead of including it.",
)
def command(
    name: str | None,
    variants: tuple[str, ...],
    weights: tuple[int, ...],
    goals: dict[str, str | None],
    url: str,
    namespace: str,
    alephbet: bool,
    file: str | None,
) -> None:
    """Print the HTML to paste into a page: the client, an experiment and its goals."""
    design = _design(name, variants, weights, goals)
    for goal in design.goals if alephbet else ():
        if goal in _ALEPHBETS_OWN:
            raise click.UsageError(f"AlephBet cannot count a goal named {goal!r}.")
    html = snippet(url, namespace, design, alephbet=alephbet, file=file)
    if is_mixed_content(url):
        click.echo(
            f"Warning: browsers do not let an HTTPS page send events to {url}, which is not HTTPS.",
            err=True,
        )
    if len(set(weights)) > 1:
        expected = dict(zip(variants, weights, strict=True))
        design_in_config = {name: {"control": variants[0], "weights": expected}}
        click.echo(
            "Note: results expect equal shares unless config.json has the weights:"
            f' "experiments": {json.dumps(design_in_config, ensure_ascii=False)}',
            err=True,
        )
    click.echo(html, nl=False)


def _design(
    name: str | None,
    variants: tuple[str, ...],
    weights: tuple[int, ...],
    goals: dict[str, str | None],
) -> Design:
    """Return the experiment that the options describe, the example without any."""
    if not (name or variants or weights or goals):
        return EXAMPLE
    if not name:
        raise click.UsageError("--experiment is missing.")
    if not variants:
        raise click.UsageError("--variants is missing.")
    if not goals:
        raise click.UsageError("--goal is missing: without a goal there is nothing to compare.")
    if weights and len(weights) != len(variants):
        raise click.UsageError(
            f"--weights needs one weight for each of {len(variants)} variants, not {len(weights)}."
        )
    return Design(name, variants, weights, goals)


def _split(text: str) -> list[str]:
    """Split at commas, but not at those in quotes. Raises BadParameter."""
    try:
        (items,) = csv.reader([text], skipinitialspace=True, strict=True)
    except (csv.Error, ValueError):
        raise click.BadParameter(f"the quotes in {text!r} do not match.") from None
    return [item.strip() for item in items]


def _weight(text: str) -> Fraction:
    try:
        number = Decimal(text)
        if 0 < number <= _LARGEST_WEIGHT and number == round(number, 6):
            return Fraction(number)
    except InvalidOperation:
        pass
    raise click.BadParameter(
        f"a weight is a number above 0 and up to {_LARGEST_WEIGHT:,}, with at most six decimals,"
        f" not {text!r}. To drop a variant, remove it from --variants."
    )


def _check_name(name: str) -> str:
    if name == "__proto__":
        raise click.BadParameter("'__proto__' has a special meaning in JavaScript.")
    try:
        return fields.text({"a name": name if name.strip() else ""}, "a name")
    except BadRequest as error:
        raise click.BadParameter(f"{error}.") from None


def _check_selector(goal: str, selector: str) -> str:
    """Return the selector. Raises BadParameter for what is certainly none.

    A browser checks the rest: a selector that it refuses never matches.
    """
    if not selector:
        raise click.BadParameter(f"the selector of {goal!r} is empty. Remove the '='.")
    if not selector.isprintable():
        raise click.BadParameter(f"the selector of {goal!r} contains a control character.")
    bare = re.sub(r"\\.|\"(\\.|[^\"\\])*\"|'(\\.|[^'\\])*'", "", selector)
    bare = re.sub(r"\[[^]['\"]*\]", "", bare)
    while bare != (inner := re.sub(r"\([^()]*\)", "", bare)):
        bare = inner
    if re.search(r"[][()\"'\\{};<@]", bare):
        raise click.BadParameter(f"{selector!r} is not a CSS selector.")
    return selector

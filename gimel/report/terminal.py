"""Experiments with their statistics as rich text for a terminal of any width from 80 columns on.

Returns what rich prints, and prints nothing. Colour only repeats what the words say. Names come from a public endpoint and are
shown as text, whatever they hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.cells import cell_len
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gimel.analysis.counts import EXACT, Arm
from gimel.analysis.experiment import Experiment, Goal
from gimel.analysis.stats import Estimate
from gimel.analysis.verdict import Kind, Verdict
from gimel.report import figures, wording
from gimel.report.figures import NONE, visible

_GAP = 2
_INDENT = 2
_LONGEST_NAME = 40
_SHORTEST_BAR, _LONGEST_BAR = 8, 40

_UNTRUSTED = (Kind.SPLIT_MISMATCH, Kind.NOT_A_CONVERSION)


def report(
    experiments: Sequence[Experiment],
    ignored: Mapping[str, int],
    now: float,
    width: int,
    ascii_only: bool = False,
) -> Iterator[RenderableType]:
    """Yield what to print, for a terminal of `width` columns at the time `now` (seconds since 1970).

    `ignored` are the events of no known experiment, by reason.
    """
    for experiment in experiments:
        yield from _experiment(experiment, now, width, ascii_only)
        yield ""
    if ignored:
        yield Text(f"Ignored events of no known experiment: {wording.reasons(ignored)}.\n")
    if any(
        goal.is_conversion and len(goal.arms) > 1
        for experiment in experiments
        for goal in experiment.goals
    ):
        yield Text(wording.HOW_TO_READ, style="dim")


def _experiment(
    experiment: Experiment, now: float, width: int, ascii_only: bool
) -> Iterator[RenderableType]:
    yield Text(visible(experiment.name), style="bold underline")
    facts = [f"{figures.count(experiment.visitors)} visitors"]
    if experiment.since is not None:
        facts.insert(0, f"since {figures.since(experiment.since, now)}")
    if experiment.control and len(experiment.arms) > 1:
        facts.append(f"control: {visible(experiment.control.name)}")
    yield Text("; ".join(facts))
    for doubt in experiment.doubts:
        yield Text(f"! {visible(doubt)}", style="bold red")
    if not experiment.goals and not experiment.split.is_mismatch:
        yield _sentence("", experiment.headline[1])
    if experiment.arms:
        yield ""
        yield _indented(_participants(experiment, width))
    notes = list(wording.notes(experiment))
    if notes:
        yield _indented(Text("\n".join(notes)))
    for goal in experiment.goals:
        yield ""
        yield _sentence(goal.name, goal.verdict)
        yield ""
        if not goal.is_conversion:
            yield _indented(_per_visitor(goal, width))
            continue
        yield _indented(_rates(goal, width, ascii_only))
        if len(goal.arms) > 1:
            yield ""
            yield _indented(_comparisons(goal, width))


def _sentence(goal: str, verdict: Verdict) -> Text:
    style = (
        "bold red"
        if verdict.kind in _UNTRUSTED
        else "bold green"
        if verdict.safe_to_stop
        else "yellow"
    )
    sentence = wording.below_doubts(verdict)
    text = Text()
    if goal:
        text.append(f"{visible(goal)}: ", "bold")
    return text.append(visible(sentence), style)


def _participants(experiment: Experiment, width: int) -> Table:
    table = _table(
        ("variant", "left"),
        ("visitors", "right"),
        ("counting error", "right"),
        ("share", "right"),
        ("meant", "right"),
    )
    split, names = experiment.split, _names(experiment.arms, width - 50)
    for arm, name, observed, expected in zip(
        experiment.arms, names, split.observed, split.expected, strict=True
    ):
        error = "exact" if arm.visitors.precision == EXACT else figures.count(arm.visitors.error)
        shares = [f"{100 * share:.1f}%" if arm.weight else NONE for share in (observed, expected)]
        _row(
            table,
            name,
            figures.count(arm.visitors.value),
            error if arm.visitors.value else NONE,
            *shares,
        )
    return table


def _rates(goal: Goal, width: int, ascii_only: bool) -> Table:
    variants = goal.variants
    seen = [variant.rate for variant in variants if variant.arm.visitors.value]
    places = figures.digits(seen)
    figures_of = [
        (
            figures.count(variant.arm.conversions.value),
            *(
                wording.interval(variant.rate, places)
                if variant.arm.visitors.value
                else (NONE, NONE)
            ),
            figures.chance(variant.best),
        )
        for variant in variants
    ]
    headers = ("conversions", "rate, %", f"{100 * goal.confidence:g}% interval", "best")
    widths = [max(map(len, cells)) for cells in zip(headers, *figures_of, strict=True)]
    names = _names(
        goal.arms, width - _INDENT - sum(widths) - _GAP * (len(widths) + 1) - _SHORTEST_BAR
    )
    rest = (
        width
        - _INDENT
        - max(len("variant"), *(name.cell_len for name in names))
        - sum(widths)
        - _GAP * (len(widths) + 1)
    )
    size = min(_LONGEST_BAR, rest)
    low, high = (
        min((rate.low for rate in seen), default=0),
        max((rate.high for rate in seen), default=1),
    )
    table = _table(
        ("variant", "left"),
        (headers[0], "right"),
        (headers[1], "right"),
        (headers[2], "left"),
        ("", "left"),
        ("best", "right"),
    )
    for variant, name, (conversions, rate, interval, best) in zip(
        variants, names, figures_of, strict=True
    ):
        bar = ""
        if variant.arm.visitors.value:
            bar = interval_bar(variant.rate, low, high, size, goal.control.rate, ascii_only)
        _row(table, name, conversions, rate, interval, bar, best)
    return table


def _comparisons(goal: Goal, width: int) -> Table:
    compared = [variant for variant in goal.variants if variant.comparison]
    figures_of = [wording.compared(variant, goal) for variant in compared]
    headers = ("difference, points", "lift, %", "p (Holm)", "beats it")
    widths = [max(map(len, cells)) for cells in zip(headers, *figures_of, strict=True)]
    longest = max(10, width - _INDENT - sum(widths) - _GAP * len(widths))
    against = _fitting(f"against {visible(goal.control.name)}", longest)
    table = _table((against, "left"), *((header, "right") for header in headers))
    for name, cells in zip(
        _names([variant.arm for variant in compared], longest), figures_of, strict=True
    ):
        _row(table, name, *cells)
    return table


def _per_visitor(goal: Goal, width: int) -> Table:
    table = _table(
        ("variant", "left"),
        ("visitors", "right"),
        ("goals", "right"),
        ("goals per visitor", "right"),
    )
    for arm, name in zip(goal.arms, _names(goal.arms, width - 50), strict=True):
        per_visitor = f"{arm.per_visitor:,.2f}" if arm.visitors.value else NONE
        _row(
            table,
            name,
            figures.count(arm.visitors.value),
            figures.count(arm.conversions.value),
            per_visitor,
        )
    return table


def interval_bar(
    estimate: Estimate, low: float, high: float, size: int, mark: float, ascii_only: bool = False
) -> str:
    """Return an interval drawn on the axis from `low` to `high`, with the point and, behind it, a mark: ├──●──┤."""
    if size < _SHORTEST_BAR:
        return ""
    scale = (size - 1) / (high - low) if high > low else 0.0

    def place(value: float) -> int:
        return min(size - 1, max(0, round((value - low) * scale)))

    line, left, right, point, other = "-||o:" if ascii_only else "─├┤●┊"
    cells = [" "] * size
    cells[place(mark)] = other
    start, end = place(estimate.low), place(estimate.high)
    cells[start : end + 1] = line * (end + 1 - start)
    cells[start], cells[end] = left, right
    cells[place(estimate.value)] = point
    return "".join(cells)


def _names(arms: Sequence[Arm], room: int) -> list[Text]:
    longest = max(10, min(_LONGEST_NAME, room))
    return [Text(_fitting(visible(arm.name), longest)) for arm in arms]


def _fitting(name: str, columns: int) -> str:
    """Return the name, shortened to so many columns: a character may be two columns wide."""
    characters = columns
    while cell_len(shown := figures.shortened(name, characters)) > columns:
        characters -= 1
    return shown


def _table(*columns: tuple[str, str]) -> Table:
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for header, justify in columns:
        table.add_column(
            Text(header), justify="right" if justify == "right" else "left", no_wrap=True
        )
    return table


def _row(table: Table, name: Text, *cells: str) -> None:
    table.add_row(name, *(Text(cell) for cell in cells))


def _indented(content: RenderableType) -> Padding:
    return Padding(content, (0, 0, 0, _INDENT), expand=False)

"""What `gimel results` prints fits into the terminal, whatever the names and counts are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from gimel.analysis.mixture import Lift
from gimel.report import bars
from tests.support.answers import row
from tests.support.printed import lines, printed


def test_a_header_is_broken_before_a_name_is_shortened() -> None:
    """Names matter more than headers on one line; a header has as few lines as fit."""
    variants = {
        "the control": (20_034, {"buy": 1001}),
        "variant one": (20_101, {"buy": 1260}),
    }

    shown = lines(printed(row("e", variants), details=True))

    header = next(number for number, line in enumerate(shown) if "p (Holm)" in line)
    assert shown[header - 2 : header + 2] == [
        "                                                                      chance to",
        "                          difference,                                      beat",
        "  variant           percentage points                 lift  p (Holm)    control",
        "  variant one  +1.27 (+0.82 to +1.72)  +25% (+16% to +36%)   <0.0001     >99.9%",
    ]


def test_forty_variants_fit() -> None:
    """Each has its row in every table."""
    variants = {f"variant-{number}": (1000 + number, {"buy": 50 + number}) for number in range(40)}

    shown = printed(row("e", variants), details=True)

    assert all(cell_len(line) <= 80 for line in shown.splitlines())
    assert all(shown.count(f"  variant-{number} ") == 4 for number in range(1, 40))


def test_columns_without_room_follow_below() -> None:
    """With the names of the variants again: no figure is cut off, and no unit is alone."""
    variants = {"blue": (20_034, {"buy": 1001}), "red": (20_101, {"buy": 1260})}

    shown = lines(printed(row("e", variants), width=60, details=True))

    header = next(number for number, line in enumerate(shown) if "percentage points" in line)
    assert shown[header : header + 5] == [
        "  variant       percentage points                 lift",
        "  red      +1.27 (+0.82 to +1.72)  +25% (+16% to +36%)",
        "",
        "  variant  p (Holm)  chance to beat control",
        "  red       <0.0001                  >99.9%",
    ]
    assert not [line for line in shown if "%" in line.split()]


def test_an_interval_without_room_has_no_bar() -> None:
    """Its figures remain."""
    shown = lines(printed(row("e", {"a": (200, {"buy": 90}), "b": (210, {"buy": 70})}), width=60))

    (figures,) = (line for line in shown if line.startswith("  b  ") and "to" in line)
    assert figures.endswith("\u221253% to +14%")
    assert not {"●", "┊"} & {*figures}


HOSTILE = [
    ("[red]x[/red]", "[red]x[/red]"),
    ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ("\u202egnp.exe", "\\u202egnp.exe"),
    ("\x1b[31mred", "\\u001b[31mred"),
    ("a\u2028b", "a\\u2028b"),
    ("../../etc", "../../etc"),
    ("אבגד", "אבגד"),
    ("変種" * 100, "変種変種変"),
]


@pytest.mark.parametrize(("name", "shown"), HOSTILE)
def test_a_hostile_name_is_text(name: str, shown: str) -> None:
    """Markup is shown, control and direction characters are escaped, and no line is torn apart."""
    text = printed(row(name, {name: (1000, {name: 50}), "z": (1000, {name: 60})}, (name,)))

    assert not {"\x1b", "\u202e", "\u2028"} & {*text}
    assert all(cell_len(line) <= 80 for line in text.split("\n"))
    assert shown in text


@pytest.mark.parametrize("name", ["[red]x[/red]", ":smile:", "[/]", "\\["])
def test_no_name_is_markup(name: str) -> None:
    """Neither in a title nor in a fact, a table or a sentence."""
    shown = printed(row(name, {name: (1000, {"buy": 50}), "~": (1000, {"buy": 90})}, days=9))

    assert shown.startswith(f"{name}\n")
    assert f"; control: {name} (assumed)\n" in shown
    assert f" better than “{name}”, the assumed control" in " ".join(shown.split())
    assert shown.count(f"  {name} (control?) ") == 2


def test_long_names_that_differ_at_an_end_stay_different() -> None:
    """Only their middle is cut out."""
    shown = printed(row("e", {f"{'x' * 199}{end}": (1000, {"buy": 50}) for end in "12"}))

    first, second, *_ = (line.split()[0] for line in shown.splitlines() if line.startswith("  x"))
    assert (first[-1], second[-1]) == ("1", "2")


names = st.text(min_size=1, max_size=200)
counts = st.integers(0, 1000) | st.integers(0, 10**12)


@given(
    name=names,
    variants=st.dictionaries(
        names, st.tuples(counts, st.fixed_dictionaries({"buy": counts})), max_size=5
    ),
    width=st.integers(60, 200),
    ascii_only=st.booleans(),
    precision=st.sampled_from(["exact", "1", "16"]),
    details=st.booleans(),
)
def test_any_counts_and_names_fit(
    name: str,
    variants: dict[str, tuple[int, dict[str, int]]],
    width: int,
    ascii_only: bool,
    precision: str,
    details: bool,
) -> None:
    """No line is wider than the terminal, and nothing that moves the cursor is printed."""
    item = row(name, variants, precision=precision)

    shown = printed(item, width=width, ascii_only=ascii_only, details=details)

    assert all(cell_len(line) <= width for line in shown.split("\n"))
    assert not any(ord(character) < 32 for character in shown.replace("\n", ""))
    assert "nan" not in shown.replace(name, "") or any("nan" in each for each in (name, *variants))


@pytest.mark.parametrize(
    ("lift", "ascii_only", "bar"),
    [
        (Lift(0.5, 0.2, 0.8), False, "┊ ├──●──┤  "),
        (Lift(0.5, 0.2, 0.8), True, ": |--o--|  "),
        (Lift(0.0, 0.0, 1.0), False, "●─────────┤"),
        (Lift(0.7, 0.7, 0.7), False, "┊      ●   "),
        (Lift(0.5, 0.2, None), False, "┊ ├──●─────"),
        (Lift(0.5, None, 0.8), False, "┼────●──┤  "),
        (Lift(0.5, None, None), True, "+----o-----"),
        (Lift(0.5, 0.2, 3.0), False, "┊ ├──●─────"),
    ],
    ids=["closed", "ASCII", "from zero", "a point", "no upper end", "no lower end", "open", "far"],
)
def test_an_interval_is_drawn_to_scale(lift: Lift, ascii_only: bool, bar: str) -> None:
    """A mark shows zero; an end that is open or beyond the axis has no cap."""
    assert bars.draw(lift, 0, 1, 11, ascii_only) == bar


@pytest.mark.parametrize(("ascii_only", "bar"), [(False, "├──┼●─┤ "), (True, "|--+o-| ")])
def test_zero_is_seen_through_an_interval(ascii_only: bool, bar: str) -> None:
    """A line would hide that the lift may be none."""
    assert bars.draw(Lift(0.1, -0.3, 0.3), -0.3, 0.4, 8, ascii_only) == bar


@pytest.mark.parametrize(
    ("ends", "size", "scale"),
    [
        ((-0.25, 0.32), 12, "-25%    +32%"),
        ((0.0, 0.321), 8, "0%  +32%"),
        ((-0.017, 0.031), 12, "-1.7%  +3.1%"),
        ((-1.0, 12.0), 14, "-100%  +1,200%"),
        ((-1.0, 12.0), 12, ""),
    ],
    ids=["two sides", "from zero", "narrow", "wide", "no room"],
)
def test_bars_have_a_scale(ends: tuple[float, float], size: int, scale: str) -> None:
    """The values at its ends, if both have room."""
    assert bars.scale(*ends, size) == scale


def test_the_goals_of_an_experiment_share_a_scale() -> None:
    """Their tables have columns of other widths, but equal lifts have bars of equal length."""
    item = row(
        "e",
        {"a": (90_000, {"x": 900, "y": 45_000}), "b": (90_000, {"x": 1200, "y": 48_000})},
        ("x", "y"),
    )

    headers = [line for line in lines(printed(item, width=100)) if "interval  " in line]

    scales = [re.sub(r".*interval  ", "", line) for line in headers]
    assert len(scales) == 2
    assert scales[0] == scales[1]
    assert scales[0].startswith("0% ")


@pytest.mark.parametrize("size", [8, 40])
def test_a_lift_without_a_value_has_no_bar(size: int) -> None:
    """Over a control without conversions."""
    assert bars.draw(Lift(None, 4.7, None), 0, 1, size) == ""


def test_without_room_there_is_no_bar() -> None:
    """Below eight columns an interval says nothing."""
    assert bars.draw(Lift(0.5, 0.2, 0.8), 0, 1, 7) == ""

"""What `gimel results` prints, at 80 columns and without colour."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from gimel.analysis.design import Design
from gimel.analysis.experiment import analyse_all, select_goal
from gimel.analysis.mixture import Lift
from gimel.api import answers
from gimel.report import terminal
from tests.support.answers import answer, row, two

NOW = 1_700_000_000 + 21 * 86400.0


def printed(
    *items: dict[str, Any],
    width: int = 80,
    ascii_only: bool = False,
    ignored: Mapping[str, int] | None = None,
    colour: bool = False,
    precision: int | None = None,
    details: bool = False,
    design: Design | None = None,
    goal: str | None = None,
) -> str:
    """Print experiments to a file, as to a pipe."""
    counts = answers.parse(answer(*items, **(ignored or {})))
    file = io.StringIO()
    # A console that would take [red] for markup and :smile: for an emoji.
    console = Console(
        file=file, width=width, color_system="standard" if colour else None, force_terminal=colour
    )
    designs = {each.name: design for each in counts.experiments if design}
    experiments = analyse_all(counts, designs, now=NOW)
    if goal is not None:
        experiments = select_goal(experiments, goal)
    for part in terminal.report(
        experiments, counts.ignored, NOW, width, ascii_only, precision, details
    ):
        console.print(part)
    return file.getvalue()


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


BUTTON = two("button", (20_034, 1001), (20_101, 1260), ignored={"bot": 1203})


def test_an_experiment_is_shown_in_full() -> None:
    """Facts, verdict, participants and notes; for each goal its lifts with one interval."""
    assert lines(printed(BUTTON)) == [
        "button",
        "started 2023-11-14, 21 days ago; 40,135 visitors; control: blue (assumed)",
        "buy: Choose red: it converts 25% better than blue, the assumed control (10% to",
        "43% better). Safe to stop.",
        "",
        "  variant          visitors  counting error  share  expected split",
        "  blue (control?)    20,034              28  49.9%           50.0%",
        "  red                20,101              28  50.1%           50.0%",
        "  Traffic split as expected.",
        "  Ignored events: 1,203 (bot).",
        "",
        "  variant          conversions  rate, %  lift, %  95% interval",
        "  blue (control?)        1,001     5.00        -             -",
        "  red                    1,260     6.27      +25    +10 to +43  ┊   ├────●─────┤",
        "",
        "A lift is the relative change of the rate over the control. Its interval",
        "contains the true lift with the confidence given, however often you look. A",
        "counting error is one standard error. If a control is only assumed, set the",
        "experiment's `control` in config.json.",
    ]


def test_details_are_shown_on_request() -> None:
    """They add to everything else: counting noise, and all figures that hold for one look."""
    usual, detailed = lines(printed(BUTTON)), lines(printed(BUTTON, details=True))

    assert [line for line in detailed if line and line in usual] == [*filter(None, usual)]
    assert [line for line in detailed if line not in usual] == [
        "  Counted with precision 16.",
        "  Counting noise widens the intervals by at most 0.26%.",
        "  Details for statisticians",
        "  variant          rate, %  95% interval  chance to be best",
        "  blue (control?)     5.00  [4.70, 5.31]              <0.1%",
        "  red                 6.27  [5.94, 6.61]             >99.9%",
        "                                                                       chance to",
        "  variant  difference, percentage points         lift, %  p (Holm)  beat control",
        "  red               +1.27 [+0.82, +1.72]  +25 [+16, +36]   <0.0001        >99.9%",
        "Details for statisticians: These figures are fixed-horizon: valid for one look",
        "on a date chosen in advance. The verdict does not use them.",
    ]


def test_a_header_is_broken_before_a_name_is_shortened() -> None:
    """Names matter more than headers on one line; a header has as few lines as fit."""
    variants = {
        "the control": (20_034, {"buy": 1001}),
        "the other one": (20_101, {"buy": 1260}),
    }

    shown = lines(printed(row("e", variants), details=True))

    header = next(number for number, line in enumerate(shown) if "p (Holm)" in line)
    assert shown[header - 1 : header + 2] == [
        "                          difference,                               chance to",
        "  variant           percentage points         lift, %  p (Holm)  beat control",
        "  the other one  +1.27 [+0.82, +1.72]  +25 [+16, +36]   <0.0001        >99.9%",
    ]


def test_one_variant_has_its_rate_among_the_details() -> None:
    """There is nothing to compare, but its rate is known."""
    shown = lines(printed(row("e", {"a": (900, {"buy": 9})}), details=True))

    assert "  a            1.0    [0.5, 1.9]                  -" in shown
    assert not [line for line in shown if "beat control" in line]


TWO_GOALS = row(
    "e",
    {
        "old": (40_000, {"buy": 2000, "look": 20_000, "return": 200}),
        "red": (40_000, {"buy": 2400, "look": 20_100, "return": 300}),
    },
    ("look", "return", "buy"),
)


def test_each_goal_has_its_verdict() -> None:
    """The primary goal comes first, then the guardrails; the headline warns of harm."""
    design = Design(goal="buy", guardrails=("return",), decrease=("return",), visitors=90_000)

    shown = lines(printed(TWO_GOALS, design=design))

    assert shown[1].endswith("80,000 of 90,000 planned visitors; control: old")
    assert shown[2].startswith("Guardrail return is harmed: red converts 50% more than old ")
    goals = [line[:19] for line in shown if line.startswith(("buy: ", "return: ", "look: "))]
    assert goals == ["buy: red converts 2", "return: Harmed: red", "look: Secondary goa"]


def test_one_goal_keeps_the_headline_of_the_experiment() -> None:
    """So that harm under another goal is not hidden."""
    design = Design(goal="buy", guardrails=("return",), decrease=("return",))
    whole = lines(printed(TWO_GOALS, design=design))

    shown = lines(printed(TWO_GOALS, design=design, goal="look"))

    assert shown[:6] == whole[:6]
    assert shown[2].startswith("Guardrail return is harmed: ")
    assert [line for line in shown if line.startswith("look: Secondary goal")]
    assert not [line for line in shown if line.startswith(("buy: ", "return: "))]


def test_variants_without_a_weight_are_noted() -> None:
    """They have no share and no part in the verdict."""
    item = row("e", {"a": (900, {"buy": 9}), "b": (901, {"buy": 9}), "x": (3, {"buy": 1})})

    shown = lines(printed(item, design=Design(weights={"a": 1, "b": 1})))

    assert "  Without a weight in config.json, and so without a verdict: x." in shown
    assert "  x                   3               0      -               -" in shown


def test_an_open_interval_is_said_in_words() -> None:
    """A control without conversions has no lift to draw."""
    shown = lines(printed(two(blue=(1000, 0), red=(1000, 50))))

    assert "  red                       50     5.00        -  +472 or more" in shown


def test_a_wrong_split_comes_before_any_figure() -> None:
    """It is the third line."""
    shown = lines(printed(two(blue=(10_400, 501), red=(9600, 560))))

    assert shown[2].startswith("! Do not trust this: visitors are split 52/48, expected 50/50")


def test_under_a_wrong_split_no_goal_can_be_trusted() -> None:
    """The verdict on each goal says so."""
    shown = lines(printed(two(blue=(10_400, 501), red=(9600, 560))))

    assert "buy: Do not trust this: the traffic is not split as expected." in shown


def test_a_goal_that_is_not_a_conversion_has_no_percentage() -> None:
    """It is shown per visitor."""
    shown = printed(two(blue=(1040, 5010), red=(1060, 5600)))

    assert "buy: Not a conversion: more goals than visitors" in shown
    assert "  blue (control?)     1,040  5,010               4.82" in lines(shown)
    assert "interval" not in shown


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        pytest.param(row("e", {}, ()), "No visitors counted yet.", id="nothing"),
        pytest.param(
            row("e", {"a": (9, {}), "b": (8, {})}, ()),
            "No conversions yet among 17 visitors.",
            id="no goal",
        ),
        pytest.param(
            row("e", {"a": (900, {"buy": 9})}),
            "Nothing to compare: only a has visitors.",
            id="one variant",
        ),
        pytest.param(
            row("e", {"a": (20, {"buy": 1}), "b": (21, {"buy": 2})}),
            "There are too few visitors to estimate how long it takes.",
            id="too few",
        ),
    ],
)
def test_missing_data_is_explained(item: dict[str, Any], sentence: str) -> None:
    """A sentence says what is missing, instead of an empty table."""
    assert sentence in printed(item)


def test_a_reached_limit_comes_first() -> None:
    """With what to do about it; events of known and unknown experiments are counted together."""
    shown = printed(
        two("a"), two("b", ignored={"limit reached": 2}), ignored={"limit reached": 1000}
    )

    warning, experiment = shown.index("gimel delete"), shown.index("started 2023-11-14")
    assert shown.startswith("! A limit was reached: 1,002 events were not counted. ")
    assert warning < experiment
    assert "limit was reached" not in printed(two(), ignored={"bot": 1})


def test_a_precision_that_is_not_the_configured_one_is_explained() -> None:
    """Below all experiments; each has its own precision among its details."""
    shown = printed(two("a", precision="4"), two("b"), precision=4, details=True)

    assert "Counted with precision 4." in shown[: shown.index("Counted with precision 16.")]
    assert "The configured precision, 4, applies to new experiments: 1 of the above" in shown
    assert "configured precision" not in printed(two(), precision=16)
    assert "configured precision" not in printed(two())


def test_ignored_events_of_unknown_experiments_come_last() -> None:
    """They may have a name that the configuration does not allow."""
    shown = printed(two(), ignored={"experiment not allowed": 1234})

    expected = "Ignored events from unknown experiments: 1,234 (experiment not allowed)."
    assert expected in shown[shown.index("95% interval") :]


@pytest.mark.parametrize(
    ("red", "code"),
    [
        pytest.param((10_000, 900), "\x1b[1;32m", id="a winner is green"),
        pytest.param((10_000, 510), "\x1b[33m", id="an undecided goal is yellow"),
        pytest.param((10_000, 90_000), "\x1b[1;31m", id="what cannot be trusted is red"),
    ],
)
def test_the_colour_of_a_verdict(red: tuple[int, int], code: str) -> None:
    """Colour repeats what the words say."""
    verdict = next(
        line for line in printed(two(red=red), colour=True).splitlines() if "buy: " in line
    )

    assert code in verdict


def test_forty_variants_fit() -> None:
    """Each has its row in every table."""
    variants = {f"variant-{number}": (1000 + number, {"buy": 50 + number}) for number in range(40)}

    shown = printed(row("e", variants), details=True)

    assert all(cell_len(line) <= 80 for line in shown.splitlines())
    assert all(shown.count(f"  variant-{number} ") == 4 for number in range(1, 40))


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
    assert f" better than {name}, the assumed control" in " ".join(shown.split())
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
    width=st.integers(80, 200),
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
        (Lift(0.5, None, 0.8), False, "─────●──┤  "),
        (Lift(0.5, None, None), True, "-----o-----"),
        (Lift(0.5, 0.2, 3.0), False, "┊ ├──●─────"),
    ],
    ids=["closed", "ASCII", "from zero", "a point", "no upper end", "no lower end", "open", "far"],
)
def test_an_interval_is_drawn_to_scale(lift: Lift, ascii_only: bool, bar: str) -> None:
    """A mark shows zero; an end that is open or beyond the axis has no cap."""
    assert terminal.interval_bar(lift, 0, 1, 11, ascii_only) == bar


@pytest.mark.parametrize("size", [8, 40])
def test_a_lift_without_a_value_has_no_bar(size: int) -> None:
    """Over a control without conversions."""
    assert terminal.interval_bar(Lift(None, 4.7, None), 0, 1, size) == ""


def test_without_room_there_is_no_bar() -> None:
    """Below eight columns an interval says nothing."""
    assert terminal.interval_bar(Lift(0.5, 0.2, 0.8), 0, 1, 7) == ""

"""The list of experiments in the terminal: order, columns, states, and what gives way."""

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
from gimel.analysis.experiment import analyse_all
from gimel.api import answers
from gimel.report import listing
from gimel.report.layout import Screen
from gimel.report.summary import State
from tests.support.answers import answer, row, two
from tests.support.printed import NOW, lines

WINNER = two("winner", red=(10_000, 700))
LOSER = two("loser", red=(10_000, 350))
WRONG = two("wrong", blue=(12_000, 500))
OPEN = two("open")


def listed(
    *items: dict[str, Any],
    screen: Screen | None = None,
    query: listing.Query | None = None,
    designs: Mapping[str, Design] | None = None,
    colour: bool = False,
) -> str:
    counts = answers.parse(answer(*items))
    experiments = analyse_all(counts, designs or {}, now=NOW)
    screen = screen or Screen(100)
    file = io.StringIO()
    console = Console(
        file=file,
        width=screen.width,
        color_system="standard" if colour else None,
        force_terminal=colour,
    )
    for part in listing.overview(experiments, {}, screen, query):
        console.print(part, crop=False)
    return file.getvalue()


def rows(text: str) -> list[str]:
    """Return the lines of the experiments."""
    table = text[: text.index("\n\n")] if "\n\n" in text else text
    return lines(table)[1:]


def test_an_experiment_is_one_line() -> None:
    """State, name, visitors, lift with its interval, verdict; below, what they mean."""
    shown = lines(listed(OPEN, LOSER, WRONG, WINNER, screen=Screen(120)))

    assert shown[:7] == [
        "state              name    visitors  lift of   lift (95% interval)  verdict",
        "! needs attention  wrong     22,000               -                 wrong split",
        "✓ decided          loser     20,000  red       −30% (−44% to −13%)  keep “blue”",
        "✓ decided          winner    20,000            +40% (+17% to +68%)  choose “red”",
        "… running          open      20,000           +4.0% (−14% to +27%)  perhaps 8 weeks or"
        " longer",
        "",
        "! 1 needs attention   ✓ 2 decided   … 1 running",
    ]
    assert shown[-1] == "  gimel results NAME"


def test_a_program_gets_whole_names_and_a_minus_that_can_be_typed() -> None:
    """What is not a terminal has no width: `grep` finds a name, "-30%" and '"blue"'."""
    name = "x" * 199 + "y"
    loser = two(name, red=(10_000, 350))

    (line,) = rows(listed(loser, screen=Screen(80, is_terminal=False)))

    assert line == f'✓ decided  {name}    20,000  red      -30% (-44% to -13%)  keep "blue"'


def test_ascii_is_enough() -> None:
    """Marks, minus signs, quotes and shortened names need nothing else."""
    loser = two("a name with many words, and some more", red=(10_000, 350))

    text = listed(loser, OPEN, screen=Screen(60, ascii_only=True))

    assert text.isascii()
    assert rows(text)[1:] == [
        '* a name with ma... and some more  keep "blue"',
        "    red       -30% (-44% to -13%)",
        ". open                             perhaps 8 weeks or longer",
        "             +4.0% (-14% to +27%)",
    ]


@pytest.mark.parametrize(
    ("states", "names"),
    [
        ((State.ATTENTION,), ["wrong"]),
        ((State.RUNNING, State.ATTENTION), ["wrong", "open"]),
        ((State.DECIDED,), ["loser", "winner"]),
    ],
    ids=["attention", "two", "decided"],
)
def test_a_state_is_chosen(states: tuple[State, ...], names: list[str]) -> None:
    """The numbers below are still those of all experiments."""
    text = listed(OPEN, LOSER, WRONG, WINNER, query=listing.Query(states))

    found = [word for line in rows(text) for word in line.split()[2:4] if word.isalpha()]
    assert [word for word in found if word != "attention"] == names
    assert "! 1 needs attention   ✓ 2 decided   … 1 running" in text


def test_a_state_without_experiments_is_said() -> None:
    """With the numbers of those in other states, and without a legend."""
    text = listed(WINNER, query=listing.Query((State.RUNNING, State.ATTENTION)))

    assert lines(text) == [
        "No experiment is in the state: needs attention, running.",
        "",
        "✓ 1 decided",
        "",
    ]


SHOP = row(
    "shop",
    {"control": (10_000, {"buy": 500, "look": 3000}), "red": (10_000, {"buy": 700, "look": 2400})},
    ("buy", "look"),
)


def test_the_goal_of_the_lift_is_named() -> None:
    """If an experiment has several; it is the one that the verdict rests on."""
    text = listed(SHOP, WINNER, designs={"shop": Design(goal="look")})

    assert "lift of" in lines(text)[0]
    assert [line.split()[3:7] for line in rows(text)] == [
        ["20,000", "look:", "red", "−20%"],
        ["20,000", "buy", "+40%", "(+17%"],
    ]


def test_a_verdict_on_several_goals_has_no_lift() -> None:
    """Better under one and worse under another: either lift alone would mislead."""
    (line,) = rows(listed(SHOP))

    assert line.split() == [
        "!",
        "needs",
        "attention",
        "shop",
        "20,000",
        "-",
        "-",
        "mixed",
        "result",
    ]


THREE = {
    "control": (9000, {"buy": 900}),
    "green": (9000, {"buy": 600}),
    "red": (9000, {"buy": 700}),
}


def test_the_variant_of_the_lift_is_named() -> None:
    """If there are several, and the verdict does not name it: here the closest to the control."""
    better = THREE | {"red": (9000, {"buy": 1200})}
    items = [row("kept", THREE), row("won", better)]

    text = listed(*items)

    assert lines(text)[0].split()[3:6] == ["lift", "of", "lift"]
    assert [line.split()[3:6] for line in rows(text)] == [
        ["27,000", "red", "−22%"],
        ["27,000", "+33%", "(+16%"],
    ]
    assert "for the variant named or chosen" in " ".join(text.split())
    assert "for the variant" not in " ".join(listed(WINNER).split())


@pytest.mark.parametrize(
    ("width", "subject"), [(120, "bought a lot: light red"), (74, "bou…ot: lig…ed")]
)
def test_goal_and_variant_share_their_column(width: int, subject: str) -> None:
    """Neither of them gives way."""
    variants = {
        name: (9000, {"bought a lot": buyers, "looked": 3000})
        for name, buyers in (("control", 900), ("green", 600), ("light red", 700))
    }
    item = row("e", variants, ("bought a lot", "looked"))

    text = listed(item, designs={"e": Design(goal="bought a lot")}, screen=Screen(width))

    assert f"  {subject}  " in rows(text)[0]


def test_the_widest_columns_fit_60() -> None:
    """A lift of eight columns, goals and variants with long names, and the longest verdict."""
    long = "a long name of a goal"
    narrow = {"control": (10**10, {"buy": 5 * 10**8}), "red": (10**10, {"buy": 500_047_000})}
    misused = {name: (9000, {"buy": 600, long: 30_000}) for name in ("control", "green", "red 2")}
    items = [row("a name that is long", narrow), row("another long name", misused, ("buy", long))]

    text = listed(*items, designs={items[1]["experiment"]: Design(goal="buy")}, screen=Screen(60))

    assert "  +0.0094% (−1.4% to +1.5%)\n" in text
    assert "” is not a conversion" in text
    assert max(map(cell_len, rows(text))) <= 60


def test_the_lift_of_a_goal_is_chosen() -> None:
    """State and verdict are still those of the experiment, which is said."""
    text = listed(SHOP, designs={"shop": Design(goal="buy")}, query=listing.Query(goal="look"))

    assert "−20% (" in text
    assert "choose “red”" in text
    assert "under the goal “look”; state and verdict are those of the whole" in " ".join(
        text.split()
    )


def test_incomplete_data_are_not_praised() -> None:
    """A winner among counts that cannot be read in full must not be chosen yet."""
    (line,) = rows(listed(two("e", red=(10_000, 700), unreadable=1)))

    assert line.endswith("incomplete data")
    assert line.startswith("! needs attention")


def test_a_goal_that_is_not_a_conversion_is_named() -> None:
    """Where the verdict rests on another one."""
    item = row(
        "e",
        {"a": (9000, {"buy": 500, "look": 30_000}), "b": (9000, {"buy": 800, "look": 30_000})},
        ("buy", "look"),
    )

    (line,) = rows(listed(item, designs={"e": Design(goal="buy")}))

    assert line.endswith("“look” is not a conversion")


def test_what_gives_way() -> None:
    """Names, the word of the state, visitors, the line; never the goal or part of a figure."""
    name = "a name with many words, and some more"
    item = row(
        name,
        {"control": (10_000, {"buy": 500, "ok": 5}), "a new one": (10_000, {"buy": 350, "ok": 5})},
        ("buy", "ok"),
    )

    def shown(width: int) -> list[str]:
        text = listed(item, designs={name: Design(goal="buy")}, screen=Screen(width))
        return lines(text[: text.index("\n\n")])[1:]

    lift, keep = "−30% (−44% to −13%)", "keep “control”"
    assert {width: shown(width) for width in (120, 100, 80, 66, 50)} == {
        120: [f"✓ decided  {name}    20,000  buy: a new one  {lift}  {keep}"],
        100: [f"✓ decided  a name with m…nd some more    20,000  buy: a new one  {lift}  {keep}"],
        80: [f"✓ a name …me more    20,000  buy: a new one  {lift}  {keep}"],
        66: [f"✓ a name …me more  buy: a …ne  {lift}  {keep}"],
        50: [
            "    lift of         lift (95% interval)",
            f"✓ a name with many…, and some more  {keep}",
            f"    buy: a new one  {lift}",
        ],
    }


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (WRONG, "\x1b[1;31m! needs attention"),
        (WINNER, "\x1b[1;32m✓ decided"),
        (OPEN, "\x1b[33m… running"),
    ],
    ids=["attention", "decided", "running"],
)
def test_colour_repeats_the_state(item: dict[str, Any], code: str) -> None:
    """Red, green or yellow, on the word alone."""
    text = listed(item, colour=True)

    assert code in text
    assert "\x1b" not in listed(item)


names = st.text(min_size=1, max_size=200)
counts = st.integers(0, 1000) | st.integers(0, 10**12)


@given(
    name=names,
    variants=st.dictionaries(
        names, st.tuples(counts, st.fixed_dictionaries({"buy": counts, "ok": counts})), max_size=4
    ),
    since=st.none() | st.integers(1_700_000_000, 1_701_000_000),
    width=st.integers(60, 140),
    ascii_only=st.booleans(),
)
def test_any_counts_and_names_fit(
    name: str,
    variants: dict[str, tuple[int, dict[str, int]]],
    since: int | None,
    width: int,
    ascii_only: bool,
) -> None:
    """No line is wider than the terminal, and nothing that moves the cursor is printed."""
    item = row(name, variants, ("buy", "ok"), since=since)

    text = listed(item, OPEN, screen=Screen(width, ascii_only))

    assert all(cell_len(line) <= width for line in text.split("\n"))
    assert not any(ord(character) < 32 for character in text.replace("\n", ""))
    marks = (". ", "! ", "* ") if ascii_only else ("… ", "! ", "✓ ")
    assert sum(line.startswith(marks) for line in rows(text)) == 2

"""How numbers and names are written."""

from __future__ import annotations

import math

import pytest
from rich.cells import cell_len

from gimel.analysis.mixture import Lift
from gimel.analysis.phrases import signed_percent
from gimel.analysis.stats import Estimate
from gimel.report import figures

DAY = 86400


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("größe 変種 אבגד", "größe 変種 אבגד"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("a\u2028b\nc", "a\\u2028b\\u000ac"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("[red]<b>", "[red]<b>"),
    ],
)
def test_what_a_name_could_do_to_its_surroundings_is_visible(name: str, shown: str) -> None:
    """Control and direction characters become escapes; joiners and markup stay as they are."""
    assert figures.visible(name) == shown


@pytest.mark.parametrize(
    ("text", "longest", "shown"),
    [
        ("abcdefghij", 10, "abcdefghij"),
        ("abcdefghijk", 10, "abcd...ijk"),
        ("abcdefghijk", 9, "abc...ijk"),
    ],
)
def test_a_long_text_loses_its_middle(text: str, longest: int, shown: str) -> None:
    """Names often differ at one of their ends."""
    assert figures.shorten(text, longest) == shown


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("abcdefghijk", 11, "abcdefghijk"),
        ("abcdefghijk", 10, "abcd...ijk"),
        ("変種変種変種", 12, "変種変種変種"),
        ("変種変種変種変種", 12, "変種...変種"),
        ("e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"),
    ],
)
def test_a_text_is_fitted_by_its_width(text: str, columns: int, shown: str) -> None:
    """A character may be two columns wide, or none."""
    assert cell_len(figures.fit(text, columns)) <= columns
    assert figures.fit(text, columns) == shown


@pytest.mark.parametrize(
    ("intervals", "places"),
    [
        ([], 1),
        ([(0.1, 0.1)], 1),
        ([(0.0, 1.0)], 0),
        ([(0.04, 0.06)], 1),
        ([(0.04, 0.06), (0.05, 0.0503)], 3),
        ([(0.0, math.inf)], 1),
        ([(0.0, math.inf), (0.04, 0.06)], 1),
        ([(0.0, 1e300)], 1),
    ],
    ids=str,
)
def test_percentages_have_the_places_of_the_narrowest_interval(
    intervals: list[tuple[float, float]], places: int
) -> None:
    """An unbounded interval, such as that of a lift over next to nothing, needs none."""
    estimates = [Estimate(low, low, high) for low, high in intervals]
    assert figures.decimal_places(estimates) == places


@pytest.mark.parametrize(
    ("share", "places", "sign", "text"),
    [
        (0.1234, 1, False, "12.3"),
        (0.1234, 1, True, "+12.3"),
        (-0.004, 1, True, "-0.4"),
        (-0.0004, 1, True, "0.0"),
        (0.0, 2, True, "0.00"),
        (12.0, 0, True, ">999"),
    ],
)
def test_a_share_is_written_in_percent(share: float, places: int, sign: bool, text: str) -> None:
    """What rounds to zero has no sign."""
    assert figures.format_percent(share, places, sign) == text


def test_an_interval_is_written_in_words() -> None:
    """Its limits have the same places as the value."""
    shown = figures.format_interval(Estimate(0.05, 0.046, 0.0541), 1, sign=True)
    assert shown == ("+5.0", "+4.6 to +5.4")


@pytest.mark.parametrize(
    ("lifts", "places"),
    [
        ([], 0),
        ([(0.02, 0.4)], 0),
        ([(0.02, 0.4), (0.2, 0.203)], 2),
        ([(None, None), (0.02, None), (None, 0.4)], 0),
        ([(None, None), (0.2, 0.23)], 1),
    ],
    ids=str,
)
def test_lifts_have_the_places_of_the_narrowest_closed_interval(
    lifts: list[tuple[float | None, float | None]], places: int
) -> None:
    """An open interval has no width."""
    assert figures.decimal_places_of_lifts(Lift(0.1, *ends) for ends in lifts) == places


@pytest.mark.parametrize(
    ("lift", "places", "shown"),
    [
        (Lift(0.2, 0.1, 0.3), 0, ("+20", "+10 to +30")),
        (Lift(0.2, 0.199, 0.201), 2, ("+20.00", "+19.90 to +20.10")),
        (Lift(0.15, 0.0178, 0.31), 0, ("+15", "+1.8 to +31")),
        (Lift(0.1, 0.002, 0.21), 0, ("+10", "+0.20 to +21")),
        (Lift(-0.1, -0.21, -0.00012), 0, ("-10", "-21 to -0.012")),
        (Lift(0.0, -0.00001, 0.00001), 1, ("0.0", "0.0 to 0.0")),
        (Lift(0.5, 0.07, None), 0, ("+50", "+7.0 or more")),
        (Lift(-1.0, None, -0.96), 0, ("-100", "-96 or less")),
        (Lift(1.0, None, None), 0, ("+100", "unknown")),
        (Lift(None, 4.72, None), 0, ("-", "+472 or more")),
        (Lift(None, None, None), 0, ("-", "unknown")),
        (Lift(149.0, 22.6, None), 0, (">999", ">999")),
        (Lift(4.0, None, 22.6), 0, ("+400", "unknown")),
        (Lift(5.0, 0.5, 22.6), 0, ("+500", "+50 to >999")),
    ],
    ids=str,
)
def test_a_lift_is_written_with_its_interval(
    lift: Lift, places: int, shown: tuple[str, str]
) -> None:
    """An end below 10% has two digits: one that excludes zero is never shown as zero."""
    assert figures.format_lift(lift, places) == shown


@pytest.mark.parametrize("share", [0.00005, 0.00123, 0.00995, 0.0994, 0.0996, 0.1, 0.256, 5.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_lift_has_the_digits_of_a_sentence(share: float, sign: int) -> None:
    """The same number, so that a table and a verdict never differ."""
    said = signed_percent(sign * share)

    value, _ = figures.format_lift(Lift(sign * share, None, None), 0)

    assert float(value) == float(said.rstrip("%").replace("\u2212", "-"))


@pytest.mark.parametrize(
    ("p", "text"), [(1e-9, "<0.0001"), (0.00694, "0.0069"), (0.2439, "0.24"), (1, "1.00")]
)
def test_a_small_p_value_has_more_places(p: float, text: str) -> None:
    """Below 0.01 it has four, below 0.0001 none."""
    assert figures.format_p_value(p) == text


@pytest.mark.parametrize(
    ("probability", "text"),
    [(None, "-"), (0.0, "<0.1%"), (0.878, "87.8%"), (0.9995, ">99.9%"), (1.0, ">99.9%")],
)
def test_no_probability_is_certain(probability: float | None, text: str) -> None:
    """An undefined one is a dash."""
    assert figures.format_probability(probability) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0005, "less than 0.1%"),
        (0.0026, "at most 0.26%"),
        (0.031, "at most 3.1%"),
        (1.69, "at most 169%"),
        (12.0, "at most 1,200%"),
    ],
)
def test_widening_is_rounded_to_two_digits(share: float, text: str) -> None:
    """A negligible one is not spelled out."""
    assert figures.format_widening(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1_700_000_000, "2023-11-14, today"),
        (1_700_000_000 - DAY, "2023-11-13, 1 day ago"),
        (1_700_000_000 - 21 * DAY, "2023-10-24, 21 days ago"),
        (1_700_000_000 - 79_999, "2023-11-14, today"),
        (1_700_000_000 - 80_001, "2023-11-13, 1 day ago"),
        (1_700_000_000 + 1_000_000, "2023-11-26, today"),
        (0, "1970-01-01, 19,675 days ago"),
        (10**18, "an unknown date"),
    ],
)
def test_a_start_is_a_date_and_an_age(seconds: int, text: str) -> None:
    """The date is in UTC, and has one age; a time beyond all calendars is not a date."""
    assert figures.format_start(seconds, 1_700_000_000 + 60) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("5.02", "5.02%"),
        ("-15 to +4.2", "-15% to +4.2%"),
        (">999", ">999%"),
        ("[4.7, 5.3]", "[4.7%, 5.3%]"),
        ("+472 or more", "+472% or more"),
        ("unknown", "unknown"),
        ("-", "-"),
    ],
)
def test_every_figure_has_its_unit(text: str, shown: str) -> None:
    """Words and dashes have none."""
    assert figures.with_unit(text) == shown


def test_a_name_is_shortened_with_a_chosen_ellipsis() -> None:
    """One character instead of three leaves more of the name."""
    assert figures.fit("button colour", 9, "\u2026") == "butt\u2026lour"
    assert figures.fit("button colour", 9) == "but...our"

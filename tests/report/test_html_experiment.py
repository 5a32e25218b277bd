"""The page of one experiment: its parts and their order, roles, details and marks."""

from __future__ import annotations

import re

import pytest

from gimel.analysis.design import Design
from gimel.analysis.experiment import NotFound
from gimel.report import html
from gimel.report.html import Choices, Frame
from tests.support.answers import analysed, row, two
from tests.support.pages import text_of

NOW = 1_700_000_000 + 21 * 86400.0
CHOICES = Choices("alephbet", "alephbet")
FRAME = Frame("counted by https://host/prod")


def test_an_experiment_begins_with_its_data_quality() -> None:
    """Facts and problems come before verdicts and figures."""
    experiment = analysed(two(blue=(1000, 3000), red=(1000, 50), ignored={"limit reached": 41}))

    shown = text_of(html.experiment(experiment, CHOICES, FRAME, NOW))

    order = [
        "started 2023-11-14, 21 days ago; 2,000 visitors; control: blue (assumed)",
        "Data quality",
        "! incomplete: 41 events were not counted because a limit was reached",
        "! buy: Not a conversion: more goals than visitors (blue: 3,000 goals, 1,000 visitors)",
        "Ignored events: 41 (limit reached).",
        "Verdict",
        "Visitors of each variant",
        "Goals per visitor of buy",
    ]
    positions = [shown.find(each) for each in order]
    assert -1 not in positions
    assert positions == sorted(positions)


def test_an_experiment_without_problems_says_so() -> None:
    """The reader need not guess."""
    shown = text_of(html.experiment(analysed(two()), CHOICES, FRAME, NOW))

    assert "No data-quality problems found." in shown


def test_the_tables_of_a_goal_are_those_of_the_terminal() -> None:
    """The lifts, and among the details rates and comparisons."""
    shown = text_of(
        html.experiment(analysed(two(blue=(20_034, 1001), red=(20_101, 1260))), CHOICES, FRAME, NOW)
    )

    assert "variant visitors conversions rate, % lift, % 95% interval" in shown
    assert "red 20,101 1,260 6.27 +25 +10 to +43" in shown
    details = shown[shown.index("Details for statisticians") :]
    assert "variant rate, % 95% interval chance to be best" in details
    assert "red 6.27 [5.94, 6.61] >99.9%" in details
    assert "red +1.27 [+0.82, +1.72] +25 [+16, +36] <0.0001 >99.9%" in details


@pytest.mark.parametrize("kind", ["experiment", "report"])
def test_details_are_closed_until_they_are_asked_for(kind: str) -> None:
    """They have everything that holds for one look."""
    found = analysed(two(red=(10_000, 800)))
    page = (
        html.experiment(found, CHOICES, FRAME, NOW)
        if kind == "experiment"
        else html.report([found], {}, CHOICES, FRAME, NOW)
    )

    (details,) = re.findall(r'<details id="[^"]*">.*?</details>', page, re.DOTALL)
    assert "<summary>Details for statisticians</summary>" in details
    usual = page.replace(details, "")
    for figure in ("p (Holm)", "chance to", "for one look", "Rate of buy", "fixed-horizon"):
        assert figure in details
        assert figure not in usual


def test_one_variant_has_its_rate_among_the_details() -> None:
    """There is nothing to compare, but its rate is known."""
    found = analysed(row("e", {"a": (900, {"buy": 9})}))

    shown = text_of(html.experiment(found, CHOICES, FRAME, NOW))

    assert "a 1.0 [0.5, 1.9] -" in shown[shown.index("Details for statisticians") :]
    assert "beat control" not in shown


TWO_GOALS = row(
    "e",
    {"control": (100, {"a": 5, "b": 9}), "red": (100, {"a": 5, "b": 9})},
    ("a", "b"),
)


def test_a_chosen_goal_is_shown_alone() -> None:
    """All goals stay in the form."""
    page = html.experiment(analysed(TWO_GOALS), Choices("n", "n", goal="b"), FRAME, NOW)

    assert re.findall(r"Goal: <bdi>(\w+)</bdi>", page) == ["b"]
    assert re.findall(r'<option value="(\w*)"( selected)?>(?:all goals|a|b)<', page) == [
        ("", ""),
        ("a", ""),
        ("b", " selected"),
    ]


THREE_GOALS = row(
    "e",
    {
        "old": (40_000, {"buy": 2000, "look": 20_000, "return": 200}),
        "red": (40_000, {"buy": 2400, "look": 20_100, "return": 300}),
    },
    ("look", "return", "buy"),
)
DESIGN = Design(goal="buy", guardrails=("return",), decrease=("return",), visitors=90_000)


def test_a_heading_has_the_role_of_its_goal() -> None:
    """The primary goal first; without one, all are goals."""
    designed = html.experiment(analysed(THREE_GOALS, DESIGN), CHOICES, FRAME, NOW)
    plain = html.experiment(analysed(TWO_GOALS), CHOICES, FRAME, NOW)

    heading = r'tabindex="-1">([\w ]+): <bdi>(\w+)</bdi></h2>'
    assert re.findall(heading, designed) == [
        ("Primary goal", "buy"),
        ("Guardrail", "return"),
        ("Secondary goal", "look"),
    ]
    assert re.findall(heading, plain) == [("Goal", "a"), ("Goal", "b")]


def test_a_chosen_goal_keeps_the_headline_of_the_experiment() -> None:
    """So that harm under another goal is not hidden."""
    choices = Choices("n", "n", goal="look")

    shown = text_of(html.experiment(analysed(THREE_GOALS, DESIGN), choices, FRAME, NOW))

    assert "Verdict ! Guardrail return is harmed: red converts 50% more often than old " in shown
    assert "Secondary goal: look" in shown
    assert "Primary goal: buy" not in shown


def test_each_verdict_has_its_mark() -> None:
    """Harm is a doubt; what has no verdict is not decided."""
    shown = text_of(html.experiment(analysed(THREE_GOALS, DESIGN), CHOICES, FRAME, NOW))

    assert "! return : Harmed: " in shown
    assert "… look : Secondary goal, shown without a verdict" in shown
    assert "80,000 of 90,000 planned visitors" in shown


@pytest.mark.parametrize(
    ("design", "facts", "name"),
    [
        (None, "control: blue (assumed)", "blue (control?)"),
        (Design(control="blue"), "control: blue", "blue (control)"),
    ],
    ids=["a guess", "a design"],
)
def test_a_guessed_control_is_marked(design: Design | None, facts: str, name: str) -> None:
    """In the facts and the tables; how to choose it is said below."""
    page = html.experiment(analysed(two(), design), CHOICES, FRAME, NOW)

    assert f'<p class="facts">started 2023-11-14, 21 days ago; 20,000 visitors; {facts}</p>' in page
    assert page.count(f"<bdi>{name}</bdi></th>") == 3
    assert "If a control is only assumed, name it in config.json" in page


def test_a_variant_without_a_weight_is_noted() -> None:
    """Among the notes on the data."""
    item = row("e", {"a": (900, {"buy": 9}), "b": (901, {"buy": 9}), "x": (3, {"buy": 1})})
    design = Design(weights={"a": 1, "b": 1})

    shown = text_of(html.experiment(analysed(item, design), CHOICES, FRAME, NOW))

    assert "Without a weight in config.json, and so without a verdict: x." in shown


@pytest.mark.parametrize(
    ("blue", "red", "arrows"),
    [((10_000, 500), (10_000, 700), 0), ((1000, 2), (1000, 300), 1), ((20, 1), (20, 2), 2)],
    ids=["closed", "open above", "open"],
)
def test_an_open_end_is_drawn_as_an_arrow(
    blue: tuple[int, int], red: tuple[int, int], arrows: int
) -> None:
    """Instead of a cap."""
    page = html.experiment(analysed(two(blue=blue, red=red)), CHOICES, FRAME, NOW)

    lifts = page[: page.index("<details")]
    assert lifts.count('class="cut"') == arrows
    assert lifts.count("v8") == 2 - arrows


def test_a_goal_that_does_not_exist_is_refused() -> None:
    """The hint suggests similar names."""
    with pytest.raises(NotFound, match=r"The experiment 'e' has no goal 'by'\.") as failure:
        html.experiment(analysed(two()), Choices("n", "n", goal="by"), FRAME, NOW)

    assert failure.value.hint == "Did you mean 'buy'?"


def test_the_form_has_the_control_and_the_confidence() -> None:
    """Any other confidence in the address is offered as well."""
    choices = Choices("n", "n", control="red", confidence=0.975)
    page = html.experiment(analysed(TWO_GOALS, control="red"), choices, FRAME, NOW)

    assert re.findall(r'<option value="(\w+)" selected>red<', page) == ["red"]
    assert re.findall(r'<option value="([\d.]+)"( selected)?>', page) == [
        ("0.8", ""),
        ("0.9", ""),
        ("0.95", ""),
        ("0.975", " selected"),
        ("0.99", ""),
        ("0.999", ""),
    ]

"""The page of one experiment: its parts and their order, roles, details and marks."""

from __future__ import annotations

import re

import pytest

from gimel.analysis.design import Design
from gimel.analysis.experiment import NotFound
from gimel.report import html
from gimel.report.html import Choices, Frame
from gimel.report.wording import short_sentence
from tests.support.answers import analysed, row, two
from tests.support.pages import closed_text_of, text_of

NOW = 1_700_000_000 + 21 * 86400.0
CHOICES = Choices("alephbet", "alephbet")
FRAME = Frame("counted by https://host/prod")


def test_an_experiment_begins_with_its_verdict() -> None:
    """Then come the problems with the data, and the goals; the form comes last."""
    experiment = analysed(two(blue=(1000, 3000), red=(1000, 50), ignored={"limit reached": 41}))

    shown = text_of(html.experiment(experiment, CHOICES, FRAME, NOW))

    order = [
        "! Needs attention",
        "“buy”: Not a conversion: more goals than visitors (“blue”: 3,000 goals, 1,000 visitors)",
        "started 2023-11-14, 21 days ago; 2,000 visitors; control: blue (assumed)",
        "! Data quality: 2 problems",
        "! incomplete: 41 events were not counted because a limit was reached",
        "! “buy” is not a conversion",
        "Ignored events: 41 (limit reached).",
        "Visitors of each variant",
        "Goal",
        "Goals per visitor of buy",
        "all goals",
    ]
    place = -1
    for each in order:
        place = shown.find(each, place + 1)
        assert place >= 0, each


def test_an_experiment_without_problems_says_so() -> None:
    """In one line, which is closed: the reader need not guess."""
    page = html.experiment(analysed(two()), CHOICES, FRAME, NOW)

    assert "✓ Data quality: no problems found Goal" in closed_text_of(page)
    assert "Traffic split as expected." in text_of(page)


PROBLEMS = {
    "a mismatch": (two(red=(9000, 450)), "visitors are split 53/47, expected 50/50"),
    "unreadable": (two(unreadable=1), "1 counter cannot be read"),
    "a limit": (two(ignored={"limit reached": 2}), "2 events were not counted"),
    "a misuse": (two(blue=(1000, 3000), red=(1000, 50)), "“buy” is not a conversion"),
}


@pytest.mark.parametrize(("item", "words"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems_are_open_and_counted(item: dict[str, object], words: str) -> None:
    """Nobody has to look for them."""
    shown = closed_text_of(html.experiment(analysed(item), CHOICES, FRAME, NOW))

    assert "! Data quality: 1 problem !" in shown
    assert words in shown
    assert "Visitors of each variant" in shown


VERDICTS = {
    "decided": two(red=(10_000, 700)),
    "running": two(),
    "a mismatch": two(red=(9000, 450)),
    "a misuse": two(blue=(1000, 3000), red=(1000, 50)),
    "two goals": row(
        "e", {"a": (9000, {"x": 900, "y": 500}), "b": (9000, {"x": 1200, "y": 505})}, ("x", "y")
    ),
}


@pytest.mark.parametrize("item", VERDICTS.values(), ids=VERDICTS)
def test_the_verdict_is_written_once(item: dict[str, object]) -> None:
    """In the banner; of several goals each has its own among what opens."""
    experiment = analysed(item)
    page = html.experiment(experiment, CHOICES, FRAME, NOW)

    shown = closed_text_of(page)
    for goal in experiment.goals:
        sentence = short_sentence(goal.verdict)
        assert shown.count(sentence) == (sentence in short_sentence(experiment.headline))
        assert text_of(page).count(sentence) == shown.count(sentence) + (len(experiment.goals) > 1)


@pytest.mark.parametrize(
    ("item", "untrusted", "opened"),
    [(two(), False, True), (two(red=(9000, 450)), True, False), (two(unreadable=1), False, True)],
    ids=["trusted", "a mismatch", "incomplete"],
)
def test_figures_that_cannot_be_trusted_are_grey_and_folded(
    item: dict[str, object], untrusted: bool, opened: bool
) -> None:
    """Only a wrong split makes them worthless; a single goal is open otherwise."""
    page = html.experiment(analysed(item), CHOICES, FRAME, NOW)

    assert ('<section class="goals untrusted"' in page) == untrusted
    assert ("buy: lift over blue" in closed_text_of(page)) == opened


def test_an_untrusted_banner_has_no_lift() -> None:
    """No figure of a wrong split is written large."""
    assert 'class="big"' in html.experiment(analysed(two()), CHOICES, FRAME, NOW)
    page = html.experiment(analysed(two(red=(9000, 450))), CHOICES, FRAME, NOW)
    assert 'class="big"' not in page


def test_the_tables_of_a_goal_are_those_of_the_terminal() -> None:
    """The lifts, and among the details rates and comparisons."""
    shown = text_of(
        html.experiment(analysed(two(blue=(20_034, 1001), red=(20_101, 1260))), CHOICES, FRAME, NOW)
    )

    assert "variant visitors conversions rate, % lift, % 95% interval" in shown
    assert "red 20,101 1,260 6.27 +25 +10 to +43" in shown
    details = shown[shown.index("Details for statisticians") :]
    assert "variant rate, % 95% interval chance to be best" in details
    assert "red 6.27 5.94 to 6.61 >99.9%" in details
    assert "red +1.27 (+0.82 to +1.72) +25 (+16 to +36) <0.0001 >99.9%" in details


@pytest.mark.parametrize("kind", ["experiment", "report"])
def test_details_are_closed_until_they_are_asked_for(kind: str) -> None:
    """They have everything that holds for one look."""
    found = analysed(two(red=(10_000, 800)))
    page = (
        html.experiment(found, CHOICES, FRAME, NOW)
        if kind == "experiment"
        else html.report([found], {}, CHOICES, FRAME, NOW)
    )

    (details,) = re.findall(
        r'<details class="statistics" id="[^"]*">.*?</details>', page, re.DOTALL
    )
    assert (
        "<summary>Details for statisticians (one look only; not used by the verdict)</summary>"
        in details
    )
    usual = page.replace(details, "")
    for figure in ("p (Holm)", "chance to", "for one look", "buy: rates", "fixed-horizon"):
        assert figure in details
        assert figure not in usual


def test_one_variant_has_its_rate_among_the_details() -> None:
    """There is nothing to compare, but its rate is known."""
    found = analysed(row("e", {"a": (900, {"buy": 9})}))

    shown = text_of(html.experiment(found, CHOICES, FRAME, NOW))

    assert "a 1.0 0.5 to 1.9 -" in shown[shown.index("Details for statisticians") :]
    assert "beat control" not in shown


def goals_of(page: str) -> list[tuple[str, str]]:
    """Return the name of each goal's row, and its role."""
    return re.findall(
        r'<strong><bdi>([^<]+)</bdi></strong>(?: <span class="role">([^<]+)</span>)?', page
    )


TWO_GOALS = row(
    "e",
    {"control": (100, {"a": 5, "b": 9}), "red": (100, {"a": 5, "b": 9})},
    ("a", "b"),
)


def test_a_chosen_goal_is_shown_alone() -> None:
    """All goals stay in the form."""
    page = html.experiment(analysed(TWO_GOALS), Choices("n", "n", goal="b"), FRAME, NOW)

    assert goals_of(page) == [("b", "")]
    assert "b: lift over control" in closed_text_of(page)
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


def test_a_row_has_the_role_of_its_goal() -> None:
    """The primary goal first; without one, all are equal."""
    designed = html.experiment(analysed(THREE_GOALS, DESIGN), CHOICES, FRAME, NOW)
    plain = html.experiment(analysed(TWO_GOALS), CHOICES, FRAME, NOW)

    assert goals_of(designed) == [
        ("buy", "primary"),
        ("return", "guardrail, lower is better"),
        ("look", "secondary"),
    ]
    assert goals_of(plain) == [("a", ""), ("b", "")]


def test_a_chosen_goal_keeps_the_headline_of_the_experiment() -> None:
    """So that harm under another goal is not hidden."""
    choices = Choices("n", "n", goal="look")

    shown = text_of(html.experiment(analysed(THREE_GOALS, DESIGN), choices, FRAME, NOW))

    assert "! Needs attention Guardrail “return” is harmed: “red” has a rate 50% higher " in shown
    assert "look secondary" in shown
    assert "buy primary" not in shown


def test_every_strip_has_an_axis() -> None:
    """In the banner its own; on a phone, where no header is above it, that of the goals."""
    page = html.experiment(analysed(two(red=(10_000, 700))), CHOICES, FRAME, NOW)

    banner, goals = page[: page.index('class="goals')], page[page.index('class="goals') :]
    assert re.findall(r'class="([^"]+)" viewBox', banner) == ["strip", "axis own"]
    assert "+17% to +68% 0% +70%" in text_of(page)
    beside = re.findall(r'class="([^"]+)" viewBox', goals)
    assert beside.count("strip") == beside.count("axis short") == 4
    assert ".axis text { font-size: 11px;" in page


def test_each_goal_is_one_row() -> None:
    """Mark, name, role, rates, lift, interval; what is harmed is in doubt, not what is better."""
    page = html.experiment(analysed(THREE_GOALS, DESIGN), CHOICES, FRAME, NOW)

    shown = closed_text_of(page)
    for goal in (
        "✓ buy primary old 5.00%, red 6.00% 0% +100% +20% better +9.5% to +32%",
        "! return guardrail, lower is better old 0.50%, red 0.75% 0% +100% +50% worse +11% to"
        " +105%",
        "i look secondary old 50.0%, red 50.2% 0% +100% +0.50% \u22122.1% to +3.1% Over time",
    ):
        assert goal in shown
    assert "80,000 of 90,000 planned visitors" in shown
    assert "! return guardrail" in shown
    opened = text_of(page)
    assert "Harmed: “red” has a rate 50% higher" in opened
    assert "Secondary goal, shown without a verdict" in opened


def test_each_row_has_its_strip() -> None:
    """All of them on one axis, which is written once."""
    page = html.experiment(analysed(THREE_GOALS, DESIGN), CHOICES, FRAME, NOW)

    rows = re.findall(r'<details class="goal .*?</summary>', page, re.DOTALL)
    strips = [re.findall(r'<line class="control-line" x1="([\d.]+)"', row) for row in rows]
    assert len(strips) == 3
    assert len({x for row in strips for x in row}) == 1
    assert all(len(row) == 1 for row in strips)
    axis = page[page.index('class="goal-axis"') : page.index('<details class="goal ')]
    assert axis.count('class="strip axis"') == 1
    assert axis.count("95% interval") == 1


def test_progress_is_shown_while_an_experiment_runs() -> None:
    """Toward its plan, else toward the forecast; not after the decision."""
    running = html.experiment(analysed(two()), CHOICES, FRAME, NOW)
    planned = html.experiment(analysed(two(), Design(visitors=30_000)), CHOICES, FRAME, NOW)
    decided = html.experiment(analysed(two(red=(10_000, 700))), CHOICES, FRAME, NOW)

    assert '<progress value="20000" max="30000" aria-label="Visitors so far">' in planned
    assert "20,000 of 30,000 planned visitors" in text_of(planned)
    assert re.search(r"\d+% of the visitors that it may need", text_of(running))
    assert "<progress" not in decided


def test_names_keep_their_hyphens() -> None:
    """Only figures have a minus sign, in rows, tables and details."""
    name = "a -5 -x"
    item = row(name, {name: (9000, {name: 900}), "b -1": (9000, {name: 700})}, (name,))
    page = html.experiment(analysed(item, Design(control=name)), CHOICES, FRAME, NOW)

    shown = text_of(page)
    assert "\u2212" in shown
    assert not re.search(r"(?<![\w ])-\d|a \u22125|b \u22121", shown)
    assert re.findall(r"<bdi>(b [^<]+)</bdi>", page) == ["b -1"] * 5


@pytest.mark.parametrize(
    ("design", "facts", "name"),
    [
        (None, "control: blue (assumed)", "blue (control?)"),
        (Design(control="blue"), "control: blue", "blue (control)"),
    ],
    ids=["a guess", "a design"],
)
def test_a_guessed_control_is_marked(design: Design | None, facts: str, name: str) -> None:
    """In the facts and the tables; the words at the end say what to do."""
    page = html.experiment(analysed(two(), design), CHOICES, FRAME, NOW)

    assert f'<p class="facts">started 2023-11-14, 21 days ago; 20,000 visitors; {facts}</p>' in page
    assert page.count(f"<bdi>{name}</bdi></th>") == 3
    assert "If it is only assumed, name it in config.json." in page


def test_a_variant_without_a_weight_is_noted() -> None:
    """Among the notes on the data."""
    item = row("e", {"a": (900, {"buy": 9}), "b": (901, {"buy": 9}), "x": (3, {"buy": 1})})
    design = Design(weights={"a": 1, "b": 1})

    shown = text_of(html.experiment(analysed(item, design), CHOICES, FRAME, NOW))

    assert "Without a weight in config.json, and so without a verdict: “x”." in shown


@pytest.mark.parametrize(
    ("blue", "red", "arrows"),
    [((10_000, 500), (10_000, 700), 0), ((1000, 2), (1000, 300), 1), ((20, 1), (20, 2), 2)],
    ids=["closed", "open above", "open"],
)
def test_an_open_end_is_drawn_as_an_arrow(
    blue: tuple[int, int], red: tuple[int, int], arrows: int
) -> None:
    """Instead of a cap: in the banner, in the goal's row and in its table alike."""
    page = html.experiment(analysed(two(blue=blue, red=red)), CHOICES, FRAME, NOW)

    lifts = page[: page.index('<details class="statistics"')]
    assert lifts.count('class="point"') == 3
    assert lifts.count('class="cut"') == 3 * arrows
    assert lifts.count("v8") == 3 * (2 - arrows)


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

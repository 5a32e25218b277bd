"""The headline speaks of the goal that decides, names what is harmed, and hides no goal."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gimel.analysis.design import Design
from gimel.analysis.verdict import Kind, Verdict
from tests.support.experiments import Variants, experiment

N = 40_000
DESIGN = Design(control="blue", goal="signup", guardrails=("buy", "load"))


def goals(blue: Mapping[str, float], **others: Mapping[str, float]) -> Variants:
    """Return variants of 40,000 visitors each, with their conversions by goal."""
    return {name: (N, conversions) for name, conversions in {"blue": blue, **others}.items()}


def headline(
    blue: Mapping[str, float], design: Design | None = None, **others: Mapping[str, float]
) -> Verdict:
    return experiment(goals(blue, **others), design).headline


SIGNUP = (
    "“signup”: Choose “red”: it converts 20% better than “blue” (9.5% to 32% better). Safe to stop."
)


def test_a_goal_that_is_worse_is_never_hidden() -> None:
    """Signup rises by a fifth and buy falls by 30%: the headline once praised red for signup."""
    variants = goals({"signup": 2000, "buy": 1000}, red={"signup": 2400, "buy": 700})

    found = experiment(variants, Design(control="blue"))

    assert found.headline.sentence == (
        "Mixed result: on “buy”, “red” converts 30% worse than “blue” (17% to 41% worse); on"
        " “signup”, “red” converts 20% better than “blue” (8.8% to 32% better). Choose the goal"
        " that decides: name it in config.json, as the goal of this experiment."
    )
    assert [(goal.verdict.kind, goal.verdict.sentence) for goal in found.goals] == [
        (
            Kind.CONFLICT,
            "“red” converts 30% worse (17% to 41% worse). But “red” is better under another goal.",
        ),
        (
            Kind.CONFLICT,
            "“red” converts 20% better than “blue” (8.8% to 32% better). But it is worse under"
            " another goal.",
        ),
    ]
    assert (found.headline.kind, found.headline.safe_to_stop) == (Kind.CONFLICT, False)


def test_twenty_goals_share_the_error() -> None:
    """One of them with p = 0.0016, as chance brings about in 1 of 30 experiments, wins nothing."""
    blue = {f"goal {number:02}": 2000.0 for number in range(20)}

    found = headline(blue, red={**blue, "goal 07": 2200})

    assert found.kind is Kind.TOO_EARLY
    assert found.sentence.endswith(" 19 other goals: could be better or worse.")


@pytest.mark.parametrize(
    ("blue", "red", "kind", "sentence"),
    [
        pytest.param(
            {"signup": 2000}, {"signup": 2400}, Kind.WINNER, SIGNUP, id="the primary goal alone"
        ),
        pytest.param(
            {"signup": 2000, "load": 16_000, "view": 20_000, "read": 300},
            {"signup": 2400, "load": 16_010, "view": 22_000, "read": 310},
            Kind.WINNER,
            f"{SIGNUP} 1 guardrail: no harm of 10% or more. 2 secondary goals: 1 could be better or"
            " worse, 1 better.",
            id="every state is counted",
        ),
        pytest.param(
            {"signup": 2000, "buy": 1000, "load": 16_000},
            {"signup": 2400, "buy": 1010, "load": 16_010},
            Kind.WINNER,
            "“signup”: “red” converts 20% better than “blue” (9.5% to 32% better). This holds if"
            " you stop now, but harm to guardrail “buy” is not ruled out yet. 1 other guardrail: no"
            " harm of 10% or more.",
            id="a guardrail is open",
        ),
        pytest.param(
            {"signup": 16_000, "buy": 1000, "load": 0},
            {"signup": 16_020, "buy": 1010, "load": 0},
            Kind.NO_DIFFERENCE,
            "“signup”: No difference of 10% or more: the lift of “red” is between −2.9% and"
            " +3.2%. This holds if you stop now, but harm to guardrails “buy” and “load” is not"
            " ruled out yet.",
            id="two guardrails are open",
        ),
        pytest.param(
            {"signup": 2000, "buy": 1000, "load": 16_000},
            {"signup": 1600, "buy": 1010, "load": 16_010},
            Kind.CONTROL_WINS,
            "“signup”: Keep “blue” (control): “red” converts 20% worse (11% to 28% worse). Safe to"
            " stop. 2 guardrails: 1 with harm not ruled out yet, 1 with no harm of 10% or more.",
            id="the control harms nothing",
        ),
        pytest.param(
            {"signup": 2000, "buy": 1000},
            {"signup": 2400, "buy": 700},
            Kind.CONFLICT,
            "Guardrail “buy” is harmed: “red” converts 30% worse than “blue” (19% to 40% worse). On"
            " “signup”, “red” converts 20% better than “blue” (9.5% to 32% better). Weigh these"
            " against each other before you choose.",
            id="the winner harms a guardrail",
        ),
        pytest.param(
            {"signup": 2000, "buy": 1000},
            {"signup": 1600, "buy": 700},
            Kind.CONTROL_WINS,
            "Guardrail “buy” is harmed: “red” converts 30% worse than “blue” (19% to 40% worse)."
            " “signup”: Keep “blue” (control): “red” converts 20% worse (11% to 28% worse). Safe"
            " to stop.",
            id="everything is worse",
        ),
        pytest.param(
            {"signup": 16_000, "buy": 1000},
            {"signup": 16_020, "buy": 700},
            Kind.HARMED,
            "Guardrail “buy” is harmed: “red” converts 30% worse than “blue” (19% to 40% worse)."
            " “signup”: No difference of 10% or more: the lift of “red” is between −2.9% and"
            " +3.2%.",
            id="harm without a gain",
        ),
        pytest.param(
            {"signup": 5, "buy": 1000},
            {"signup": 3, "buy": 700},
            Kind.HARMED,
            "Guardrail “buy” is harmed: “red” converts 30% worse than “blue” (19% to 40% worse)."
            " “signup”: Not decided yet. There are too few visitors to estimate how long it takes.",
            id="harm before a decision",
        ),
        pytest.param(
            {"buy": 1000, "view": 3000},
            {"buy": 1010, "view": 3000},
            Kind.NO_CONVERSIONS,
            "“signup”: No conversions yet among 80,000 visitors. Check that the page and"
            " config.json use the same name for the primary goal (counted: “buy” and “view”). 1"
            " guardrail: harm not ruled out yet. 1 secondary goal: could be better or worse.",
            id="the primary goal has another name",
        ),
        pytest.param(
            {"buy": 1000},
            {"buy": 700},
            Kind.HARMED,
            "Guardrail “buy” is harmed: “red” converts 30% worse than “blue” (19% to 40% worse)."
            " “signup”: No conversions yet among 80,000 visitors. Check that the page and"
            " config.json use the same name for the primary goal (counted: “buy”).",
            id="harm without the primary goal",
        ),
    ],
)
def test_the_headline_speaks_of_the_primary_goal(
    blue: dict[str, float], red: dict[str, float], kind: Kind, sentence: str
) -> None:
    """Guardrails that are harmed come first, and the other goals are counted by state."""
    found = headline(blue, DESIGN, red=red)

    assert (found.kind, found.sentence) == (kind, sentence)
    assert found.safe_to_stop is ("Safe to stop." in sentence)
    assert bool(found.open_guardrails) is ("This holds if you stop now, but" in sentence)


def test_a_primary_goal_whose_winner_does_harm_says_so() -> None:
    """Its own sentence does not tell anybody to choose that variant."""
    variants = goals({"signup": 2000, "buy": 1000}, red={"signup": 2400, "buy": 700})

    primary, _ = experiment(variants, DESIGN).goals

    assert primary.verdict.sentence == (
        "“red” converts 20% better than “blue” (9.5% to 32% better). But it harms a guardrail."
    )


def test_a_winner_that_harms_nothing_is_preferred() -> None:
    """Red gains most, but at the cost of a guardrail; green gains too."""
    found = headline(
        {"signup": 2000, "buy": 9000},
        DESIGN,
        red={"signup": 2500, "buy": 7000},
        green={"signup": 2400, "buy": 9020},
    )

    assert (found.kind, found.variant) == (Kind.WINNER, "green")
    assert found.sentence.startswith(
        "Guardrail “buy” is harmed: “red” converts 22% worse than “blue”"
    )
    assert "“signup”: Choose “green”:" in found.sentence


@pytest.mark.parametrize(("green", "is_open"), [(1000, True), (1500, False)], ids=["open", "gain"])
def test_only_the_harm_of_the_winner_keeps_a_guardrail_open(green: int, is_open: bool) -> None:
    """That red harms it is said first, grey may harm it; green, which wins, is judged alone."""
    found = headline(
        {"signup": 2000, "buy": 1000},
        DESIGN,
        red={"signup": 2500, "buy": 700},
        green={"signup": 2400, "buy": green},
        grey={"signup": 2010, "buy": 1000},
    )

    assert (found.kind, found.variant) == (Kind.WINNER, "green")
    assert (found.open_guardrails == ("buy",)) is is_open
    assert found.safe_to_stop is not is_open
    assert ("harm to guardrail “buy” by “green” is not ruled" in found.sentence) is is_open


@pytest.mark.parametrize(
    ("conversions", "kind", "sentence"),
    [
        (
            {"load": (38_000, 38_200)},
            Kind.TOO_EARLY,
            "Harm not ruled out yet (“red”: 28% fewer to 11% more failures to convert).",
        ),
        (
            {"load": (16_000, 16_010)},
            Kind.NOT_HARMED,
            "No harm of 10% or more (“red”: 2.9% worse to 3.1% better).",
        ),
        (
            {"load": (16_000, 15_600)},
            Kind.SMALL_DIFFERENCE,
            "No harm of 10% or more, but “red” leans worse (5.4% worse to 0.53% better).",
        ),
        (
            {"load": (2000, 2500)},
            Kind.NOT_HARMED,
            "No harm of 10% or more (“red”: 14% to 37% better).",
        ),
        (
            {"load": (2500, 2000)},
            Kind.HARMED,
            "Harmed: “red” converts 20% worse than “blue” (12% to 27% worse).",
        ),
        (
            {"view": (2500, 2000)},
            Kind.NO_VERDICT,
            "Secondary goal, shown without a verdict (“red”: 12% to 27% worse).",
        ),
    ],
    ids=["open guardrail", "unharmed", "hardly harmed", "better", "harmed", "secondary"],
)
def test_each_role_has_its_own_words(
    conversions: dict[str, tuple[int, int]], kind: Kind, sentence: str
) -> None:
    """A guardrail is harmed or not, from the first day on; a secondary goal has no verdict."""
    ((name, (blue, red)),) = conversions.items()
    variants = goals({"signup": 2000, name: blue}, red={"signup": 2010, name: red})

    found = next(goal for goal in experiment(variants, DESIGN, days=2).goals if goal.name == name)

    assert (found.verdict.kind, found.verdict.sentence) == (kind, sentence)


@pytest.mark.parametrize(
    ("chosen", "blue", "red"),
    [
        ("look", {"buy": 2000, "look": 2000}, {"buy": 2010, "look": 2500}),
        ("look", {"buy": 20_000, "look": 2000}, {"buy": 20_010, "look": 2010}),
        ("buy", {"buy": 20_000, "look": 0}, {"buy": 20_010, "look": 0}),
        ("buy", {"buy": 0, "look": 50_000}, {"buy": 0, "look": 50_000}),
    ],
    ids=["winner", "not decided", "no difference", "no conversions"],
)
def test_without_a_primary_goal_the_most_important_verdict_counts(
    chosen: str, blue: dict[str, float], red: dict[str, float]
) -> None:
    """A decision, then what is open, then "no difference", then what cannot be compared."""
    found = experiment(goals(blue, red=red))

    (goal,) = (goal for goal in found.goals if goal.name == chosen)
    assert found.headline.kind is goal.verdict.kind
    assert f"“{chosen}”: {goal.verdict.sentence} 1 other goal: " in found.headline.sentence


def test_equal_goals_that_are_worse_are_named_first() -> None:
    """Green wins on one goal; that red loses on the other comes before the praise."""
    found = headline(
        {"buy": 2000, "look": 2000},
        Design(control="blue"),
        red={"buy": 1500, "look": 2000},
        green={"buy": 2010, "look": 2500},
    )

    assert found.kind is Kind.WINNER
    assert found.sentence.startswith("On “buy”, “red” converts 25% worse than “blue” (")
    assert "“look”: Choose “green”: it converts 25% better" in found.sentence


@pytest.mark.parametrize(
    ("variants", "kind"),
    [
        ({"a": (1000, {"x": 0, "y": 5}), "b": (0, {})}, Kind.SPLIT_MISMATCH),
        ({"a": (3, {"x": 50, "y": 1}), "b": (0, {})}, Kind.SINGLE_VARIANT),
        ({"a": (0, {"x": 0, "y": 1}), "b": (3, {})}, Kind.SINGLE_VARIANT),
        ({"a": (0, {"x": 9, "y": 0}), "b": (0, {})}, Kind.NOT_A_CONVERSION),
        ({"a": (0, {"x": 0, "y": 0}), "b": (0, {})}, Kind.NO_DATA),
    ],
    ids=["split", "one variant", "no control", "goals without visitors", "nothing"],
)
@pytest.mark.parametrize("design", [Design(), Design(goal="x", guardrails=("y",))], ids=str)
def test_goals_may_be_refused_for_different_reasons(
    variants: Variants, kind: Kind, design: Design
) -> None:
    """What is true of the experiment as a whole is the headline."""
    assert experiment(variants, design).headline.kind is kind

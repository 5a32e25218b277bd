"""Counts and a design become an experiment with its statistics, its verdicts and its doubts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gimel.analysis.counts import EXACT, NamespaceCounts
from gimel.analysis.design import Design
from gimel.analysis.experiment import (
    LIMIT_REACHED,
    NotFound,
    analyse,
    analyse_all,
    get_experiment,
    require_experiments,
    select_goal,
)
from gimel.analysis.forecast import Progress
from gimel.analysis.verdict import Kind
from gimel.api import answers
from gimel.runtime import event
from tests.support.answers import SINCE, analysed, answer, row, two


@pytest.mark.parametrize(
    ("design", "expected", "is_mismatch"),
    [
        (None, (1 / 2, 1 / 2), True),
        (Design(weights={"red": 2, "blue": 1}), (1 / 3, 2 / 3), False),
    ],
    ids=["equal", "two to one"],
)
def test_visitors_are_expected_by_weight(
    design: Design | None, expected: tuple[float, ...], is_mismatch: bool
) -> None:
    """A split of two to one is a mismatch unless the weights ask for it."""
    split = analysed(two(blue=(10_000, 500), red=(20_000, 1000)), design).split

    assert split.expected == pytest.approx(expected)
    assert split.is_mismatch is is_mismatch


def test_a_designed_variant_without_visitors_is_a_mismatch() -> None:
    """A page that fails to show a variant with a weight is noticed."""
    item = row("e", {"blue": (1000, {"buy": 50})})

    experiment = analysed(item, Design(weights={"red": 1, "blue": 1}))

    assert [arm.name for arm in experiment.arms] == ["blue", "red"]
    assert experiment.split.is_mismatch


@pytest.mark.parametrize(
    ("design", "is_mismatch"),
    [(None, True), (Design(weights={"red": 1, "blue": 1}), False)],
    ids=["no weights", "weights"],
)
def test_a_variant_without_weight_is_excluded_from_the_split_check(
    design: Design | None, is_mismatch: bool
) -> None:
    """Anyone can make up a variant by calling the track URL."""
    item = row("e", {"blue": (1000, {}), "red": (1000, {}), "stray": (3, {})})

    assert analysed(item, design).split.is_mismatch is is_mismatch


def test_a_design_makes_no_variants_before_the_first_visitor() -> None:
    """Nothing is wrong with an experiment that has not begun."""
    design = Design(control="blue", weights={"red": 1, "blue": 1})

    experiment = analysed(row("e", {}, ()), design)

    assert (experiment.arms, experiment.control, experiment.is_doubtful) == ((), None, False)
    assert experiment.headline.kind is Kind.NO_DATA


def test_experiments_with_doubts_come_first() -> None:
    """A wrong split, unreadable counters, lost events, a goal that is not a conversion."""
    document = answer(
        two("a"),
        two("b", red=(9000, 450)),
        two("c"),
        two("d", unreadable=2),
        two("e", ignored={LIMIT_REACHED: 1}),
        two("f", red=(10_000, 30_000)),
        two("g", ignored={"bot": 1}),
    )

    found = analyse_all(answers.parse(document), {}, now=SINCE)

    assert [experiment.name for experiment in found] == ["b", "d", "e", "f", "a", "c", "g"]


@pytest.mark.parametrize(
    ("more", "doubts"),
    [
        ({}, ()),
        ({"unreadable": 1}, ("incomplete: 1 counter cannot be read",)),
        ({"unreadable": 2}, ("incomplete: 2 counters cannot be read",)),
        (
            {"ignored": {LIMIT_REACHED: 1}},
            ("incomplete: 1 event was not counted because a limit was reached",),
        ),
        (
            {"ignored": {LIMIT_REACHED: 1234}},
            ("incomplete: 1,234 events were not counted because a limit was reached",),
        ),
        ({"ignored": {"bot": 5}}, ()),
        ({"red": (10_000, 30_000)}, ()),
        (
            {"red": (9000, 450), "unreadable": 1},
            (
                "Do not trust this: visitors are split 53/47, expected 50/50 (p < 0.000001).",
                "incomplete: 1 counter cannot be read",
            ),
        ),
    ],
    ids=str,
)
def test_doubts_are_sentences(more: dict[str, object], doubts: tuple[str, ...]) -> None:
    """A wrong split comes first; ignored bots do not cast doubt on the figures."""
    assert analysed(two(**more)).doubts == doubts  # type: ignore[arg-type]


def test_the_limit_is_the_runtimes() -> None:
    """The analysis repeats the runtime's word for a reached limit, which it must not import."""
    assert LIMIT_REACHED == event.LIMIT_REACHED


def test_a_variant_without_visitors_is_not_likely_to_be_best() -> None:
    """Nothing is known of it; the others share the probability."""
    experiment = analysed(
        row("e", {"a": (1000, {"buy": 50}), "b": (1000, {"buy": 70}), "c": (0, {})})
    )

    first, second, unseen = experiment.goals[0].variants

    assert (unseen.best, unseen.beats_control) == (None, None)
    assert first.best is not None
    assert second.best is not None
    assert first.best + second.best == pytest.approx(1)
    assert second.beats_control == pytest.approx(second.best)


def test_a_single_variant_with_visitors_has_no_chances() -> None:
    """It cannot be compared, and does not beat a control without visitors."""
    experiment = analysed(row("e", {"a": (0, {}), "b": (1000, {"buy": 70})}))

    variants = experiment.goals[0].variants

    assert [(each.best, each.beats_control) for each in variants] == [(None, None), (None, None)]


@pytest.mark.parametrize(
    ("visitors", "kind"), [(1010, Kind.NO_CONVERSIONS), (2000, Kind.SPLIT_MISMATCH)]
)
def test_without_goals_the_headline_is_on_the_visitors(visitors: int, kind: Kind) -> None:
    """It says that there are no conversions, or that the split is wrong."""
    experiment = analysed(row("e", {"a": (1000, {}), "b": (visitors, {})}, ()))

    assert (experiment.goals, experiment.headline.kind) == ((), kind)


@pytest.mark.parametrize(
    ("since", "now", "days"),
    [(SINCE, SINCE + 86_400 * 2.5, 2.5), (None, SINCE, None), (SINCE, SINCE - 60, 0)],
    ids=["started", "unknown start", "clock behind"],
)
def test_the_progress_is_that_of_the_experiment(
    since: int | None, now: float, days: float | None
) -> None:
    """Days since the first event, the visitors of all variants, and what the design plans."""
    (counts,) = answers.parse(answer(two(since=since))).experiments

    progress = analyse(counts, Design(minimum_days=14, visitors=50_000), now=now).progress

    assert progress == Progress(20_000, days, 14, 50_000)


def test_goals_are_shown_by_role() -> None:
    """The primary goal, the guardrails, then the others, each by name."""
    goals = ("a", "b", "c", "d", "e")
    item = row("e", {name: (1000, dict.fromkeys(goals, 50)) for name in ("x", "y")}, goals)

    found = analysed(item, Design(goal="d", guardrails=("e", "b"))).goals

    assert [goal.name for goal in found] == ["d", "b", "e", "a", "c"]


@pytest.mark.parametrize(
    ("precision", "conversions", "low", "high"),
    [
        pytest.param("exact", 520, 0, 0, id="exact counts"),
        pytest.param("1", 9000, 0.1, 10, id="precision 1"),
        pytest.param("1", 50_000, 0, 0, id="no conversion, so no interval"),
    ],
)
def test_counting_noise_widens_intervals(
    precision: str, conversions: int, low: float, high: float
) -> None:
    """Exact counts widen nothing, and a goal that is not a conversion has no interval."""
    experiment = analysed(two(precision=precision, red=(10_000, conversions)))

    assert low <= experiment.widening <= high


def test_the_precision_of_an_exact_count_is_kept() -> None:
    """It is shown as exact instead of with an error."""
    assert analysed(two(precision="exact")).arms[0].visitors.precision == EXACT


def namespace(*names: str) -> NamespaceCounts:
    return answers.parse(answer(*(row(name, {}) for name in names)))


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("Checkout-Buton", "Did you mean 'checkout-button' or 'checkout-button-2'?"),
        ("zzz", "Available: 'checkout-button', 'checkout-button-2', 'b', 'c', 'd', 'e'."),
    ],
)
def test_an_unknown_experiment_is_refused(word: str, hint: str) -> None:
    """The error suggests similar names, or lists the first ones."""
    counts = namespace("checkout-button", "checkout-button-2", "b", "c", "d", "e")

    with pytest.raises(NotFound, match=f"no experiment '{word}'") as failure:
        get_experiment(counts, word, "shop")

    assert failure.value.hint == hint


def test_a_known_experiment_is_returned() -> None:
    """Its name must match exactly."""
    assert get_experiment(namespace("a", "b"), "b", "shop").name == "b"


def test_an_empty_namespace_is_an_error_of_its_own() -> None:
    """Where the namespaces are unknown, the hint says when an experiment appears."""
    with pytest.raises(NotFound, match="no experiment in the namespace 'shop'") as failure:
        get_experiment(namespace(), "e", "shop")

    assert "after its first event" in failure.value.hint
    assert "--namespace" in failure.value.hint


@pytest.mark.parametrize(
    ("namespaces", "hint"),
    [
        (("a", "shop", "shop-2"), "Namespaces that exist: 'shop', 'shop-2', 'a'. --namespace"),
        (tuple(f"{n:02}" for n in range(12)), "'08', '09' and 2 more. --namespace"),
        ((), "No other namespace exists."),
        (("sohp",), "No other namespace exists."),
    ],
    ids=["similar first", "many", "empty store", "only this one"],
)
def test_an_empty_namespace_names_those_that_exist(namespaces: tuple[str, ...], hint: str) -> None:
    """A typo and an empty store do not look alike."""
    with pytest.raises(NotFound, match="no experiment in the namespace 'sohp'") as failure:
        require_experiments(NamespaceCounts((), {}, namespaces), "sohp")

    assert hint in failure.value.hint


def test_a_namespace_with_experiments_is_not_empty() -> None:
    """Even one that is not listed, as those of 1.5.0."""
    require_experiments(replace(namespace("a"), namespaces=()), "shop")


def test_selecting_a_goal_drops_the_others() -> None:
    """Experiments without the goal are dropped too."""
    variants = {"a": (100, {"buy": 5, "look": 9}), "b": (100, {"buy": 5, "look": 9})}
    experiments = [
        analysed(row("one", variants, ("buy", "look"))),
        analysed(row("two", variants, ("look",))),
    ]

    (selected,) = select_goal(experiments, "buy")

    assert (selected.name, [goal.name for goal in selected.goals]) == ("one", ["buy"])


def test_selecting_a_goal_keeps_the_headline() -> None:
    """The experiment as a whole is what it was: a goal that is not shown may be harmed."""
    variants = {
        "a": (40_000, {"buy": 1000, "look": 2000}),
        "b": (40_000, {"buy": 700, "look": 2400}),
    }
    experiment = analysed(row("one", variants, ("buy", "look")))

    (selected,) = select_goal([experiment], "look")

    assert selected.headline == experiment.headline
    assert selected.headline.kind is Kind.CONFLICT


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["e"], "The experiment 'e' has no goal 'by'."),
        (["e", "f"], "No experiment has a goal 'by'."),
    ],
    ids=["one experiment", "several"],
)
def test_a_goal_that_no_experiment_has_is_refused(names: list[str], message: str) -> None:
    """The error suggests similar names."""
    with pytest.raises(NotFound) as failure:
        select_goal([analysed(two(name)) for name in names], "by")

    assert (failure.value.message, failure.value.hint) == (message, "Did you mean 'buy'?")

"""What the API answered, as experiments with their statistics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from gimel.analysis.counts import EXACT, Count
from gimel.analysis.design import Design
from gimel.analysis.experiment import Experiment, analyse, analyse_all, find
from gimel.analysis.verdict import Kind
from gimel.api import answers
from gimel.errors import GimelError
from tests.support.answers import answer, row, two
from tests.support.oracle import running_oracle
from tests.support.servers import Store


def analysed(
    item: dict[str, Any], plan: Design | None = None, control: str | None = None
) -> Experiment:
    (counted,) = answers.parse(answer(item)).experiments
    return analyse(counted, plan, control=control)


def test_an_answer_becomes_counts_with_their_error() -> None:
    """Every part of a count has the precision that it was counted with."""
    item = two(since=5, ignored={"bot": 3}, unreadable=1)
    item["participants"][0]["trials_by_precision"] = {"1": 4000, "16": 6000}
    (counted,) = answers.parse(answer(item, bot=7)).experiments
    assert counted.visitors["blue"] == Count.of({"1": 4000, "16": 6000})
    assert counted.goals["buy"]["red"] == Count.of({"16": 520})
    assert (counted.since, counted.ignored, counted.unreadable) == (5, {"bot": 3}, 1)
    assert answers.parse(answer(item, bot=7)).ignored == {"bot": 7}


def test_what_gimel_1_5_0_answers_is_read(
    store: redis.Redis, session_store: Store, tmp_path: Path
) -> None:
    """The very answer of that release, whose counts are of precision 1."""
    events = [
        ("participate", "red", "u1"),
        ("participate", "red", "u2"),
        ("participate", "blue", "u3"),
        ("buy", "red", "u1"),
    ]
    calls = [
        ("gimel", "track", {"experiment": "e", "event": event, "variant": variant, "uuid": uuid})
        for event, variant, uuid in events
    ]
    with running_oracle(session_store.port, tmp_path) as oracle:
        oracle.call_all(calls)
        (counted,) = answers.parse(oracle.call("all", {})).experiments
    assert counted.visitors == {"red": Count.of({"1": 2}), "blue": Count.of({"1": 1})}
    assert counted.goals == {"buy": {"red": Count.of({"1": 1}), "blue": Count.of({"1": 0})}}
    assert counted.since is None


def test_visitors_that_1_5_0_counted_anew_for_each_goal_are_the_latest() -> None:
    """More came while it was counting."""
    goals = [
        {"goal": goal, "results": [{"label": "red", "successes": 1, "trials": trials}]}
        for goal, trials in [("a", 9), ("b", 7)]
    ]
    (counted,) = answers.parse(
        [{"meta": {"scope": None}}, {"experiment": "e", "goals": goals}]
    ).experiments
    assert counted.visitors["red"].value == 9


def broken(path: list[Any], value: Any) -> list[Any]:
    whole: list[Any] = answer(two())
    place: Any = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return whole


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param(None, "no list", id="null"),
        pytest.param([], "no list", id="empty"),
        pytest.param({"message": "Forbidden"}, "no list", id="a gateway's error"),
        pytest.param([1], "[0] should be an object", id="no objects"),
        pytest.param([{"id": 1}], "[0].meta", id="another API's list"),
        pytest.param(answer(3), "[1] should be an object", id="an experiment that is none"),  # type: ignore[arg-type]
        pytest.param(broken([1, "experiment"], None), "[1].experiment", id="no name"),
        pytest.param(
            broken([1, "goals", 0, "results", 1, "successes"], "5"),
            "[1].goals[0].results[1].successes",
            id="text",
        ),
        pytest.param(
            broken([1, "participants", 0, "trials"], True), "[1].participants[0].trials", id="true"
        ),
        pytest.param(
            broken([1, "participants", 0, "trials"], -1),
            "[1].participants[0].trials",
            id="negative",
        ),
        pytest.param(
            broken([1, "participants", 0, "trials"], float("nan")),
            "[1].participants[0].trials",
            id="nan",
        ),
        pytest.param(
            broken([1, "participants", 0, "trials"], 10**400),
            "[1].participants[0].trials",
            id="beyond all numbers",
        ),
        pytest.param(
            broken([1, "participants", 0, "trials_by_precision"], {"0": 1}),
            "trials_by_precision",
            id="precision 0",
        ),
        pytest.param(
            broken([1, "participants", 1, "label"], "blue"),
            "the variant 'blue' stands there twice",
            id="twice",
        ),
        pytest.param(
            answer(two(), two()), "the experiment 'e' stands there twice", id="an experiment twice"
        ),
    ],
)
def test_anything_else_is_refused(document: Any, complaint: str) -> None:
    """It says who answered, and where it is not what Gimel answers."""
    with pytest.raises(GimelError) as failure:
        answers.parse(document, "https://host/prod")
    assert "https://host/prod" in failure.value.message
    assert complaint in failure.value.message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.data())
def test_no_answer_breaks_it(data: st.DataObject) -> None:
    """Whatever stands in place of a part of an answer, it is read or refused in words."""
    whole = json.loads(json.dumps(answer(two(), row("f", {}, ()))))
    place: Any = whole
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], (dict, list)) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(json_values)
    try:
        found = answers.parse(whole)
    except GimelError:
        return
    for experiment in analyse_all(found, {}):
        assert experiment.headline[1].sentence


@pytest.mark.parametrize(
    ("variants", "control"),
    [
        (["Amber", "Control", "baseline"], "Control"),
        (["AMBER", "ORIGINAL", "baseline"], "ORIGINAL"),
        (["Amber", "Baseline", "a"], "Baseline"),
        (["red", "blue"], "blue"),
        (["controlled", "b"], "b"),
    ],
)
def test_the_control_is_known_by_its_name(variants: list[str], control: str) -> None:
    """Control, original or baseline, in any case; else the first by name. It stands first everywhere."""
    experiment = analysed(row("e", {variant: (100, {"buy": 5}) for variant in variants}))
    assert experiment.arms[0].name == control
    assert [variant.arm.name for variant in experiment.goals[0].variants] == [
        control,
        *sorted({*variants} - {control}),
    ]
    assert [variant.is_control for variant in experiment.goals[0].variants] == [True] + [False] * (
        len(variants) - 1
    )


def test_the_configuration_names_the_control_and_the_command_line_another() -> None:
    """The nearer one goes first."""
    item, plan = (
        row("e", {name: (100, {}) for name in ("a", "b", "c", "control")}),
        Design(control="b"),
    )
    assert analysed(item, plan).arms[0].name == "b"
    assert analysed(item, plan, control="c").arms[0].name == "c"


def test_a_control_that_is_no_variant_is_refused() -> None:
    """With the nearest names."""
    with pytest.raises(GimelError, match="no variant 'Blu'") as failure:
        analysed(two(), control="Blu")
    assert failure.value.hint == "Did you mean 'blue'?"


def test_visitors_are_expected_as_the_weights_say() -> None:
    """A split of two to one is a mismatch where equal parts were meant, and none where it was meant."""
    item = two(blue=(10_000, 500), red=(20_000, 1000))
    assert analysed(item).verdicts[0][1].kind is Kind.SPLIT_MISMATCH
    planned = analysed(item, Design(weights={"red": 2, "blue": 1}))
    assert not planned.split.is_mismatch
    assert planned.split.expected == pytest.approx((1 / 3, 2 / 3))


def test_a_variant_without_its_visitors_is_a_mismatch() -> None:
    """Nobody sees a variant that the configuration gives a weight: a page that fails to show it."""
    experiment = analysed(
        row("e", {"blue": (1000, {"buy": 50})}), Design(weights={"red": 1, "blue": 1})
    )
    assert [arm.name for arm in experiment.arms] == ["blue", "red"]
    assert experiment.split.is_mismatch


def test_a_variant_without_weight_is_left_out_of_the_check() -> None:
    """As one that somebody made up by calling the track URL."""
    item = row("e", {"blue": (1000, {}), "red": (1000, {}), "stray": (3, {})})
    assert analysed(item).split.is_mismatch
    assert not analysed(item, Design(weights={"red": 1, "blue": 1})).split.is_mismatch


def test_a_plan_makes_no_variants_before_the_first_visitor() -> None:
    """Nothing is wrong with an experiment that has not begun."""
    experiment = analysed(row("e", {}, ()), Design(control="blue", weights={"red": 1, "blue": 1}))
    assert experiment.arms == ()
    assert experiment.control is None
    assert experiment.headline[1].kind is Kind.NO_DATA
    assert not experiment.is_doubtful


def test_what_cannot_be_trusted_stands_first() -> None:
    """A wrong split, counters that cannot be read, events lost to a limit, goals that are none; the rest by name."""
    document = answer(
        two("a"),
        two("b", red=(9000, 450)),
        two("c"),
        two("d", unreadable=2),
        two("e", ignored={"limit reached": 1}),
        two("f", red=(10_000, 30_000)),
        two("g", ignored={"bot": 1}),
    )
    found = analyse_all(answers.parse(document), {})
    assert [experiment.name for experiment in found] == ["b", "d", "e", "f", "a", "c", "g"]
    doubts = {experiment.name: experiment.doubts for experiment in found}
    assert doubts["b"][0].startswith(
        "do not trust this: visitors are split 53/47 where 50/50 was expected"
    )
    assert doubts["d"] == ("incomplete: 2 counters cannot be read",)
    assert doubts["e"] == ("incomplete: 1 event not counted, a limit was reached",)
    assert doubts["a"] == doubts["f"] == doubts["g"] == ()


def test_a_variant_without_visitors_is_not_likely_to_be_best() -> None:
    """Nothing is known of it; the others share what there is."""
    experiment = analysed(
        row("e", {"a": (1000, {"buy": 50}), "b": (1000, {"buy": 70}), "c": (0, {})})
    )
    first, second, unseen = experiment.goals[0].variants
    assert (unseen.best, unseen.beats_control) == (None, None)
    assert first.best is not None
    assert second.best is not None
    assert first.best + second.best == pytest.approx(1)
    assert second.beats_control == pytest.approx(second.best)


def test_a_control_without_visitors_is_beaten_by_nobody() -> None:
    """Nor does one variant alone have chances."""
    experiment = analysed(row("e", {"a": (0, {}), "b": (1000, {"buy": 70})}))
    assert [(variant.best, variant.beats_control) for variant in experiment.goals[0].variants] == [
        (None, None),
        (None, None),
    ]


def test_the_headline_is_what_tells_most() -> None:
    """A decision before a goal that is not decided, and before one that is no conversion."""
    item = row(
        "e",
        {
            "blue": (10_000, {"buy": 500, "look": 9000, "view": 50_000}),
            "red": (10_000, {"buy": 510, "look": 9900, "view": 50_000}),
        },
        ("buy", "look", "view"),
    )
    experiment = analysed(item)
    assert [(goal, verdict.kind) for goal, verdict in experiment.verdicts] == [
        ("buy", Kind.TOO_EARLY),
        ("look", Kind.WINNER),
        ("view", Kind.NOT_A_CONVERSION),
    ]
    assert experiment.headline[0] == "look"


def test_before_any_goal_there_is_a_verdict_on_the_visitors() -> None:
    """That there are no conversions, or that the split is wrong."""
    assert (
        analysed(row("e", {"a": (1000, {}), "b": (1010, {})}, ())).headline[1].kind
        is Kind.NO_CONVERSIONS
    )
    assert (
        analysed(row("e", {"a": (1000, {}), "b": (2000, {})}, ())).headline[1].kind
        is Kind.SPLIT_MISMATCH
    )


def test_exact_counts_widen_nothing() -> None:
    """And a goal that is no conversion has no interval to widen."""
    assert analysed(two(precision="exact")).widening == 0
    assert analysed(two(precision="exact")).arms[0].visitors.precision == EXACT
    assert analysed(two(precision="1", red=(10_000, 9000))).widening > 0.1
    assert analysed(two(precision="1", blue=(10_000, 50_000), red=(10_000, 50_000))).widening == 0


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("Checkout-Buton", "Did you mean 'checkout-button' or 'checkout-button-2'?"),
        ("zzz", "Available: 'checkout-button', 'checkout-button-2', 'b', 'c', 'd', 'e'."),
    ],
)
def test_an_unknown_experiment_is_answered_with_the_nearest_names(word: str, hint: str) -> None:
    """Or with the first ones, where none is near."""
    found = answers.parse(
        answer(
            *(
                row(name, {})
                for name in ("checkout-button", "checkout-button-2", "b", "c", "d", "e")
            )
        )
    )
    with pytest.raises(GimelError, match="no experiment") as failure:
        find(found, word, "shop")
    assert failure.value.hint == hint


def test_an_empty_namespace_is_told() -> None:
    """With what could be wrong."""
    with pytest.raises(GimelError, match="no experiment in the namespace 'shop'") as failure:
        find(answers.parse(answer()), "e", "shop")
    assert "--namespace" in failure.value.hint


def test_a_control_for_all_is_used_where_there_is_one() -> None:
    """And refused where no experiment has it."""
    found = answers.parse(answer(two("a"), row("b", {"x": (10, {}), "y": (10, {})})))
    first, second = analyse_all(found, {}, control="red")
    assert (first.arms[0].name, second.arms[0].name) == ("red", "x")
    with pytest.raises(GimelError, match="No experiment has a variant 'rde'"):
        analyse_all(found, {}, control="rde")

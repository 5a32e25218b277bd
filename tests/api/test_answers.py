"""The answer of `GET /experiments` becomes counts, or is refused with the place of the mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from gimel.analysis.counts import Count
from gimel.analysis.experiment import analyse_all
from gimel.api import answers
from gimel.errors import GimelError
from tests.support.answers import answer, pages, row, two
from tests.support.oracle import running_oracle
from tests.support.servers import Store


def test_a_count_is_made_of_its_parts_by_precision() -> None:
    """Every part of a count keeps the precision that it was counted with."""
    item = two()
    item["participants"][0]["trials_by_precision"] = {"1": 4000, "16": 6000}

    (counts,) = answers.parse(answer(item)).experiments

    assert counts.visitors["blue"] == Count.from_parts({"1": 4000, "16": 6000})
    assert counts.goals["buy"]["red"] == Count.from_parts({"16": 520})


def test_what_else_is_known_of_an_experiment_is_kept() -> None:
    """The time of the first event, the ignored events and the unreadable counters are read."""
    item = {**two(since=5, ignored={"bot": 3}, unreadable=1), "precision": 4}

    (counts,) = answers.parse(answer(item)).experiments

    assert (counts.since, counts.ignored, counts.unreadable) == (5, {"bot": 3}, 1)
    assert counts.precision == 4


@pytest.mark.parametrize(
    ("meta", "namespaces", "has_more"),
    [
        ({"namespaces": ["b", "a"], "more_namespaces": True}, ("a", "b"), True),
        ({"namespaces": [], "more_namespaces": False}, (), False),
        ({"namespaces": None, "more_namespaces": False}, None, False),
        ({}, None, False),
    ],
    ids=["more", "none", "not permitted", "an older deployment"],
)
def test_the_namespaces_that_exist_are_read(
    meta: dict[str, Any], namespaces: tuple[str, ...] | None, has_more: bool
) -> None:
    """From the first page; they may be unknown."""
    whole = pages([two("a")], [two("b")])
    whole[None][0]["meta"].update(meta)

    counts = answers.read(whole.__getitem__, "the API")

    assert (counts.namespaces, counts.more_namespaces) == (namespaces, has_more)


def test_all_pages_are_read() -> None:
    """An answer that is too large has several pages; their experiments are one list."""
    whole = pages([two("a")], [two("b"), two("c")], [two("d")])

    counts = answers.read(whole.__getitem__, "the API")

    assert [each.name for each in counts.experiments] == ["a", "b", "c", "d"]


def test_an_experiment_may_continue_on_the_next_page() -> None:
    """Its goals are joined. What both pages have is taken from the later one: visitors came."""
    variants = {"red": (10, {"a": 1, "b": 2, "c": 3})}
    later = {"red": (11, {"a": 1, "b": 2, "c": 4})}
    whole = pages(
        [two("0"), row("e", variants, ("a",))],
        [row("e", variants, ("b",))],
        [row("e", later, ("c",), ignored={"bot": 1}), two("f")],
    )

    counts = answers.read(whole.__getitem__, "the API")

    zero, e, f = counts.experiments
    assert (zero.name, e.name, f.name) == ("0", "e", "f")
    assert {goal: counted["red"].value for goal, counted in e.goals.items()} == {
        "a": 1,
        "b": 2,
        "c": 4,
    }
    assert (e.visitors["red"].value, e.ignored) == (11, {"bot": 1})


@pytest.mark.parametrize(
    "following",
    [lambda page: "a", lambda page: "b" if page == "a" else "a", lambda page: f"{page}x"],
    ids=["a page names itself", "two pages name each other", "there is always another"],
)
def test_pages_without_end_are_refused(following: Callable[[str | None], str]) -> None:
    """A server that never ends its answer does not keep the reader indefinitely."""
    asked: list[str | None] = []

    def fetch(page: str | None) -> list[Any]:
        asked.append(page)
        assert len(asked) <= 1000
        return [{"meta": {"scope": None, "next": following(page)}}]

    with pytest.raises(GimelError, match="its pages have no end"):
        answers.read(fetch, "the API")


def test_ignored_events_of_unknown_experiments_are_read() -> None:
    """They belong to the namespace, not to an experiment."""
    assert answers.parse(answer(two(), bot=7)).ignored == {"bot": 7}


def test_goals_are_sorted_by_name() -> None:
    """The order of the answer does not matter."""
    (counts,) = answers.parse(answer(row("e", {"a": (1, {})}, ("z", "b")))).experiments

    assert list(counts.goals) == ["b", "z"]


def test_keys_of_a_newer_gimel_are_skipped() -> None:
    """An answer may have more keys than this version knows."""
    assert answers.parse(answer(two(invented=1))) == answers.parse(answer(two()))


def test_the_answer_of_gimel_1_5_0_is_read(
    store: redis.Redis, session_store: Store, tmp_path: Path
) -> None:
    """The counts in the real answer of that release have precision 1."""
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
        (counts,) = answers.parse(oracle.call("all", {})).experiments

    assert counts.visitors == {
        "red": Count.from_parts({"1": 2}),
        "blue": Count.from_parts({"1": 1}),
    }
    assert counts.goals == {
        "buy": {"red": Count.from_parts({"1": 1}), "blue": Count.from_parts({"1": 0})}
    }
    assert counts.since is None


def test_of_visitors_counted_again_for_each_goal_the_latest_count_holds() -> None:
    """1.5.0 counts visitors once per goal, and more come meanwhile: the largest count is used."""
    goals = [
        {"goal": goal, "results": [{"label": "red", "successes": 1, "trials": trials}]}
        for goal, trials in [("a", 9), ("b", 7)]
    ]

    (counts,) = answers.parse(
        [{"meta": {"scope": None}}, {"experiment": "e", "goals": goals}]
    ).experiments

    assert counts.visitors["red"].value == 9


def broken(path: list[Any], value: Any) -> list[Any]:
    """Return an answer with one value replaced."""
    whole: list[Any] = answer(two())
    parent: Any = whole
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return whole


TRIALS = [1, "participants", 0, "trials"]


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param(None, "expected a list", id="null"),
        pytest.param([], "expected a list", id="empty"),
        pytest.param({"message": "Forbidden"}, "expected a list", id="a gateway's error"),
        pytest.param(broken([0, "meta", "next"], 2), "[0].meta.next", id="a page by number"),
        pytest.param(broken([0, "meta", "namespaces"], "shop"), "[0].meta.namespaces", id="names"),
        pytest.param(broken([1, "precision"], "4"), "[1].precision", id="precision as text"),
        pytest.param([1], "[0] should be an object", id="numbers"),
        pytest.param([{"id": 1}], "[0].meta", id="another API's list"),
        pytest.param(broken([1], 3), "[1] should be an object", id="an experiment as a number"),
        pytest.param(broken([1, "experiment"], None), "[1].experiment", id="no name"),
        pytest.param(
            broken([1, "goals", 0, "results", 1, "successes"], "5"),
            "[1].goals[0].results[1].successes",
            id="text",
        ),
        pytest.param(broken(TRIALS, True), "[1].participants[0].trials", id="true"),
        pytest.param(broken(TRIALS, -1), "[1].participants[0].trials", id="negative"),
        pytest.param(broken(TRIALS, float("nan")), "[1].participants[0].trials", id="nan"),
        pytest.param(broken(TRIALS, 10**400), "[1].participants[0].trials", id="too large"),
        pytest.param(
            broken([1, "participants", 0, "trials_by_precision"], {"0": 1}),
            "trials_by_precision",
            id="precision 0",
        ),
        pytest.param(
            broken([1, "participants", 1, "label"], "blue"),
            "the variant 'blue' appears twice",
            id="a variant twice",
        ),
        pytest.param(
            answer(row("e", {"a": (1, {})}, ("buy", "buy"))),
            "the goal 'buy' appears twice",
            id="a goal twice",
        ),
        pytest.param(
            answer(two(), two()), "the experiment 'e' appears twice", id="an experiment twice"
        ),
    ],
)
def test_anything_else_is_refused(document: Any, complaint: str) -> None:
    """The error says who answered, and where the answer is not Gimel's."""
    with pytest.raises(GimelError) as failure:
        answers.parse(document, "https://host/prod")

    assert failure.value.message.startswith("https://host/prod did not answer as Gimel does: ")
    assert complaint in failure.value.message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.data())
def test_no_answer_breaks_the_analysis(data: st.DataObject) -> None:
    """Whatever replaces a part of an answer, it is analysed, or refused with a GimelError."""
    whole = json.loads(json.dumps(answer(two(), row("f", {}, ()))))
    parent: Any = whole
    while True:
        keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
        key = data.draw(st.sampled_from(keys))
        child = parent[key]
        if not isinstance(child, (dict, list)) or not child or data.draw(st.booleans()):
            break
        parent = child
    parent[key] = data.draw(json_values)
    try:
        counts = answers.parse(whole)
    except GimelError:
        return
    for experiment in analyse_all(counts, {}, now=0):
        assert experiment.headline.sentence

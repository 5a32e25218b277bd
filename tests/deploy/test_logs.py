"""Reading the logs of all functions: order, pages, groups that cannot be read, and following."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from gimel.deploy.aws_errors import Refused
from gimel.deploy.logs import Logs, error_pattern
from tests.support.aws import Script, scripted
from tests.support.log_groups import DENIED, log_groups

TRACK, ALL = "gimel-track", "gimel-all-experiments"


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as script:
        yield script


def answer(script: Script, **groups: Any) -> None:
    """Let AWS answer about the logs of `track` and `all`."""
    names = {"track": TRACK, "all": ALL}
    script.answers = {
        "FilterLogEvents": log_groups({names[each]: found for each, found in groups.items()})
    }


def test_the_lines_of_all_functions_are_in_the_order_of_time(script: Script) -> None:
    """Across pages, with what lies outside of the time left to AWS."""
    answer(
        script,
        track=[(1, "early"), (10, "a"), (30, "c"), (50, "e"), (99, "late")],
        all=[(20, "b"), (40, "d")],
    )

    lines = list(Logs(script.aws(), [TRACK, ALL]).between(10, 50))

    assert [(line.time, line.text) for line in lines] == [
        *((10, "a"), (20, "b"), (30, "c"), (40, "d"), (50, "e"))
    ]
    assert {line.function for line in lines} == {TRACK, ALL}


def test_a_log_group_that_cannot_be_read_does_not_hide_the_others(script: Script) -> None:
    """One that does not exist is distinguished from one that may not be read."""
    answer(script, all=[(20, "b")])
    logs = Logs(script.aws(), [TRACK, ALL])
    assert [line.text for line in logs.between(0, 50)] == ["b"]
    assert (logs.missing, logs.refused) == ({TRACK}, {})

    answer(script, track=DENIED, all=[(20, "b")])
    assert [line.text for line in logs.between(0, 50)] == ["b"]
    assert logs.missing == set()
    assert isinstance(logs.refused[TRACK], Refused)


def test_following_yields_each_line_once(script: Script) -> None:
    """Also one that arrives late, after a newer one."""
    groups: dict[str, list[tuple[int, str]]] = {TRACK: [(1_000, "a"), (100_000, "b")], ALL: []}
    script.answers = {"FilterLogEvents": log_groups(groups)}
    clock = iter([100.0, 102.0, 104.0])
    follow = Logs(script.aws(), [TRACK, ALL]).follow(0, lambda: next(clock), lambda _: None)

    first = [line.text for line in islice(follow, 3) if line]
    groups[ALL].append((90_000, "late"))
    groups[TRACK].append((101_000, "c"))
    second = [line.text for line in islice(follow, 3) if line]
    third = [line for line in islice(follow, 1) if line]

    assert (first, second, third) == (["a", "b"], ["late", "c"], [])


def test_aws_sends_errors_alone(script: Script) -> None:
    """The pattern is sent with every page."""
    answer(script, track=[(1, "ERROR"), (2, "ERROR"), (3, "ERROR")])
    aws = script.aws()

    assert len(list(Logs(aws, [TRACK], error_pattern(aws)).between(0, 9))) == 3

    assert len(script.given) == 2
    for given in script.given:
        assert "?ERROR" in given["filterPattern"]

"""`gimel delete`: what it asks, deletes and prints."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
import pytest
import redis

from gimel.analysis.counts import Count, ExperimentCounts, NamespaceCounts
from gimel.api.client import Unavailable
from gimel.cli import delete, terminal
from gimel.errors import GimelError
from tests.support.command import gimel_here
from tests.support.runner import Done, invoke
from tests.support.served import Served, serving
from tests.support.servers import Store
from tests.support.stubs import answering

KEY = "the-key-of-these-tests"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"status": "ok", "deleted": 4}, "Deleted 4 counters of 'button'.\n"),
        ({"status": "ok", "deleted": 1}, "Deleted 1 counter of 'button'.\n"),
        (
            {"status": "ok", "deleted": 0},
            "Nothing to delete: 'shop' has no experiment 'button'.\n",
        ),
        ({"status": "ok"}, "Deleted 'button'.\n"),
    ],
    ids=["some", "one", "none", "of Gimel 1.5.0"],
)
def test_what_was_deleted_is_printed(
    answer: dict[str, object], message: str, tmp_path: Path
) -> None:
    """An experiment that does not exist is not a failure."""
    with answering(body=answer) as stub:
        done = gimel_here(
            *("delete", "button", "--yes", "--namespace", "shop", "--url", stub.url),
            home=tmp_path,
            GIMEL_API_KEY=KEY,
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, message, "")
    assert stub.asked == [("DELETE", "/delete?namespace=shop&experiment=button")]


def test_without_a_terminal_nothing_is_deleted(tmp_path: Path) -> None:
    """Unless --yes confirms it."""
    with answering(body={"status": "ok"}) as stub:
        done = gimel_here("delete", "button", "--url", stub.url, home=tmp_path, GIMEL_API_KEY=KEY)
    assert (done.returncode, done.stdout) == (1, "")
    assert "--yes" in done.stderr
    assert stub.asked == []


class Api:
    """An API with experiments of these names, whose deletion fails as often as `failures` say."""

    def __init__(self, *names: str, **failures: Sequence[GimelError]) -> None:
        self.names = list(names)
        self.failures = {name: list(errors) for name, errors in failures.items()}
        self.asked: list[str] = []

    def experiments(self, namespace: str) -> NamespaceCounts:
        visitors = {"red": Count(1200.0), "blue": Count(34.0)}
        return NamespaceCounts(
            tuple(ExperimentCounts(name, visitors, {}) for name in self.names), {}
        )

    def delete(self, namespace: str, experiment: str) -> int:
        self.asked.append(experiment)
        if failures := self.failures.get(experiment):
            raise failures.pop(0)
        self.names.remove(experiment)
        return 2


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Run `gimel delete` on an API, without waiting."""

    def run(api: Api, *arguments: str) -> Done:
        monkeypatch.setattr(delete, "find_api", lambda *_: api)
        monkeypatch.setattr(delete, "WAITS", (0, 0, 0))
        return invoke("delete", *arguments, home=tmp_path)

    return run


@pytest.mark.parametrize(
    ("names", "given", "deleted"),
    [
        (["old-1", "new", "old-2"], "old-*", ["old-1", "old-2"]),
        (["old-1", "old-12"], "old-?", ["old-1"]),
        (["ab", "bb", "cb"], "[ab]b", ["ab", "bb"]),
        (["ab", "Ab"], "a*", ["ab"]),
        (["ab", "a*"], "a*", ["a*"]),
        (["ab", "a?"], "a?", ["a?"]),
        (["[ab]", "a", "b"], "[ab]", ["[ab]"]),
        (["a*b", "ab"], "a[*]b", ["a*b"]),
        (["a\nb", "\u202ea"], "*", ["a\nb", "\u202ea"]),
    ],
    ids=[
        *("any characters", "one character", "a set", "case matters", "a name with *"),
        *("a name with ?", "a name with [", "a * as itself", "any name"),
    ],
)
def test_a_pattern_deletes_what_it_matches(
    run: Callable[..., Done], names: list[str], given: str, deleted: list[str]
) -> None:
    """As in a shell. An experiment of exactly that name is the only one deleted."""
    api = Api(*names)

    done = run(api, given, "--yes")

    assert (done.exit_code, done.stderr) == (0, "")
    assert api.asked == deleted
    assert done.stdout.splitlines() == [f"Deleted 2 counters of {name!r}." for name in deleted]


def test_a_name_without_wildcards_is_not_looked_up(run: Callable[..., Done]) -> None:
    """The other experiments are not read."""
    api = Api("e")
    api.experiments = None  # type: ignore[assignment, method-assign]

    assert run(api, "e", "--yes").stdout == "Deleted 2 counters of 'e'.\n"


def test_a_pattern_that_matches_nothing(run: Callable[..., Done]) -> None:
    """This is not a failure, and no question is asked."""
    api = Api("new")

    done = run(api, "old-*")

    assert (done.exit_code, api.asked) == (0, [])
    assert done.stdout == "Nothing to delete: 'alephbet' has no experiment 'old-*'.\n"


@pytest.mark.parametrize("given", ["old-*", "old-1"])
def test_a_dry_run_deletes_nothing(run: Callable[..., Done], given: str) -> None:
    """It prints what would be deleted, without a question."""
    api = Api("old-1", "new\x1b")

    done = run(api, given, "--dry-run")

    assert (done.exit_code, done.stderr, api.asked) == (0, "", [])
    assert done.stdout == "old-1 (1,234 visitors)\n"


@pytest.mark.parametrize(("agrees", "exit_code", "asked"), [(True, 0, 60), (False, 1, 0)])
def test_a_preview_comes_before_the_question(
    run: Callable[..., Done],
    monkeypatch: pytest.MonkeyPatch,
    agrees: bool,
    exit_code: int,
    asked: int,
) -> None:
    """Names and visitors of the first fifty, how many more there are, and one question for all."""
    questions: list[str] = []
    monkeypatch.setattr(terminal, "can_ask", lambda: True)

    def confirm(question: str, err: bool) -> bool:
        questions.append(question)
        return agrees

    monkeypatch.setattr(click, "confirm", confirm)
    api = Api(*(f"old-\x1b{number}" for number in range(60)))

    done = run(api, "old-*", "--namespace", "shop")

    assert (done.exit_code, len(api.asked)) == (exit_code, asked)
    assert questions == ["Delete the counts of 60 experiments in 'shop'?"]
    preview = done.stderr.splitlines()
    assert preview[0] == "  old-\\u001b0 (1,234 visitors)"
    assert preview[50] == "  and 10 more; --dry-run shows all of them"


def test_without_a_terminal_a_pattern_needs_yes(run: Callable[..., Done]) -> None:
    """Nothing is deleted."""
    api = Api("old-1")

    done = run(api, "old-*")

    assert (done.exit_code, done.stdout, api.asked) == (1, "", [])
    assert "--yes" in done.stderr


def test_a_failure_does_not_keep_the_others(run: Callable[..., Done]) -> None:
    """At the end it says what was not deleted."""
    api = Api("a", "b", "c", b=[GimelError("It broke.", "Check it.")])

    done = run(api, "*", "--yes")

    assert (done.exit_code, api.names) == (1, ["b"])
    assert done.stdout == "Deleted 2 counters of 'a'.\nDeleted 2 counters of 'c'.\n"
    assert "Did not delete 'b': It broke." in done.stderr
    assert "1 of 3 experiments could not be deleted: 'b'." in done.stderr


def test_an_unavailable_api_is_asked_again(run: Callable[..., Done]) -> None:
    """A deletion that was interrupted is finished by the next call."""
    api = Api("e", e=[Unavailable("Redis paused.")] * 3)

    done = run(api, "e", "--yes")

    assert (done.exit_code, done.stdout) == (0, "Deleted 2 counters of 'e'.\n")
    assert done.stderr == "Redis paused. Trying again in 0 s.\n" * 3


def test_of_many_only_one_is_waited_for(run: Callable[..., Done]) -> None:
    """An API that stays unavailable does not take the same time for each experiment."""
    api = Api(*"abc", **{name: [Unavailable("Redis is down.")] * 9 for name in "abc"})

    done = run(api, "*", "--yes")

    assert done.exit_code == 1
    assert api.asked == ["a", "a", "a", "a", "b", "c"]
    assert "3 of 3 experiments could not be deleted: 'a', 'b', 'c'." in done.stderr


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, session_store: Store) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("home")
    with serving(home, "--redis", session_store.url, "--api-key", KEY) as running:
        yield running


def test_a_pattern_deletes_from_a_real_backend(
    served: Served, store: redis.Redis, tmp_path: Path
) -> None:
    """What it does not match stays."""
    for name in ("old:1", "old 2", "new"):
        event = {"experiment": name, "variant": "red", "event": "participate", "uuid": "u1"}
        assert served.http.get("/track", params=event).status_code == 200
    api = ("--url", served.url, "--api-key", KEY)

    done = invoke("delete", "old*", "--yes", *api, home=tmp_path)
    left = invoke("results", "--json", *api, home=tmp_path)

    assert done.stdout == "Deleted 1 counter of 'old 2'.\nDeleted 1 counter of 'old:1'.\n"
    assert [each["experiment"] for each in json.loads(left.stdout)["experiments"]] == ["new"]

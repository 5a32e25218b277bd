"""`gimel conclude`, and the past in `gimel results` and `gimel delete`."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import redis

from gimel.analysis.phrases import day
from gimel.api.client import Api
from gimel.cli import terminal
from gimel.errors import GimelError
from tests.support import crowd
from tests.support.command import gimel_here
from tests.support.runner import Done, invoke
from tests.support.served import Served, serving
from tests.support.servers import Store
from tests.support.stubs import answering

DECIDED: crowd.Variants = {"control": (1800, {"buy": 180}), "red": (1804, {"buy": 290})}
UNDECIDED: crowd.Variants = {"control": (200, {"buy": 20}), "red": (201, {"buy": 23})}


Run = Callable[..., Done]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, session_store: Store) -> Iterator[Served]:
    """`gimel serve` on the Redis of these tests."""
    home = tmp_path_factory.mktemp("home")
    with serving(home, "--redis", f"redis://127.0.0.1:{session_store.port}/0") as served:
        yield served


@pytest.fixture
def run(served: Served, store: redis.Redis, tmp_path: Path) -> Run:
    """Run a command on an API with the experiment "menu", which red wins, and "bar", undecided."""
    store.flushall()
    began = int(time.time()) - 20 * 86_400
    crowd.count(store, "alephbet", "menu", DECIDED, precision=1, since=began)
    crowd.count(store, "alephbet", "bar", UNDECIDED, precision=1, since=began)

    def run(command: str, *arguments: str) -> Done:
        key = served.key["x-api-key"]
        return invoke(command, *arguments, "--url", served.url, "--api-key", key, home=tmp_path)

    return run


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Answer the questions on a terminal, and return the list of what was asked."""

    def answers(*given: bool) -> list[str]:
        asked: list[str] = []
        waiting = list(given)

        def confirm(question: str, **_: object) -> bool:
            asked.append(question)
            return waiting.pop(0)

        monkeypatch.setattr(terminal, "can_ask", lambda: True)
        monkeypatch.setattr(terminal, "asks_on_stderr", lambda: True)
        monkeypatch.setattr(click, "confirm", confirm)
        return asked

    return answers


def concluded(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("results", "--concluded", "--json").stdout)[
        "concluded"
    ]
    return found


def test_what_was_learned_is_kept(run: Run) -> None:
    """By default the verdict's winner is kept, with the verdict, its interval and the counts."""
    done = run("conclude", "menu", "--note", "Support  likes it.", "--yes")
    (found,) = concluded(run)

    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("Concluded 'menu': winner 'red'. Later events are ignored.\n")
    assert (found["winner"], found["note"]) == ("red", "Support likes it.")
    assert (found["verdict"]["kind"], found["verdict"]["decided"]) == ("winner", True)
    assert 0 < found["verdict"]["lift"]["low"] < found["verdict"]["lift"]["value"]
    assert found["history"][-1]["goals"]["buy"]["red"] == pytest.approx(290, abs=10)


def test_results_show_the_record(run: Run) -> None:
    """`gimel results NAME` and `--concluded` say what was learned, when, and how sure."""
    run("conclude", "menu", "--yes")
    shown = run("results", "menu")
    listed = run("results", "--concluded")

    assert shown.exit_code == 0, shown.stderr
    assert shown.stdout == listed.stdout
    assert shown.stdout.startswith('menu: Kept "red".\n')
    assert "interval" in shown.stdout
    assert f"Concluded on {day(int(time.time()))} after 20 days" in shown.stdout
    assert "menu" not in run("results").stdout


def test_a_namespace_in_which_all_were_concluded(run: Run) -> None:
    """That is not a failure: cron would report it every day."""
    run("conclude", "menu", "--yes")
    run("conclude", "bar", "--yes")

    shown = run("results", "--fail-on", "decided")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert shown.stdout.startswith("No experiment is running in the namespace 'alephbet'.\n")
    assert re.search("`gimel results --url .* --concluded` lists those", shown.stdout)
    assert json.loads(run("results", "--json").stdout)["experiments"] == []
    assert run("results", "--namespace", "empty").exit_code == 1


def test_csv(run: Run) -> None:
    """One row per concluded experiment."""
    run("conclude", "menu", "--note", "=1+1", "--yes")

    (row,) = csv.DictReader(io.StringIO(run("results", "--concluded", "--csv").stdout))

    assert (row["experiment"], row["winner"], row["note"]) == ("menu", "red", "'=1+1")


def test_nothing_concluded(run: Run) -> None:
    """Without a past, that is said; a name that is not in it gets suggestions."""
    assert run("results", "--concluded").stdout.startswith("No experiment was concluded")
    run("conclude", "menu", "--yes")
    done = run("results", "--concluded", "manu")
    assert done.exit_code == 1
    assert "'menu'" in done.stderr


def test_another_winner(run: Run) -> None:
    """Another winner than the verdict's is recorded, and said."""
    run("conclude", "menu", "--winner", "control", "--yes")

    assert 'Kept "control", although the verdict was for' in run("results", "menu").stdout


def test_a_winner_that_is_no_variant(run: Run) -> None:
    """It is an error with the most similar names, and nothing is concluded."""
    done = run("conclude", "menu", "--winner", "rad", "--yes")

    assert done.exit_code == 1
    assert "no variant 'rad'" in done.stderr
    assert "'red'" in done.stderr
    assert concluded(run) == []


def test_undecided(run: Run, answers: Callable[..., list[str]]) -> None:
    """The question comes after what it is about: that it is undecided."""
    asked = answers(True)
    done = run("conclude", "bar")

    assert asked == ["Conclude 'bar' in 'alephbet'?"]
    assert "This experiment is undecided." in done.stderr
    assert done.stdout.startswith("Concluded 'bar': no winner.")
    shown = " ".join(run("results", "bar").stdout.split())
    assert 'Lift of "red"' in shown
    assert "not decided when it was concluded." in shown
    assert "Last verdict: " in shown


def test_twice(run: Run) -> None:
    """The second conclusion is an error that shows the way out."""
    run("conclude", "menu", "--yes")
    done = run("conclude", "menu", "--yes")

    assert done.exit_code == 1
    assert f"was already concluded on {day(int(time.time()))}." in done.stderr
    assert re.search(r"`gimel results --url \S+ --api-key KEY menu` shows its record", done.stderr)
    assert re.search(r"`gimel conclude --reopen --url \S+ --api-key KEY menu` undoes", done.stderr)


def test_watching_ends_with_the_record(run: Run) -> None:
    """An experiment that was concluded does not change any more."""
    run("conclude", "menu", "--yes")
    done = run("results", "menu", "--watch")

    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("menu: Kept")


@pytest.mark.parametrize(
    "given",
    [["--watch"], ["--fail-on", "broken"], ["--history"], ["--state", "running"], ["--all"]],
)
def test_options_of_running_experiments(run: Run, given: list[str]) -> None:
    """What the list of concluded experiments would ignore is wrong usage."""
    done = run("results", "--concluded", *given)

    assert done.exit_code == 2
    assert f"--concluded cannot be used with {given[0]}." in done.stderr


def test_reopen(run: Run) -> None:
    """It is counted again as before."""
    before = run("results", "menu", "--json").stdout
    run("conclude", "menu", "--yes")
    done = run("conclude", "--reopen", "menu", "--yes")
    after = run("results", "menu", "--json").stdout

    assert done.stdout == "Reopened 'menu': its events are counted again.\n"
    counts = [
        json.loads(each)["experiments"][0]["goals"][0]["variants"] for each in (before, after)
    ]
    assert [row["conversions"] for row in counts[0]] == [row["conversions"] for row in counts[1]]


def test_reopen_what_is_not_concluded(run: Run) -> None:
    """It is an error that says so."""
    done = run("conclude", "--reopen", "menu", "--yes")

    assert done.exit_code == 1
    assert done.stderr.startswith("Error: The namespace 'alephbet' has no concluded experiment")


def test_unknown(run: Run) -> None:
    """An experiment that does not exist is an error with similar names."""
    done = run("conclude", "manu", "--yes")

    assert done.exit_code == 1
    assert "There is no experiment 'manu'" in done.stderr


def test_delete_offers_to_conclude(run: Run, answers: Callable[..., list[str]]) -> None:
    """Whoever deletes an undecided experiment can conclude it instead."""
    asked = answers(True)
    done = run("delete", "bar")

    assert asked == ["Conclude it instead? That ends it too, but keeps its result."]
    assert done.stdout.startswith("Concluded 'bar'")
    assert [each["experiment"] for each in concluded(run)] == ["bar"]


def test_delete_of_a_concluded_experiment(run: Run, answers: Callable[..., list[str]]) -> None:
    """It says that the record is deleted as well, and deletes it."""
    run("conclude", "menu", "--yes")
    answers(True)
    assert run("delete", "menu", "--dry-run").stdout == (
        "menu (concluded; its record): Kept \u201cred\u201d.\n"
    )
    done = run("delete", "menu")

    assert "menu was concluded. Its record is deleted too." in done.stderr
    assert concluded(run) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--reopen", "--winner", "red"], "takes neither"),
        (["--note", "x" * 501], "it may have 500"),
    ],
)
def test_wrong_usage(run: Run, given: list[str], message: str) -> None:
    """Options that contradict each other are wrong usage."""
    done = run("conclude", "menu", *given)

    assert done.exit_code == 2
    assert message in done.stderr


@pytest.mark.parametrize(
    "answer",
    [(400, {"error": "experiment is missing"}), (200, {"status": "ok", "deleted": 3})],
    ids=["2.0.0", "another"],
)
def test_an_api_that_cannot_conclude(answer: tuple[int, dict[str, Any]]) -> None:
    """An older API is not asked to delete: the request has no `experiment`."""
    status, body = answer
    with answering(status=status, body=body) as stub:
        api = Api(stub.url, "key")
        with pytest.raises(GimelError, match="cannot conclude"):
            api.conclude("shop", "menu", {})

    assert stub.asked == [("DELETE", "/delete?namespace=shop&conclude=menu&record=%7B%7D")]


def test_process(run: Run, served: Served, tmp_path: Path) -> None:
    """As a process without a terminal, it asks for --yes."""
    done = gimel_here(
        *("conclude", "menu", "--url", served.url, "--api-key", served.key["x-api-key"]),
        home=tmp_path,
    )

    assert done.returncode == 1
    assert "Pass --yes" in done.stderr
    assert concluded(run) == []

"""`gimel simulate` sends made-up visitors to a track URL, and says what became of them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gimel.cli.simulate import USER_AGENT
from gimel.runtime.bots import is_bot
from tests.support.runner import invoke
from tests.support.served import Served, serving
from tests.support.stubs import answering


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with its own store that allows some experiments only."""
    home = tmp_path_factory.mktemp("h")
    (home / "config.json").write_text('{"allowed_experiments": ["simulation", "real"]}')
    with serving(home) as running:
        yield running


@pytest.fixture
def namespace() -> str:
    """A namespace that no other test uses."""
    return uuid.uuid4().hex


def simulate(home: Path, served: Served, namespace: str, *options: str) -> dict[str, Any]:
    """Send visitors, and return the truth about them."""
    fixed = ("--url", f"{served.url}/track", "--namespace", namespace, "--json")
    done = invoke("simulate", *fixed, *options, home=home)
    assert done.exit_code == 0, done.stderr
    truth: dict[str, Any] = json.loads(done.stdout)
    return truth


def counted(served: Served, namespace: str) -> dict[str, int]:
    """Return the visitors that the server counted, by variant."""
    (experiment,) = served.results(namespace=namespace)
    return {each["label"]: each["trials"] for each in experiment["participants"]}


def test_the_same_seed_sends_the_same_visitors(
    tmp_path: Path, served: Served, namespace: str
) -> None:
    """An interrupted simulation can be run again and counts nobody twice."""
    options = ("--visitors", "500", "--seed", "3")

    first, second = (simulate(tmp_path, served, namespace, *options) for _ in range(2))

    assert first == second
    assert abs(sum(counted(served, namespace).values()) - 500) <= 5


def test_a_variant_may_have_a_name_of_any_kind(
    tmp_path: Path, served: Served, namespace: str
) -> None:
    """Quotes and semicolons arrive as they are."""
    options = ("--visitors", "100", "--rates", 'r"e;d=0.5,blue=0.4')

    truth = simulate(tmp_path, served, namespace, *options)

    expected = {name: sent["visitors"] for name, sent in truth["variants"].items()}
    assert counted(served, namespace) == pytest.approx(expected, abs=2)


def test_an_experiment_that_is_not_allowed_is_refused(
    tmp_path: Path, served: Served, namespace: str
) -> None:
    """The reason is shown, and the command fails because nothing was counted."""
    options = ("--visitors", "50", "--experiment", "other", "--namespace", namespace)
    done = invoke("simulate", "--url", f"{served.url}/track", *options, home=tmp_path)

    assert done.exit_code == 1
    assert "experiment not allowed" in done.stderr


def test_an_experiment_that_is_allowed_is_counted(
    tmp_path: Path, served: Served, namespace: str
) -> None:
    """No event was refused."""
    truth = simulate(tmp_path, served, namespace, "--visitors", "50", "--experiment", "real")

    assert truth["refused_events"] == {}


@pytest.mark.parametrize("path", ["/", "/nope", "/experiments"])
def test_another_url_is_an_error(path: str, tmp_path: Path, served: Served) -> None:
    """The message says that it must be the track URL."""
    done = invoke("simulate", "--url", f"{served.url}{path}", "--visitors", "10", home=tmp_path)

    assert (done.exit_code, done.stdout) == (1, "")
    assert "track url" in done.stderr.lower()


def test_a_store_that_comes_back_is_waited_for(tmp_path: Path) -> None:
    """After a 503 the same events are sent again, so that no visitor is lost."""
    with answering(
        503, {"error": "later"}, later={"status": "ok", "events": [{"status": "ok"}] * 10}
    ) as stub:
        options = ("--url", f"{stub.url}/track", "--visitors", "10", "--rates", "red=0")
        done = invoke("simulate", *options, home=tmp_path)

    assert done.exit_code == 0, done.stderr
    assert "10 events counted" in done.stdout
    assert len(stub.asked) == 3


@pytest.mark.parametrize(
    "options",
    [
        ["--rates", "red"],
        ["--rates", "red=5"],
        ["--rates", "red=nan"],
        ["--rates", "red=0.1,red=0.2"],
        ["--visitors", "0"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(options: list[str], tmp_path: Path) -> None:
    """Nothing was sent."""
    done = invoke("simulate", *options, home=tmp_path)

    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error: " in done.stderr


def test_simulated_visitors_are_not_taken_for_bots() -> None:
    """The backend would ignore them."""
    assert not is_bot(USER_AGENT)

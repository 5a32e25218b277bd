"""`gimel results --fail-on`: the exit code for cron, and which experiments it is about."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.cli.conftest import Done
from tests.support.answers import answer, two
from tests.support.stubs import answering

Run = Callable[..., Done]
ATTENTION = "“broken\u2028one” needs attention: wrong split\n".replace("\u2028", "\\u2028")
DECIDED = "“winner” decided: choose “red”\n"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An API with an experiment in each state."""
    rows = [
        two("running"),
        two("winner", red=(10_000, 800)),
        two("broken\u2028one", red=(8_000, 400)),
    ]
    with answering(body=answer(*rows)) as stub:
        yield stub.url


@pytest.fixture
def results(run: Run, url: str) -> Run:
    return lambda *options: run("results", "--url", url, "--api-key", "k" * 20, *options)


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (["broken"], ATTENTION),
        (["decided"], DECIDED),
        (["broken", "decided"], ATTENTION + DECIDED),
    ],
    ids=["broken", "decided", "both"],
)
def test_the_exit_code_is_3_and_stderr_says_which(
    results: Run, states: list[str], said: str
) -> None:
    """The output is the same as without the option."""
    options = [word for state in states for word in ("--fail-on", state)]
    done = results(*options)
    assert (done.code, done.stderr) == (3, said)
    assert done.stdout == results().stdout


def test_it_is_0_where_no_experiment_is_in_that_state(results: Run) -> None:
    """One experiment alone is looked at, if one is named."""
    for name, states, code in (
        ("running", ["broken", "decided"], 0),
        ("winner", ["broken"], 0),
        ("winner", ["decided"], 3),
    ):
        options = [word for state in states for word in ("--fail-on", state)]
        done = results(name, *options)
        assert done.code == code
        assert bool(done.stderr) == (code == 3)


@pytest.mark.parametrize("form", ["--json", "--csv", "--excel"])
def test_programs_get_the_whole_output(results: Run, form: str) -> None:
    """All of it is on stdout, and nothing else."""
    done, plain = results(form, "--fail-on", "broken"), results(form)
    assert (done.code, plain.code) == (3, 0)
    if form == "--json":  # in which the days since the first event differ
        assert len(json.loads(done.stdout)["experiments"]) == 3
    else:
        assert done.stdout == plain.stdout


def test_it_makes_no_sense_with_watch(results: Run) -> None:
    """Which never ends."""
    done = results("--watch", "--fail-on", "broken")
    assert done.code == 2
    assert "--watch cannot be used with --fail-on" in done.stderr

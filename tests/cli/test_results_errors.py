"""`gimel results` fails with a message, an exit code and an empty stdout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.answers import answer, row, two
from tests.support.runner import invoke
from tests.support.served import Served, serving
from tests.support.servers import free_port
from tests.support.stubs import answering

KEY = "secret-key-0123456789"
FORMS = pytest.mark.parametrize("form", [(), ("--json",), ("--csv",)], ids=["table", "json", "csv"])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An API with two experiments."""
    shop = row("shop", {"control": (100, {"look": 30}), "red": (100, {"look": 31})}, ("look",))
    with answering(body=answer(shop, two("button"))) as stub:
        yield stub.url


@FORMS
def test_an_error_is_never_taken_for_results(
    form: tuple[str, ...], tmp_path: Path, url: str
) -> None:
    """stdout stays empty, and the exit code is 1."""
    done = invoke("results", "buton", "--url", url, "--api-key", KEY, *form, home=tmp_path)

    assert (done.exit_code, done.stdout) == (1, "")
    assert "Did you mean 'button'?" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("buton",), "There is no experiment 'buton' in the namespace 'alephbet'."),
        (("--goal", "by"), "No experiment has a goal 'by'.\nDid you mean 'buy'?"),
        (("shop", "--goal", "by"), "The experiment 'shop' has no goal 'by'."),
        (("--control", "redd"), "No experiment has a variant 'redd'.\nDid you mean 'red'?"),
        (("shop", "--control", "rad"), "The experiment 'shop' has no variant 'rad'."),
    ],
    ids=["experiment", "goal", "goal of one", "control", "control of one"],
)
def test_a_name_that_does_not_exist_is_an_error(
    options: tuple[str, ...], message: str, tmp_path: Path, url: str
) -> None:
    """The message suggests similar names."""
    done = invoke("results", "--url", url, "--api-key", KEY, *options, home=tmp_path)

    assert (done.exit_code, done.stdout) == (1, "")
    assert message in done.stderr


@pytest.mark.parametrize("name", [(), ("x",)], ids=["all", "one"])
def test_an_empty_namespace_is_an_error(name: tuple[str, ...], tmp_path: Path) -> None:
    """The message says when an experiment appears."""
    with answering(body=answer()) as stub:
        options = ("--url", stub.url, "--api-key", KEY, "--namespace", "nope")
        done = invoke("results", *name, *options, home=tmp_path)

    assert (done.exit_code, done.stdout) == (1, "")
    assert "There is no experiment in the namespace 'nope'." in done.stderr
    assert "An experiment appears after its first event." in done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("h")


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Served]:
    """A server with its own store and key, and an experiment."""
    with serving(home) as running:
        event = {"experiment": "e", "variant": "red", "event": "participate", "uuid": "1"}
        assert running.http.get("/track", params=event).json() == {"status": "ok"}
        yield running


def test_the_key_of_this_machine_is_found(home: Path, served: Served) -> None:
    """With --local nobody copies it."""
    done = invoke("results", "e", "--local", "--url", served.url, home=home)

    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "e"), done.stderr


def test_the_key_can_be_in_the_environment(served: Served, tmp_path: Path) -> None:
    """So can the address."""
    variables = {"GIMEL_URL": served.url, "GIMEL_API_KEY": served.key["x-api-key"]}
    done = invoke("results", "e", home=tmp_path, **variables)

    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "e"), done.stderr


@FORMS
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--api-key", "wrong"), "API key"),
        (("--namespace", "x" * 201), "namespace is longer than 200 characters"),
    ],
    ids=["a wrong key", "a long namespace"],
)
def test_a_refusal_of_the_server_is_an_error(
    form: tuple[str, ...],
    options: tuple[str, ...],
    message: str,
    home: Path,
    served: Served,
) -> None:
    """The message says what it refused."""
    done = invoke("results", "--local", "--url", served.url, *options, *form, home=home)

    assert (done.exit_code, done.stdout) == (1, "")
    assert message in done.stderr


def test_a_wrong_path_is_an_error(home: Path, served: Served) -> None:
    """The message has the address that was asked for."""
    done = invoke("results", "--local", "--url", f"{served.url}/x", home=home)

    assert (done.exit_code, done.stdout) == (1, "")
    assert f"{served.url}/x/experiments" in done.stderr


def test_a_server_that_is_down_is_an_error(tmp_path: Path) -> None:
    """The message has its address."""
    address = f"http://127.0.0.1:{free_port()}"
    done = invoke("results", "--url", address, "--api-key", KEY, home=tmp_path)

    assert (done.exit_code, done.stdout) == (1, "")
    assert address in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--url", "http://127.0.0.1:1"), "--api-key"),
        ((), "--local"),
        (("--local",), "`gimel serve`"),
    ],
    ids=["no key", "no address", "no local key"],
)
def test_what_is_missing_is_named(options: tuple[str, ...], message: str, tmp_path: Path) -> None:
    """The message says which option to give, or what to run first."""
    done = invoke("results", *options, home=tmp_path)

    assert (done.exit_code, done.stdout) == (1, "")
    assert message in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--json", "--watch"], "--watch cannot be used with --json. Remove one of them."),
        (["--excel", "--watch"], "--watch cannot be used with --excel. Remove one of them."),
        (["--json", "--csv"], "--json and --csv cannot be combined. Remove one of them."),
        (["--json", "--excel"], "--json and --excel cannot be combined. Remove one of them."),
        (["--json", "--details"], "Remove it: --json has all figures."),
        (["--csv", "--details"], "Remove it: --json has all figures."),
        (["--csv", "--all"], "Remove it: --csv has all experiments."),
        (["e", "--all"], "--all shows every experiment. Remove it, or the name."),
        (["e", "--state", "attention"], "--state chooses among all experiments. Remove it, or the"),
        (["--state", "done"], "'done' is not one of 'attention', 'decided', 'running'."),
        (["--lift", "20"], "must be between 0.0001 and 10. Write 0.1 for a lift of 10%."),
        (["--lift", "nan"], "must be between 0.0001 and 10. Write 0.1 for a lift of 10%."),
        (["--lift", "10%"], "'10%' is not a valid float"),
        (["--confidence", "1.5"], "1.5 is not in the range"),
        (["--confidence", "nan"], "is not a finite number"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_exits_with_2(options: list[str], message: str, tmp_path: Path) -> None:
    """Nothing was asked of the API, and the message says what to change."""
    done = invoke("results", *options, home=tmp_path)

    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error: " in done.stderr
    assert message in done.stderr

"""`gimel results` and `sample-size` as a user types them, on a running `gimel serve`."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gimel.analysis.counts import Count
from gimel.analysis.sample_size import sample_size
from gimel.api.client import Api
from gimel.cli import results as cli_results
from tests.support.command import environment, gimel
from tests.support.served import Served, serving
from tests.support.servers import free_port


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("h")


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Served]:
    """A server that keeps its own store and key, as `gimel serve` does."""
    with serving(home) as running:
        yield running


@pytest.fixture
def url(served: Served) -> str:
    return served.url


@pytest.fixture
def namespace() -> str:
    """One of the test's own."""
    return uuid.uuid4().hex


def simulate(home: Path, url: str, namespace: str, *options: str, seed: int = 1) -> dict[str, Any]:
    """Send visitors, and return the truth about them."""
    fixed = ("--url", f"{url}/track", "--namespace", namespace, "--seed", str(seed), "--json")
    done = gimel("simulate", *fixed, *options, home=home)
    assert done.returncode == 0, done.stderr
    truth: dict[str, Any] = json.loads(done.stdout)
    return truth


def read(
    home: Path, url: str, namespace: str, *options: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    return gimel(
        "results",
        "--local",
        "--url",
        url,
        "--namespace",
        namespace,
        *options,
        home=home,
        **variables,
    )


def test_what_was_sent_is_what_is_told(home: Path, url: str, namespace: str) -> None:
    """Every count is the truth within its counting error, and the better variant wins."""
    rates = "control=0.05,red=0.10,blue=0.05"
    truth = simulate(
        home, url, namespace, "--visitors", "30000", "--rates", rates, "--goal", "buy", seed=7
    )
    done = read(home, url, namespace, "--json")
    assert done.returncode == 0, done.stderr
    (experiment,) = json.loads(done.stdout)["experiments"]
    assert (experiment["experiment"], experiment["control"]) == ("simulation", "control")
    (goal,) = experiment["goals"]
    assert goal["goal"] == "buy"
    assert sorted(each["variant"] for each in goal["variants"]) == sorted(truth["variants"])
    for each in goal["variants"]:
        sent = truth["variants"][each["variant"]]
        assert abs(each["visitors"] - sent["visitors"]) <= 4 * each["visitors_error"] + 1
        assert abs(each["conversions"] - sent["conversions"]) <= 4 * each["conversions_error"] + 1
        assert each["visitors_error"] == pytest.approx(
            Count.of({"16": sent["visitors"]}).error, rel=0.01
        )
    red = next(each for each in goal["variants"] if each["variant"] == "red")
    rates_sent = {
        name: sent["conversions"] / sent["visitors"] for name, sent in truth["variants"].items()
    }
    assert red["rate"]["value"] == pytest.approx(rates_sent["red"], rel=0.01)
    assert red["rate"]["low"] < 0.10 < red["rate"]["high"]
    assert red["lift"]["value"] == pytest.approx(
        rates_sent["red"] / rates_sent["control"] - 1, abs=0.04
    )
    assert red["difference"]["value"] == pytest.approx(
        rates_sent["red"] - rates_sent["control"], abs=0.002
    )
    assert red["best"] > 0.999
    (verdict,) = experiment["verdicts"]
    assert (verdict["kind"], verdict["variant"], verdict["safe_to_stop"]) == ("winner", "red", True)
    assert not experiment["split"]["mismatch"]


def test_the_same_seed_sends_the_same_visitors(home: Path, url: str, namespace: str) -> None:
    """So that an interrupted simulation can be run again, and counts nobody twice."""
    first, second = (simulate(home, url, namespace, "--visitors", "500", seed=3) for _ in range(2))
    assert first == second
    (experiment,) = json.loads(read(home, url, namespace, "--json").stdout)["experiments"]
    assert abs(sum(each["visitors"] for each in experiment["participants"]) - 500) <= 5


def test_a_wrong_split_is_seen(home: Path, url: str, namespace: str) -> None:
    """One variant shown to twice as many: no figure is to be trusted."""
    simulate(home, url, namespace, "--visitors", "2000", "--rates", "red=0.1,blue=0.1")
    simulate(home, url, namespace, "--visitors", "1000", "--rates", "red=0.1", seed=2)
    done = read(home, url, namespace)
    assert "! do not trust this: visitors are split" in done.stdout
    (verdict,) = json.loads(read(home, url, namespace, "--json").stdout)["experiments"][0][
        "verdicts"
    ]
    assert verdict["kind"] == "split-mismatch"


def test_the_configuration_tells_control_and_weights(
    home: Path, url: str, namespace: str, tmp_path: Path
) -> None:
    """The same split was meant, and the verdict is against the control that was."""
    simulate(home, url, namespace, "--visitors", "2000", "--rates", "red=0.1,blue=0.1")
    simulate(home, url, namespace, "--visitors", "1000", "--rates", "red=0.1", seed=2)
    plan = {"experiments": {"simulation": {"control": "red", "weights": {"red": 2, "blue": 1}}}}
    config = tmp_path / "config.json"
    config.write_text(json.dumps(plan))
    done = gimel(
        "--config",
        str(config),
        "results",
        "--local",
        "--url",
        url,
        "--namespace",
        namespace,
        "--json",
        home=home,
    )
    (experiment,) = json.loads(done.stdout)["experiments"]
    assert experiment["control"] == "red"
    assert [each["expected_share"] for each in experiment["participants"]] == [
        pytest.approx(2 / 3),
        pytest.approx(1 / 3),
    ]
    assert not experiment["split"]["mismatch"]


def test_experiment_goal_control_and_confidence_are_chosen(
    home: Path, url: str, namespace: str
) -> None:
    """Each by its name."""
    for name in ("one", "two"):
        simulate(
            home,
            url,
            namespace,
            "--visitors",
            "300",
            "--experiment",
            name,
            "--goal",
            f"{name}-goal",
        )
    both = json.loads(read(home, url, namespace, "--json").stdout)["experiments"]
    assert [each["experiment"] for each in both] == ["one", "two"]
    options = ("two", "--goal", "two-goal", "--control", "red", "--confidence", "0.5")
    (chosen,) = json.loads(read(home, url, namespace, *options, "--json").stdout)["experiments"]
    assert (chosen["experiment"], chosen["control"], chosen["confidence"]) == ("two", "red", 0.5)
    (of_goal,) = json.loads(read(home, url, namespace, "--goal", "one-goal", "--json").stdout)[
        "experiments"
    ]
    assert of_goal["experiment"] == "one"
    width = [each["goals"][0]["variants"][0]["rate"]["high"] for each in (both[1], chosen)]
    assert width[0] != width[1]


def test_csv_is_read_back(home: Path, url: str, namespace: str) -> None:
    """A line for each variant."""
    truth = simulate(
        home,
        url,
        namespace,
        "--visitors",
        "300",
        "--rates",
        'r"e,d=0.5'.replace(",", ";") + ",blue=0.4",
    )
    lines = list(csv.DictReader(io.StringIO(read(home, url, namespace, "--csv").stdout)))
    assert {line["variant"]: round(float(line["visitors"])) for line in lines} == {
        variant: pytest.approx(sent["visitors"], abs=3)
        for variant, sent in truth["variants"].items()
    }


def test_the_table_has_80_columns_and_no_colour_in_a_pipe(
    home: Path, url: str, namespace: str
) -> None:
    """Also where the locale knows ASCII only."""
    simulate(home, url, namespace, "--visitors", "300", "--experiment", "[red]größe[/red]")
    plain = read(home, url, namespace)
    assert plain.returncode == 0, plain.stderr
    assert "[red]größe[/red]" in plain.stdout
    assert "├" in plain.stdout
    assert max(map(len, plain.stdout.splitlines())) <= 80
    assert "\x1b" not in plain.stdout
    ascii_only = read(home, url, namespace, PYTHONIOENCODING="ascii")
    assert ascii_only.returncode == 0, ascii_only.stderr
    assert "[red]gr\\xf6\\xdfe[/red]" in ascii_only.stdout
    assert "|-" in ascii_only.stdout


@pytest.mark.parametrize(
    ("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)], ids=["colour", "NO_COLOR"]
)
def test_colour_is_for_terminals_that_want_it(
    variables: dict[str, str], coloured: bool, home: Path, url: str, namespace: str
) -> None:
    """NO_COLOR turns it off."""
    simulate(home, url, namespace, "--visitors", "300")
    ours, theirs = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "gimel",
        "results",
        "--local",
        "--url",
        url,
        "--namespace",
        namespace,
    ]
    own = environment(home, TERM="xterm-256color", **variables)
    with subprocess.Popen(
        command, cwd=home, env=own, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        while b"standard error" not in shown:
            shown += os.read(ours, 4096)
        assert process.wait(30) == 0
    os.close(ours)
    assert bool(re.search(rb"\x1b\[[0-9;]*3[0-9]m", shown)) == coloured


def test_watching_ends_with_ctrl_c(home: Path, url: str, namespace: str) -> None:
    """With 130, and without a trace."""
    simulate(home, url, namespace, "--visitors", "300")
    command = [
        sys.executable,
        "-m",
        "gimel",
        "results",
        "--local",
        "--url",
        url,
        "--namespace",
        namespace,
        "--watch",
    ]
    own = environment(home, PYTHONUNBUFFERED="1")
    with subprocess.Popen(
        command,
        cwd=home,
        env=own,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # the tests may run where Ctrl-C is not heard
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while "Ctrl-C ends it" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read().strip() == "Interrupted."


def test_watching_goes_on_when_the_api_is_away(capsys: pytest.CaptureFixture[str]) -> None:
    """It says so each time, and asks again."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    question = cli_results.Question("shop", None, None, None, 0.95, {})
    with pytest.raises(KeyboardInterrupt):
        cli_results._watch(Api(f"http://127.0.0.1:{free_port()}", "key"), question, sleep)
    assert capsys.readouterr().err.count("Could not connect to") == 3


def failed(*arguments: str, home: Path, code: int = 1, **variables: str) -> str:
    """Return what a failing command says."""
    done = gimel(*arguments, home=home, **variables)
    assert (done.returncode, done.stdout) == (code, "")
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("form", [(), ("--json",), ("--csv",)], ids=["table", "json", "csv"])
def test_what_cannot_be_shown_is_an_error(
    form: tuple[str, ...], home: Path, url: str, namespace: str
) -> None:
    """In words, on stderr, with 1: nothing of it can be taken for results."""
    simulate(
        home,
        url,
        namespace,
        "--visitors",
        "50",
        "--experiment",
        "checkout",
        "--rates",
        "red=1,blue=1",
    )
    at = ("results", "--local", "--url", url, *form)
    assert "Did you mean 'checkout'?" in failed(*at, "--namespace", namespace, "chekout", home=home)
    assert "Available: 'conversion'." in failed(
        *at, "--namespace", namespace, "--goal", "x", home=home
    )
    assert "Did you mean 'blue'?" in failed(
        *at, "--namespace", namespace, "--control", "bleu", home=home
    )
    assert "There is no experiment in the namespace 'nope'" in failed(
        *at, "--namespace", "nope", home=home
    )
    assert "There is no experiment in the namespace 'nope'" in failed(
        *at, "--namespace", "nope", "x", home=home
    )
    assert "rejected the API key" in failed(*at, "--api-key", "wrong", home=home)
    assert f"{url}/x/experiments was not found" in failed(*at, "--url", f"{url}/x", home=home)
    assert "Could not connect" in failed(*at, "--url", f"http://127.0.0.1:{free_port()}", home=home)
    assert "namespace is longer than 200 characters" in failed(
        *at, "--namespace", "x" * 201, home=home
    )


def test_a_remote_api_is_read_with_its_key(
    home: Path, url: str, namespace: str, served: Served, tmp_path: Path
) -> None:
    """From the command line or the environment; without a key, or without any address, it says what to give."""
    simulate(home, url, namespace, "--visitors", "50")
    key = served.key["x-api-key"]
    by_environment = gimel(
        "results", "--namespace", namespace, home=tmp_path, GIMEL_URL=url, GIMEL_API_KEY=key
    )
    assert by_environment.returncode == 0, by_environment.stderr
    assert "--api-key" in failed("results", "--url", url, home=tmp_path)
    assert "--local" in failed("results", home=tmp_path)
    assert "Run `gimel serve` first" in failed("results", "--local", home=tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [
        ["results", "--json", "--watch"],
        ["results", "--confidence", "1.5"],
        ["results", "--confidence", "nan"],
        ["sample-size", "--rate", "0.05"],
        ["sample-size", "--rate", "0.05", "--lift", "0"],
        ["sample-size", "--rate", "0.6", "--lift", "1"],
        ["sample-size", "--rate", "0.05", "--lift", "inf"],
        ["sample-size", "--rate", "0.05", "--lift", "0.1", "--visitors-per-day", "nan"],
        ["sample-size", "--rate", "0.05", "--lift", "0.1", "--precision", "2"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(arguments: list[str], tmp_path: Path) -> None:
    """Before anything is asked."""
    assert "Error: " in failed(*arguments, home=tmp_path, code=2)


def test_the_sample_size_is_told(tmp_path: Path) -> None:
    """A variant, in all and in days; with the configuration's precision, and what it costs."""
    shown = gimel(
        "sample-size",
        "--rate",
        "0.05",
        "--lift",
        "0.1",
        "--visitors-per-day",
        "5000",
        home=tmp_path,
    ).stdout
    needed = sample_size(0.05, 0.1)
    assert re.search(rf"looking once.* {needed.fixed:,} +{2 * (needed.fixed or 0):,} +13\n", shown)
    assert f"{needed.anytime:,}" in shown
    assert "Counting at precision 16 takes 0.67% more visitors than exact counting would." in shown
    (tmp_path / "config.json").write_text('{"precision": 1}')
    options = (
        "--rate",
        "0.05",
        "--lift",
        "0.1",
        "--power",
        "0.9",
        "--confidence",
        "0.99",
        "--variants",
        "3",
        "--json",
    )
    told = json.loads(gimel("sample-size", *options, home=tmp_path).stdout)
    expected = sample_size(0.05, 0.1, 0.99, 0.9, 1, 2)
    assert told["visitors_a_variant"] == {
        "fixed": expected.fixed,
        "fixed_exact": expected.fixed_exact,
        "anytime": expected.anytime,
    }
    assert (told["precision"], told["days"]["fixed"]) == (1, None)


def test_a_lift_that_counting_hides_is_told(tmp_path: Path) -> None:
    """With what exact counting would take; and one too small for anybody."""
    hidden = gimel(
        "sample-size", "--rate", "0.05", "--lift", "0.01", "--precision", "1", home=tmp_path
    )
    assert hidden.returncode == 0
    assert "is not exact enough to ever see it; counted exactly, 2,99" in hidden.stdout
    assert (
        "look for a larger lift"
        in gimel("sample-size", "--rate", "0.05", "--lift", "1e-7", home=tmp_path).stdout
    )

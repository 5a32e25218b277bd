"""`gimel simulate`: what it sends and prints, and its errors, against a real `gimel serve`."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from gimel.api.simulation import Traffic
from gimel.cli.simulate import Simulation, next_steps
from tests.support.command import environment, gimel_here
from tests.support.served import Served, serving
from tests.support.servers import Store, free_port
from tests.support.stubs import answering

LOCAL = "http://127.0.0.1:8000/track"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, session_store: Store) -> Iterator[Served]:
    """A server that counts one experiment only."""
    home = tmp_path_factory.mktemp("h")
    allowed = {"allowed_experiments": ["simulation"]}
    with serving(home, "--redis", session_store.url, configuration=allowed) as running:
        yield running


@pytest.fixture
def namespace() -> str:
    """One that no other test uses."""
    return uuid.uuid4().hex


def simulation(
    namespace: str = "alephbet", experiment: str = "e", weights: dict[str, float] | None = None
) -> Simulation:
    return Simulation(namespace, experiment, Traffic(10, weights or {"red": 1.0}, {}, 1))


def test_what_was_sent_is_printed(tmp_path: Path, served: Served, namespace: str) -> None:
    """Per variant, and the API then counts the same."""
    done = gimel_here(
        *("simulate", "--url", served.track_url, "--namespace", namespace, "--seed", "1"),
        *("--visitors", "50", "--rates", "red=1, blue=0"),
        home=tmp_path,
    )
    red = served.counts(namespace)["participate"]["red"]
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        f"Sent 50 visitors to 'simulation'; {50 + red} events were counted (seed 1):",
        f"  'red': {red} visitors, {red} reached 'conversion'",
        f"  'blue': {50 - red} visitors, 0 reached 'conversion'",
    ]


def test_days_that_have_passed(tmp_path: Path, served: Served, namespace: str) -> None:
    """The experiment began then, each day has its visitors, and it cannot begin again."""
    line = ["simulate", "--url", served.track_url, "--namespace", namespace, "--days", "14"]
    line += ["--visitors", "280", "--rates", "red=1,blue=0"]
    environ = {"GIMEL_API_KEY": served.key["x-api-key"]}

    done = gimel_here(*line, home=tmp_path, **environ)

    (experiment,) = served.results(namespace=namespace, history="true")
    columns = [*map(tuple, experiment["history"]["columns"])]
    reds = columns.index(("conversion", "red", "16"))
    points = experiment["history"]["points"]
    assert done.returncode == 0, done.stderr
    assert round((time.time() - experiment["since"]) / 86_400) == 14
    assert [round((b[0] - a[0]) / 86_400) for a, b in pairwise(points)] == [1] * 13
    assert all(a[1 + reds] < b[1 + reds] for a, b in pairwise(points))

    again = gimel_here(*line, home=tmp_path, **environ)
    assert again.returncode == 1
    assert "The experiment 'simulation' exists" in again.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--experiment", "a,b"), "'a,b' has a comma"),
        (("--api-key", "wrong"), "rejected the API key"),
    ],
)
def test_days_that_cannot_be_simulated(
    tmp_path: Path, served: Served, options: tuple[str, str], message: str
) -> None:
    """Before anything is sent."""
    environ = {"GIMEL_API_KEY": served.key["x-api-key"]}
    line = ("simulate", "--url", served.track_url, "--days", "3", *options)
    done = gimel_here(*line, home=tmp_path, **environ)
    assert done.returncode == 1
    assert message in done.stderr


def test_only_gimel_serve_simulates_days(tmp_path: Path) -> None:
    """Another API would count all visitors today."""
    with answering(body=[{"meta": {"scope": None, "ignored": {}}}]) as stub:
        done = gimel_here(
            *("simulate", "--url", f"{stub.url}/e", "--days", "3", "--api-key", "k"), home=tmp_path
        )
    assert done.returncode == 1
    assert "does not simulate earlier days. Only `gimel serve` does" in " ".join(
        done.stderr.split()
    )


def test_several_goals_of_the_same_visitors(tmp_path: Path, served: Served, namespace: str) -> None:
    """Each with its own rates or those of --rates; the API counts what JSON says was sent."""
    done = gimel_here(
        *("simulate", "--url", served.track_url, "--namespace", namespace, "--json"),
        *(
            "--seed",
            "1",
            "--visitors",
            "60",
            "--rates",
            "red=1/0,blue=0..1",
            "--weights",
            "red=2,blue=1",
        ),
        *("--goal", "buy", "--goal", "cart:red=1,blue=0"),
        home=tmp_path,
    )
    facts = json.loads(done.stdout)
    sent = facts["variants"]
    goals = {goal: {name: sent[name]["goals"][goal] for name in sent} for goal in ("buy", "cart")}
    visitors = {name: sent[name]["visitors"] for name in sent}
    counted = served.counts(namespace)
    assert counted["participate"] == visitors
    assert counted["buy"] == goals["buy"]
    assert counted["cart"]["red"] == goals["cart"]["red"] == visitors["red"]
    conversions = sum(sum(each.values()) for each in goals.values())
    assert facts["counted_events"] == 60 + conversions


def test_json_holds_the_same_facts(tmp_path: Path, served: Served, namespace: str) -> None:
    """With the seed that repeats them, even if none was given."""
    done = gimel_here(
        *("simulate", "--url", served.track_url, "--namespace", namespace, "--json"),
        *("--visitors", "20", "--rates", "red=0"),
        home=tmp_path,
    )
    facts = json.loads(done.stdout)
    assert isinstance(facts.pop("seed"), int)
    assert facts == {
        "namespace": namespace,
        "experiment": "simulation",
        "counted_events": 20,
        "refused_events": {},
        "variants": {"red": {"visitors": 20, "goals": {"conversion": 0}}},
    }


def test_the_command_on_the_last_line_shows_the_result(served: Served, namespace: str) -> None:
    """As printed, in a shell's words; with the printed design the split is as expected."""
    home = served.data.parents[1]
    done = gimel_here(
        *("simulate", "--url", served.track_url, "--namespace", f"my {namespace}", "--seed", "1"),
        *("--visitors", "2000", "--weights", "red=4,blue=1"),
        home=home,
    )
    *_, design, _, last = done.stderr.splitlines()
    gimel, *arguments = shlex.split(last)
    assert gimel == "gimel"

    shown = gimel_here(*arguments, home=home)
    assert "visitors are split" in shown.stdout

    document = {**json.loads(f"{{{design}}}"), "allowed_experiments": ["simulation"]}
    config = home / "with-weights.json"
    config.write_text(json.dumps(document))
    shown = gimel_here(*arguments, home=home, GIMEL_CONFIG=str(config))
    assert "Traffic split as expected." in shown.stdout


@pytest.mark.parametrize(
    ("url", "names", "environ", "expected"),
    [
        (LOCAL, ("alephbet", "e"), {}, "gimel results --local e"),
        (
            LOCAL,
            ("alephbet", "e"),
            {"GIMEL_URL": "https://ab.example.com"},
            "gimel results --local --url http://127.0.0.1:8000 e",
        ),
        (
            "http://localhost:9000/track",
            ("my shop", "it's"),
            {},
            "gimel results --local --url http://localhost:9000"
            """ --namespace 'my shop' 'it'"'"'s'""",
        ),
        (LOCAL, ("alephbet", "-e"), {}, "gimel results --local -- -e"),
        (
            "https://x1.execute-api.eu-west-1.amazonaws.com/prod/track",
            ("alephbet", "e"),
            {},
            "gimel results --region eu-west-1 e",
        ),
        (
            "https://x1.execute-api.eusc-de-east-1.amazonaws.eu/prod/track",
            ("alephbet", "e"),
            {},
            "gimel results --region eusc-de-east-1 e",
        ),
        (
            "https://x1.lambda-url.us-east-2.on.aws/",
            ("alephbet", "e"),
            {},
            "gimel results --region us-east-2 e",
        ),
        (
            "https://x1.execute-api.eu-west-1.amazonaws.com/prod/track",
            ("alephbet", "e"),
            {"GIMEL_URL": "https://ab.example.com", "GIMEL_API_KEY": "k"},
            "gimel results --url https://x1.execute-api.eu-west-1.amazonaws.com/prod e",
        ),
    ],
    ids=[
        "local",
        "local with GIMEL_URL",
        "quoted",
        "name like an option",
        "AWS",
        "another partition",
        "function URL",
        "AWS with GIMEL_URL",
    ],
)
def test_the_command_has_the_options_needed(
    url: str, names: tuple[str, str], environ: dict[str, str], expected: str
) -> None:
    """No others, so that it stays short."""
    lines = next_steps(simulation(*names), url, None, environ)
    assert list(lines) == ["Show the result:", f"  {expected}"]


def test_another_host_needs_its_key() -> None:
    """It is not found in AWS, so the user is told to set it; a given configuration is used too."""
    lines = next_steps(simulation(), "https://ab.example.com/track", "my.json", {})
    assert list(lines) == [
        "Set GIMEL_API_KEY, then show the result:",
        "  gimel --config my.json results --url https://ab.example.com e",
    ]


@pytest.mark.parametrize(
    ("weights", "printed"),
    [
        ({"red": 2.0, "blue": 2.0}, []),
        (
            {"red": 2.5, "blue": 1.0},
            ['  "experiments": {"e": {"weights": {"red": 2.5, "blue": 1}}}'],
        ),
        ({"röd": 1.0, "b": 0.0}, ['  "experiments": {"e": {"weights": {"röd": 1, "b": 0}}}']),
    ],
    ids=["equal", "unequal", "one without visitors"],
)
def test_unequal_weights_need_a_design(weights: dict[str, float], printed: list[str]) -> None:
    """It is printed as the line of config.json."""
    lines = list(next_steps(simulation(weights=weights), LOCAL, None, {}))
    assert [line for line in lines if "experiments" in line] == printed
    assert lines[-1] == "  gimel results --local e"


def test_what_is_not_counted_is_reported(tmp_path: Path, served: Served) -> None:
    """Each reason with its number. If nothing was counted, the command fails."""
    done = gimel_here(
        *("simulate", "--url", served.track_url, "--experiment", "other"),
        *("--visitors", "20", "--rates", "red=0"),
        home=tmp_path,
    )
    assert done.returncode == 1
    assert "Not counted: 20 events: experiment not allowed\n" in done.stderr
    assert done.stderr.endswith("Error: Nothing was counted.\nSee the reasons above.\n")


@pytest.mark.parametrize("path", ["/", "/nope", "/experiments"])
def test_a_url_that_does_not_track_is_an_error(path: str, tmp_path: Path, served: Served) -> None:
    """That says what it should be."""
    done = gimel_here("simulate", "--url", f"{served.url}{path}", home=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{served.url}{path} returned status 403." in done.stderr
    assert "Check that it is the track URL, which usually ends in /e." in done.stderr


@pytest.mark.parametrize("url", ["host/track", "ftp://host/track", "http://host/track?x=1"])
def test_an_incomplete_url_is_an_error(url: str, tmp_path: Path) -> None:
    """With an example of a complete one."""
    done = gimel_here("simulate", "--url", url, home=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"Error: {url!r} is not a track URL.\n" in done.stderr
    assert "https://host/path" in done.stderr


def test_a_server_that_does_not_run_is_an_error(tmp_path: Path) -> None:
    """Nothing was sent, so there is nothing to complete."""
    done = gimel_here("simulate", "--url", f"http://127.0.0.1:{free_port()}/track", home=tmp_path)
    assert done.returncode == 1
    assert "Could not connect to" in done.stderr
    assert "--seed" not in done.stderr


def test_an_interrupted_simulation_can_be_completed(tmp_path: Path) -> None:
    """With the seed: visitors that were sent before are not counted again."""
    answer = {"status": "ok", "events": [{"status": "ok"}] * 100}
    with answering(200, answer, later={"error": "full"}) as stub:
        done = gimel_here(
            *("simulate", "--url", f"{stub.url}/track", "--seed", "7"),
            *("--visitors", "1000", "--rates", "red=0"),
            home=tmp_path,
        )
    assert done.returncode == 1
    assert "rejected the events: full." in done.stderr
    assert (
        "200 of 1,000 visitors were sent; run the command again with `--seed 7` to complete them."
        in done.stderr
    )


def test_ctrl_c_ends_it(tmp_path: Path) -> None:
    """With code 130, and with the seed that completes it."""
    answer = {"status": "ok", "events": [{"status": "ok"}] * 100}
    options = ("--visitors", "10000000", "--seed", "7")
    with (
        answering(200, answer) as stub,
        subprocess.Popen(
            [sys.executable, "-m", "gimel", "simulate", *options, "--url", f"{stub.url}/track"],
            cwd=tmp_path,
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # The tests may run in the background, where Ctrl-C is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as process,
    ):
        while len(stub.asked) < 3:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (130, "")
    assert "of 10,000,000 visitors were sent; run the command again with `--seed 7`" in stderr
    assert stderr.endswith("\nInterrupted.\n")


def test_the_help_is_not_cut_off(tmp_path: Path) -> None:
    """On 80 columns; an example stays on one line."""
    done = gimel_here("simulate", "--help", home=tmp_path, COLUMNS="80")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "  gimel simulate --goal cart:red=0.3,blue=0.33 --goal buy:red=0.05,blue=0.06" in lines

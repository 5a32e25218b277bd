"""`gimel simulate`: its options, what it prints, and its errors, against a real `gimel serve`."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import gimel_here
from tests.support.served import Served, serving
from tests.support.servers import Store, free_port
from tests.support.stubs import answering


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


def test_what_was_sent_is_printed(tmp_path: Path, served: Served, namespace: str) -> None:
    """By variant, and it is what the API then counts."""
    done = gimel_here(
        *("simulate", "--url", served.track_url, "--namespace", namespace, "--seed", "1"),
        *("--visitors", "50", "--rates", "red=1, blue=0"),
        home=tmp_path,
    )
    counts = served.counts(namespace)["participate"]
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"Sent 50 visitors to 'simulation'; {50 + counts['red']} events were counted (seed 1):",
        f"  'red': {counts['red']} visitors, {counts['red']} converted",
        f"  'blue': {counts['blue']} visitors, 0 converted",
    ]


def test_json_holds_the_same_facts(tmp_path: Path, served: Served, namespace: str) -> None:
    """With the seed that repeats them, also where none was given."""
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
        "goal": "conversion",
        "counted_events": 20,
        "refused_events": {},
        "variants": {"red": {"visitors": 20, "conversions": 0}},
    }


def test_what_is_not_counted_is_reported(tmp_path: Path, served: Served) -> None:
    """Each reason with its number; it fails if nothing at all was counted."""
    done = gimel_here(
        *("simulate", "--url", served.track_url, "--experiment", "other"),
        *("--visitors", "20", "--rates", "red=0"),
        home=tmp_path,
    )
    assert done.returncode == 1
    assert "Not counted: 20 events: experiment not allowed\n" in done.stderr
    assert "Error: Nothing was counted.\nSee the reasons above.\n" in done.stderr


@pytest.mark.parametrize("path", ["/", "/nope", "/experiments"])
def test_a_url_that_does_not_track_is_an_error(path: str, tmp_path: Path, served: Served) -> None:
    """That says what it should be."""
    done = gimel_here("simulate", "--url", f"{served.url}{path}", home=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{served.url}{path} returned status 403." in done.stderr
    assert "Check that it is the track URL, which usually ends in /track." in done.stderr


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rates", "red"], "expected VARIANT=RATE with a rate from 0 to 1"),
        (["--rates", "red=5"], "got 'red=5'"),
        (["--rates", "red=nan"], "got 'red=nan'"),
        (["--rates", "=0.5"], "got '=0.5'"),
        (["--rates", "red=0.1,red=0.2"], "'red' is given twice"),
        (["--visitors", "0"], "--visitors"),
        (["--seed", "-1"], "--seed"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_exits_with_2(options: list[str], message: str, tmp_path: Path) -> None:
    """Before anything is sent."""
    done = gimel_here("simulate", *options, home=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in " ".join(done.stderr.split())

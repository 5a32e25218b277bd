"""`gimel.snapshot` on a real store, with a real receiver: what is recorded, sent and noted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

import gimel
from gimel.alerts import handler
from gimel.analysis import experiment
from gimel.analysis.design import Design
from gimel.runtime.errors import RedisError
from gimel.runtime.snapshot import Taken
from tests.support.receivers import receiving
from tests.support.servers import Store

EVENT = {"namespace": "shop", "experiment": "button", "event": "participate"}
KEY = "a-secret-key-of-ours"


def visit(
    variant: str, visitors: int, experiment: str = "button", goal: str = "participate"
) -> None:
    """Count that many visitors of a variant, or how many of them reach a goal."""
    for number in range(visitors):
        gimel.track(
            {
                **EVENT,
                "experiment": experiment,
                "variant": variant,
                "uuid": f"{variant}-{number}",
            }
        )


@pytest.fixture
def mismatch(gimel_store: redis.Redis) -> redis.Redis:
    """An experiment whose visitors are split 200 to 20."""
    visit("blue", 200)
    visit("red", 20)
    return gimel_store


def test_an_alert_is_sent_once(mismatch: redis.Redis, configure: Callable[..., None]) -> None:
    """The first run sends it, the second has nothing to say; both record the counts."""
    with receiving() as receiver:
        configure(alerts={"webhook": receiver.url, "secret": KEY})

        first, second = gimel.snapshot({}), gimel.snapshot({})

    assert first == {"status": "ok", "experiments": 1, "alerts": 1}
    assert second == {"status": "ok", "experiments": 1, "alerts": 0}
    (alert,) = receiver.alerts
    assert (alert["kind"], alert["namespace"], alert["experiment"]) == (
        "split-mismatch",
        "shop",
        "button",
    )
    assert "visitors are split 91/9, expected 50/50" in alert["sentence"]
    assert mismatch.hget("shop:button:meta", "history")


def test_without_a_receiver_counts_are_recorded_and_nothing_else(mismatch: redis.Redis) -> None:
    """No state is written: a receiver that is configured later gets what holds then."""
    assert gimel.snapshot({}) == {"status": "ok", "experiments": 1, "alerts": 0}
    assert sorted(mismatch.hkeys("shop:button:meta")) == [b"history", b"precision", b"since"]


def test_a_receiver_that_is_down_costs_no_snapshot_and_gets_the_alert_later(
    mismatch: redis.Redis, configure: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """What it has missed, the next run sends; the log says why, without the URL."""
    with receiving() as receiver:
        configure(alerts={"webhook": receiver.url})
        receiver.status = 503

        failed = gimel.snapshot({})
        receiver.status = 200
        later = gimel.snapshot({})

    assert failed == {"status": "ok", "experiments": 1, "alerts": 0, "failed": ["webhook"]}
    assert mismatch.hget("shop:button:meta", "history")
    log = json.loads(capsys.readouterr().err)
    assert log["message"] == "it answered 503"
    assert later["alerts"] == 1
    assert len(receiver.alerts) == 1


def test_a_deleted_experiment_takes_what_was_sent_with_it(
    mismatch: redis.Redis, configure: Callable[..., None]
) -> None:
    """Another experiment of that name is another one: its alert has another id."""
    with receiving() as receiver:
        configure(alerts={"webhook": receiver.url})
        gimel.snapshot({})
        mismatch.hset("shop:button:meta", "since", 1)  # as if it had begun earlier
        gimel.delete({"namespace": "shop", "experiment": "button"})
        assert not mismatch.keys("shop:button:*")
        visit("blue", 200)
        visit("red", 20)
        mismatch.hincrby("shop:button:meta", "since", -5)
        gimel.snapshot({})

    first, second = receiver.alerts
    assert first["kind"] == second["kind"]
    assert first["id"] != second["id"]


def test_events_lost_to_a_limit_are_sent_of_the_experiment_and_of_the_namespace(
    gimel_store: redis.Redis, configure: Callable[..., None]
) -> None:
    """An experiment that could not begin does not exist: its namespace is named."""
    with receiving() as receiver:
        configure(
            limits={"experiments": 1, "counters_per_experiment": 2},
            alerts={"webhook": receiver.url},
        )
        visit("blue", 3)
        visit("red", 3)
        visit("green", 1)
        visit("red", 2, experiment="other")

        assert gimel.snapshot({})["alerts"] == 2
        assert gimel.snapshot({})["alerts"] == 0

    of_experiment, of_namespace = receiver.alerts
    assert of_experiment["experiment"] == "button"
    assert of_experiment["sentence"].startswith("1 event was not counted because a limit")
    assert of_namespace["experiment"] is None
    assert of_namespace["sentence"].startswith("2 events of experiments that do not exist yet")


def test_two_receivers_are_sent_each_on_its_own(
    mismatch: redis.Redis, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A topic that refuses keeps nothing from the webhook."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    with receiving() as receiver, receiving() as sns:
        sns.status = 403
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", sns.url)
        arn = "arn:aws:sns:eu-west-1:123456789012:t"
        configure(alerts={"webhook": receiver.url, "sns": arn})

        answer = gimel.snapshot({})

    assert (answer["alerts"], answer["failed"]) == (1, ["sns"])
    assert mismatch.hget("shop:button:meta", "alerted:webhook")
    assert json.loads(mismatch.hget("shop:button:meta", "alerted:sns") or b"")["active"] == {}


def test_a_user_without_the_permission_to_note_sends_nothing(
    mismatch: redis.Redis, configure: Callable[..., None], session_store: Store
) -> None:
    """Otherwise every run would send the same again."""
    rules = ["on", ">p", "~*", "+@all", "-hset"]
    mismatch.execute_command("ACL", "SETUSER", "limited", *rules)  # type: ignore[no-untyped-call]
    try:
        with receiving() as receiver:
            configure(
                redis={"port": session_store.port, "username": "limited", "password": "p"},
                alerts={"webhook": receiver.url},
            )
            answer = gimel.snapshot({})
    finally:
        mismatch.execute_command("ACL", "DELUSER", "limited")  # type: ignore[no-untyped-call]

    assert answer == {"status": "ok", "experiments": 1, "alerts": 0, "failed": ["webhook"]}
    assert receiver.requests == []


def test_a_user_without_access_to_what_was_concluded_sends_alerts(
    mismatch: redis.Redis, configure: Callable[..., None], session_store: Store
) -> None:
    """Nothing is half concluded either, and a delete is complete."""
    keys = ["experiments", "counter_keys", "meta", "deleting", "counters:*"]
    rules = ["on", ">p", "+@all", "~gimel:namespaces", *(f"~shop:{key}" for key in keys)]
    rules += [f"~shop:button:{key}" for key in keys]
    mismatch.execute_command("ACL", "SETUSER", "limited", *rules)  # type: ignore[no-untyped-call]
    ours = {"namespace": "shop"}
    try:
        with receiving() as receiver:
            configure(
                redis={"port": session_store.port, "username": "limited", "password": "p"},
                alerts={"webhook": receiver.url},
            )
            answer = gimel.snapshot({})
        with pytest.raises(RedisError, match="shop:concluded"):
            gimel.delete({**ours, "conclude": "button", "record": {}})
        kept = mismatch.hexists("shop:button:meta", "concluded")
        deleted = gimel.delete({**ours, "experiment": "button"})
    finally:
        mismatch.execute_command("ACL", "DELUSER", "limited")  # type: ignore[no-untyped-call]

    assert answer == {"status": "ok", "experiments": 1, "alerts": 1}
    assert not kept
    assert deleted == {"status": "ok", "deleted": 2}
    assert mismatch.keys() == []


def test_the_trial_of_a_deploy_records_and_sends_nothing(
    mismatch: redis.Redis, configure: Callable[..., None]
) -> None:
    """It is answered with the plain value, and needs the Redis that it would use."""
    trial = {"namespace": "gimel-check", "experiment": "gimel-check-0123456789abcdef"}
    with receiving() as receiver:
        configure(alerts={"webhook": receiver.url})
        assert gimel.snapshot(trial) == {"status": "ok", "experiments": 0, "alerts": 0}
    assert receiver.requests == []
    assert not mismatch.hget("shop:button:meta", "history")
    configure(redis={"port": 1})
    with pytest.raises(Exception, match="refused"):
        gimel.snapshot(trial)


def test_one_experiment_that_cannot_be_analysed_costs_no_other(
    mismatch: redis.Redis, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged."""
    visit("blue", 1, experiment="broken")

    def analyse(counts: Any, *arguments: Any, **options: Any) -> Any:
        if counts.name == "broken":
            raise ZeroDivisionError
        return experiment.analyse(counts, *arguments, **options)

    monkeypatch.setattr("gimel.alerts.watch.analyse", analyse)
    with receiving() as receiver:
        configure(alerts={"webhook": receiver.url})
        assert gimel.snapshot({}) == {"status": "ok", "experiments": 2, "alerts": 1}


def test_everything_is_recorded_before_anything_is_analysed(
    mismatch: redis.Redis, configure: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """A run without time for the alerts says so, and the next one sends them."""

    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 100_000

    visit("blue", 1, experiment="other")
    with receiving() as receiver:
        configure(alerts={"webhook": receiver.url})
        assert gimel.snapshot({}, Context()) == {"status": "ok", "experiments": 2, "alerts": 0}
        assert receiver.requests == []
        assert gimel.snapshot({})["alerts"] == 1
    assert mismatch.hget("shop:button:meta", "history")
    assert mismatch.hget("shop:other:meta", "history")
    assert "there was no time to look at every experiment" in capsys.readouterr().err


def test_designs_are_read_as_they_are_written(tmp_path: Path) -> None:
    """All fields, with and without their defaults; without the file there are none."""
    file = tmp_path / "designs.json"
    assert handler.read_designs(file) == {}
    file.write_text(
        json.dumps(
            {
                "a": {
                    "control": "x",
                    "weights": {"x": 2, "y": 1},
                    "goal": "buy",
                    "guardrails": ["g"],
                    "decrease": ["g"],
                    "lift": 0.05,
                    "minimum_days": 14,
                    "visitors": 1000,
                },
                "b": {},
            }
        )
    )
    read = handler.read_designs(file)

    assert read["a"] == Design("x", {"x": 2, "y": 1}, "buy", ["g"], ["g"], 0.05, 14, 1000)
    assert read["b"] == Design()


def test_without_time_for_all_it_looks_at_others_each_day(
    gimel_store: redis.Redis, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No experiment is without alerts for good."""
    seen: list[str] = []

    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 900_000 if len(seen) < limit else 100_000

    def look(_: object, taken: Taken) -> None:
        seen.append(taken.name)

    names = {f"experiment-{number}" for number in range(5)}
    for name in names:
        visit("blue", 1, experiment=name)
    configure(alerts={"webhook": "http://localhost/"})
    monkeypatch.setattr("gimel.alerts.watch.Watch.add", look)
    begin = int(time.time())
    for day in range(12):
        limit = len(seen) + 2
        monkeypatch.setattr(time, "time", lambda: begin + 86_400 * day)  # noqa: B023
        gimel.snapshot({}, Context())
    assert len(seen) == 24
    assert set(seen) == names

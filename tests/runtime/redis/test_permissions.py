"""The permissions that a Redis user needs: all of those in docs/configuration.md, and no more."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import redis

import gimel
from gimel.runtime import process
from gimel.runtime.errors import AuthenticationError
from gimel.runtime.snapshot import take
from tests.runtime.redis.cluster import ask, key_on, migrating
from tests.support.clients import MakeClient
from tests.support.events import EVENT, GOOGLEBOT, OK, Configure, read, rest
from tests.support.redis_content import counter_id, snapshot
from tests.support.servers import Store, running_store

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"
(LINE,) = re.findall(r"^ACL SETUSER gimel (.*)$", PAGE.read_text("utf-8"), re.MULTILINE)
COMMANDS = [word for word in LINE.split() if word.startswith("+")]
LAMED = counter_id("lamed", "participate", "red", precision=1)

SetUser = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with running_store(tmp_path_factory.mktemp("acl")) as running:
        yield running


@pytest.fixture
def admin(server: Store) -> Iterator[redis.Redis]:
    """The default user, in an empty database."""
    with server.client() as client:
        client.flushall()
        yield client


@pytest.fixture
def set_user(
    server: Store, admin: redis.Redis, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> SetUser:
    """Give the user `gimel` these permissions, and let a new process use it."""

    def set_user(rules: str, database: int = 0) -> dict[str, Any]:
        ask(admin, "ACL SETUSER", "gimel", "reset", *rules.split())
        options = {"host": "127.0.0.1", "port": server.port, "db": database}
        options |= {"username": "gimel", "password": "PASSWORD"}
        configure(redis=options, precision=4, experiments={"button": {}}, limits={"experiments": 3})
        monkeypatch.setattr(process, "_kept", None)
        return options

    return set_user


def without(rule: str) -> str:
    """Return the documented permissions without one of them."""
    return " ".join(word for word in LINE.split() if word != rule)


def track(**changes: str) -> tuple[int, Any]:
    return read(gimel.track(rest(query={**EVENT, **changes}), None))


def ignore_during_a_delete(admin: redis.Redis) -> None:
    """Ignore an event whose experiment is deleted just before the event is noted."""
    assert track(experiment="short-lived") == (200, OK)
    ours = process.current().redis
    in_order = ours.in_order

    def late(first: Sequence[Any], second: Sequence[Any], *, idempotent: bool = True) -> Any:
        if not idempotent:
            assert gimel.delete({"experiment": "short-lived"})["deleted"] == 1
        return in_order(first, second, idempotent=idempotent)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ours, "in_order", late)
        gimel.track(rest(query={**EVENT, "experiment": "short-lived"}, User_Agent=GOOGLEBOT), None)


def use_everything(admin: redis.Redis) -> None:
    """Use every function, as the users of a site and its owner do."""
    admin.sadd("alephbet:experiments", "lamed")
    admin.sadd("alephbet:counter_keys", LAMED)
    admin.sadd("alephbet:lamed:counter_keys", LAMED)
    admin.set(LAMED, 42)
    assert track() == (200, OK)
    assert track(uuid="visitor-2") == (200, OK)
    batch = json.dumps([{**EVENT, "variant": each} for each in ("red", "blue")])
    assert read(gimel.track(rest("POST", body=batch), None))[1]["events"] == [OK, OK]
    assert track(experiment="lamed", variant="blue") == (200, OK)
    ignored = read(gimel.track(rest(query=EVENT, User_Agent=GOOGLEBOT), None))
    assert ignored == (200, {"status": "ignored", "reason": "bot"})
    assert gimel.all({"history": "true"})[1]["history"]["points"] == []
    _, button, lamed = gimel.all({"history": "true"})
    (point,) = button["history"]["points"]
    assert point[1:] == [1, 2]
    assert button["ignored"] == {"bot": 1}
    ignore_during_a_delete(admin)
    assert [each["trials"] for each in button["participants"]] == [1, 2]
    assert [each["trials"] for each in lamed["participants"]] == [1, 42]
    assert gimel.experiment({"experiment": "button"}) == []
    assert gimel.delete({"conclude": "button", "record": "{}"}) == {"status": "ok", "concluded": 2}
    assert track()[1] == {"status": "ignored", "reason": "experiment concluded"}
    assert [each["experiment"] for each in gimel.all({"concluded": "true"})[1:]] == ["button"]
    assert gimel.delete({"reopen": "button"}) == {"status": "ok", "reopened": 2}
    assert gimel.delete({"experiment": "lamed"}) == {"status": "ok", "deleted": 2}
    assert gimel.delete({"experiment": "button"}) == {"status": "ok", "deleted": 2}
    assert snapshot(admin) == {}


def test_the_line_suffices(
    admin: redis.Redis, set_user: SetUser, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user with the documented permissions can do everything, and no error is logged."""
    set_user(LINE)

    use_everything(admin)

    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"+asking"}))
def test_each_permission_is_needed(
    admin: redis.Redis, set_user: SetUser, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Without any of the documented commands something fails, and it is named."""
    set_user(without(command))

    with pytest.raises((AssertionError, AuthenticationError, ValueError)) as caught:
        use_everything(admin)

    assert f"'{command[1:]}' command" in f"{caught.value} {capsys.readouterr().err}"


def test_another_database_needs_select(admin: redis.Redis, set_user: SetUser) -> None:
    """Nothing is written before the database is selected, least of all to database 0."""
    set_user(LINE, database=1)
    assert track()[0] == 503

    set_user(f"{LINE} +select", database=1)
    assert track() == (200, OK)
    assert snapshot(admin) == {}


def test_without_hset_only_the_history_is_missing(
    admin: redis.Redis, set_user: SetUser, capsys: pytest.CaptureFixture[str]
) -> None:
    """Events are counted, results are answered, a snapshot is complete, and the log says why."""
    set_user(without("+hset"))
    assert track() == (200, OK)
    assert track(experiment="banner") == (200, OK)
    before = snapshot(admin)

    _, *items = gimel.all({"history": "true"})
    taken = list(take(process.current(), int(time.time())))

    assert [each["history"] for each in items] == [{"columns": [], "points": []}] * 2
    assert [each.described for each in taken] == items
    assert snapshot(admin).keys() == before.keys()
    assert list(admin.hgetall("alephbet:button:meta")) == [b"since", b"precision"]
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {line["error"] for line in lines} == {"AuthenticationError"}
    assert all("'hset' command (HSET alephbet:banner:meta)" in line["message"] for line in lines)


@pytest.mark.parametrize("pattern", ["~gimel:namespaces", "~alephbet:*"])
def test_each_key_is_needed(admin: redis.Redis, set_user: SetUser, pattern: str) -> None:
    """Without one of the key patterns nothing is counted, and nothing is written."""
    set_user(without(pattern))

    assert [track()[0] for _ in range(2)] == [503, 503]
    assert snapshot(admin) == {}


def test_asking_is_needed(cluster: list[redis.Redis], client: MakeClient) -> None:
    """While a slot of a cluster migrates, its commands need ASKING, which needs a permission."""
    source, target = cluster[:2]
    key = key_on(0, "alephbet:moving")
    port = source.connection_pool.connection_kwargs["port"]
    with migrating(source, target, key):
        for rules in (LINE, without("+asking")):
            for admin in cluster:
                ask(admin, "ACL SETUSER", "gimel", "reset", *rules.split())
            ours = client(port, username="gimel", password="PASSWORD")
            (reply,) = ours.execute([("SADD", key, rules)])
            assert (reply == 1) == ("+asking" in rules)


def test_the_namespaces_may_not_be_used(
    admin: redis.Redis, set_user: SetUser, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user limited to one namespace is answered 503, first and later, and the log says why."""
    set_user("on >PASSWORD ~alephbet:* +@all")

    assert [track() for _ in range(3)] == [
        (503, {"error": "the data store is unavailable; send the event again later"})
    ] * 3

    assert snapshot(admin) == {}
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {line["error"] for line in lines} == {"AuthenticationError"}
    assert all("(SISMEMBER gimel:namespaces)" in line["message"] for line in lines)
    assert EVENT["uuid"] not in str(lines)


def test_results_do_not_need_the_list_of_namespaces(admin: redis.Redis, set_user: SetUser) -> None:
    """A user limited to one namespace reads its counts; which others exist stays unknown."""
    set_user(LINE)
    track()
    assert gimel.all({})[0]["meta"]["namespaces"] == ["alephbet"]
    set_user("on >PASSWORD ~alephbet:* +@all")

    meta, button = gimel.all({})

    assert meta["meta"]["namespaces"] is None
    assert [each["trials"] for each in button["participants"]] == [1]


def test_a_delete_that_is_not_permitted_deletes_nothing(
    admin: redis.Redis, set_user: SetUser, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is deleted, it is clear that every key may be used."""
    set_user(LINE)
    track()
    before = snapshot(admin)
    set_user("on >PASSWORD ~alephbet:* +@all")

    answer = read(gimel.delete(rest("DELETE", query={"experiment": "button"}), None))

    assert answer[0] == 503
    assert snapshot(admin) == before
    assert "(SISMEMBER gimel:namespaces)" in capsys.readouterr().err

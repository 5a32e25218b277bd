"""While Redis cannot count, the answer is a 503: the event is counted when it is sent again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

import gimel
from gimel.runtime.errors import RedisError
from tests.support.events import EVENT, OK, Configure, Gateway, read, rest, with_each_gateway
from tests.support.redis_content import count
from tests.support.servers import Store, running_store

SECRET = "correct horse battery staple"
TEXTS = {
    "track": "the data store is unavailable; send the event again later",
    "all": "the data store is unavailable; try again later",
    "experiment": "the data store is unavailable; try again later",
    "delete": "the data store is unavailable; delete the experiment again later",
}
UNAVAILABLE = {"error": TEXTS["track"]}

Admin = Callable[[redis.Redis], object]
FAULTS: dict[str, tuple[Admin, Admin]] = {
    "read-only": (
        lambda admin: admin.replicaof("127.0.0.1", "1"),
        lambda admin: admin.replicaof("NO", "ONE"),
    ),
    "out of memory": (
        lambda admin: admin.config_set("maxmemory", 1),
        lambda admin: admin.config_set("maxmemory", 0),
    ),
    "slow": (
        lambda admin: admin.client_pause(60_000, all=False),
        lambda admin: admin.client_unpause(),
    ),
    "password changed": (
        lambda admin: (
            admin.config_set("requirepass", "another"),
            admin.client_kill_filter(_type="normal", skipme=True),
        ),
        lambda admin: admin.config_set("requirepass", SECRET),
    ),
}

when_warm_or_cold = pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])


@pytest.fixture
def own_store(tmp_path: Path, configure: Configure) -> Iterator[Store]:
    """A store with a password that only this test uses; the runtime is configured to use it."""
    with running_store(tmp_path, "--requirepass", SECRET) as server:
        configure(
            redis={
                "host": "127.0.0.1",
                "port": server.port,
                "password": SECRET,
                "socket_timeout": 0.3,
            }
        )
        yield server


def assert_unavailable(
    answer: dict[str, Any],
    server: Store,
    capsys: pytest.CaptureFixture[str],
    text: str = TEXTS["track"],
) -> None:
    """Assert that the answer is a 503 that pages may read, and that only the log gives a reason.

    Neither of them contains a secret, and the answer contains no address.
    """
    assert read(answer) == (503, {"error": text})
    assert answer["headers"]["Access-Control-Allow-Origin"] == "*"
    for detail in ("127.0.0.1", str(server.port), SECRET, "visitor-1"):
        assert detail not in str(answer)
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert json.loads(line)["level"] == "ERROR"
    for secret in (SECRET, "visitor-1", "Traceback", "File "):
        assert secret not in line


@with_each_gateway
@when_warm_or_cold
@pytest.mark.parametrize(("harm", "heal"), FAULTS.values(), ids=FAULTS)
def test_faults(
    own_store: Store,
    gateway: Gateway,
    warm: bool,
    harm: Admin,
    heal: Admin,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A store that answers with an error, or too late, costs nothing but the resent event."""
    with own_store.client(password=SECRET) as admin:
        if warm:
            gimel.track({**EVENT, "uuid": "earlier"}, None)
        harm(admin)

        assert_unavailable(gimel.track(gateway(query=EVENT), None), own_store, capsys)

        heal(admin)
        assert read(gimel.track(gateway(query=EVENT), None)) == (200, OK)
        assert count(admin, "button", "participate", "red") == 1 + warm


@pytest.mark.parametrize(("harm", "heal"), FAULTS.values(), ids=FAULTS)
def test_flat(own_store: Store, harm: Admin, heal: Admin) -> None:
    """A flat event raises a RedisError."""
    with own_store.client(password=SECRET) as admin:
        harm(admin)
        with pytest.raises(RedisError):
            gimel.track(EVENT, None)
        heal(admin)


@with_each_gateway
@when_warm_or_cold
def test_down(
    own_store: Store,
    gateway: Gateway,
    warm: bool,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A store that is down, and comes back at the same address, is used again."""
    if warm:
        assert read(gimel.track(gateway(query=EVENT), None)) == (200, OK)
    own_store.kill()

    assert_unavailable(gimel.track(gateway(query=EVENT), None), own_store, capsys)
    with pytest.raises(RedisError):
        gimel.track(EVENT, None)

    with (
        running_store(tmp_path, "--requirepass", SECRET, port=own_store.port) as again,
        again.client(password=SECRET) as admin,
    ):
        assert read(gimel.track(gateway(query=EVENT), None)) == (200, OK)
        assert count(admin, "button", "participate", "red") == 1


@pytest.mark.parametrize(
    ("handler", "method"), [("all", "GET"), ("experiment", "GET"), ("delete", "DELETE")]
)
def test_other_handlers(
    own_store: Store, handler: str, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other handlers answer 503 too, and say what to do about their own request."""
    own_store.kill()

    answer = getattr(gimel, handler)(rest(method, query={"experiment": "button"}), None)

    assert_unavailable(answer, own_store, capsys, TEXTS[handler])


def test_batch(own_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """A batch with one valid event is a 503 as well: the client keeps all of it."""
    own_store.kill()

    answer = gimel.track(rest("POST", body=json.dumps([EVENT, {}])), None)

    assert_unavailable(answer, own_store, capsys)


def test_little_time_left(own_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """A Lambda whose time is running out answers while it can."""

    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 150

    with own_store.client(password=SECRET) as admin:
        admin.client_pause(60_000, all=False)
        answer = gimel.track(rest(query=EVENT), Context())
        admin.client_unpause()

    assert_unavailable(answer, own_store, capsys)


@pytest.mark.parametrize("command", ["PFADD", "AUTH"])
def test_unknown_command(
    tmp_path: Path, configure: Configure, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server without a command quotes its arguments, uuid or password: they are not logged."""
    with running_store(tmp_path, "--rename-command", command, "") as server:
        password = {"password": SECRET} if command == "AUTH" else {}
        configure(redis={"host": "127.0.0.1", "port": server.port, **password})

        assert_unavailable(gimel.track(rest(query=EVENT), None), server, capsys)


@with_each_gateway
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param("", id="missing"),
        pytest.param("{", id="not JSON"),
        pytest.param("[]", id="not an object"),
        pytest.param('{"precision": 16}', id="without redis"),
        pytest.param(f'{{"redis": {{}}, "limits": 7, "was": "{SECRET}"}}', id="wrong type"),
        pytest.param('{"redis": {"port": PORT}, "precision": "16"}', id="precision as text"),
        pytest.param('{"redis": {"port": PORT}, "precision": 3}', id="unknown precision"),
    ],
)
def test_settings(
    monkeypatch: pytest.MonkeyPatch,
    session_store: Store,
    gateway: Gateway,
    settings: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Settings that are missing or wrong are a 503, and the log says what to do."""
    monkeypatch.setenv("GIMEL_SETTINGS", settings.replace("PORT", str(session_store.port)))

    assert read(gimel.track(gateway(query=EVENT), None)) == (503, UNAVAILABLE)
    log = capsys.readouterr().err
    assert "GIMEL_SETTINGS" in log
    assert "gimel deploy" in log
    assert SECRET not in log

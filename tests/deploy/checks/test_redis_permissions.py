"""Preflight asks Redis whether its user has the permissions that the runtime needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

import gimel
from gimel.deploy.checks import redis_permissions
from gimel.deploy.checks.findings import Finding
from gimel.deploy.checks.redis import check_redis
from tests.support.servers import Store
from tests.support.state.settled import configuration

READS, DELETES = sorted(redis_permissions.READS), sorted(redis_permissions.DELETES)
RECORDS = sorted(redis_permissions.RECORDS)
COMMANDS = sorted([*READS, *redis_permissions.WRITES, *DELETES, *RECORDS])
KEYS = ["~alephbet:*", "~gimel:namespaces"]
TRANSACTION = ["+multi", "+discard"]


@pytest.fixture
def ask(store: redis.Redis, session_store: Store) -> Iterator[Callable[..., Finding]]:
    """Return what is found of the permissions of a user with these ACL rules."""

    def ask(*rules: str, **document: object) -> Finding:
        user = ("on", ">pw", *rules)
        store.execute_command("ACL", "SETUSER", "counter", *user)  # type: ignore[no-untyped-call]
        login = {"username": "counter", "password": "pw", "port": session_store.port}
        findings = check_redis(configuration(redis={"host": "127.0.0.1", **login}, **document))
        assert store.dbsize() == 0
        (finding,) = (each for each in findings if each.name == "Redis permissions")
        return finding

    yield ask
    store.acl_deluser("counter")


def allowed(*without: str) -> list[str]:
    """Return the rules of a user who may run every command of the runtime but these."""
    return [f"+{command}" for command in COMMANDS if command not in without]


def test_the_commands_are_those_of_the_runtime() -> None:
    """Every one that its source names, except those of the login, which the check itself needs."""
    sources = Path(gimel.__file__).parent.joinpath("runtime").rglob("*.py")
    text = "\n".join(source.read_text("utf-8") for source in sources)
    named = set(re.findall(r'\(\(?"([A-Z]{3,})",', text)) | set(
        re.findall(r"\\n([A-Z]{3,})\\", text)
    )

    sent = named - {"GET", "POST", "DELETE", "AUTH", "SELECT"}

    assert sent == {*COMMANDS, redis_permissions.ON_CLUSTERS}


def test_a_user_who_may_do_everything(ask: Callable[..., Finding]) -> None:
    """As the default user of a new server."""
    assert ask("~*", "+@all").status == "ok"


def test_a_user_with_just_the_permissions_of_the_runtime(ask: Callable[..., Finding]) -> None:
    """With those of a transaction, in which it is asked."""
    finding = ask(*KEYS, *allowed(), *TRANSACTION)

    assert (finding.status, finding.message) == (
        "ok",
        "the user counter has every permission that Gimel needs",
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_command_is_named(ask: Callable[..., Finding], command: str) -> None:
    """With the rule to add. It is a warning if events are counted without the command."""
    finding = ask(*KEYS, *allowed(command), *TRANSACTION)

    assert finding.status == ("warning" if command in {*DELETES, *RECORDS} else "failed")
    assert finding.message.endswith(f": {command}")
    assert finding.hint == f"Permit it: ACL SETUSER counter +{command.lower()}"


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (["HSET"], "missing, so that no history is recorded: HSET"),
        (
            ["DEL", "HSET"],
            "missing, so that nothing can be deleted and no history is recorded: DEL, HSET",
        ),
        (["HSET", "PFADD"], "missing: PFADD, HSET"),
    ],
    ids=["history", "history and deletes", "counting as well"],
)
def test_the_effect_of_missing_commands_is_named(
    ask: Callable[..., Finding], missing: list[str], message: str
) -> None:
    """Unless it is that nothing is counted."""
    assert ask(*KEYS, *allowed(*missing), *TRANSACTION).message == message


@pytest.mark.parametrize("command", READS)
def test_without_transactions_reading_is_tried(ask: Callable[..., Finding], command: str) -> None:
    """What reads may be executed; what writes may not."""
    finding = ask(*KEYS, *allowed(command))

    assert (finding.status, finding.message) == ("failed", f"missing: {command}")


def test_without_transactions_writing_stays_unknown(ask: Callable[..., Finding]) -> None:
    """The finding says so, even if it is not permitted."""
    finding = ask(*KEYS, *allowed("SADD"))

    assert finding.status == "ok"
    assert "only a deploy shows whether it may write" in finding.message


@pytest.mark.parametrize(
    ("rules", "rule", "missing"),
    [
        (["~alephbet:*"], "~gimel:namespaces", "SADD on gimel:namespaces"),
        (["~gimel:namespaces"], "~alephbet:*", "PFADD on alephbet:*"),
        (["~alephbet:*", "%R~gimel:namespaces"], "~gimel:namespaces", "SADD on gimel:namespaces"),
    ],
    ids=["only the namespace", "only the list of namespaces", "a list that can only be read"],
)
def test_a_missing_key_is_named(
    ask: Callable[..., Finding], rules: list[str], rule: str, missing: str
) -> None:
    """With the rule to add."""
    finding = ask(*rules, "+@all")

    assert finding.status == "failed"
    assert missing in finding.message
    assert finding.hint == f"Permit it: ACL SETUSER counter {rule}"


def test_the_allowed_namespaces_are_asked_about(ask: Callable[..., Finding]) -> None:
    """Their names are written in keys without colons."""
    finding = ask("~gimel:namespaces", "~a:*", "+@all", allowed_namespaces=["a", "b:c"])

    assert finding.hint == "Permit it: ACL SETUSER counter ~b%3Ac:*"


class Proxy:
    """Accepts MULTI, and executes everything at once."""

    def __init__(self) -> None:
        self.executed: list[str | int] = []

    def send_command(self, *command: str | int) -> None:
        self.executed.append(command[0])

    def read_response(self) -> object:
        return "OK" if self.executed[-1] in ("MULTI", "DISCARD") else 1


def test_a_proxy_that_does_not_queue_gets_nothing_to_execute() -> None:
    """The first command in the transaction only reads."""
    proxy = Proxy()

    assert redis_permissions.ask(proxy, redis_permissions.probes(["a"], cluster=False)) == (
        [],
        False,
    )
    assert proxy.executed == ["MULTI", "EXISTS", "DISCARD"]


def test_a_cluster_also_needs_asking() -> None:
    """A node answers to it for a slot that is moving to it."""
    probes = redis_permissions.probes(["a"], cluster=True)

    assert probes[-1].parts == ("ASKING",)
    assert "ASKING" not in {each.command for each in redis_permissions.probes(["a"], cluster=False)}

"""Whether a Redis user has the permissions (ACL) that the runtime needs. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import redis

from gimel.deploy.checks.findings import Finding, failed, ok, warning
from gimel.runtime import keys

_NAME = "Redis permissions"

READS: dict[str, tuple[str | int, ...]] = {
    "EXISTS": (),
    "GETRANGE": (0, 0),
    "HEXISTS": ("field",),
    "HGETALL": (),
    "HMGET": ("field",),
    "PFCOUNT": (),
    "SCARD": (),
    "SISMEMBER": ("member",),
    "SRANDMEMBER": (),
    "SSCAN": (0,),
}
WRITES: dict[str, tuple[str | int, ...]] = {
    "HINCRBY": ("field", 1),
    "HSETNX": ("field", 1),
    "PFADD": ("member",),
    "SADD": ("member",),
}
DELETES: dict[str, tuple[str | int, ...]] = {"DEL": (), "HDEL": ("field",), "SREM": ("member",)}
RECORDS: dict[str, tuple[str | int, ...]] = {"HSET": ("field", 1)}
"""These four have all commands of the runtime, with what follows the key."""

ON_CLUSTERS = "ASKING"
"""The one other command, after which a node answers for a slot that is moving to it."""

_ALL = {**READS, **WRITES, **DELETES, **RECORDS}
_EFFECTS = {  # of a missing command without which events are still counted
    **dict.fromkeys(DELETES, "nothing can be deleted"),
    **dict.fromkeys(RECORDS, "no history is recorded"),
}

_ON_NAMESPACES = ("SADD", "SCARD", "SISMEMBER", "SREM")


class Connection(Protocol):
    """A connection of redis-py."""

    def send_command(self, *command: str | int) -> object: ...

    def read_response(self) -> object: ...


@dataclass(frozen=True)
class Probe:
    """A command on a key, and the pattern of the keys that the user needs it for."""

    command: str
    key: str
    pattern: str

    @property
    def parts(self) -> tuple[str | int, ...]:
        """The command as it is sent."""
        if self.command == ON_CLUSTERS:
            return (self.command,)
        return (self.command, self.key, *_ALL[self.command])


@dataclass(frozen=True)
class Denial:
    """A probe that Redis refused, because of its key or because of the command itself."""

    probe: Probe
    is_key: bool

    @property
    def missing(self) -> str:
        """What the user may not do."""
        command, pattern = self.probe.command, self.probe.pattern
        return f"{command} on {pattern}" if self.is_key else command

    @property
    def rule(self) -> str:
        """The part of an ACL rule that permits it."""
        return f"~{self.probe.pattern}" if self.is_key else f"+{self.probe.command.lower()}"


def probes(namespaces: Iterable[str], *, cluster: bool) -> list[Probe]:
    """Return everything to ask about. The keys have names that the runtime does not use."""
    found = [Probe(each, keys.NAMESPACES, keys.NAMESPACES) for each in _ON_NAMESPACES]
    for namespace in map(keys.encode, namespaces):
        for command in _ALL:
            found.append(Probe(command, f"{namespace}:gimel-preflight", f"{namespace}:*"))
    return [*found, *([Probe(ON_CLUSTERS, "", "")] if cluster else [])]


def ask(connection: Connection, asked: Sequence[Probe]) -> tuple[list[Denial], bool]:
    """Return what is denied, and whether that is known of the writing commands too.

    Commands are queued in a transaction, which checks permissions, and is then discarded. A user
    without the permission for transactions is only asked what reads.
    """
    if _execute(connection, "MULTI") != "OK":
        reading = [probe for probe in asked if probe.command in READS]
        return list(_denials(connection, reading)), False
    try:
        # A proxy that answers in the place of Redis must not execute what follows.
        if _execute(connection, "EXISTS", keys.NAMESPACES) in (0, 1):
            return [], False
        return list(_denials(connection, asked)), True
    finally:
        _execute(connection, "DISCARD")


def permission_finding(user: str, denied: Sequence[Denial], *, complete: bool) -> Finding:
    """Return what the answers mean, with the rule to add."""
    if denied:
        missing = ", ".join(dict.fromkeys(each.missing for each in denied))
        rules = " ".join(dict.fromkeys(each.rule for each in denied))
        hint = f"Permit it: ACL SETUSER {user} {rules}"
        commands = [each.probe.command for each in denied]
        if _EFFECTS.keys() >= {*commands}:
            effects = " and ".join(dict.fromkeys(_EFFECTS[command] for command in commands))
            return warning(_NAME, f"missing, so that {effects}: {missing}", hint)
        return failed(_NAME, f"missing: {missing}", hint)
    if complete:
        return ok(_NAME, f"the user {user} has every permission that Gimel needs")
    return ok(_NAME, f"the user {user} may read; only a deploy shows whether it may write")


def _denials(connection: Connection, asked: Iterable[Probe]) -> Iterator[Denial]:
    for probe in asked:
        reply = _execute(connection, *probe.parts)
        if isinstance(reply, redis.exceptions.NoPermissionError):
            # "... has no permissions to run the 'sadd' command", "No permissions to access a key"
            yield Denial(probe, is_key="command" not in str(reply))


def _execute(connection: Connection, *command: str | int) -> object:
    """Return the reply, an error of the server included: a cluster's redirection is permission."""
    connection.send_command(*command)
    try:
        return connection.read_response()
    except redis.ResponseError as error:
        return error

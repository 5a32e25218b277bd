"""A small Redis client: it sends all commands in one write and keeps one connection per node.

It handles TCP, Unix sockets, TLS, AUTH, SELECT, time-outs, connections that died while Lambda was
frozen, and the redirections of Redis Cluster. It knows nothing about counters.

In a cluster the nodes are asked side by side: a call takes one round trip, and another one for each
redirection that is not known yet.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from gimel.runtime.errors import (
    ConnectionFailed,
    ProtocolError,
    ReadOnlyError,
    Redirected,
    RedisError,
    ServerError,
    WrongTypeError,
)
from gimel.runtime.redis.connection import Connection
from gimel.runtime.redis.resp import encode, name_and_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gimel.runtime.redis.connection import Address
    from gimel.runtime.redis.resp import Command, Reply
    from gimel.runtime.settings import RedisOptions

SLICE = 2000
"""How many commands callers should send at a time, so that memory and waits are bounded."""

_MOST_REDIRECTIONS = 5


class Client:
    """The connections of one process to one Redis server or cluster. Not thread-safe.

    The methods raise ConnectionFailed, AnswerTimeout or ProtocolError, and a ServerError (usually
    AuthenticationError) if the login fails.
    """

    def __init__(self, options: RedisOptions) -> None:
        self._options = options
        self._configured = self._home = (options.host, options.port)
        self._connections: dict[Address, Connection] = {}
        self._address_of_slot: dict[int, Address] = {}  # empty unless this is a cluster
        self.deadline: float | None = None
        """When every wait must end (`time.monotonic()`, seconds), except that for DNS."""

    def execute(self, commands: Sequence[Command], *, idempotent: bool = True) -> list[Reply]:
        """Send all commands. Return one reply per command, in order; error replies as typed errors.

        A cluster executes them in any order. `idempotent` allows sending all commands again when a
        connection that was kept from an earlier call turns out to be dead, or its server to have
        become a replica.
        """
        if not commands:
            return []
        home = self._home
        if self._address_of_slot:
            replies: list[Reply] = [None] * len(commands)
            slots = [slot_of(name_and_key(command)[1]) for command in commands]
            routes = [(i, self._address_of_slot.get(s, home), False) for i, s in enumerate(slots)]
        else:
            replies = self._ask({home: commands}, idempotent)[home]
            routes = _redirected(replies)
        for _ in range(1 + _MOST_REDIRECTIONS):
            if not routes:
                break
            batches: dict[Address, list[Command]] = {}
            places: dict[Address, list[int | None]] = {}
            for index, address, asking in routes:
                if asking:
                    batches.setdefault(address, []).append(("ASKING",))
                    places.setdefault(address, []).append(None)
                batches.setdefault(address, []).append(commands[index])
                places.setdefault(address, []).append(index)
            for address, answers in self._ask(batches, idempotent).items():
                for place, answer in zip(places[address], answers, strict=True):
                    if place is not None:
                        replies[place] = answer
            routes = _redirected(replies)
        return replies

    def in_order(
        self, first: Sequence[Command], second: Sequence[Command]
    ) -> tuple[list[Reply], list[Reply]]:
        """Execute the first commands before the second ones, on a cluster too.

        One server does so in one round trip. All commands may be sent again.
        """
        if not self._address_of_slot:
            home = self._home
            replies = self._ask({home: [*first, *second]}, True)[home]
            if Redirected not in map(type, replies):
                return replies[: len(first)], replies[len(first) :]
        return self.execute(first), self.execute(second)

    def run(self, commands: Sequence[Command], *, idempotent: bool = True) -> list[Reply]:
        """Execute the commands. Raises the first error among the replies as well."""
        replies = self.execute(commands, idempotent=idempotent)
        for command, reply in zip(commands, replies, strict=True):
            check(command, reply)
        return replies

    def read(self, commands: Sequence[Command]) -> list[Reply]:
        """Execute commands that read. Where a key holds another type of value, the reply is None.

        With colons in a name, the key that 1.5.0 would have used may be any other key.
        """
        replies = self.execute(commands)
        for index, reply in enumerate(replies):
            if isinstance(reply, WrongTypeError):
                replies[index] = None
            else:
                check(commands[index], reply)
        return replies

    def members(self, keys: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield (key, member) for the members of sets, read in slices; some perhaps twice.

        A key that holds another type of value has no members.
        """
        cursors: dict[str, Any] = dict.fromkeys(keys, b"0")
        while cursors:
            replies = self.read([("SSCAN", key, at, "COUNT", SLICE) for key, at in cursors.items()])
            following = {}
            for key, reply in zip(cursors, replies, strict=True):
                if isinstance(reply, list):
                    cursor, found = reply
                    yield from ((key, member) for member in texts(found))
                    if cursor != b"0":
                        following[key] = cursor
            cursors = following

    def slices(self, batches: Iterable[Sequence[Command]]) -> Iterator[list[Reply]]:
        """Read with many commands, a bounded number at a time. Yield the replies to each batch."""
        waiting: list[Sequence[Command]] = []
        size = 0
        for batch in chain(batches, (None,)):
            if batch is not None:
                waiting.append(batch)
                size += len(batch)
            if size >= SLICE or batch is None:
                replies = self.read(list(chain(*waiting)))
                start = 0
                for asked in waiting:
                    yield replies[start : start + len(asked)]
                    start += len(asked)
                waiting, size = [], 0

    def close(self) -> None:
        """Close every connection. The next call opens those that it needs."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        self._address_of_slot.clear()

    def _ask(
        self, batches: Mapping[Address, Sequence[Command]], idempotent: bool
    ) -> dict[Address, list[Reply]]:
        """Send each node its commands, then read the replies of each: all, unless one fails."""
        kept = {a for a, commands in batches.items() if self._send(a, commands, idempotent)}
        return {
            address: self._answer(address, commands, address in kept, idempotent)
            for address, commands in batches.items()
        }

    def _send(self, address: Address, commands: Sequence[Command], idempotent: bool) -> bool:
        """Send commands. Return whether on a connection that was kept, which may be dead."""
        connection = self._connections.get(address)
        kept = connection is not None and connection.is_idle
        try:
            if connection is None or not kept:
                if connection is not None:
                    connection.close()
                connection = Connection(address, self._options, self.deadline)
                self._connections[address] = connection
            connection.send(encode(commands), self.deadline)
            return kept
        except RedisError:
            self._drop(address)
            if not (kept and idempotent):
                raise
        return self._send(address, commands, idempotent)

    def _answer(
        self, address: Address, commands: Sequence[Command], kept: bool, idempotent: bool
    ) -> list[Reply]:
        """Return the replies. Where a kept connection turns out to be dead, use a new one."""
        try:
            replies = self._receive(address, len(commands))
            if address in self._connections or not (kept and idempotent):
                return replies
        except ConnectionFailed as error:
            self._drop(address)
            if not (kept and idempotent) or isinstance(error, ProtocolError):
                raise
        self._send(address, commands, idempotent)
        return self._answer(address, commands, False, idempotent)

    def _receive(self, address: Address, count: int) -> list[Reply]:
        """Read the replies. Remember moved slots; leave a server that has become a replica."""
        replies = self._connections[address].receive(count)
        kinds = set(map(type, replies))
        if ReadOnlyError in kinds:
            self._drop(address)
        if Redirected in kinds:
            for reply in replies:
                if isinstance(reply, Redirected):
                    reply.host = reply.host or address[0]
                    if not reply.asking:
                        self._address_of_slot[reply.slot] = (reply.host, reply.port)
        return replies

    def _drop(self, address: Address) -> None:
        """Forget a failed connection and the nodes of all slots: a failover changes both.

        After the home node, the next call asks another one that has answered.
        """
        connection = self._connections.pop(address, None)
        if connection is not None:
            connection.close()
        self._address_of_slot.clear()
        if address == self._home:
            other = next(iter(self._connections), address)
            self._home = other if address == self._configured else self._configured


def _redirected(replies: Sequence[Reply]) -> list[tuple[int, Address, bool]]:
    """Return the places of the redirected commands, where to send them, and whether by ASKING."""
    return [
        (place, (reply.host, reply.port), reply.asking)
        for place, reply in enumerate(replies)
        if isinstance(reply, Redirected)
    ]


def check(command: Command, reply: Reply) -> None:
    """Raise the reply if it is an error, with the command and its key in the message."""
    if isinstance(reply, ServerError):
        name, key = name_and_key(command)
        reply.command = f"{name.decode()} {key.decode()}"
        raise reply


def texts(reply: Reply) -> Iterator[str]:
    """Yield the members of a set or hash that are text. Gimel writes no others."""
    for member in reply if isinstance(reply, list) else ():
        if isinstance(member, bytes):
            try:
                yield member.decode()
            except UnicodeDecodeError:
                continue


def slot_of(key: bytes) -> int:
    """Return the hash slot (0 to 16383) of a key: CRC-16/XMODEM of the key or of its hash tag.

    Source: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
    """
    start = key.find(b"{") + 1
    if start:
        end = key.find(b"}", start)
        if end > start:
            key = key[start:end]
    return crc_hqx(key, 0) % 16384

"""A small Redis client: it sends all commands in one write and keeps one connection per node.

It handles TCP, Unix sockets, TLS, AUTH, SELECT, time-outs, connections that died while Lambda was
frozen, and the redirections of Redis Cluster. It knows nothing about counters.

In a cluster the nodes are asked side by side: a call takes one round trip, and another one for each
redirection that is not known yet.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

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

_MOST_SETS = 50  # read side by side
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
        if self._address_of_slot:
            replies: list[Reply] = [None] * len(commands)
            nodes, home = self._address_of_slot, self._home
            slots = [slot_of(name_and_key(command)[1]) for command in commands]
            routes = [(place, nodes.get(slot, home), False) for place, slot in enumerate(slots)]
        else:
            replies = self._ask_one(self._home, commands, idempotent=idempotent)
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
        self, first: Sequence[Command], second: Sequence[Command], *, idempotent: bool = True
    ) -> tuple[list[Reply], list[Reply]]:
        """Execute the first commands before the second ones, on a cluster too.

        One server does so in one round trip. A proxy in front of a cluster (`cluster` in the
        options) forwards them to nodes that do not wait for each other.
        """
        if not self._address_of_slot and not self._options.cluster:
            replies = self._ask_one(self._home, [*first, *second], idempotent)
            if Redirected not in map(type, replies):
                return replies[: len(first)], replies[len(first) :]
        return self.execute(first, idempotent=idempotent), self.execute(second)

    def run(self, commands: Sequence[Command], *, idempotent: bool = True) -> list[Reply]:
        """Execute the commands. Raises the first error among the replies as well."""
        replies = self.execute(commands, idempotent=idempotent)
        for command, reply in zip(commands, replies, strict=True):
            check(command, reply)
        return replies

    def read(self, commands: Sequence[Command], optional: Command | None = None) -> list[Reply]:
        """Execute the commands. Where a key holds another type of value, the reply is None.

        With colons in a name, the key that 1.5.0 would have used may be any other key. The reply to
        the `optional` command is None after any other error of the server, too.
        """
        replies = self.execute(commands)
        for index, reply in enumerate(replies):
            if isinstance(reply, ServerError):
                if not isinstance(reply, WrongTypeError) and commands[index] is not optional:
                    check(commands[index], reply)
                replies[index] = None
        return replies

    def members(self, keys: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
        """Yield (key, members) for sets, a slice of members at a time; a member perhaps twice.

        A key that holds another type of value has no members.
        """
        waiting: list[tuple[str, Any]] = [(key, b"0") for key in keys]
        while waiting:
            some, waiting = waiting[:_MOST_SETS], waiting[_MOST_SETS:]
            replies = self.read([("SSCAN", key, at, "COUNT", SLICE) for key, at in some])
            for (key, _), reply in zip(some, replies, strict=True):
                if isinstance(reply, list):
                    cursor, found = reply
                    yield key, texts(found)
                    if cursor != b"0":
                        waiting.append((key, cursor))

    def stream(
        self, commands: Iterable[Command], optional: Command | None = None
    ) -> Iterator[Reply]:
        """Yield what `read` returns for many commands, a bounded number of them at a time."""
        commands = iter(commands)
        while some := list(islice(commands, SLICE)):
            yield from self.read(some, optional)

    def close(self) -> None:
        """Close every connection. The next call opens those that it needs."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        self._address_of_slot.clear()

    def _ask(
        self, batches: Mapping[Address, Sequence[Command]], idempotent: bool
    ) -> dict[Address, list[Reply]]:
        """Send the nodes their commands, then read the replies of each: all, unless one fails."""
        sent = set()
        for address, commands in batches.items():
            connection = self._connection(address)
            try:
                connection.send(encode(commands), self.deadline)
                sent.add(address)
            except ConnectionFailed:
                self._drop(address)
                if not (idempotent and connection.is_kept):
                    raise
        return {
            address: self._ask_one(address, commands, idempotent, address in sent)
            for address, commands in batches.items()
        }

    def _ask_one(
        self, address: Address, commands: Sequence[Command], idempotent: bool, sent: bool = False
    ) -> list[Reply]:
        """Send a node its commands, unless they are `sent`, and read the replies.

        What a kept connection fails to do is done again on a new one.
        """
        connection = self._connections[address] if sent else self._connection(address)
        retry = idempotent and connection.is_kept
        try:
            if not sent:
                connection.send(encode(commands), self.deadline)
            replies = connection.receive(len(commands))
            if not connection.reader.errors or self._heed(address, replies) or not retry:
                return replies
        except ConnectionFailed as error:
            self._drop(address)
            if not retry or isinstance(error, ProtocolError):
                raise
        return self._ask_one(address, commands, idempotent)

    def _connection(self, address: Address) -> Connection:
        """Return the connection that was kept, or a new one if that has unread replies."""
        connection = self._connections.get(address)
        if connection is None or not connection.is_idle:
            if connection is not None:
                connection.close()
            try:
                connection = Connection(address, self._options, self.deadline)
            except RedisError:
                self._drop(address)
                raise
            self._connections[address] = connection
        return connection

    def _heed(self, address: Address, replies: Sequence[Reply]) -> bool:
        """Remember moved slots. Return whether the node can execute what is sent next.

        It cannot if it has become a replica, or has ended the login.
        """
        logs_in = self._options.password or self._options.iam
        for reply in replies:
            if isinstance(reply, ReadOnlyError) or (
                isinstance(reply, ServerError) and reply.code == "NOAUTH" and logs_in
            ):
                self._drop(address)
                return False
            if isinstance(reply, Redirected):
                reply.host = reply.host or address[0]
                if not reply.asking:
                    self._address_of_slot[reply.slot] = (reply.host, reply.port)
        return True

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


def texts(reply: Reply) -> list[str]:
    """Return the members of a set that are text. Gimel writes no others."""
    members = reply if isinstance(reply, list) else []
    texts = [(each, each.decode(errors="ignore")) for each in members if isinstance(each, bytes)]
    return [text for member, text in texts if len(text) == len(member) or text.encode() == member]


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

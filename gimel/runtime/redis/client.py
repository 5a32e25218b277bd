"""A small Redis client: it sends all commands in one write and keeps one connection per node.

It handles TCP, Unix sockets, TLS, AUTH, SELECT, time-outs, connections that died while Lambda was
frozen, and the redirections of Redis Cluster. It knows nothing about counters. `ssl` is imported
only if TLS is on.

In a cluster the nodes are asked one after the other, so a call takes one round trip per node that
holds a key of it, and another one for each redirection that is not known yet.
"""

import io
import socket
import time
from binascii import crc_hqx

from gimel.runtime.errors import (
    AnswerTimeout,
    ConnectionFailed,
    ProtocolError,
    ReadOnlyError,
    Redirected,
    ServerError,
)
from gimel.runtime.redis.resp import encode, read_reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TypeAlias

    from _typeshed import WriteableBuffer

    from gimel.runtime.redis.resp import Command, Reply
    from gimel.runtime.settings import RedisOptions

    Address: TypeAlias = tuple[str, int]

_MOST_REDIRECTIONS = 5


class Client:
    """The connections of one process to one Redis server or cluster. Not thread-safe."""

    def __init__(self, options: "RedisOptions") -> None:
        self._options = options
        self._home: Address = (options.host, options.port)
        self._connections: dict[Address, _Connection] = {}
        self._address_of_slot: dict[int, Address] = {}
        self.deadline: float | None = None
        """When every wait must end (`time.monotonic()`, seconds), except that for DNS."""

    def execute(self, commands: "Sequence[Command]", *, idempotent: bool = True) -> "list[Reply]":
        """Send all commands. Return one reply per command, in order; error replies as typed errors.

        The second word of a command is its key. `idempotent` allows sending all commands again when
        a connection that was kept from an earlier call turns out to be dead, or its server to have
        become a replica. Raises ConnectionFailed, AnswerTimeout or ProtocolError, and a ServerError
        (usually AuthenticationError) if the login fails.
        """
        if not self._address_of_slot:
            replies = self._exchange(self._home, commands, idempotent)
        else:
            replies = [None] * len(commands)
            for address, indexes in self._by_node(commands).items():
                answers = self._exchange(
                    address, [commands[index] for index in indexes], idempotent
                )
                for index, answer in zip(indexes, answers, strict=True):
                    replies[index] = answer
        for _ in range(_MOST_REDIRECTIONS):
            redirected = {
                index: reply for index, reply in enumerate(replies) if isinstance(reply, Redirected)
            }
            if not redirected:
                break
            for index, answer in self._follow(commands, redirected, idempotent):
                replies[index] = answer
        return replies

    def close(self) -> None:
        """Close every connection. The next call opens those that it needs."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        self._address_of_slot.clear()

    def _by_node(self, commands: "Sequence[Command]") -> "dict[Address, list[int]]":
        nodes: dict[Address, list[int]] = {}
        for index, command in enumerate(commands):
            address = self._address_of_slot.get(slot_of(command[1]), self._home)
            nodes.setdefault(address, []).append(index)
        return nodes

    def _follow(
        self,
        commands: "Sequence[Command]",
        redirected: "Mapping[int, Redirected]",
        idempotent: bool,
    ) -> "Iterator[tuple[int, Reply]]":
        """Send the redirected commands to their nodes, one batch per node. Remember moved slots."""
        groups: dict[tuple[Address, bool], list[int]] = {}
        for index, redirection in redirected.items():
            address = (redirection.host, redirection.port)
            groups.setdefault((address, redirection.asking), []).append(index)
            if not redirection.asking:
                self._address_of_slot[redirection.slot] = address
        for (address, asking), indexes in groups.items():
            batch: list[Command] = []
            for index in indexes:
                batch += [("ASKING",), commands[index]] if asking else [commands[index]]
            answers = self._exchange(address, batch, idempotent)
            yield from zip(indexes, answers[1::2] if asking else answers, strict=True)

    def _exchange(
        self, address: "Address", commands: "Sequence[Command]", idempotent: bool
    ) -> "list[Reply]":
        payload = encode(commands)
        if address in self._connections:
            try:
                replies = self._attempt(address, payload, len(commands))
            except ConnectionFailed as error:
                if not idempotent or isinstance(error, ProtocolError):
                    raise
            else:
                if address in self._connections or not idempotent:
                    return replies
        return self._attempt(address, payload, len(commands))

    def _attempt(self, address: "Address", payload: bytes, count: int) -> "list[Reply]":
        """Exchange on the kept connection, or on a new one.

        It is kept afterwards only if it is in step and its server accepts writes.
        """
        try:
            connection = self._connections.get(address)
            if connection is None:
                connection = self._connections[address] = _Connection(
                    address, self._options, self.deadline
                )
            replies = connection.exchange(payload, count, self.deadline)
        except (
            BaseException
        ):  # also KeyboardInterrupt: the next call must not read this one's reply
            self._drop(address)
            raise
        for reply in replies:
            if isinstance(reply, ReadOnlyError):
                self._drop(address)
            elif isinstance(reply, Redirected) and not reply.host:
                reply.host = address[0]
        return replies

    def _drop(self, address: "Address") -> None:
        """Forget a failed connection and the nodes of all slots: a failover changes both."""
        connection = self._connections.pop(address, None)
        if connection is not None:
            connection.close()
        self._address_of_slot.clear()


class _Connection:
    """One socket, logged in, with its database selected."""

    def __init__(
        self, address: "Address", options: "RedisOptions", deadline: "float | None"
    ) -> None:
        connect_by = _earlier(time.monotonic() + options.socket_connect_timeout, deadline)
        self._answer_timeout = options.socket_timeout
        where = options.unix_socket_path or f"{address[0]}:{address[1]}"
        try:
            self._socket = _connect(address, options, connect_by)
        except TimeoutError:
            raise ConnectionFailed(f"no connection to Redis at {where} in time") from None
        except (OSError, ValueError, TypeError) as error:  # also invalid host names, certificates
            raise ConnectionFailed(f"no connection to Redis at {where}: {error}") from None
        self._incoming = _Incoming(self._socket)
        self._stream = io.BufferedReader(self._incoming)
        try:
            self._log_in(options, connect_by)
        except BaseException:
            self.close()
            raise

    def _log_in(self, options: "RedisOptions", connect_by: float) -> None:
        # Nothing else is sent before the answer: after a failed SELECT, commands would go to
        # another database.
        commands: list[Command] = []
        if options.password:
            commands.append(
                ("AUTH", options.username, options.password)
                if options.username
                else ("AUTH", options.password)
            )
        if options.db:
            commands.append(("SELECT", options.db))
        if commands:
            for reply in self.exchange(encode(commands), len(commands), connect_by):
                if isinstance(reply, ServerError):
                    raise reply

    def exchange(self, payload: bytes, replies: int, deadline: "float | None") -> "list[Reply]":
        """Write the payload and read that many replies. After any exception, close the connection.

        The time-out bounds each wait for the next bytes, so that a long answer may take longer. The
        deadline bounds the whole exchange.
        """
        self._incoming.timeout, self._incoming.deadline = self._answer_timeout, deadline
        try:
            self._socket.settimeout(
                _remaining(_earlier(time.monotonic() + self._answer_timeout, deadline))
            )
            self._socket.sendall(payload)
        except TimeoutError:
            raise AnswerTimeout("Redis did not take the commands in time") from None
        except OSError as error:
            raise ConnectionFailed(f"the connection to Redis was lost: {error}") from None
        stream = self._stream
        return [read_reply(stream) for _ in range(replies)]

    def close(self) -> None:
        self._stream.close()
        self._socket.close()


class _Incoming(io.RawIOBase):
    """What a socket receives.

    `socket.makefile` would wait for the whole time-out again for each piece, past any deadline.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self.timeout = 0.0
        self.deadline: float | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        self._socket.settimeout(
            _remaining(_earlier(time.monotonic() + self.timeout, self.deadline))
        )
        return self._socket.recv_into(buffer)


def slot_of(key: "bytes | str | int") -> int:
    """Return the hash slot (0 to 16383) of a key: CRC-16/XMODEM of the key or of its hash tag.

    Source: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
    """
    data = key if isinstance(key, bytes) else str(key).encode()
    start = data.find(b"{") + 1
    if start:
        end = data.find(b"}", start)
        if end > start:
            data = data[start:end]
    return crc_hqx(data, 0) % 16384


def _connect(address: "Address", options: "RedisOptions", connect_by: float) -> socket.socket:
    if options.unix_socket_path:
        unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            unix.settimeout(_remaining(connect_by))
            unix.connect(options.unix_socket_path)
        except BaseException:
            unix.close()
            raise
        return unix
    tcp = _connect_tcp(address, connect_by)
    if not options.ssl:
        return tcp
    try:
        from gimel.runtime.redis import tls  # imports ssl

        context = tls.context(options)
        tcp.settimeout(_remaining(connect_by))
        return context.wrap_socket(tcp, server_hostname=address[0])
    except BaseException:
        tcp.close()
        raise


def _connect_tcp(address: "Address", connect_by: float) -> socket.socket:
    """Try each address of the host, all of them within the same time.

    `socket.create_connection` would allow each of them the whole time.
    """
    if not 0 < address[1] < 65536:  # getaddrinfo would take it modulo 65536
        raise OSError(f"{address[1]} is not a valid port")
    failure: OSError = OSError("the host name has no address")
    host, port = address
    # getaddrinfo encodes text as IDNA, whose tables are the most expensive import of a cold start.
    found = socket.getaddrinfo(
        host.encode() if host.isascii() else host, port, type=socket.SOCK_STREAM
    )
    for tried, (family, kind, protocol, _, resolved) in enumerate(found):
        try:
            tcp = socket.socket(family, kind, protocol)
        except OSError as error:  # IPv6 on a machine that has none
            failure = error
            continue
        try:
            # A silent address must leave time for the next one.
            tcp.settimeout(_remaining(connect_by) / (len(found) - tried))
            tcp.connect(resolved)
            tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return tcp
        except OSError as error:
            tcp.close()
            failure = error
        except BaseException:
            tcp.close()
            raise
    raise failure


def _earlier(moment: float, deadline: "float | None") -> float:
    return moment if deadline is None else min(moment, deadline)


def _remaining(moment: float) -> float:
    """Return the seconds until the moment. Raises TimeoutError if there are none left.

    A socket would take a time-out of zero for "do not wait" and raise another error.
    """
    seconds = moment - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("no time is left")
    return seconds

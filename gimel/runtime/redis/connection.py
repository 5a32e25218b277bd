"""One connection to one Redis server: TCP, Unix socket or TLS, logged in, its database selected."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

from gimel.runtime.errors import AnswerTimeout, ConnectionFailed, ServerError
from gimel.runtime.redis.resp import Reader, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from gimel.runtime.redis.resp import Command, Reply
    from gimel.runtime.settings import RedisOptions

    Address: TypeAlias = tuple[str, int]

_RECEIVE = 64 * 1024  # bytes at a time


class Connection:
    """A socket that takes commands and returns replies.

    The time-out bounds each wait for the next bytes, so that much data may take longer. The
    deadline bounds everything. It may be used again while it `is_idle`: every reply was read, as
    after an exception it was not. It `is_kept` if it has answered commands other than the login.
    """

    def __init__(self, address: Address, options: RedisOptions, deadline: float | None) -> None:
        password = options.password or ""
        if options.iam or not isinstance(password, str):
            password = _password(options, deadline)
        connect_by = time.monotonic() + options.socket_connect_timeout
        if deadline is not None:
            connect_by = min(connect_by, deadline)
        where = options.unix_socket_path or f"{address[0]}:{address[1]}"
        try:
            self._socket = _connect(address, options, connect_by)
        except TimeoutError:
            raise ConnectionFailed(f"no connection to Redis at {where} in time") from None
        except (OSError, ValueError, TypeError) as error:  # also invalid host names, certificates
            raise ConnectionFailed(f"no connection to Redis at {where}: {error}") from None
        self._timeout = options.socket_timeout
        self._deadline: float | None = connect_by
        self._limit = -1.0
        self.reader = Reader(self._receive)
        try:
            self._log_in(options, password, deadline)
        except BaseException:
            self.close()
            raise
        self.is_idle, self.is_kept = True, False

    def send(self, payload: bytes, deadline: float | None) -> None:
        """Write the payload. Raises AnswerTimeout or ConnectionFailed."""
        self.is_idle = False
        self._deadline = deadline
        sent = 0
        try:
            while sent < len(payload):
                # Not sendall, whose time-out is for all of the payload.
                self._limit_wait()
                sent += self._socket.send(memoryview(payload)[sent:] if sent else payload)
        except TimeoutError:
            raise AnswerTimeout("Redis did not take the commands in time") from None
        except OSError as error:
            raise ConnectionFailed(f"the connection to Redis was lost: {error}") from None

    def receive(self, count: int) -> list[Reply]:
        """Return that many replies. Raises AnswerTimeout, ConnectionFailed or ProtocolError."""
        replies = self.reader.replies(count)
        self.is_idle = self.is_kept = True
        return replies

    def close(self) -> None:
        """Close the socket, once or more often."""
        self._socket.close()

    def _log_in(self, options: RedisOptions, password: str, deadline: float | None) -> None:
        # Nothing else is sent before the answer: after a failed SELECT, commands would go to
        # another database.
        reply = self._authenticate(options.username, password)
        if isinstance(reply, ServerError) and isinstance(options.password, Mapping):
            from gimel.runtime.redis import secrets

            if changed := secrets.changed_password(options, deadline, _connect_tcp):
                self._deadline = time.monotonic() + options.socket_connect_timeout
                if deadline is not None:
                    self._deadline = min(self._deadline, deadline)
                reply = self._authenticate(options.username, changed)
        if options.db and not isinstance(reply, ServerError):
            reply = self._ask(("SELECT", options.db))
        if isinstance(reply, ServerError):
            raise reply

    def _authenticate(self, username: str | None, password: str) -> Reply:
        user = (username,) if username else ()  # may need no password
        reply: Reply = None
        if user or password:
            reply = self._ask(("AUTH", *user, password))
            if isinstance(reply, ServerError) and reply.code == "ERR" and user and password:
                reply = self._ask(("AUTH", password))  # before version 6, Redis had no users
        return reply

    def _ask(self, command: Command) -> Reply:
        self.send(encode((command,)), self._deadline)
        return self.receive(1)[0]

    def _receive(self) -> bytes:
        try:
            self._limit_wait()
            return self._socket.recv(_RECEIVE)
        except TimeoutError:
            raise AnswerTimeout("Redis did not answer in time") from None
        except OSError as error:
            raise ConnectionFailed(f"the connection was lost: {error}") from None

    def _limit_wait(self) -> None:
        """Let the next wait end with the time-out, or with the deadline if that is earlier."""
        seconds = self._timeout
        if self._deadline is not None:
            seconds = min(seconds, remaining(self._deadline))
        if seconds != self._limit:  # a system call
            self._socket.settimeout(seconds)
            self._limit = seconds


def _password(options: RedisOptions, deadline: float | None) -> str:
    """Return a token for ElastiCache, or a password that AWS keeps.

    What it imports ships only to functions that need it. Raises SettingsError or SecretError.
    """
    if options.iam:
        from gimel.runtime import sigv4

        credentials = sigv4.Credentials(os.environ)
        return sigv4.elasticache_token(credentials, options.iam, options.username or "")
    from gimel.runtime.redis import secrets

    return secrets.password(options, deadline, _connect_tcp)


def remaining(moment: float) -> float:
    """Return the seconds until the moment. Raises TimeoutError if no time is left.

    A socket would take a time-out of zero for "do not wait" and raise another error.
    """
    seconds = moment - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("no time is left")
    return seconds


def _connect(address: Address, options: RedisOptions, connect_by: float) -> socket.socket:
    if options.unix_socket_path:
        unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            unix.settimeout(remaining(connect_by))
            unix.connect(options.unix_socket_path)
        except BaseException:
            unix.close()
            raise
        return unix
    tcp = _connect_tcp(address, connect_by)
    if not options.ssl:
        return tcp
    try:
        from gimel.runtime.redis import tls  # imports ssl, which is expensive

        context = tls.context(options)
        tcp.settimeout(remaining(connect_by))
        return context.wrap_socket(tcp, server_hostname=address[0])
    except BaseException:
        tcp.close()
        raise


def _connect_tcp(address: Address, connect_by: float) -> socket.socket:
    """Try each address of the host, all of them within the same time.

    `socket.create_connection` would allow each of them the whole time.
    """
    host, port = address
    if not 0 < port < 65536:  # getaddrinfo would take it modulo 65536
        raise OSError(f"{port} is not a valid port")
    failure: OSError = OSError("the host name has no address")
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
            tcp.settimeout(remaining(connect_by) / (len(found) - tried))
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

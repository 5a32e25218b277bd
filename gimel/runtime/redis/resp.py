"""RESP2, the wire format of Redis: commands to bytes, bytes to replies.

Source: https://redis.io/docs/latest/develop/reference/protocol-spec/. Reading is strict: anything
that is not RESP2 is a `ProtocolError`. The connection must then be closed, because it is not known
where the next reply begins.
"""

from gimel.runtime.errors import (
    AnswerTimeout,
    ConnectionFailed,
    ProtocolError,
    ServerError,
    server_error,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol, TypeAlias

    Argument: TypeAlias = bytes | str | int
    Command: TypeAlias = tuple[Argument, ...]
    Reply: TypeAlias = str | bytes | int | ServerError | list["Reply"] | None

    class Stream(Protocol):
        """What `socket.makefile("rb")` returns."""

        def readline(self, limit: int, /) -> bytes: ...
        def read(self, size: int, /) -> bytes | None: ...


_LONGEST_LINE = 64 * 1024
_LONGEST_STRING = 512 * 1024 * 1024
_DEEPEST_ARRAY = 32


def encode(commands: "Iterable[Command]") -> bytes:
    """Return the commands as one pipeline, ready for a single write."""
    parts = []
    for command in commands:
        parts.append(b"*%d\r\n" % len(command))
        for argument in command:
            if not isinstance(argument, bytes):
                argument = str(argument).encode()
            parts.append(b"$%d\r\n%b\r\n" % (len(argument), argument))
    return b"".join(parts)


def read_reply(stream: "Stream", depth: int = 0) -> "Reply":
    """Read one reply: a status as str, a string as bytes, a null as None.

    An error reply is returned, not raised, as its typed error. Raises ProtocolError for anything
    that is not RESP2, ConnectionFailed when the stream ends, and AnswerTimeout when it stalls.
    """
    line = _line(stream)
    kind, rest = line[:1], line[1:]
    if kind == b":":
        return _integer(rest)
    if kind == b"$":
        length = _integer(rest)
        if length == -1:
            return None
        if not 0 <= length <= _LONGEST_STRING:
            raise ProtocolError(f"a string with the impossible length {length}")
        body = _exactly(stream, length + 2)
        if body[-2:] != b"\r\n":
            raise ProtocolError("a string longer than its stated length")
        return body[:-2]
    if kind == b"+":
        return rest.decode("utf-8", "replace")
    if kind == b"-":
        return server_error(rest.decode("utf-8", "replace"))
    if kind == b"*":
        length = _integer(rest)
        if length == -1:
            return None
        if length < 0 or depth >= _DEEPEST_ARRAY:
            raise ProtocolError(f"an array with the impossible length {length} or depth {depth}")
        return [read_reply(stream, depth + 1) for _ in range(length)]
    raise ProtocolError(f"a reply of unknown type {kind!r}")


def _integer(digits: bytes) -> int:
    magnitude = digits[1:] if digits[:1] in (b"-", b"+") else digits
    if not magnitude.isdigit() or len(magnitude) > 19:
        raise ProtocolError(f"not an integer: {digits[:32]!r}")
    return int(digits)


def _line(stream: "Stream") -> bytes:
    line = _receive(stream.readline, _LONGEST_LINE)
    if line[-2:] == b"\r\n":
        return line[:-2]
    if line[-1:] == b"\n" or len(line) == _LONGEST_LINE:
        raise ProtocolError("a line without CRLF")
    raise ConnectionFailed("Redis closed the connection")


def _exactly(stream: "Stream", size: int) -> bytes:
    body = _receive(stream.read, size)
    if len(body) < size:
        raise ConnectionFailed("Redis closed the connection")
    return body


def _receive(read: "Callable[[int], bytes | None]", size: int) -> bytes:
    try:
        return read(size) or b""
    except TimeoutError:
        raise AnswerTimeout("Redis did not answer in time") from None
    except OSError as error:
        raise ConnectionFailed(f"the connection was lost: {error}") from None

"""RESP2, the wire format of Redis: commands to bytes, bytes to replies.

Source: https://redis.io/docs/latest/develop/reference/protocol-spec/. Reading is strict: anything
that is not RESP2 is a `ProtocolError`. The connection must then be closed, because it is not known
where the next reply begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from gimel.runtime.errors import ConnectionFailed, ProtocolError, ServerError, server_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Command: TypeAlias = bytes | tuple[bytes | str | int, ...]
    Reply: TypeAlias = str | bytes | int | ServerError | list["Reply"] | None

_NUMBERS = re.compile(rb"(?::[0-9]{1,19}\r\n)+")
_LONGEST_LINE = 64 * 1024
_LONGEST_STRING = 512 * 1024 * 1024
_DEEPEST_ARRAY = 32


def encode(commands: Iterable[Command]) -> bytes:
    """Return the commands as one pipeline. A command of type bytes is encoded already."""
    parts = []
    for command in commands:
        if isinstance(command, bytes):
            parts.append(command)
            continue
        parts.append(b"*%d\r\n" % len(command))
        for argument in command:
            if not isinstance(argument, bytes):
                argument = str(argument).encode()
            parts.append(b"$%d\r\n%b\r\n" % (len(argument), argument))
    return b"".join(parts)


def name_and_key(command: Command) -> tuple[bytes, bytes]:
    """Return the first two words of a command: its name and its key, empty if it has none."""
    words = encode((command,)).split(b"\r\n", 5)  # no key that Gimel writes contains CRLF
    return words[2], words[4] if len(words) > 4 else b""


class Reader:
    """Reads replies: a status as str, a string as bytes, a null as None.

    An error reply is returned, not raised, as its typed error. `receive()` returns the next bytes,
    none at the end. Raises what it raises, ProtocolError for anything that is not RESP2, and
    ConnectionFailed at the end of the bytes.
    """

    def __init__(self, receive: Callable[[], bytes]) -> None:
        self._receive = receive
        self._data = b""
        self._position = 0
        self.errors = 0
        """How many errors are among the replies that were returned last."""

    def replies(self, count: int) -> list[Reply]:
        """Return `count` replies. If more arrive, they do not answer what was asked."""
        self.errors = 0
        replies = self._read(count, 0)
        if self._position != len(self._data):
            raise ProtocolError("more replies than commands")
        return replies

    def _read(self, count: int, depth: int) -> list[Reply]:
        """Return the next `count` replies, which are inside of arrays of that depth."""
        replies: list[Reply] = []
        while len(replies) < count:
            if self._position == len(self._data):
                self._data, self._position = self._next(), 0
            kind = self._data[self._position]
            # Nearly all replies are numbers and short strings that have arrived already.
            if kind == 58 and (numbers := self._numbers(count - len(replies))):
                replies += numbers
            elif kind == 36 and (string := self._short_string()) is not None:
                replies.append(string)
            else:
                replies.append(self._reply(depth))
        return replies

    def _numbers(self, most: int) -> list[int]:
        """Return the numbers that come next and have arrived."""
        found = _NUMBERS.match(self._data, self._position)
        if found is None:
            return []
        digits = found[0][1:-2].split(b"\r\n:", most)[:most]
        self._position += sum(map(len, digits)) + 3 * len(digits)
        return list(map(int, digits))

    def _short_string(self) -> bytes | None:
        """Return a string that has arrived, None where anything is unusual."""
        begin = self._data.find(b"\r\n", self._position, self._position + 8) + 2
        digits = self._data[self._position + 1 : max(begin - 2, 0)]
        if not digits.isdigit():
            return None
        end = begin + int(digits)
        if self._data[end : end + 2] != b"\r\n":
            return None
        self._position = end + 2
        return self._data[begin:end]

    def _reply(self, depth: int) -> Reply:
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b":":
            return _integer(rest)
        if kind == b"$":
            length = _integer(rest)
            if length == -1:
                return None
            if not 0 <= length <= _LONGEST_STRING:
                raise ProtocolError(f"a string with the impossible length {length}")
            return self._string(length)
        if kind == b"*":
            length = _integer(rest)
            if length == -1:
                return None
            if length < 0 or depth >= _DEEPEST_ARRAY:
                raise ProtocolError(f"an array of impossible length {length} or depth {depth}")
            return self._read(length, depth + 1)
        text = rest.decode("utf-8", "replace")
        if kind == b"-":
            self.errors += 1
            return server_error(text)
        if kind == b"+":
            return text
        raise ProtocolError(f"a reply of unknown type {kind!r}")

    def _line(self) -> bytes:
        end = self._data.find(b"\n", self._position)
        while end < 0:
            if len(self._data) - self._position >= _LONGEST_LINE:
                raise ProtocolError("a line without CRLF")
            searched = len(self._data) - self._position
            self._fill()
            end = self._data.find(b"\n", searched)
        line = self._data[self._position : end - 1]
        if end == self._position or self._data[end - 1] != 13:
            raise ProtocolError("a line without CRLF")
        self._position = end + 1
        return line

    def _string(self, length: int) -> bytes:
        end = self._position + length
        missing = end + 2 - len(self._data)
        if missing > 0:
            pieces = [self._data[self._position :]]
            while missing > 0:  # joined once: a long string arrives in many pieces
                pieces.append(self._next())
                missing -= len(pieces[-1])
            self._data, self._position, end = b"".join(pieces), 0, length
        if self._data[end : end + 2] != b"\r\n":
            raise ProtocolError("a string longer than its stated length")
        string = self._data[self._position : end]
        self._position = end + 2
        return string

    def _fill(self) -> None:
        self._data = self._data[self._position :] + self._next()
        self._position = 0

    def _next(self) -> bytes:
        data = self._receive()
        if not data:
            raise ConnectionFailed("Redis closed the connection")
        return data


def _integer(digits: bytes) -> int:
    magnitude = digits[1:] if digits[:1] in (b"-", b"+") else digits
    if not magnitude.isdigit() or len(magnitude) > 19:
        raise ProtocolError(f"not an integer: {digits[:32]!r}")
    return int(digits)

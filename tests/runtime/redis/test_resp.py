"""The wire format: redis-py packs the same bytes and reads the same replies."""

from __future__ import annotations

import socket
import threading
import types
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from redis._parsers import _RESP2Parser

from gimel.runtime import errors
from gimel.runtime.redis.resp import Reader, encode, name_and_key

# redis-py splits a command's name at white space; the names that Gimel uses have none.
NAMES = st.sampled_from(["PFADD", "sadd", "X"])
ARGUMENTS = st.binary() | st.text(st.characters(exclude_categories=["Cs"])) | st.integers()
COMMANDS = st.tuples(NAMES, st.lists(ARGUMENTS, max_size=5)).map(
    lambda command: (command[0], *command[1])
)

LINES = st.text(
    st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=40
).map(str.encode)
FLAT = st.one_of(
    LINES.map(lambda line: b"+%b\r\n" % line),
    LINES.map(lambda line: b"-TEST %b\r\n" % line),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: b":%d\r\n" % number),
    st.binary(max_size=60).map(lambda body: b"$%d\r\n%b\r\n" % (len(body), body)),
    st.sampled_from([b"$-1\r\n", b"*-1\r\n", b"*0\r\n", b"$0\r\n\r\n"]),
)
REPLIES = st.recursive(
    FLAT,
    lambda inner: st.lists(inner, max_size=4).map(
        lambda items: b"*%d\r\n%b" % (len(items), b"".join(items))
    ),
    max_leaves=12,
)

MIXED = b"*6\r\n+OK\r\n-WRONGTYPE no\r\n:-12\r\n$6\r\na\r\nb\r\n\r\n$-1\r\n*2\r\n*-1\r\n*0\r\n"
MIXED_BODY: list[object] = [b"a\r\nb\r\n", None, [None, []]]


def reader(*pieces: bytes) -> Reader:
    """Return a reader of a connection on which these pieces arrive, one per read, then its end."""
    arriving = iter([*filter(None, pieces), b""])
    return Reader(lambda: next(arriving))


def read(*pieces: bytes) -> Any:
    (reply,) = reader(*pieces).replies(1)
    return reply


def read_by_redis_py(wire: bytes) -> Any:
    """Return how redis-py's own RESP2 parser reads the same bytes from a socket."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(target=ours.sendall, args=(wire,))
        sender.start()
        parser: Any = _RESP2Parser(socket_read_size=65536)  # type: ignore[no-untyped-call]
        parser.on_connect(types.SimpleNamespace(_sock=theirs, socket_timeout=5, encoder=None))
        theirs.settimeout(5)
        try:
            return parser.read_response(disable_decoding=True)
        finally:
            sender.join()
            parser.on_disconnect()


def comparable(reply: Any) -> Any:
    """Return statuses as bytes and errors as ("error", message), as both clients have them."""
    if isinstance(reply, list):
        return [comparable(item) for item in reply]
    if isinstance(reply, str):
        return reply.encode()
    if isinstance(reply, errors.ServerError | redis.RedisError):
        return "error", str(reply).removeprefix("ERR ")
    return reply


@given(st.lists(COMMANDS, max_size=5))
def test_commands_are_the_bytes_that_redis_py_sends(commands: list[tuple[Any, ...]]) -> None:
    """Any commands of bytes, text and whole numbers are packed as redis-py packs them."""
    packer: Any = redis.Connection()  # type: ignore[no-untyped-call]
    expected = b"".join(b"".join(packer.pack_command(*command)) for command in commands)
    assert encode(commands) == expected


@given(REPLIES)
def test_replies_are_read_as_redis_py_reads_them(wire: bytes) -> None:
    """Every type of RESP2, nested in any way, has the value that redis-py reads."""
    assert comparable(read(wire)) == comparable(read_by_redis_py(wire))


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        pytest.param(b"+OK\r\n", "OK", id="status"),
        pytest.param(b"+\r\n", "", id="empty status"),
        pytest.param(b":0\r\n", 0, id="zero"),
        pytest.param(b":+7\r\n", 7, id="number with a plus sign"),
        pytest.param(b":-9223372036854775808\r\n", -(2**63), id="smallest number"),
        pytest.param(b"$2\r\n\r\n\r\n", b"\r\n", id="string that is a line end"),
        pytest.param(b"$0\r\n\r\n", b"", id="empty string"),
        pytest.param(b"$-1\r\n", None, id="null string"),
        pytest.param(b"*-1\r\n", None, id="null array"),
        pytest.param(b"*0\r\n", [], id="empty array"),
        pytest.param(b"*2\r\n*1\r\n:1\r\n*0\r\n", [[1], []], id="arrays in an array"),
    ],
)
def test_each_type_has_its_python_value(wire: bytes, value: object) -> None:
    """A status is a str, a string is bytes and a null is None, so that they stay distinct."""
    reply = read(wire)
    assert reply == value
    assert type(reply) is type(value)


@pytest.mark.parametrize("position", range(1, len(MIXED)))
def test_a_reply_may_be_split_at_any_byte(position: int) -> None:
    """However the network cuts a reply, it is read whole."""
    status, error, number, *body = read(MIXED[:position], MIXED[position:])
    assert (status, number, body) == ("OK", -12, MIXED_BODY)
    assert isinstance(error, errors.WrongTypeError)


def test_a_reply_may_come_byte_by_byte() -> None:
    """A reply that arrives byte by byte is read whole."""
    assert read(*(bytes([byte]) for byte in MIXED))[3:] == MIXED_BODY


@given(st.lists(REPLIES, min_size=2, max_size=5), st.integers(0))
def test_replies_that_follow_each_other_stay_apart(wires: list[bytes], cut: int) -> None:
    """Each reply begins where the one before ends, wherever the network cuts them."""
    wire = b"".join(wires)
    cut %= len(wire)
    replies = reader(wire[:cut], wire[cut:]).replies(len(wires))
    assert [comparable(reply) for reply in replies] == [comparable(read(wire)) for wire in wires]


SHORT = st.sampled_from([(b":1", 1), (b":0", 0), (b"+OK", "OK"), (b"$1\r\nx", b"x")])


@given(st.lists(SHORT, max_size=40))
def test_short_replies_stay_apart(replies: list[tuple[bytes, object]]) -> None:
    """Numbers, which are read in a quicker way, and other replies among them are in order."""
    wire = b"".join(b"%b\r\n" % each for each, _ in replies)
    assert reader(wire).replies(len(replies)) == [value for _, value in replies]


def test_replies_of_later_calls_may_arrive_later() -> None:
    """A reader serves one call after the other."""
    both = reader(b":1\r\n", b"+OK\r\n:2\r\n")
    assert [both.replies(1), both.replies(2)] == [[1], ["OK", 2]]


@pytest.mark.parametrize("rest", [b"+OK\r\n", b"+O", b":1\r\n", b"\r\n"])
def test_more_than_was_asked_for_is_a_protocol_error(rest: bytes) -> None:
    """After a reply that nobody asked for it is not known which reply answers what."""
    for replies in (b":1\r\n", b"+OK\r\n"):
        with pytest.raises(errors.ProtocolError, match="more replies than commands"):
            read(replies + rest)


def test_a_very_long_string_is_read_whole() -> None:
    """A string of 20 MB is read unchanged, and without adding up its pieces again and again."""
    body = bytes(range(256)) * 80_000
    wire = b"$%d\r\n%b\r\n" % (len(body), body)
    assert read(*(wire[at : at + 65536] for at in range(0, len(wire), 65536))) == body


def test_a_very_long_array_is_read_whole() -> None:
    """An array of 200,000 elements is read in order."""
    wire = b"*200000\r\n" + b"".join(b":%d\r\n" % number for number in range(200_000))
    assert read(*(wire[at : at + 65536] for at in range(0, len(wire), 65536))) == list(
        range(200_000)
    )


MALFORMED = {
    "unknown type": b"!3\r\nabc\r\n",
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "resp3 map": b"%1\r\n+a\r\n:1\r\n",
    "empty line": b"\r\n",
    "line without CR": b"+OK\n",
    "line without end": b"+" + b"x" * 100_000,
    "number that is a word": b":ten\r\n",
    "number that is empty": b":\r\n",
    "number that is a sign": b":-\r\n",
    "number with two signs": b":--1\r\n",
    "number with a space": b": 1\r\n",
    "number with an underscore": b":1_0\r\n",
    "number with a fraction": b":1.0\r\n",
    "number too long": b":" + b"9" * 5000 + b"\r\n",
    "string of negative length": b"$-2\r\n",
    "string of impossible length": b"$99999999999\r\n",
    "string without length": b"$\r\n",
    "string longer than its length": b"$2\r\nabcd\r\n",
    "array of negative length": b"*-2\r\n",
    "array nested without end": b"*1\r\n" * 100_000,
    "redirection without address": b"-MOVED 1\r\n",
    "redirection without a port": b"-ASK 1 host:port\r\n",
    "redirection without a slot": b"-MOVED x 127.0.0.1:1\r\n",
}


@pytest.mark.parametrize("wire", MALFORMED.values(), ids=MALFORMED)
def test_what_is_not_resp2_is_a_protocol_error(wire: bytes) -> None:
    """Malformed bytes are never guessed at: they are a ProtocolError."""
    with pytest.raises(errors.ProtocolError):
        read(
            wire[:8192],
            wire[8192:16384],
            *(wire[at : at + 8192] for at in range(16384, len(wire), 8192)),
        )


@pytest.mark.parametrize("length", range(len(MIXED)))
def test_a_truncated_reply_is_a_lost_connection(length: int) -> None:
    """Wherever the stream ends before the reply does, the connection was lost."""
    with pytest.raises(errors.ConnectionFailed) as caught:
        read(MIXED[:length])
    assert not isinstance(caught.value, errors.ProtocolError)


TOKENS = [b"+", b"-", b":", b"$", b"*", b"\r\n", b"\n", b"\r", b"0", b"1", b"-1", b"9", b"MOVED "]


@given(st.binary(max_size=200) | st.lists(st.sampled_from(TOKENS)).map(b"".join))
def test_any_bytes_are_replies_or_a_failed_connection(wire: bytes) -> None:
    """Whatever arrives, reading it either returns a reply or raises a ConnectionFailed."""
    with pytest.raises(errors.ConnectionFailed):
        reader(wire).replies(len(wire) + 1)


@pytest.mark.parametrize("begun", [b"", b"+O", b"$5\r\nab", b"*2\r\n:1\r\n"])
def test_a_failure_while_receiving_is_passed_on(begun: bytes) -> None:
    """What `receive` raises keeps its type, wherever in a reply it occurs."""
    arriving = iter([begun] if begun else [])

    def receive() -> bytes:
        for piece in arriving:
            return piece
        raise errors.AnswerTimeout

    with pytest.raises(errors.AnswerTimeout):
        Reader(receive).replies(1)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        pytest.param(("SADD", "key", "member"), (b"SADD", b"key"), id="words"),
        pytest.param(("GET", 7), (b"GET", b"7"), id="number"),
        pytest.param(("PING",), (b"PING", b""), id="no key"),
        pytest.param(encode([("PFADD", "ké", "uuid")]), (b"PFADD", "ké".encode()), id="encoded"),
        pytest.param(encode([("PING",)]), (b"PING", b""), id="encoded, no key"),
    ],
)
def test_a_command_has_a_name_and_a_key(command: Any, expected: tuple[bytes, bytes]) -> None:
    """The first two words, also of a command that is encoded already, and nothing after them."""
    assert name_and_key(command) == expected


@given(st.lists(COMMANDS, max_size=4))
def test_encoded_commands_may_be_among_the_others(commands: list[tuple[Any, ...]]) -> None:
    """A command of type bytes is sent as it is."""
    mixed = [encode([command]) if at % 2 else command for at, command in enumerate(commands)]
    assert encode(mixed) == encode(commands)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("NOAUTH Authentication required.", errors.AuthenticationError),
        (
            "WRONGPASS invalid username-password pair or user is disabled.",
            errors.AuthenticationError,
        ),
        (
            "NOPERM this user has no permissions to run the 'pfadd' command",
            errors.AuthenticationError,
        ),
        ("DENIED Redis is running in protected mode", errors.AuthenticationError),
        ("READONLY You can't write against a read only replica.", errors.ReadOnlyError),
        ("OOM command not allowed when used memory > 'maxmemory'.", errors.OutOfMemoryError),
        ("LOADING Redis is loading the dataset in memory", errors.NotReadyError),
        ("MASTERDOWN Link with MASTER is down", errors.NotReadyError),
        ("CLUSTERDOWN The cluster is down", errors.NotReadyError),
        ("TRYAGAIN Multiple keys request during rehashing of slot", errors.NotReadyError),
        ("MISCONF Redis is configured to save RDB snapshots", errors.NotReadyError),
        ("NOREPLICAS Not enough good replicas to write.", errors.NotReadyError),
        ("BUSY Redis is busy running a script.", errors.NotReadyError),
        ("WRONGTYPE Key is not a valid HyperLogLog string value.", errors.WrongTypeError),
        ("MOVED 3999 127.0.0.1:6381", errors.Redirected),
        ("ASK 3999 127.0.0.1:6381", errors.Redirected),
        ("BUSYKEY Target key name already exists.", errors.ServerError),
        ("ERR syntax error", errors.ServerError),
        ("", errors.ServerError),
    ],
)
def test_every_server_error_has_its_type(message: str, kind: type[errors.ServerError]) -> None:
    """The first word of an error decides its type; an unknown word is a plain ServerError."""
    error = read(f"-{message}\r\n".encode())
    assert type(error) is kind
    assert str(error) == message
    assert error.code == message.split(" ")[0]


@pytest.mark.parametrize(
    ("message", "asking", "slot", "host", "port"),
    [
        ("MOVED 3999 127.0.0.1:6381", False, 3999, "127.0.0.1", 6381),
        ("ASK 0 node-1.example:7000", True, 0, "node-1.example", 7000),
        ("MOVED 1 ::1:6381", False, 1, "::1", 6381),
        ("MOVED 1 :6381", False, 1, "", 6381),
        ("MOVED 1 ?:6381", False, 1, "", 6381),
    ],
)
def test_a_redirection_has_an_address(
    message: str, asking: bool, slot: int, host: str, port: int
) -> None:
    """Slot, host and port are read from the text, also with IPv6 addresses and without a host."""
    error = read(f"-{message}\r\n".encode())
    assert (error.asking, error.slot, error.host, error.port) == (asking, slot, host, port)


def test_an_unknown_command_does_not_repeat_its_arguments() -> None:
    """A server quotes the arguments of an unknown command, which must not reach a log."""
    error = read(b"-ERR unknown command 'AUTH', with args beginning with: 'hunter2' \r\n")
    assert str(error) == "ERR unknown command 'AUTH'"

"""Sessions of the dashboard, and the limit on attempts to sign in, on a clock of the test."""

from __future__ import annotations

import threading

import pytest

from gimel.serve.sessions import SECONDS_SIGNED_IN, Sessions, Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_session_ends_after_thirty_days(clock: Clock) -> None:
    """Its token alone decides; an unknown one is not valid."""
    sessions = Sessions(clock)
    token = sessions.start()
    assert len(token) >= 43
    assert not sessions.is_valid("")
    assert not sessions.is_valid(token[:-1])
    clock.now += SECONDS_SIGNED_IN - 1
    assert sessions.is_valid(token)
    clock.now += 1
    assert not sessions.is_valid(token)


def test_signing_out_ends_one_session(clock: Clock) -> None:
    """Not those of other browsers; and it may be repeated."""
    sessions = Sessions(clock)
    mine, other = sessions.start(), sessions.start()
    assert mine != other
    sessions.end(mine)
    sessions.end(mine)
    assert not sessions.is_valid(mine)
    assert sessions.is_valid(other)


def test_sessions_are_bounded(clock: Clock) -> None:
    """The oldest end first."""
    sessions = Sessions(clock, most=3)
    tokens = [sessions.start() for _ in range(5)]
    assert [sessions.is_valid(token) for token in tokens] == [False, False, True, True, True]


def test_an_address_waits_after_ten_attempts(clock: Clock) -> None:
    """Until the minute since its first one is over; other addresses do not."""
    throttle = Throttle(clock)
    clock.now += 20
    assert [throttle.attempt("192.0.2.1") for _ in range(10)] == [0] * 10
    clock.now += 15.5
    assert throttle.attempt("192.0.2.1") == 45
    assert throttle.attempt("192.0.2.2") == 0
    clock.now += 44
    assert throttle.attempt("192.0.2.1") == 1
    clock.now += 0.5
    assert throttle.attempt("192.0.2.1") == 0


def test_the_right_key_makes_earlier_attempts_forgotten(clock: Clock) -> None:
    """Whoever mistyped it is not kept out later."""
    throttle = Throttle(clock, attempts=2)
    throttle.attempt("192.0.2.1")
    throttle.attempt("192.0.2.1")
    throttle.succeeded("192.0.2.1")
    assert throttle.attempt("192.0.2.1") == 0


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::1%eth0", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, together: bool, clock: Clock) -> None:
    """An IPv4 address, or the /64 network of an IPv6 one."""
    throttle = Throttle(clock, attempts=1)
    throttle.attempt(one)
    assert (throttle.attempt(other) > 0) == together


def test_remembered_addresses_are_bounded(clock: Clock) -> None:
    """The one that tried last is forgotten last."""
    throttle = Throttle(clock, attempts=1, most=2)
    for address in ("a", "b", "a", "c"):
        throttle.attempt(address)
    assert throttle.attempt("a") > 0
    assert throttle.attempt("b") == 0


def test_attempts_at_the_same_moment_are_all_counted(clock: Clock) -> None:
    """Only ten of a hundred threads may try."""
    throttle = Throttle(clock)
    barrier = threading.Barrier(100)
    waits: list[int] = []

    def attempt() -> None:
        barrier.wait()
        waits.append(throttle.attempt("192.0.2.1"))

    threads = [threading.Thread(target=attempt) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert waits.count(0) == 10

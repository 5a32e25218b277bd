"""Sessions of the dashboard, and the limits on attempts to sign in, on a clock of the test."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from gimel.serve.sessions import SECONDS_IDLE, SECONDS_SIGNED_IN, Sessions, Throttle, Tickets

ADDRESS = "192.0.2.1"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def renewed(sessions: Sessions, cookie: str) -> str:
    following = sessions.renew(cookie)
    assert following is not None
    return following


def test_a_session_ends_when_it_is_not_used(clock: Clock) -> None:
    """After twelve hours, however often it was renewed before."""
    sessions = Sessions(clock)
    cookie = sessions.start()
    for _ in range(3):
        clock.now += SECONDS_IDLE
        cookie = renewed(sessions, cookie)
    clock.now += SECONDS_IDLE + 1
    assert sessions.renew(cookie) is None


def test_a_session_ends_after_thirty_days(clock: Clock) -> None:
    """However often it is used."""
    sessions = Sessions(clock)
    cookie, end = sessions.start(), clock.now + SECONDS_SIGNED_IN
    while clock.now < end:
        clock.now = min(end, clock.now + SECONDS_IDLE)
        cookie = renewed(sessions, cookie)
    clock.now += 1
    assert sessions.renew(cookie) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda cookie: "",
        lambda cookie: "x" + cookie,
        lambda cookie: cookie[:-1],
        lambda cookie: cookie.replace(":1000000.", ":2000000."),
        lambda cookie: cookie.rpartition(".")[0],
        lambda cookie: Sessions(Clock()).start(),
        lambda cookie: "é",
    ],
    ids=["empty", "other id", "cut", "later", "unsigned", "another process", "not ASCII"],
)
def test_only_this_process_makes_cookies(change: Callable[[str], str], clock: Clock) -> None:
    """The secret is random, so that a cookie is of no use for guessing the key."""
    sessions = Sessions(clock)
    cookie = sessions.start()
    assert change(cookie) != cookie
    assert sessions.renew(change(cookie)) is None
    assert sessions.renew(cookie)


def test_signing_out_ends_one_session(clock: Clock) -> None:
    """With all copies and renewals of its cookie; other browsers stay signed in."""
    sessions = Sessions(clock)
    mine, other = sessions.start(), sessions.start()
    clock.now += 60
    later = renewed(sessions, mine)
    sessions.end(mine)
    sessions.end(later)
    sessions.end("")
    assert sessions.renew(mine) is sessions.renew(later) is None
    assert sessions.renew(other)


def test_what_is_kept_of_ended_sessions_is_bounded(clock: Clock) -> None:
    """Beyond the limit every session ends, because an ended one must not become valid again."""
    sessions = Sessions(clock, most_ended=2)
    cookies = [sessions.start() for _ in range(4)]
    for cookie in cookies[:2]:
        sessions.end(cookie)
    assert sessions.renew(cookies[3])
    sessions.end(cookies[2])
    assert [sessions.renew(cookie) for cookie in cookies] == [None] * 4
    assert sessions.renew(sessions.start())


def test_an_address_waits_after_ten_attempts(clock: Clock) -> None:
    """Six seconds for each further one; other addresses do not wait."""
    throttle = Throttle(clock)
    assert [throttle.attempt(ADDRESS) for _ in range(12)] == [0] * 10 + [6] * 2
    assert throttle.attempt("192.0.2.2") == 0
    clock.now += 1.5
    assert throttle.attempt(ADDRESS) == 5
    clock.now += 4.5
    assert [throttle.attempt(ADDRESS) for _ in range(2)] == [0, 6]
    clock.now += 60
    assert [throttle.attempt(ADDRESS) for _ in range(11)] == [0] * 10 + [6]


def test_all_addresses_together_wait_after_a_hundred_attempts(clock: Clock) -> None:
    """One second for each further one."""
    throttle = Throttle(clock)
    assert [throttle.attempt(f"192.0.2.{n}") for n in range(100)] == [0] * 100
    assert throttle.attempt(ADDRESS) == throttle.attempt("198.51.100.1") == 1
    clock.now += 1
    assert [throttle.attempt("198.51.100.1") for _ in range(2)] == [0, 1]


def test_the_guesses_of_others_do_not_keep_out_who_has_signed_in(clock: Clock) -> None:
    """Its address has only its own limit."""
    throttle = Throttle(clock)
    throttle.attempt(ADDRESS)
    throttle.succeeded(ADDRESS)
    assert [throttle.attempt(f"198.51.100.{n}") for n in range(101)] == [0] * 100 + [1]
    assert [throttle.attempt(ADDRESS) for _ in range(11)] == [0] * 10 + [6]


def test_the_right_key_makes_earlier_attempts_forgotten(clock: Clock) -> None:
    """Whoever mistyped it is not kept out later."""
    throttle = Throttle(clock)
    for _ in range(10):
        throttle.attempt(ADDRESS)
    throttle.succeeded(ADDRESS)
    assert [throttle.attempt(ADDRESS) for _ in range(11)] == [0] * 10 + [6]


def test_right_keys_do_not_use_up_the_limit(clock: Clock) -> None:
    """After a restart a whole company may sign in again."""
    throttle = Throttle(clock)
    for n in range(300):
        assert throttle.attempt(f"2001:db8:0:{n:x}::1") == 0
        throttle.succeeded(f"2001:db8:0:{n:x}::1")


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
    throttle = Throttle(clock)
    for _ in range(10):
        throttle.attempt(one)
    assert (throttle.attempt(other) > 0) == together


def test_what_is_kept_of_addresses_is_bounded(clock: Clock) -> None:
    """However many try, and however many sign in."""
    throttle = Throttle(clock, most_known=20)
    for n in range(40):
        throttle.attempt(f"192.0.2.{n}")
        throttle.succeeded(f"192.0.2.{n}")
    most = 0
    for n in range(2000):
        throttle.attempt(f"2001:db8:0:{n:x}::1")
        clock.now += 1 / 64
        most = max(most, throttle.remembered())
    assert 100 < most < 130
    clock.now += 60
    throttle.attempt(ADDRESS)
    assert throttle.remembered() == 21


def test_the_latest_who_signed_in_are_known(clock: Clock) -> None:
    """Signing in again counts."""
    throttle = Throttle(clock, most_known=2)
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.3"):
        throttle.attempt(address)
        throttle.succeeded(address)
    for n in range(100):
        throttle.attempt(f"198.51.100.{n}")
    assert [throttle.attempt(f"192.0.2.{n}") for n in (1, 2, 3)] == [0, 1, 0]


def test_setting_the_clock_back_keeps_nobody_out(clock: Clock) -> None:
    """The longest wait stays that of the limit."""
    throttle = Throttle(clock)
    for n in range(100):
        throttle.attempt(f"192.0.2.{n % 10}")
    clock.now -= 3600
    assert throttle.attempt("192.0.2.1") == 6
    assert throttle.attempt("192.0.2.11") == 1


def test_attempts_at_the_same_moment_are_all_counted(clock: Clock) -> None:
    """Only ten of a hundred threads may try."""
    throttle = Throttle(clock)
    barrier = threading.Barrier(100)
    waits: list[int] = []

    def attempt() -> None:
        barrier.wait()
        waits.append(throttle.attempt(ADDRESS))

    threads = [threading.Thread(target=attempt) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert waits.count(0) == 10


def test_a_ticket_works_once() -> None:
    """Whoever else has it; others still work, and a made-up one never does."""
    tickets = Tickets()
    first, second = tickets.issue(), tickets.issue()
    assert [tickets.redeem(each) for each in (first, first, "", "x" * 22, second)] == [
        *(True, False, False, False),
        True,
    ]

"""Who is signed in to the dashboard, by which links, and how often a wrong key may be tried.

Nothing here knows the key. All of it lives in the memory of this process, in bounded size:
restarting `gimel serve` signs everybody out.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from itsdangerous import BadSignature, TimestampSigner

SECONDS_IDLE = 12 * 3600
"""A session ends when its browser has not asked for a page for this long."""

SECONDS_SIGNED_IN = 30 * 86_400
"""A session ends this long after the sign-in at the latest."""


class _Signer(TimestampSigner):
    """Signs with the time of the given clock, and with a secret that only this process knows.

    The API key must not sign: whoever has a cookie could then try keys without asking the server.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(secrets.token_bytes(32), digest_method=hashlib.sha256)
        self._now = now

    def get_timestamp(self) -> int:
        return int(self._now())


class Sessions:
    """The browsers that are signed in.

    A cookie holds the session's random id and the time of its sign-in, signed with the time of the
    latest answer. It says nothing about the key. A session that was signed out stays ended,
    whatever copies of its cookie exist: the ids of `most_ended` such sessions are kept. Beyond
    that number a new secret ends every session.
    """

    def __init__(self, now: Callable[[], float], most_ended: int = 10_000) -> None:
        self._now = now
        self._most_ended = most_ended
        self._signer = _Signer(now)
        self._ended: set[str] = set()
        self._lock = threading.Lock()

    def start(self) -> str:
        """Return the cookie of a new session."""
        with self._lock:
            return self._cookie(secrets.token_urlsafe(16), int(self._now()))

    def renew(self, cookie: str) -> str | None:
        """Return the next cookie of a session, None if it has ended or never began."""
        with self._lock:
            session = self._session(cookie)
            return None if session is None else self._cookie(*session)

    def end(self, cookie: str) -> None:
        """End the session of this cookie."""
        with self._lock:
            session = self._session(cookie)
            if session is None:
                return
            self._ended.add(session[0])
            if len(self._ended) > self._most_ended:
                self._signer = _Signer(self._now)
                self._ended.clear()

    def _cookie(self, identity: str, since: int) -> str:
        return self._signer.sign(f"{identity}:{since}").decode()

    def _session(self, cookie: str) -> tuple[str, int] | None:
        """Return the id of a valid session and the time of its sign-in."""
        try:
            content = self._signer.unsign(cookie, max_age=SECONDS_IDLE).decode()
        except BadSignature:  # SignatureExpired is a subclass
            return None
        identity, _, since = content.partition(":")
        if identity in self._ended or self._now() - int(since) > SECONDS_SIGNED_IN:
            return None
        return identity, int(since)


class Tickets:
    """The links that sign a browser in without the key: each of them works once.

    A link stays in the terminal, in the browser's history and perhaps in a log, so it must be
    worthless there. Tickets cannot be guessed, and end with this process.
    """

    def __init__(self) -> None:
        self._unused: set[str] = set()
        self._lock = threading.Lock()

    def issue(self) -> str:
        """Return a new ticket, which is safe in an address."""
        ticket = secrets.token_urlsafe(16)
        with self._lock:
            self._unused.add(ticket)
        return ticket

    def redeem(self, ticket: str) -> bool:
        """Return whether the ticket may sign a browser in: only the first time."""
        with self._lock:
            if ticket not in self._unused:
                return False
            self._unused.remove(ticket)
            return True


@dataclass(frozen=True)
class _Limit:
    """A token bucket: `at_once` attempts, then one every `seconds`.

    Its state is one number: the time at which all attempts are allowed again.
    """

    at_once: int
    seconds: int

    def full_at(self, kept: float, now: float) -> float:
        """Return its state, whatever the clock was set to in between."""
        return min(max(kept, now), now + self.at_once * self.seconds)

    def wait(self, full_at: float, now: float) -> float:
        """Return for how many seconds no attempt is allowed; not above 0 if one is."""
        return full_at - now - (self.at_once - 1) * self.seconds


_OWN = _Limit(at_once=10, seconds=6)
_OVERALL = _Limit(at_once=100, seconds=1)
_MOST_KNOWN = 1000


class Throttle:
    """Limits the wrong keys that one address, and all addresses together, can try.

    Without the overall limit many addresses could try many keys. With it they could keep everybody
    else out, so an address from which somebody has signed in has only its own limit, and browsers
    that are signed in have none. IPv6 addresses count by their /64 network, of which one machine
    usually has all.

    Nobody can make the memory grow: only an allowed attempt is remembered, for a minute at most,
    and the overall limit bounds their number. The latest `most_known` addresses that signed in are
    known.
    """

    def __init__(self, now: Callable[[], float], most_known: int = _MOST_KNOWN) -> None:
        self._now = now
        self._most_known = most_known
        self._own: dict[str, float] = {}
        self._overall = -math.inf
        self._known: dict[str, None] = {}
        self._lock = threading.Lock()

    def attempt(self, address: str) -> int:
        """Count an attempt and return 0; or return for how many seconds none is allowed.

        It is called before the key is compared. So requests at the same moment stay within the
        limit, and a refusal does not depend on whether the key is right.
        """
        network, now = _network(address), self._now()
        with self._lock:
            self._own = {
                each: _OWN.full_at(kept, now) for each, kept in self._own.items() if kept > now
            }
            own = self._own.get(network, now)
            overall = self._overall = _OVERALL.full_at(self._overall, now)
            is_known = network in self._known
            wait = max(_OWN.wait(own, now), -math.inf if is_known else _OVERALL.wait(overall, now))
            if wait > 0:
                return math.ceil(wait)
            self._own[network] = own + _OWN.seconds
            self._overall += 0 if is_known else _OVERALL.seconds
        return 0

    def succeeded(self, address: str) -> None:
        """Forget the attempts of an address that knows the key, and know it from now on."""
        network = _network(address)
        with self._lock:
            self._own.pop(network, None)
            if network in self._known:
                del self._known[network]
            else:
                self._overall -= _OVERALL.seconds  # what the attempt added
            self._known[network] = None
            while len(self._known) > self._most_known:
                del self._known[next(iter(self._known))]

    def remembered(self) -> int:
        """Return how many addresses are in memory."""
        return len({*self._own, *self._known})


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)

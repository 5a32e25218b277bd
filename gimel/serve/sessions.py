"""Who is signed in to the dashboard, and how often a wrong key may be tried.

Both are kept in the memory of this process, in bounded size. Restarting `gimel serve` signs
everybody out.
"""

from __future__ import annotations

import ipaddress
import math
import secrets
import threading
from collections.abc import Callable

SECONDS_SIGNED_IN = 30 * 86_400


class Sessions:
    """The browsers that are signed in.

    A browser holds a random token as its cookie; this process knows until when the token is valid.
    So a session ends after 30 days or with its sign-out, whatever a browser or a thief keeps, and
    the cookie says nothing about the key.
    """

    def __init__(self, now: Callable[[], float], most: int = 10_000) -> None:
        self._now = now
        self._most = most
        self._ends: dict[str, float] = {}
        self._lock = threading.Lock()

    def start(self) -> str:
        """Return the token of a new session. Beyond the limit the oldest session ends."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._ends[token] = self._now() + SECONDS_SIGNED_IN
            while len(self._ends) > self._most:
                del self._ends[next(iter(self._ends))]
        return token

    def is_valid(self, token: str) -> bool:
        return self._ends.get(token, -math.inf) > self._now()

    def end(self, token: str) -> None:
        with self._lock:
            self._ends.pop(token, None)


class Throttle:
    """Limits how many keys one address can try: `attempts` in `seconds`, then none until they end.

    IPv6 addresses count by their /64 network, of which one machine usually has all. At most `most`
    addresses are remembered, the latest ones.
    """

    def __init__(
        self,
        now: Callable[[], float],
        attempts: int = 10,
        seconds: float = 60,
        most: int = 10_000,
    ) -> None:
        self._now = now
        self._attempts = attempts
        self._seconds = seconds
        self._most = most
        self._attempted: dict[str, tuple[float, int]] = {}  # since when, how often
        self._lock = threading.Lock()

    def attempt(self, address: str) -> int:
        """Count an attempt and return 0; or return for how many seconds no attempt is allowed.

        Counting before the key is compared keeps requests at the same moment within the limit.
        """
        network, now = _network(address), self._now()
        with self._lock:
            since, number = self._attempted.pop(network, (now, 0))
            if now - since >= self._seconds:
                since, number = now, 0
            allowed = number < self._attempts
            self._attempted[network] = (since, number + allowed)
            while len(self._attempted) > self._most:
                del self._attempted[next(iter(self._attempted))]
        return 0 if allowed else math.ceil(since + self._seconds - now)

    def succeeded(self, address: str) -> None:
        """Forget the attempts of an address that knows the key."""
        with self._lock:
            self._attempted.pop(_network(address), None)


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)

"""Whether a domain name leads to the API, seen from this machine. No API key is sent."""

from __future__ import annotations

import time
from collections.abc import Callable

from gimel.deploy.checks.findings import Finding, ok, warning
from gimel.deploy.checks.smoke import Fetch
from gimel.deploy.outputs import Endpoint

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0  # seconds


def check_domain(
    name: str,
    endpoint: Endpoint,
    fetch: Fetch,
    patience: float,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    on_wait: Callable[[str], None] = lambda reason: None,
) -> Finding:
    """Ask for the CORS preflight of an endpoint at a domain name, for `patience` seconds.

    A new name takes minutes until it is known everywhere. A name that does not lead to the API yet
    is therefore a warning: the API has other URLs.
    """
    deadline, wait = clock() + patience, _FIRST_WAIT
    while True:
        reply = fetch("OPTIONS", endpoint, {}, None)
        if reply.status == 200 and "GET" in reply.headers.get("access-control-allow-methods", ""):
            return ok(f"domain {name}", "it leads to the API")
        if clock() + wait > deadline:
            return warning(
                f"domain {name}",
                f"it does not lead to the API yet: {reply.describe()}",
                "The other URLs work. DNS changes can take minutes: `gimel status` shows when it "
                "works.",
            )
        on_wait(f"{name}: {reply.describe()}")
        sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)

"""The requests that pages really send, matched against the filter lists of ad blockers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import pytest
from playwright.sync_api import Browser, Route

from gimel.page.client import script
from gimel.page.snippet import ALEPHBET, snippet
from tests.page.filter_engine import Request, blocked
from tests.support.browser import Visitors

SITE = "https://www.shop.com/"
ELSEWHERE = "https://www.elsewhere.example/"
REST = "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod/e"
OLD = "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod/track"
BACKENDS = {
    "REST API": REST,
    "function URL": "https://abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-west-1.on.aws/",
    "own domain": "https://ab.shop.com/e",
}
ALEPHBET_URL = f"https://unpkg.com/alephbet@{ALEPHBET.version}/dist/alephbet.min.js"

HEAD = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>A shop</title>'
BUTTON = '<button class="buy-button">Buy</button>'


def printed(url: str) -> str:
    """Return a page with the snippet that Gimel prints."""
    return HEAD + snippet(url, "shop") + BUTTON


def own_client(url: str) -> str:
    """Return a page with gimel.js."""
    return f"""{HEAD}<script>{script()}</script><script>
      gimel({{ url: {json.dumps(url)}, namespace: "shop" }}).experiment({{
        name: "buy button colour",
        variants: {{ blue: {{}}, red: {{}} }},
        goals: {{ bought: ".buy-button" }},
      }});
    </script>{BUTTON}"""


def alephbet(url: str) -> str:
    """Return a page with AlephBet."""
    return f"""{HEAD}<script src="{ALEPHBET_URL}"></script>{BUTTON}<script>
      const bought = new AlephBet.Goal("bought");
      new AlephBet.Experiment({{
        name: "buy button colour",
        tracking_adapter: new AlephBet.GimelAdapter({json.dumps(url)}, "shop"),
        variants: {{ blue: {{ activate() {{}} }}, red: {{ activate() {{}} }} }},
      }}).add_goal(bought);
      document.querySelector("button").onclick = () => bought.complete();
    </script>"""


PAGES = {"printed snippet": printed, "gimel.js": own_client, "AlephBet": alephbet}


@dataclass(frozen=True)
class Sent:
    """A request of a page: `rest` is what follows the address of the backend, or the whole URL."""

    rest: str
    type: str
    to_backend: bool = True

    def at(self, backend: str) -> str:
        """Return its URL where the backend has this address."""
        return backend + self.rest if self.to_backend else self.rest


@pytest.fixture(scope="module")
def sent(chromium: Browser) -> Iterator[dict[str, list[Sent]]]:
    """The requests of each page whose visitor buys."""
    visitors = Visitors(chromium)
    yield {name: requests(visitors, page(REST)) for name, page in PAGES.items()}
    visitors.close()
    assert visitors.complaints == []


def requests(visitors: Visitors, page: str) -> list[Sent]:
    """Return the requests of a page whose visitor buys.

    The site, AlephBet's file and the backend are answered here: nothing is reached.
    """
    sent: list[Sent] = []
    events: list[str] = []

    def answer(route: Route) -> None:
        request = route.request
        headers = {"Access-Control-Allow-Origin": "*"}
        if request.url == SITE:
            route.fulfill(body=page, content_type="text/html")
        elif request.url.startswith(REST):
            events.append(f"{request.url} {request.post_data}")
            sent.append(Sent(request.url.removeprefix(REST), request.resource_type))
            route.fulfill(body='{"status": "ok"}', headers=headers)
        else:
            sent.append(Sent(request.url, request.resource_type, to_backend=False))
            body = (visitors.alephbet or b"") if request.url == ALEPHBET_URL else b""
            route.fulfill(body=body, content_type="text/javascript", headers=headers)

    context = visitors.browser(intercept=False)
    context.route("**/*", answer)
    tab = visitors.page(context)
    tab.goto(SITE)
    tab.click(".buy-button")
    # Two events: in one request or two, in a query or as JSON.
    for _ in range(1000):
        if len(re.findall(r'\bevent(?:=|":)', " ".join(events))) >= 2:
            break
        tab.wait_for_timeout(10)
    assert "participate" in events[0]
    return sent


def blocked_of(sent: list[Sent], backend: str) -> list[Sent]:
    """Return which are blocked on pages of the backend's own site, of the shop, or elsewhere."""
    tried = list(product(sent, (backend, SITE, ELSEWHERE)))
    outcomes = blocked([Request(each.at(backend), page, each.type) for each, page in tried])
    found = {each for (each, _), is_blocked in zip(tried, outcomes, strict=True) if is_blocked}
    return [each for each in sent if each in found]


@pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS)
def test_no_request_is_blocked(sent: dict[str, list[Sent]], backend: str) -> None:
    """Neither a client nor its events are, on any site."""
    assert sum(map(len, sent.values())) >= 4
    assert blocked_of([each for page in sent.values() for each in page], backend) == []


def test_alephbet_is_blocked_at_the_path_of_1_5_0(sent: dict[str, list[Sent]]) -> None:
    """It sends events in the query; gimel.js sends none, and is not blocked."""
    alephbets = [each for each in sent["AlephBet"] if each.to_backend]

    assert len(alephbets) == 2
    assert blocked_of(alephbets, OLD) == alephbets
    assert blocked_of(sent["gimel.js"], OLD) == []

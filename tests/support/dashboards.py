"""The dashboard of a `gimel serve` with simulated experiments: addresses, sign-in, tables, axe."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from playwright.sync_api import BrowserContext, Page

from tests.support import crowd
from tests.support.npm import package
from tests.support.served import Served
from tests.support.servers import Store

KEY = "the-key-of-these-tests"

SIMULATED: dict[str, tuple[crowd.Variants, int]] = {
    "button": (
        {
            "blue": (9000, {"buy": 900, "sign up": 450}),
            "red": (9020, {"buy": 1250, "sign up": 470}),
        },
        16,
    ),
    "checkout": ({"original": (9000, {"buy": 1500}), "short": (9050, {"buy": 1000})}, 16),
    "footer": ({"control": (20_000, {"look": 10_000}), "short": (20_030, {"look": 10_030})}, 16),
    "banner": (
        {
            "control": (2000, {"buy": 100}),
            "green": (2010, {"buy": 110}),
            "grey": (1990, {"buy": 95}),
        },
        16,
    ),
    "headline": ({"control": (6200, {"buy": 300}), "question": (5000, {"buy": 320})}, 16),
    "form": (
        {
            "long": (9000, {"buy": 900, "look": 1250}),
            "short": (9020, {"buy": 1250, "look": 900}),
        },
        16,
    ),
    "menu": ({"control": (60_000, {"look": 6000}), "icons": (60_000, {"look": 6030})}, 1),
    "photos": ({"control": (3000, {"buy": 600}), "large": (3000, {"buy": 690})}, 16),
    "pop-up": ({"control": (500, {"buy": 0}), "late": (510, {"buy": 0})}, 16),
    "prices": ({"yearly": (400, {"buy": 20})}, 16),
    "search": ({}, 16),
    "sizes": ({"control": (3000, {"buy": 300}), "large": (3000, {"buy": 500})}, 16),
    "tax": (
        {
            "with": (9020, {"buy": 1250, "call": 900, "look": 5010, "refund": 450}),
            "without": (9000, {"buy": 900, "call": 900, "look": 5000, "refund": 300}),
        },
        16,
    ),
    "video": ({"control": (300, {"play": 700}), "video": (310, {"play": 900})}, 16),
}
"""Experiments by name: the visitors and conversions of each variant, and the precision."""

CONFIGURATION: dict[str, Any] = {
    "experiments": {
        "button": {"control": "blue"},
        "menu": {"lift": 0.03},
        "photos": {"lift": 0.5, "visitors": 9000},
        "tax": {
            "control": "without",
            "goal": "buy",
            "guardrails": ["call", "refund"],
            "decrease": ["refund"],
            "lift": 0.25,
        },
    }
}
"""The designs with which these experiments have every verdict."""

YOUNGEST = "sizes"
"""The experiment that began today: no variant of it can be the winner yet."""

_AXE = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await axe.run(document, { runOnly: tags });
  const shown = each => each.nodes.map(node => node.html.slice(0, 120)).join(" | ");
  return violations.map(each => `${each.id}: ${shown(each)}`);
}"""


def simulate(store: Store) -> None:
    """Count all simulated experiments."""
    with store.client() as client:
        for name, (variants, precision) in SIMULATED.items():
            crowd.count(client, "alephbet", name, variants, precision)
        client.hset(f"alephbet:{YOUNGEST}:meta", "since", int(time.time()))
        client.hset("alephbet:video:meta", "ignored:limit reached", 41)
        client.hset("alephbet:video:meta", "ignored:bot", 7)


def address(gimel: Served, path: str = "", **query: str) -> str:
    """Return the address of a page of the dashboard."""
    return f"{gimel.url}/dashboard{path}{'?' if query else ''}{urlencode(query)}"


def sign_in(page: Page, gimel: Served, key: str = KEY) -> None:
    """Type the key and send the form."""
    page.goto(address(gimel))
    page.locator("input[name=key]").fill(key)
    page.locator("form[action$='/sign-in'] button").click()


def sign_in_over_http(gimel: Served, key: str = KEY) -> str:
    """Return the session cookie of a browser that has signed in."""
    answer = httpx.post(address(gimel, "/sign-in"), data={"key": key})
    assert answer.status_code == 303, answer.text
    return str(answer.cookies[_cookie_name(gimel)])


def add_cookie(context: BrowserContext, gimel: Served, cookie: str) -> None:
    """Sign a browser in with the cookie of another one."""
    context.add_cookies([{"name": _cookie_name(gimel), "value": cookie, "url": gimel.url}])


def cells(page: Page, caption: str) -> list[list[str]]:
    """Return the text of a table's body, row by row."""
    table = page.locator(
        "table", has=page.locator("caption", has_text=re.compile(f"^{re.escape(caption)}$"))
    )
    rows: list[list[str]] = table.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
    )
    return rows


def load_axe(page: Page) -> None:
    """Make axe-core known to a page, whose content security policy would refuse a script tag."""
    page.evaluate((package("axe-core", "4.10.3") / "axe.min.js").read_text("utf-8"))


def violations(page: Page) -> list[str]:
    """Return what axe-core finds on a page against WCAG 2.2 AA and its own best practices."""
    found: list[str] = page.evaluate(_AXE)
    return found


def _cookie_name(gimel: Served) -> str:
    return f"gimel-{urlsplit(gimel.url).port}"

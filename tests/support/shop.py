"""A shop that pastes the snippet into its page, and its visitors."""

from __future__ import annotations

from playwright.sync_api import Page

from gimel.page.snippet import snippet
from tests.support.served import Served

EXPERIMENT = "buy button colour"
ADAPTERS = ("GimelAdapter", "LamedAdapter")


def shop(
    gimel: Served, namespace: str, adapter: str = "GimelAdapter", options: str = "", more: str = ""
) -> str:
    """Return a page with a button to buy, and the snippet with AlephBet.

    `options` go into the snippet's experiment, `more` to the end of the page.
    """
    pasted = snippet(gimel.track_url, namespace, alephbet=True).replace("GimelAdapter", adapter)
    pasted = pasted.replace("    control:", f"    {options} control:")
    head = (
        '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>A shop</title>'
    )
    return f'{head}<button class="buy-button">Buy</button>{pasted}{more}'


def variant(page: Page) -> str:
    """Return the variant as a visitor sees it."""
    return str(page.evaluate("document.documentElement.dataset.buyButton"))


def buy(page: Page) -> None:
    page.evaluate("document.querySelector('.buy-button').click()")

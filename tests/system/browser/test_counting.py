"""What visitors do in a real browser is what the API counts, nothing less and nothing twice."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.browser import Site, Visitors, wait_until_sent
from tests.support.served import Served
from tests.support.shop import ADAPTERS, buy, shop, variant

VISITORS = 20

# Each visitor of this page does something else, and the page records what: the variant that is
# seen, and the goals reached.
CROWD = """<script>
  const seen = document.documentElement.dataset.buyButton;
  const done = { variant: seen, bought: 0, "signed up": 0, looked: 0 };
  const button = document.querySelector(".buy-button");
  if (Math.random() < 0.4) {
    done.bought = 1;
    for (let clicks = Math.random() * 3; clicks > 0; clicks--) button.click();
  }
  if (Math.random() < 0.5) { done["signed up"] = 1; gimelClient.goal("signed up"); }
  for (let looks = Math.random() * 3; looks > 1; looks--) {
    done.looked++;
    gimelClient.goal("looked", { unique: false });
  }
</script>"""


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_counts_equal_what_many_visitors_did(
    gimel: Served, site: Site, visitors: Visitors, adapter: str
) -> None:
    """With empty storages they get variants and reach goals; the results are exactly that."""
    site.pages["/crowd"] = shop(gimel, f"crowd {adapter}", adapter, more=CROWD)
    page = visitors.page()
    did: dict[str, Counter[str]] = {
        goal: Counter() for goal in ("participate", "bought", "signed up", "looked")
    }

    for _ in range(VISITORS):
        page.goto(f"{site.origin}/crowd")
        wait_until_sent(page)
        done = page.evaluate("() => { localStorage.clear(); return done; }")
        did["participate"][done["variant"]] += 1
        for goal in ("bought", "signed up", "looked"):
            did[goal][done["variant"]] += done[goal]

    assert gimel.counts(f"crowd {adapter}") == did
    assert visitors.complaints == []
    assert did["participate"].total() == VISITORS
    assert min(min(counts.values()) for counts in did.values()) > 1


def test_a_reload_and_a_second_tab_count_nothing_twice(
    gimel: Served, site: Site, visitors: Visitors
) -> None:
    """A visitor stays one visitor, with one variant, on every page of every tab."""
    site.pages["/shop"] = shop(gimel, "tabs")
    browser = visitors.browser()
    first = visitors.page(browser)
    first.goto(f"{site.origin}/shop")
    buy(first)
    wait_until_sent(first)
    given = variant(first)

    first.reload()
    buy(first)
    second = visitors.page(browser)
    second.goto(f"{site.origin}/shop")
    buy(second)
    buy(second)
    for tab in (first, second):
        wait_until_sent(tab)

    assert [variant(first), variant(second)] == [given, given]
    assert gimel.counts("tabs") == {"participate": {given: 1}, "bought": {given: 1}}


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_user_id_counts_once_across_two_browsers(
    gimel: Served, site: Site, visitors: Visitors, adapter: str
) -> None:
    """A logged-in visitor gets one variant in every browser, participates once and buys once."""
    namespace = f"users {adapter}"
    given: dict[str, list[str]] = {}
    for user in ("ann", "bob"):
        site.pages["/shop"] = shop(gimel, namespace, adapter, options=f'user_id: "{user}",')
        for _ in range(2):
            page = visitors.page()
            page.goto(f"{site.origin}/shop")
            buy(page)
            wait_until_sent(page)
            given.setdefault(user, []).append(variant(page))

    assert all(first == second for first, second in given.values())
    once = Counter(first for first, _ in given.values())
    assert gimel.counts(namespace) == {"participate": once, "bought": once}

"""gimel.js in a real browser, with a real backend: what visitors do is what is counted."""

from __future__ import annotations

import json
from collections import Counter

from playwright.sync_api import Page

from gimel.page.client import script
from tests.support.browser import Site, Visitors
from tests.support.served import Served
from tests.support.servers import wait_until

HEAD = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>A shop</title>'
COLOURS = """{
  blue: {},
  red: { activate() { document.documentElement.dataset.buyButton = "red"; } },
}"""


def shop(gimel: Served, namespace: str, variants: str = COLOURS, before: str = "") -> str:
    """Return a page with a button to buy and a form, and with the client inlined."""
    options = json.dumps({"url": gimel.track_url, "namespace": namespace})
    return f"""{HEAD}{before}<script>{script()}</script><script>
      const client = gimel({options});
      const experiment = client.experiment({{
        name: "buy button",
        variants: {variants},
        goals: {{ bought: ".buy", "signed up": "form" }},
      }});
    </script>
    <button class="buy"><b>Buy</b></button>
    <form onsubmit="return false"><input required><button id="send">Send</button></form>"""


def queue(page: Page) -> list[str]:
    """Return the keys of the events that the page's storage keeps."""
    kept = page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('gimel:queue:'))")
    return list(kept)


def wait_until_sent(page: Page) -> None:
    page.evaluate("""async () => {
      for (let tries = 0; tries < 1000; tries++) {
        if (!Object.keys(localStorage).some(key => key.startsWith("gimel:queue:"))) return;
        await new Promise(done => setTimeout(done, 10));
      }
      throw new Error("not sent in 10 s");
    }""")


def variant(page: Page) -> str:
    return str(page.evaluate("experiment.variant"))


def test_counts_equal_what_visitors_did(
    gimel: Served, site: Site, quiet_visitors: Visitors
) -> None:
    """With empty storages they get variants that show, and reach goals by click, form and call."""
    site.pages["/own"] = shop(gimel, "own crowd")
    page = quiet_visitors.page()
    did: dict[str, Counter[str]] = {}
    for number in range(8):
        page.goto(f"{site.origin}/own")
        given = variant(page)
        assert page.evaluate("document.documentElement.dataset.buyButton ?? 'blue'") == given
        goals = ["participate"]
        if number % 2:
            goals.append("bought")
            page.click("b")
            page.click("b")
        if number % 3:
            goals.append("signed up")
            page.evaluate("send.click(); document.querySelector('input').value = 'a'; send.click()")
        if number % 5:
            goals.append("looked")
            page.evaluate("client.goal('looked')")
        wait_until_sent(page)
        page.evaluate("localStorage.clear()")
        for goal in goals:
            did.setdefault(goal, Counter())[given] += 1

    assert gimel.counts("own crowd") == did
    assert len(did["participate"]) == 2


def test_two_tabs_are_one_visitor(gimel: Served, site: Site, quiet_visitors: Visitors) -> None:
    """At once, then with goals in both and a reload: one variant, each goal once."""
    site.pages["/own"] = shop(gimel, "own tabs")
    context = quiet_visitors.browser()
    tabs = [quiet_visitors.page(context) for _ in range(2)]
    for tab in tabs:
        tab.goto(f"{site.origin}/own", wait_until="commit")
    for tab in tabs:
        tab.click("b")
        tab.evaluate("client.goal('looked')")
    tabs[0].reload()
    for tab in tabs:
        tab.click("b")
        wait_until_sent(tab)

    given = variant(tabs[0])
    assert gimel.counts("own tabs") == {
        goal: {given: 1} for goal in ("participate", "bought", "looked")
    }


def test_a_goal_counts_when_the_tab_closes_right_after_it(
    gimel: Served, site: Site, quiet_visitors: Visitors
) -> None:
    """And when the visitor leaves for another page, with no page of the site afterwards."""
    site.pages["/own"] = shop(gimel, "own closing")
    did: Counter[str] = Counter()
    for number in range(4):
        # A Playwright that intercepts requests loses those of a page that has ended.
        page = quiet_visitors.page(intercept=False)
        page.goto(f"{site.origin}/own")
        did[variant(page)] += 1
        if number % 2:
            page.evaluate("document.querySelector('.buy').click(); location = 'about:blank'")
        else:
            page.evaluate("document.querySelector('.buy').click()")
            page.close()

    wait_until(lambda: gimel.counts("own closing") == {"participate": did, "bought": did})


def test_without_storage_a_page_is_a_visitor(gimel: Served, site: Site, visitors: Visitors) -> None:
    """In a frame without an origin, where the browser refuses storage and locks."""
    page = visitors.page()
    site.pages["/own"] = shop(gimel, "own blocked")
    site.pages["/frame"] = f'{HEAD}<iframe sandbox="allow-scripts" src="/own"></iframe>'
    did: Counter[str] = Counter()
    for _ in range(3):
        page.goto(f"{site.origin}/frame")
        frame = page.frames[1]
        frame.wait_for_load_state()
        assert frame.evaluate("(() => { try { localStorage } catch (e) { return e.name } })()")
        did[frame.evaluate("experiment.variant")] += 1
        frame.evaluate("client.goal('looked'); client.goal('looked')")
    # The test's own script, which seeds random numbers, is refused as well.
    assert [each for each in visitors.complaints if "'sessionStorage'" not in each] == []

    page.goto("about:blank")
    wait_until(lambda: gimel.counts("own blocked") == {"participate": did, "looked": did})


def test_a_variant_that_throws_counts_nobody_twice(
    gimel: Served, site: Site, visitors: Visitors
) -> None:
    """Over several page views each visitor is in one arm, and the error is counted beside it."""
    broken = "{ blue: {}, red: { activate() { missing.element.click(); } } }"
    site.pages["/own"] = shop(gimel, "own broken", broken)
    page = visitors.page()
    did: Counter[str] = Counter()
    for _ in range(5):
        for _ in range(2):
            page.goto(f"{site.origin}/own")
        did[variant(page)] += 1
        wait_until_sent(page)
        page.evaluate("localStorage.clear()")

    assert gimel.counts("own broken") == {
        "participate": did,
        "gimel:error": {"blue": 0, "red": did["red"]},
    }
    assert min(did["blue"], did["red"]) > 0
    assert {complaint.partition(":")[0] for complaint in visitors.complaints} == {"console"}


def test_what_happens_offline_is_counted_afterwards(
    gimel: Served, site: Site, visitors: Visitors
) -> None:
    """Without another page view, as soon as the browser is online."""
    site.pages["/own"] = shop(gimel, "own offline")
    page = visitors.page()
    page.goto(f"{site.origin}/own")
    wait_until_sent(page)
    page.context.set_offline(True)
    with page.expect_event("requestfailed"):
        page.click("b")
    assert len(queue(page)) == 1
    page.context.set_offline(False)
    wait_until_sent(page)

    given = variant(page)
    assert gimel.counts("own offline") == {"participate": {given: 1}, "bought": {given: 1}}


def test_a_strict_policy_and_a_tracing_tool_do_no_harm(
    gimel: Served, site: Site, quiet_visitors: Visitors
) -> None:
    """Under a Content-Security-Policy with a nonce, and with a `fetch` that adds headers."""
    policy = f"default-src 'none'; img-src data:; script-src 'nonce-n'; connect-src {gimel.url}"
    before = f"""<meta http-equiv="Content-Security-Policy" content="{policy}">
      <script>
        const real = window.fetch;
        window.fetch = function (url, options) {{
          const headers = new Headers(options.headers);
          headers.set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
          return real.call(this, url, {{ ...options, headers }});
        }};
      </script>"""
    page = shop(gimel, "own policy", before=before).replace("<script>", "<script nonce=n>")
    site.pages["/own"] = page.replace(' onsubmit="return false"', "")
    tab = quiet_visitors.page(intercept=False)
    tab.goto(f"{site.origin}/own")
    wait_until_sent(tab)

    assert gimel.counts("own policy") == {"participate": {variant(tab): 1}}

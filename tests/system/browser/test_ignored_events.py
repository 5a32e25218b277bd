"""Events that are not counted, sent by a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from tests.support.browser import Site, Visitors, queue, start_browser, wait_until_sent
from tests.support.served import Served, serving
from tests.support.servers import Store
from tests.support.shop import buy, shop, variant


def test_a_bot_is_refused_for_good(
    gimel: Served, site: Site, visitors: Visitors, chromium: Browser
) -> None:
    """A headless Chromium that says so is not counted but recorded, and sends nothing again."""
    site.pages["/shop"] = shop(gimel, "bots")
    person = visitors.page()
    person.goto(f"{site.origin}/shop")
    wait_until_sent(person)
    headless = start_browser(chromium.browser_type)
    bots = Visitors(headless)
    bot = bots.page()
    bot.goto(f"{site.origin}/shop")
    wait_until_sent(bot)
    user_agent = bot.evaluate("navigator.userAgent")
    headless.close()

    _, experiment = gimel.experiments(namespace="bots")
    assert "HeadlessChrome" in user_agent
    assert gimel.counts("bots") == {"participate": {variant(person): 1}}
    assert experiment["ignored"] == {"bot": 1}
    assert bots.complaints == []


def test_an_experiment_that_is_not_allowed_is_refused_for_good(
    tmp_path: Path, session_store: Store, site: Site, visitors: Visitors
) -> None:
    """The events of an experiment off the allow-list leave the queue instead of coming again."""
    configuration = {"allowed_experiments": ["another"]}
    with serving(tmp_path, "--redis", session_store.url, configuration=configuration) as gimel:
        gimel.track("allowed", experiment="another", variant="a", event="participate", uuid="1")
        site.pages["/shop"] = shop(gimel, "allowed")
        page = visitors.page()
        page.goto(f"{site.origin}/shop")
        wait_until_sent(page)

        (meta, another) = gimel.experiments(namespace="allowed")
        assert another["experiment"] == "another"
        assert meta["meta"]["ignored"] == {"experiment not allowed": 1}
        assert visitors.complaints == []


def test_a_malformed_event_stays_in_the_queue_and_blocks_no_other(
    gimel: Served, site: Site, visitors: Visitors
) -> None:
    """AlephBet drops an event on exactly 200; one answered 400 comes with every page, with why."""
    too_long = "x" * 201
    site.pages["/shop"] = shop(
        gimel, "malformed", more=f'<script>gimelClient.goal("{too_long}")</script>'
    )
    page = visitors.page()
    with page.expect_response(lambda answer: answer.status == 400):
        page.goto(f"{site.origin}/shop")
    with page.expect_response(lambda answer: answer.status == 400) as refusal:
        page.reload()
    with page.expect_response(lambda answer: answer.status == 200):
        buy(page)
    page.wait_for_function(
        "JSON.parse(JSON.parse(localStorage.alephbet)._gimel_queue).length === 1"
    )

    assert (
        "event"
        in page.evaluate("url => fetch(url).then(answer => answer.json())", refusal.value.url)[
            "error"
        ]
    )
    assert [event["event"] for event in queue(page)] == [too_long]
    assert gimel.counts("malformed") == {
        "participate": {variant(page): 1},
        "bought": {variant(page): 1},
    }

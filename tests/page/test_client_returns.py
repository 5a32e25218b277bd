"""gimel.js in the cases that are rare: a clock set back, a page that comes back, invalid events."""

from __future__ import annotations

import gimel
from tests.page.node import scenario


def test_a_clock_that_is_set_back_ends_the_pause() -> None:
    """A pause of a month would be a timer that browsers run at once, over and over."""
    found = scenario("""
        browser.now += 400 * DAY;
        browser.answer = () => 503;
        browser.open().run(START + BUTTON);
        await browser.pass();
        browser.now -= 400 * DAY;
        browser.timers = [];
        browser.answer = () => 200;
        browser.open().run(START);
        await browser.pass();
        return { requests: browser.sent.length, kept: browser.queue() };
    """)

    assert found == {"requests": 2, "kept": []}


def test_a_page_that_comes_back_tries_again_with_pauses() -> None:
    """The browser kept it for the back button. Its timers run again when it is shown."""
    found = scenario("""
        browser.answer = () => 503;
        const page = browser.open();
        page.run(START + BUTTON);
        page.happens("pagehide");
        await browser.pass(MINUTE);
        const times = browser.sent.length;
        browser.answer = () => 200;
        await browser.pass(5 * MINUTE);
        return { times, kept: browser.queue() };
    """)

    assert 3 <= found["times"] <= 6
    assert found["kept"] == []


def test_an_experiment_that_starts_later_takes_the_id_that_was_kept() -> None:
    """Two tabs began at once, and the other one's id was kept: the variant and the uuid fit."""
    found = scenario("""
        const seen = [];
        for (let attempt = 0; attempt < 8; attempt++) {
          const browser = new Browser(), stored = {};
          const first = browser.open("", { stored });
          first.run(START);
          const second = browser.open("", { tab: "b" });
          second.run(START);
          Object.assign(stored, browser.stored);
          first.run(BUTTON);
          await browser.pass();
          seen.push([second.run("client.visitor"), first.run("button.variant")]);
        }
        return seen;
    """)

    weights = {"blue": 1, "red": 1}
    assert [variant for _, variant in found] == [
        gimel.assign("button", visitor, weights) for visitor, _ in found
    ]


def test_invalid_events_do_not_hold_up_others() -> None:
    """A batch of invalid events is answered 400. The next page tries them again."""
    found = scenario("""
        browser.answer = (body) => (body.every(({ event }) => event == "") ? 400 : 200);
        const page = browser.open();
        page.run(START + BUTTON);
        await browser.pass(MINUTE);
        page.run(`button.goal("")`);
        await browser.pass(MINUTE);
        const refused = browser.sent.length;
        page.run(`button.goal("bought")`);
        await browser.pass(MINUTE);
        const sent = browser.sent.length;
        browser.open().run(START + BUTTON);
        await browser.pass(MINUTE);
        return { refused, sent, after: browser.sent.length, kept: browser.queue().length };
    """)

    assert {name: found[name] for name in ("refused", "sent", "after")} == {
        "refused": 2,
        "sent": 3,
        "after": 4,
    }
    assert found["kept"] == 1

"""What gimel.js shows, stores and sends, in node with an imitated browser."""

from __future__ import annotations

import pytest

import gimel
from gimel.page.assignment import event_uuid
from tests.page.node import scenario


def test_a_visitor_takes_part_once_and_keeps_the_variant() -> None:
    """On each page and in each tab; goals by click, by form and by call count once, too."""
    found = scenario("""
        const variants = new Set();
        for (const tab of ["a", "b", "a"]) {
          const page = browser.open("", { tab });
          page.run(START + BUTTON);
          await browser.pass();
          page.happens("click", { target: element([".buy"]) });
          page.happens("click", { target: element([".other"]) });
          page.happens("submit", { target: element(["form.sign-up"], "FORM") });
          page.happens("click", { target: {} });
          page.run("button.goal('looked'); client.goal('looked');");
          await browser.pass();
          variants.add(page.run("button.variant")).add(page.run("shown.join()"));
        }
        return { events: browser.events(), variants: [...variants], requests: browser.sent.length };
    """)
    (variant,) = found["variants"]

    assert found["events"] == [
        ["button", variant, goal] for goal in ("participate", "bought", "signed up", "looked")
    ]
    assert found["requests"] == 2


def test_only_submitting_a_form_reaches_its_goal() -> None:
    """A click into it does not, and neither does submitting a form around a button."""
    found = scenario("""
        const page = browser.open();
        page.run(START + BUTTON);
        page.happens("click", { target: element(["form.sign-up"], "FORM") });
        page.happens("submit", { target: element([".buy"]) });
        await browser.pass();
        return browser.events().map(([, , event]) => event);
    """)

    assert found == ["participate"]


def test_the_events_of_one_task_are_one_request_that_needs_no_preflight() -> None:
    """A POST without added headers, cookies or a query, which survives the page."""
    (request,) = scenario("""
        browser.open().run(START + BUTTON + "client.goal('a'); client.goal('b');");
        await browser.pass();
        return browser.sent;
    """)

    assert request["url"] == "https://host/e"
    body = request["options"].pop("body")
    assert body.startswith('[{"namespace":"shop","experiment":"button",')
    assert request["options"] == {"method": "POST", "credentials": "omit", "keepalive": True}
    assert [set(event) for event in request["events"]] == [
        {"namespace", "experiment", "variant", "event", "uuid"}
    ] * 3


def test_the_variant_and_the_uuids_are_those_of_python() -> None:
    """For a visitor whose id the server knows, and for the random id of the browser."""
    known, unknown, empty = scenario("""
        const seen = [];
        for (const options of ['visitor: "Zoë 7"', "", 'visitor: ""']) {
          const page = browser.open();
          page.run(`var client = gimel({ url: "u", ${options} });` + BUTTON + "client.goal('a');");
          await browser.pass();
          seen.push([page.run("client.visitor"), ...browser.sent.pop().events]);
          browser.stored = {};
        }
        return seen;
    """)

    assert known[0] == "Zoë 7"
    assert unknown[0] != empty[0] != ""
    for visitor, *events in (known, unknown, empty):
        variant = gimel.assign("button", visitor, {"blue": 1, "red": 1})
        for event in events:
            assert event["variant"] == variant
            assert event["uuid"] == event_uuid("alephbet", "button", event["event"], visitor)
    assert len(empty) == 3


@pytest.mark.parametrize(
    "answer", ["503", "403", "404", "202", "204", "Promise.reject(new Error('offline'))"]
)
def test_an_event_is_kept_until_status_200(answer: str) -> None:
    """With longer and longer pauses, also over pages; then it is sent again and removed."""
    found = scenario(f"""
        browser.answer = () => {answer};
        browser.open().run(START + BUTTON);
        await browser.pass(5 * MINUTE);
        const times = browser.sent.length;
        browser.open().run(START + BUTTON);
        await browser.pass();
        const afterwards = browser.sent.length;
        browser.answer = () => 200;
        await browser.pass(20 * MINUTE);
        const kept = browser.queue();
        await browser.pass(DAY);
        const uuids = browser.sent.map((each) => each.events[0].uuid);
        return {{ times, afterwards, kept, uuids }};
    """)

    assert 4 <= found["times"] <= 8
    assert found["afterwards"] == found["times"]
    assert found["kept"] == []
    assert len(set(found["uuids"])) == 1
    assert len(found["uuids"]) <= found["times"] + 2


def test_an_event_is_given_up_after_seven_days() -> None:
    """Not before."""
    found = scenario("""
        browser.answer = () => 503;
        browser.open().run(START + BUTTON);
        const kept = [];
        for (const time of [6.9 * DAY, 0.2 * DAY]) {
          await browser.pass(time);
          browser.open().run(START);
          kept.push(browser.queue().length);
        }
        return kept;
    """)

    assert found == [1, 0]


def test_being_online_again_ends_the_pause() -> None:
    """The browser says so."""
    found = scenario("""
        browser.answer = () => Promise.reject(new Error("offline"));
        const page = browser.open();
        page.run(START + BUTTON);
        await browser.pass(MINUTE);
        browser.answer = () => 200;
        const before = browser.sent.length;
        page.happens("online");
        await browser.pass();
        return browser.sent.length - before;
    """)

    assert found == 1


def test_a_page_that_ends_sends_at_once() -> None:
    """What happened in its last task is not left to the next page. What is under way is not sent
    twice."""
    found = scenario("""
        const page = browser.open();
        page.run(START + BUTTON);
        await browser.pass();
        page.run("button.goal('bought')");
        page.happens("pagehide");
        const at_once = browser.events().map(([, , event]) => event);
        page.happens("pagehide");
        await browser.pass();
        return { at_once, all: browser.events().length };
    """)

    assert found == {"at_once": ["participate", "bought"], "all": 2}


def test_a_request_that_the_end_of_the_page_cancels_is_no_reason_to_wait() -> None:
    """The next page sends its events at once."""
    found = scenario("""
        browser.answer = () => Promise.reject(new Error("cancelled"));
        const page = browser.open();
        page.run(START + BUTTON);
        page.happens("pagehide");
        await new Promise(setImmediate);
        browser.timers = []; // they do not run in a page that ended
        browser.answer = () => 200;
        browser.open().run(START + BUTTON + "client.goal('bought')");
        await browser.pass();
        return browser.sent.map(({ events }) => events.map(({ event }) => event).sort());
    """)

    assert found == [["participate"], ["bought", "participate"]]


def test_a_hundred_events_go_into_a_request() -> None:
    """The backend takes no more. Browsers refuse long bodies that outlive the page."""
    found = scenario("""
        browser.open().run(START + BUTTON + `
          for (let n = 0; n < 149; n++) client.goal("looked".repeat(20), { unique: false });
        `);
        await browser.pass();
        return browser.sent.map(({ events, options }) => [events.length, options.keepalive]);
    """)

    assert found == [[100, False], [50, True]]


@pytest.mark.parametrize("has_locks", ["true", "false"])
def test_tabs_send_each_event_once(has_locks: str) -> None:
    """With locks one tab sends at a time. Without, an event may be sent again, with its uuid."""
    found = scenario(f"""
        browser.hasLocks = {has_locks};
        browser.answer = () => new Promise((answer) => {{
          browser.timers.push({{ at: browser.now + 1000, run: () => answer(200) }});
        }});
        const pages = ["a", "b", "c"].map((tab) => browser.open("", {{ tab }}));
        pages.forEach((page) => page.run(START + BUTTON));
        await browser.pass();
        pages.forEach((page, n) => page.run(`button.goal("goal ${{n}}")`));
        await browser.pass(MINUTE);
        const uuids = browser.sent.flatMap((each) => each.events.map((event) => event.uuid));
        return {{ uuids, requests: browser.sent.length }};
    """)

    assert len(set(found["uuids"])) == 4
    if has_locks == "true":
        assert len(found["uuids"]) == 4
        assert found["requests"] == 2


def test_a_first_visit_in_two_tabs_at_once_is_one_visitor() -> None:
    """Neither tab has seen what the other one stored. One id is kept, and counts alone."""
    found = scenario("""
        const counted = new Set(), later = new Set();
        for (let attempt = 0; attempt < 10; attempt++) {
          const browser = new Browser(), stored = {};
          const pages = [browser.open("", { tab: "a" }), browser.open("", { tab: "b", stored })];
          pages.forEach((page) => page.run(START + BUTTON));
          Object.assign(browser.stored, stored);
          Object.assign(stored, browser.stored);
          await browser.pass();
          pages.forEach((page) => page.run("client.goal('a')"));
          await browser.pass();
          counted.add(new Set(browser.sent.flatMap((each) => each.events.map((e) => e.uuid))).size);
          later.add(new Set(browser.events().map(([, variant]) => variant)).size);
        }
        return { counted: [...counted], variants: [...later] };
    """)

    assert found == {"counted": [2], "variants": [1]}


@pytest.mark.parametrize("way", ["throw new Error('broken')", "return Promise.reject('broken')"])
def test_a_variant_that_fails_is_counted_once_and_the_control_is_shown(way: str) -> None:
    """In the arm that it belongs to, with an event for the error, over five page views."""
    found = scenario(f"""
        const shown = [], errors = [];
        for (let view = 0; view < 5; view++) {{
          const page = browser.open();
          page.run(START + `client.experiment({{
            name: "e",
            variants: {{
              old: {{ weight: 0, activate() {{ shown.push("old"); }} }},
              new: {{ activate() {{ shown.push("new"); {way}; }} }},
            }},
          }});`);
          await browser.pass();
          shown.push(page.run("shown.join()"));
          errors.push(...page.errors);
        }}
        return {{ shown, errors: errors.length, events: browser.events() }};
    """)

    assert found == {
        "shown": ["new,old"] * 5,
        "errors": 5,
        "events": [["e", "new", "participate"], ["e", "new", "gimel:error"]],
    }


def test_a_visitor_is_stored_before_the_variant_is_activated() -> None:
    """A page that dies in `activate` leaves a participant who keeps the variant."""
    stored = scenario("""
        let stored;
        const page = browser.open();
        page.window.look = () => { stored = Object.values(browser.stored).join(); };
        page.run(START + `client.experiment({ name: "e", variants: { a: { activate: look } } });`);
        return stored;
    """)

    assert '"event":"participate"' in stored
    assert '[0,"a","participate"]' in stored


@pytest.mark.parametrize("trouble", ["blocked", "full"])
def test_without_storage_everything_works_within_the_page(trouble: str) -> None:
    """A goal is counted once, for the variant that is shown, and nothing is thrown."""
    found = scenario(f"""
        browser.{trouble} = true;
        const page = browser.open();
        page.run(START + BUTTON + "client.goal('a'); client.goal('a');");
        await browser.pass();
        page.run(BUTTON + "client.goal('a'); client.goal('b');");
        await browser.pass(DAY);
        return {{ events: browser.events(), shown: page.run("shown.join()"), errors: page.errors }};
    """)

    variant = found["shown"].split(",")[0]
    assert found["shown"] == f"{variant},{variant}"
    assert found["events"] == [["button", variant, event] for event in ("participate", "a", "b")]
    assert found["errors"] == []


def test_damaged_storage_is_ignored() -> None:
    """Other scripts may write anything under any name."""
    found = scenario("""
        for (const text of ["", "{", "null", "5", "[]", '["x"]', "[9e15]"]) {
          browser.stored = Object.fromEntries(
            ["visitor", "off", "wait", "queue:x", "experiment:shop:button"]
              .map((name) => [`gimel:${name}`, text])
          );
          browser.stored.alephbet = text;
          const page = browser.open();
          page.run(START + BUTTON);
          await browser.pass();
        }
        return browser.events().map(([, , event]) => event);
    """)

    assert found == ["participate"] * 7

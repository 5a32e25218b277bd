"""Who takes part according to gimel.js: options, the address of the page, consent."""

from __future__ import annotations

import pytest

import gimel
from gimel.page.assignment import in_sample
from tests.page.node import scenario

NOTHING = {"stored": [], "sent": 0}


def test_an_address_forces_a_variant_and_counts_nothing() -> None:
    """No experiment of the page counts. The visitor's own variant is as before."""
    found = scenario(
        """
        const seen = [];
        for (const search of ["?gimel=button:red", "?gimel=button%3Ablue&x", "?gimel=other:red"]) {
          const page = browser.open(search);
          page.run(START + BUTTON + "client.goal('a');");
          await browser.pass(DAY);
          seen.push(page.run("button.variant + shown"));
        }
        const kept = Object.keys(browser.stored);
        const page = browser.open();
        page.run(START + BUTTON);
        await browser.pass();
        return { seen, kept, sent: browser.events(), later: page.run("button.variant") };
        """
    )

    assert found["seen"] == ["redred", "blueblue", found["later"] * 2]
    assert found["kept"] == ["gimel:visitor"]
    assert found["sent"] == [["button", found["later"], "participate"]]


def test_a_name_with_colons_can_be_forced() -> None:
    """The name of the experiment is compared as a whole."""
    found = scenario("""
        const page = browser.open("?gimel=a:b:c:d");
        page.run(START + `
          var e = client.experiment({ name: "a:b", variants: { "c:d": {}, x: {} } });
        `);
        return page.run("e.variant");
    """)

    assert found == "c:d"


def test_the_owner_is_not_counted_until_on_again() -> None:
    """`?gimel=off` applies to all later pages, also to a visitor who takes part already."""
    found = scenario("""
        const seen = [];
        for (const search of ["", "?gimel=off", "", "?gimel=on"]) {
          browser.open(search).run(START + BUTTON + `client.goal("goal ${seen.length}");`);
          await browser.pass();
          seen.push(browser.events().length);
        }
        return seen;
    """)

    assert found == [2, 2, 2, 3]


@pytest.mark.parametrize(
    ("options", "page"),
    [
        ("consent: false", ""),
        ("consent: new Promise(() => {})", ""),
        ("consent: Promise.resolve(false)", ""),
        ("consent: Promise.reject(new Error('no'))", ""),
        ("respectGpc: true", "gpc: true"),
        ("", "prerendering: true"),
    ],
)
def test_without_consent_nothing_is_stored_or_sent(options: str, page: str) -> None:
    """No variant is shown, and nothing is thrown. The same holds for a page that no one sees."""
    found = scenario(f"""
        const page = browser.open("?gimel=off", {{ {page} }});
        page.run(`var client = gimel({{ url: "u", {options} }});` + BUTTON + "client.goal('a')");
        page.happens("click", {{ target: element([".buy"]) }});
        await browser.pass(DAY);
        page.happens("pagehide");
        return {{
          stored: Object.keys(browser.stored), sent: browser.sent.length,
          shown: page.run("[button.variant, ...shown].join()"), errors: page.errors,
        }};
    """)

    assert found == {**NOTHING, "shown": "", "errors": []}


@pytest.mark.parametrize("event", ["consent", "prerenderingchange"])
def test_it_begins_with_consent_or_when_the_page_is_seen(event: str) -> None:
    """What happened meanwhile on the page is counted then."""
    found = scenario(f"""
        const prerendering = "{event}" != "consent";
        const page = browser.open("", {{ prerendering }});
        page.run(`
          var agree, promise = new Promise((resolve) => {{ agree = resolve; }});
          var client = gimel({{ url: "u", consent: ${{prerendering}} || promise }});
        ` + BUTTON + "client.goal('a');");
        await browser.pass(DAY);
        const before = browser.sent.length;
        page.run("agree()");
        page.happens("prerenderingchange");
        await browser.pass();
        return {{ before, events: browser.events().map(([, , event]) => event) }};
    """)

    assert found == {"before": 0, "events": ["participate", "a"]}


def test_global_privacy_control_is_respected_on_request() -> None:
    """The default is to count, as the counts are not about anyone."""
    found = scenario("""
        browser.open("", { gpc: true }).run(START + BUTTON);
        browser.open("", { gpc: false }).run(`gimel({ url: "u", respectGpc: true })`);
        await browser.pass();
        return browser.sent.length;
    """)

    assert found == 1


def test_weights_and_sample_are_those_of_python() -> None:
    """Each of 300 visitors gets the variant, or none, that a server would calculate."""
    found = scenario("""
        const seen = {};
        for (let n = 0; n < 300; n++) {
          const page = new Browser().open();
          page.run(`var e = gimel({ url: "u", visitor: "v${n}" }).experiment({
            name: "e", sample: 0.4, variants: { blue: { weight: 3 }, red: { weight: 1.5 }, c: {} },
          })`);
          seen[`v${n}`] = page.run("e.variant") ?? null;
        }
        return seen;
    """)

    weights = {"blue": 3, "red": 1.5, "c": 1}
    assert found == {
        visitor: gimel.assign("e", visitor, weights) if in_sample("e", visitor, 0.4) else None
        for visitor in (f"v{n}" for n in range(300))
    }


def test_a_trigger_decides_who_enters() -> None:
    """Those who take part see their variant everywhere, and reach goals on any page."""
    found = scenario("""
        const page = browser.open();
        page.run(START + `
          const enter = (trigger) => client.experiment({ name: "e", variants: { a: {} }, trigger });
          enter(() => false).goal("early");
          enter(() => { throw new Error("in the trigger"); });
          enter(() => true);
          enter(() => false).goal("late");
        `);
        await browser.pass();
        return { events: browser.events(), errors: page.errors };
    """)

    assert found == {
        "events": [["e", "a", "participate"], ["e", "a", "late"]],
        "errors": ["Error: in the trigger"],
    }


def test_experiments_and_namespaces_are_separate() -> None:
    """Two of each on one page, with a goal that all of a client's experiments have."""
    found = scenario("""
        browser.open().run(`
          for (const namespace of ["one", "two"]) {
            const client = gimel({ url: namespace, namespace });
            for (const name of ["x", "y"]) client.experiment({ name, variants: { a: {} } });
            client.goal("g");
          }
        `);
        await browser.pass();
        const events = browser.sent.flatMap((each) => each.events);
        return events.map((e) => [e.namespace, e.experiment, e.event].join(" ")).sort();
    """)

    assert found == [
        f"{namespace} {experiment} {event}"
        for namespace in ("one", "two")
        for experiment in ("x", "y")
        for event in ("g", "participate")
    ]


def test_what_is_stored_expires() -> None:
    """After 395 days, or the given number, nothing of an experiment is left."""
    found = scenario("""
        const seen = [];
        for (const expiry of [395, 30]) {
          browser.stored = { site: "its own" };
          browser.open().run(`gimel({ url: "u", expiry: ${expiry} }).experiment({
            name: "e", variants: { a: {} } })`);
          await browser.pass((expiry - 0.1) * DAY);
          browser.open().run(START);
          seen.push(Object.keys(browser.stored).length);
          await browser.pass(0.2 * DAY);
          browser.open("?gimel=off").run(`gimel({ url: "u", visitor: "v" })`);
          seen.push(Object.keys(browser.stored).sort().join());
        }
        return seen;
    """)

    assert found == [3, "gimel:off,site", 3, "gimel:off,site"]


def test_the_users_of_a_shared_browser_have_their_own_variants() -> None:
    """Each user gets the variant that the server calculates. An anonymous visitor who signs in, or
    out, keeps the one that was shown."""
    found = scenario("""
        const visit = async (visitor) => {
          const page = browser.open();
          page.run(`var e = gimel({ url: "u", visitor: ${JSON.stringify(visitor)} }).experiment({
            name: "e", variants: { a: {}, b: {}, c: {}, d: {} } })`);
          await browser.pass();
          return page.run("e.variant");
        };
        const users = [];
        for (const each of ["v1", "v2", "v3", "v4", "v1", null]) users.push(await visit(each));
        const uuids = browser.sent.map((each) => each.events[0].uuid);
        browser.stored = {};
        const anonymous = await visit(null);
        return { users, uuids, same: anonymous == await visit("v2") && anonymous == await visit() };
    """)

    expected = [
        gimel.assign("e", visitor, dict.fromkeys("abcd", 1))
        for visitor in ("v1", "v2", "v3", "v4", "v1", "v1")
    ]
    assert len(set(expected)) > 1
    assert found["users"] == expected
    assert (len(found["uuids"]), len(set(found["uuids"]))) == (5, 4)
    assert found["same"]


def test_it_lives_beside_anything_else_on_the_page() -> None:
    """Module loaders, elements with its name, a second copy, inherited properties."""
    found = scenario("""
        const calls = [];
        const page = browser.open("", { before: `
          var module = { exports: {} }, exports = module.exports, calls = [];
          function define() { calls.push("define"); }
          define.amd = {};
          function require() { calls.push("require"); }
          var gimel = { id: "gimel" };  // as an element's id makes it
          Object.prototype.inherited = function () {};
          const known = new Set(Object.getOwnPropertyNames(globalThis));
        ` });
        page.run(START + BUTTON);
        const names = page.run("Object.getOwnPropertyNames(globalThis)");
        const added = [...names].filter((name) => !page.run("known").has(name));
        page.run("var first = gimel");
        page.run(CLIENT);
        await browser.pass();
        return {
          added: added.sort(), calls: page.run("calls.join()"), same: page.run("first === gimel"),
          exported: page.run("Object.keys(module.exports).join()"), errors: page.errors,
          events: browser.events().length,
        };
    """)

    assert found == {
        "added": ["button", "client"],
        "calls": "",
        "same": True,
        "exported": "",
        "errors": [],
        "events": 1,
    }

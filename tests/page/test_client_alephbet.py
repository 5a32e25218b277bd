"""gimel.js takes over from the real AlephBet: a test can move without counting anyone twice."""

from __future__ import annotations

from gimel.page.snippet import ALEPHBET
from tests.page.node import scenario
from tests.support.npm import package


def alephbet() -> str:
    """Return AlephBet's script."""
    file = package("alephbet", ALEPHBET.version) / "dist" / "alephbet.min.js"
    return file.read_text("utf-8")


def test_a_test_that_alephbet_began_goes_on() -> None:
    """The real AlephBet's variants, goals and samples are honoured: no one is counted again."""
    found = scenario(
        """
        const seen = [];
        for (let visitor = 0; visitor < 20; visitor++) {
          const browser = new Browser();
          const page = browser.open("", { before: "self = window = globalThis", script: ALEPHBET });
          page.run(`
            const tracking = { experiment_start() {}, goal_complete() {} };
            for (const [name, sample] of [["button", 1], ["small", 0.5]]) {
              const variants = { blue: { activate() {} }, red: { activate() {} } };
              var e = new AlephBet.Experiment({
                name, variants, sample, tracking_adapter: tracking });
              const goal = new AlephBet.Goal("bought");
              e.add_goal(goal);
              goal.complete();
            }
          `);
          const before = JSON.parse(browser.stored.alephbet);
          const later = browser.open();
          later.run(START + BUTTON + `
            var small = client.experiment({ name: "small", variants: { blue: {}, red: {} } });
            client.goal("bought");
            client.goal("signed up");
          `);
          await browser.pass();
          seen.push({
            before: ["button", "small"].map((name) => before[`${name}:variant`] ?? null),
            after: [later.run("button.variant"), later.run("small.variant") ?? null],
            events: browser.events(),
          });
        }
        return seen;
        """,
        ALEPHBET=alephbet(),
    )

    for visitor in found:
        assert visitor["after"] == visitor["before"]
        assert visitor["events"] == [
            [name, variant, "signed up"]
            for name, variant in zip(("button", "small"), visitor["before"], strict=True)
            if variant
        ]
    assert {visitor["before"][0] for visitor in found} == {"blue", "red"}
    assert None in {visitor["before"][1] for visitor in found}


def test_what_alephbet_could_not_send_is_sent() -> None:
    """With its uuid, once, so that it counts once even if AlephBet sends it as well."""
    found = scenario(
        """
        const page = browser.open("", { before: "self = window = globalThis", script: ALEPHBET });
        page.run(`
          var experiment = new AlephBet.Experiment({
            name: "button",
            variants: { blue: { activate() {} } },
            tracking_adapter: new AlephBet.GimelAdapter("https://host/track", "shop"),
          });
        `);
        await browser.pass();
        const [{ properties }] = JSON.parse(JSON.parse(browser.stored.alephbet)._gimel_queue);
        for (let view = 0; view < 2; view++) {
          browser.open().run(START + BUTTON);
          await browser.pass();
        }
        return { properties, events: browser.sent.flatMap((each) => each.events) };
        """,
        ALEPHBET=alephbet(),
    )

    assert found["events"] == [found["properties"]]
    assert found["properties"]["event"] == "participate"
    assert found["properties"]["namespace"] == "shop"

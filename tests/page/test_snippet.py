"""The snippet runs the design that it was made of, whatever its names are."""

from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import pytest

from gimel.errors import GimelError
from gimel.page.client import script
from gimel.page.snippet import ALEPHBET, EXAMPLE, Design, snippet
from tests.page.node import run_node, scenario
from tests.support.npm import package

URL = "https://host/e"

NAMES = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "-->",
    "]]>",
    'it\'s "quoted" \\ `${1}`',
    "line\u2028and\u2029paragraph",
    "ボタン 🔴",
    "x" * 200,
    "a, b",
    "constructor",
    "2",
    "new",
    "&lt;b&gt; {{ name }} {% x %}",
]


class Elements(HTMLParser):
    """The elements of a page as (tag, attributes, text), read as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), []))

    def handle_data(self, data: str) -> None:
        if self.found:
            self.found[-1][2].append(data)


def scripts(page: str) -> list[tuple[dict[str, str | None], str]]:
    """Return attributes and text of the scripts of a page that has no other elements."""
    found = Elements(page).found
    assert {tag for tag, _, _ in found} == {"script"}
    return [(attributes, "".join(text)) for _, attributes, text in found]


def designed(page: str) -> Any:
    """Return the options that the last script passes to the client, and to its experiment."""
    (_, last) = scripts(page)[-1]
    return run_node(f"""
      const seen = [];
      const document = {{ documentElement: {{ setAttribute: (...given) => seen.push(given) }} }};
      const window = globalThis;
      const gimel = (options) => ({{
        experiment: (design) => {{
          for (const each of Object.values(design.variants)) each.activate();
          console.log(JSON.stringify([options, design, seen]));
        }},
      }});
      const gimelAlephBet = gimel;
      {last}
    """)


@pytest.mark.parametrize("alephbet", [False, True], ids=["gimel.js", "AlephBet"])
def test_names_arrive_as_they_are(alephbet: bool) -> None:
    """The same text in JavaScript, and nothing in it ends a string, a comment or a script."""
    goals = {name: f'[data-x="{name}"] > a' for name in NAMES} | {f"{NAMES[0]}\u2028call": None}
    weights = tuple(range(1, len(NAMES) + 1))
    every = " ".join(NAMES)
    design = Design(every, tuple(NAMES), weights, goals)
    shown = snippet(URL, every, design, alephbet=alephbet)
    options, found, attributes = designed(shown)

    assert shown.isascii()
    assert options == {"url": URL, "namespace": every}
    assert found["name"] == every
    assert {name: each["weight"] for name, each in found["variants"].items()} == dict(
        zip(NAMES, weights, strict=True)
    )
    assert found["control"] == NAMES[0]
    assert found["goals"] == {goal: selector for goal, selector in goals.items() if selector}
    assert sorted(value for _, value in attributes) == sorted(NAMES)


@pytest.mark.parametrize(
    ("experiment", "attribute"),
    [
        ("Price page, test 2!", "data-price-page-test-2"),
        ("--", "data-variant-d8156b"),
        ("ボタン", "data-variant-c6b3e0"),
        ("ボタン 2", "data-2-500bc5"),
        ("価格 2", "data-2-92c67d"),
        ("x" * 200, f"data-{'x' * 40}-aa20c2"),
        ("it's <b>", "data-it-s-b"),
    ],
)
def test_the_attribute_for_styles_comes_from_the_name(experiment: str, attribute: str) -> None:
    """Style sheets can select it. Where a name does not fit into it, a hash keeps it unique."""
    shown = snippet(URL, design=Design(experiment, ("a", "b")))
    assert re.findall(r'setAttribute\("([^"]*)", "(\w)"\)', shown) == [
        (attribute, "a"),
        (attribute, "b"),
    ]
    assert f'such as [{attribute}="..."] .button' in shown


def test_without_weights_or_selectors_there_are_no_such_options() -> None:
    """Goals without a selector are shown as calls, in a comment."""
    shown = snippet(URL, design=Design("e", ("a", "b"), goals={"bought": None, "x y": None}))
    options, found, _ = designed(shown)
    assert options == {"url": URL}
    assert found == {"name": "e", "variants": {"a": {}, "b": {}}, "control": "a"}
    calls = [
        f"  // if (window.gimelClient) gimelClient.goal({goal});" for goal in ('"bought"', '"x y"')
    ]
    assert "\n".join(calls) in shown


def test_gimel_js_is_part_of_the_snippet_and_no_third_party_is() -> None:
    """As `gimel client` prints it."""
    first, last = scripts(snippet(URL))
    assert first == ({}, f"\n{script()}\n")
    assert last[0] == {}
    assert "unpkg" not in snippet(URL)


@pytest.mark.parametrize("alephbet", [False, True], ids=["gimel.js", "AlephBet"])
def test_a_file_of_the_site_replaces_it(alephbet: bool) -> None:
    """gimel.js is not part of the page then, and AlephBet does not come from the CDN."""
    shown = snippet(URL, alephbet=alephbet, file='/a.js?v="1"&copy')
    files = [attributes for attributes, _ in scripts(shown) if attributes]
    assert files == [{"src": '/a.js?v="1"&copy'}]
    assert script() not in shown
    assert "unpkg" not in shown
    assert ('})("/a.js?v=\\"1\\"&copy");' in shown) == alephbet


def test_alephbet_is_pinned() -> None:
    """The browser checks the file in the CDN against its hash."""
    helper, file, _ = scripts(snippet(URL, alephbet=True))
    assert file == (
        {
            "src": f"https://unpkg.com/alephbet@{ALEPHBET.version}/dist/alephbet.min.js",
            "integrity": ALEPHBET.integrity,
            "crossorigin": "anonymous",
        },
        "\n",
    )
    assert f'("{file[0]["src"]}")' in helper[1]


def test_the_url_is_checked() -> None:
    """A page never sends its events to where they cannot be counted."""
    with pytest.raises(GimelError, match="/experiments does not count events"):
        snippet("https://host/prod/experiments")


def test_the_example_has_a_goal_with_a_selector() -> None:
    """It works where it is pasted into a page with such a button."""
    _, found, attributes = designed(snippet(URL, design=EXAMPLE))
    assert found["goals"] == {"bought": ".buy-button"}
    assert attributes == [["data-buy-button", "blue"], ["data-buy-button", "red"]]


def alephbet_page(page: str) -> list[str]:
    """Return the scripts of a snippet with AlephBet, with its file in place of the reference."""
    file = (package("alephbet", ALEPHBET.version) / "dist" / "alephbet.min.js").read_text("utf-8")
    source = json.dumps(ALEPHBET.url)
    helper, _, last = (text for _, text in scripts(page))
    return [
        "self = window = globalThis; document.currentScript = null;"
        "document.documentElement = { setAttribute(name, value) { shown.push(value); } };" + helper,
        f"document.currentScript = {{ getAttribute: () => {source} }};{file}",
        "document.currentScript = null;" + last,
    ]


VISITS = """
const visitors = [];
for (let visitor = 0; visitor < COUNT; visitor++) {
  const browser = new Browser();
  const counted = new Set();
  const seen = [];
  for (let view = 0; view < 3; view++) {
    if (view === 2) browser.full = true;
    const page = browser.open("", { script: "" });
    page.run(`Math.random = () => ${(visitor + 0.5) / COUNT}`);
    page.window.fetch = async (url) => {
      const { event, variant, uuid } = Object.fromEntries(new URL(url).searchParams);
      counted.add([event, variant, uuid].join());
      return { status: 200 };
    };
    for (const each of SCRIPTS) {
      page.run(each);
      await new Promise(setImmediate);
    }
    page.happens("click", { target: element([".buy-button"]) });
    page.run('gimelClient.goal("looked")');
    await browser.pass();
    seen.push(page.window.shown);
  }
  visitors.push({ seen, counted: [...counted].map((each) => each.split(",").slice(0, 2)) });
}
return visitors;
"""


def test_a_variant_that_throws_is_counted_once_in_one_arm() -> None:
    """With the real AlephBet: the arms are those assigned, everybody sees the control."""
    page = snippet(URL, alephbet=True).replace('"red"); }', '"red"); missing.element(); }')
    visitors = scenario(VISITS, SCRIPTS=alephbet_page(page), COUNT=8)

    arms: Counter[str] = Counter()
    for visitor in visitors:
        ((_, arm),) = [each for each in visitor["counted"] if each[0] == "participate"]
        arms[arm] += 1
        expected = [["participate", arm], ["bought", arm], ["looked", arm]]
        broken = arm == "red"
        assert sorted(visitor["counted"]) == sorted(expected + [["gimel:error", arm]] * broken)
        assert visitor["seen"] == [["red", "blue"] if broken else ["blue"]] * 3
    assert arms == {"blue": 4, "red": 4}


def test_alephbet_gets_the_printed_weights() -> None:
    """Three to one, of visitors whose random numbers are evenly spaced."""
    design = Design("e", ("blue", "red"), (3, 1), {"looked": None})
    page = snippet(URL, design=design, alephbet=True)
    visitors = scenario(VISITS, SCRIPTS=alephbet_page(page), COUNT=8)

    arms = Counter(visitor["seen"][0][0] for visitor in visitors)
    assert arms == {"blue": 6, "red": 2}
    assert all(visitor["seen"] == [visitor["seen"][0]] * 3 for visitor in visitors)


WEIGHTS = {
    "2 and 1": "66.7% and 33.3%",
    "50 and 50": "50% and 50%",
    "0.5 and 0.5": "0% and 100%",
    "0.9 and 0.1": "0% and 100%",
    "0.2 and 0.8": "0% and 100%",
    "0.7 and 0.3": "0% and 0%",
    "1.5 and 1.5": "33.3% and 66.7%",
    "2.5 and 1": "57.1% and 28.6%",
    '"2" and "1"': "9.5% and 4.8%",
}


def test_alephbet_assigns_the_shares_that_the_docs_state() -> None:
    """Only integers are weights to it. The random numbers are evenly spaced."""
    assigned = run_node(f"""
      global.self = global;
      const {{ Experiment }} = require({json.dumps(str(package("alephbet", ALEPHBET.version)))}
        + "/dist/alephbet.min.js");
      const found = {{}};
      for (const weights of {json.dumps(list(WEIGHTS))}) {{
        const [a, b] = weights.split(" and ").map(JSON.parse);
        const counts = {{ a: 0, b: 0 }};
        for (let visitor = 0; visitor < 4200; visitor++) {{
          Math.random = () => (visitor + 0.5) / 4200;
          new Experiment({{
            name: "e",
            variants: {{
              a: {{ weight: a, activate() {{}} }},
              b: {{ weight: b, activate() {{}} }},
            }},
            storage_adapter: {{ get() {{}}, set() {{}} }},
            tracking_adapter: {{ experiment_start: (_, variant) => counts[variant]++ }},
          }});
        }}
        found[weights] = [counts.a / 4200, counts.b / 4200];
      }}
      console.log(JSON.stringify(found));
    """)

    assert {
        weights: " and ".join(f"{round(100 * share, 1):g}%" for share in shares)
        for weights, shares in assigned.items()
    } == WEIGHTS

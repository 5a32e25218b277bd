"""The code of docs/client.md, run as it is printed there with another URL."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page

from gimel import assign
from gimel.page.client import script
from tests.support.browser import Site, Visitors
from tests.support.command import environment
from tests.support.npm import package
from tests.support.programs import program
from tests.support.served import Served

HEAD = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>A shop</title>'
DOCS = (Path(__file__).parents[3] / "docs" / "client.md").read_text("utf-8")
REACT = "18.3.1"


def recipe(language: str, contains: str, url: str) -> str:
    """Return the only block of that language with a text in it, with a track URL that counts."""
    blocks = re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)
    (found,) = [block for block in blocks if contains in block]
    return re.sub(r"https://abc123[^\"\s]*", url, str(found))


def wait_until_sent(page: Page) -> None:
    page.wait_for_function(
        "() => !Object.keys(localStorage).some(key => key.startsWith('gimel:queue:'))"
    )


def counts(gimel: Served, experiment: str) -> dict[str, int]:
    """Return {`participate` or goal: visitors} of an experiment, all variants together."""
    (found,) = gimel.results(scope=experiment)
    return {
        "participate": sum(row["trials"] for row in found["participants"]),
        **{
            goal["goal"]: sum(row["successes"] for row in goal["results"])
            for goal in found["goals"]
        },
    }


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """The name of an experiment that no other test counts."""
    return str(request.node.name)


def test_the_page(gimel: Served, site: Site, quiet_visitors: Visitors, name: str) -> None:
    """With the file that `gimel client` prints: variant, style and goal."""
    page = recipe("html", "gimel.js", gimel.track_url)
    site.pages["/gimel.js"] = script()
    page = page.replace("buy button colour", name)
    site.pages["/recipe"] = f'{HEAD}{page}<a class="buy-button">Buy</a>'
    tab = quiet_visitors.page()
    for query, colour in (("blue", "rgba(0, 0, 0, 0)"), ("red", "rgb(220, 20, 60)")):
        tab.goto(f"{site.origin}/recipe?gimel={name}:{query}")
        shown = tab.evaluate(
            "getComputedStyle(document.querySelector('.buy-button')).backgroundColor"
        )
        assert shown == colour
    tab.goto(f"{site.origin}/recipe")
    tab.click(".buy-button")
    wait_until_sent(tab)

    assert counts(gimel, name) == {"participate": 1, "bought": 1}


def test_the_policy(gimel: Served, site: Site, quiet_visitors: Visitors, name: str) -> None:
    """The page above, with the experiment in a file, under the policy of the docs."""
    policy = recipe("http", "Content-Security-Policy", gimel.url).partition(": ")[2].strip()
    page = recipe("html", "gimel.js", gimel.track_url).replace("buy button colour", name)
    site.pages["/gimel.js"] = script()
    (site.pages["/experiment.js"],) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    site.pages["/recipe"] = f"""{HEAD}
      <meta http-equiv="Content-Security-Policy" content="{policy}">
      <script src="/gimel.js"></script><script src="/experiment.js"></script>
      <a class="buy-button">Buy</a>"""
    tab = quiet_visitors.page()
    tab.goto(f"{site.origin}/recipe")
    tab.click(".buy-button")
    wait_until_sent(tab)

    assert counts(gimel, name) == {"participate": 1, "bought": 1}


def test_the_react_hook(gimel: Served, site: Site, quiet_visitors: Visitors, name: str) -> None:
    """In React's strict mode, which starts effects twice, and in a component that comes back."""
    for library in ("react", "react-dom"):
        file = package(library, REACT) / "umd" / f"{library}.development.js"
        site.pages[f"/{library}.js"] = file.read_text("utf-8")
    site.pages["/modules/react.js"] = "export const { useEffect, useState } = window.React;"
    site.pages["/modules/gimel.js"] = script(module=True)
    site.pages["/modules/hook.js"] = recipe("js", "useEffect", gimel.track_url)
    site.pages["/recipe"] = f"""{HEAD}<div id="root"></div>
      <script src="/react.js"></script><script src="/react-dom.js"></script>
      <script type="importmap">{{"imports": {{"react": "/modules/react.js"}}}}</script>
      <script type="module">
        import {{ useVariant }} from "/modules/hook.js";
        const design = {{ name: "{name}", variants: {{ blue: {{}}, red: {{}} }},
          goals: {{ bought: ".buy" }} }};
        function Button() {{
          const variant = useVariant(design);
          return React.createElement("button", {{ className: "buy" }}, variant ?? "control");
        }}
        const root = ReactDOM.createRoot(document.querySelector("#root"));
        window.show = (shown) => root.render(
          React.createElement(React.StrictMode, null, shown && React.createElement(Button)));
        show(true);
      </script>"""
    tab = quiet_visitors.page()
    tab.goto(f"{site.origin}/recipe")
    for _ in range(2):
        tab.wait_for_function("/^(blue|red)$/.test(document.querySelector('.buy')?.textContent)")
        tab.click(".buy")
        tab.evaluate("show(false)")
        tab.wait_for_function("!document.querySelector('.buy')")
        tab.evaluate("show(true)")
    wait_until_sent(tab)

    assert counts(gimel, name) == {"participate": 1, "bought": 1}


def test_the_single_page_app(
    gimel: Served, site: Site, quiet_visitors: Visitors, name: str
) -> None:
    """The variant shows whenever its page does, and counts once."""
    site.pages["/modules/gimel.js"] = script(module=True)
    app = recipe("js", "pageShown", gimel.track_url).replace('"price"', f'"{name}"')
    site.pages["/modules/app.js"] = app
    site.pages["/recipe"] = f"""{HEAD}<main></main><script type="module">
      import {{ pageShown }} from "/modules/app.js";
      window.go = (path) => {{
        history.pushState(null, "", path);
        document.querySelector("main").innerHTML = path === "/price"
          ? '<b class="price">10</b> <button class="buy-button">Buy</button>' : "Home";
        pageShown(path);
        return document.querySelector(".price")?.textContent;
      }};
    </script>"""
    tab = quiet_visitors.page()
    tab.goto(f"{site.origin}/recipe")
    seen = []
    for path in ("/home", "/price", "/home", "/price"):
        seen.append(tab.evaluate("path => go(path)", path))
    tab.click(".buy-button")
    wait_until_sent(tab)

    (found,) = gimel.results(scope=name)
    (given,) = [row["label"] for row in found["participants"] if row["trials"]]
    price = {"low": "10", "high": "12"}[given]
    assert seen == [None, price, None, price]
    assert counts(gimel, name) == {"participate": 1, "bought": 1}


def test_the_redirect(gimel: Served, site: Site, quiet_visitors: Visitors, name: str) -> None:
    """A visitor of the new page counts once, and the address keeps its query."""
    code = recipe("js", "location.replace", gimel.track_url).replace("landing page", name)
    page = f"""{HEAD}<script>{script()}</script><script>
      const client = gimel({{ url: "{gimel.track_url}" }});
      {code.replace("old: {}", "old: { weight: 0 }")}</script>
      <form class="sign-up" onsubmit="return false"><button>Sign up</button></form>"""
    site.pages["/old"] = site.pages["/new"] = page
    tab = quiet_visitors.page(intercept=False)
    for _ in range(2):
        tab.goto(f"{site.origin}/old?campaign=1")
        tab.wait_for_url(f"{site.origin}/new?campaign=1")
        tab.click("button")
    wait_until_sent(tab)

    assert counts(gimel, name) == {"participate": 1, "signed up": 1}


def test_the_consent(gimel: Served, site: Site, quiet_visitors: Visitors, name: str) -> None:
    """Nothing is stored before the click, and what happened before is counted after it."""
    code = recipe("js", "#accept-statistics", gimel.track_url)
    site.pages["/recipe"] = f"""{HEAD}<button id="accept-statistics">Accept</button>
      <script>{script()}</script><script>{code}
      client.experiment({{ name: "{name}", variants: {{ blue: {{}}, red: {{}} }} }});
      client.goal("looked");</script>"""
    tab = quiet_visitors.page()
    tab.goto(f"{site.origin}/recipe")
    assert tab.evaluate("Object.keys(localStorage)") == []
    tab.click("button")
    tab.wait_for_function("localStorage.length > 0")
    wait_until_sent(tab)

    assert counts(gimel, name) == {"participate": 1, "looked": 1}


def test_a_server_and_the_page_count_the_same_visitor_once(
    gimel: Served, site: Site, quiet_visitors: Visitors, name: str, tmp_path: Path
) -> None:
    """By Python, with curl, and in a page that knows the visitor's id."""
    code = recipe("python", "event_uuid", gimel.track_url).replace("buy button colour", name)
    arguments = ("alephbet", name, "bought", "customer-1234")
    (tmp_path / "send.py").write_text(f"{code}print(event_uuid{arguments})")
    done = subprocess.run(
        [sys.executable, "send.py"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    given = assign(name, "customer-1234", {"blue": 1, "red": 1})
    curl = recipe("sh", "curl", gimel.track_url).replace("buy button colour", name)
    curl = curl.replace('"red"', f'"{given}"')
    curl = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{8}){3}", done.stdout.strip(), curl)
    program("curl")
    answer = subprocess.run(
        ["sh", "-c", curl],
        env={**environment(tmp_path), "TRACK_URL": gimel.track_url},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.stdout == '{"status": "ok"}', answer.stderr
    site.pages["/recipe"] = f"""{HEAD}<script>{script()}</script><script>
      const client = gimel({{ url: "{gimel.track_url}", visitor: "customer-1234" }});
      client.experiment({{ name: "{name}", variants: {{ blue: {{}}, red: {{}} }} }});
      client.goal("bought");</script>"""
    tab = quiet_visitors.page()
    tab.goto(f"{site.origin}/recipe")
    wait_until_sent(tab)

    assert counts(gimel, name) == {"participate": 1, "bought": 1}

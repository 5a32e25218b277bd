"""What `gimel snippet` prints, in real pages: what visitors do is counted, and no harm is done."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from gimel.page.snippet import ALEPHBET, Design, snippet
from tests.support.browser import CHROMIUM, OPTIONS, Site, Visitors
from tests.support.events import BROWSER
from tests.support.npm import package
from tests.support.programs import program
from tests.support.served import Served
from tests.support.servers import wait_until

HEAD = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>A shop</title>'
BODY = """<button class="buy"><b>Buy</b></button>
<form onsubmit="return false"><input required><button id="send">Send</button></form>"""
DESIGN = Design(
    "buy button", ("blue", "red"), goals={"bought": ".buy", "signed up": "form", "looked": None}
)
OWN_COPY = "/alephbet.min.js"

both_clients = pytest.mark.parametrize("alephbet", [False, True], ids=["gimel.js", "AlephBet"])


def pasted(gimel: Served, namespace: str, alephbet: bool, file: str | None = None) -> str:
    return snippet(gimel.track_url, namespace, DESIGN, alephbet=alephbet, file=file)


def shop(gimel: Served, namespace: str, alephbet: bool, before: str = "") -> str:
    return f"{HEAD}{before}{pasted(gimel, namespace, alephbet)}{BODY}"


def alephbet_file() -> str:
    file = package("alephbet", ALEPHBET.version) / "dist" / "alephbet.min.js"
    return file.read_text("utf-8")


def variant(page: Page) -> str:
    """Return the variant that the page shows."""
    return str(page.evaluate("document.documentElement.dataset.buyButton"))


def wait_until_sent(page: Page) -> None:
    """Wait until neither client keeps an event in the storage."""
    page.wait_for_function("""() => {
      const stored = JSON.parse(localStorage.getItem("alephbet") || "{}")._gimel_queue || "[]";
      const keys = Object.keys(localStorage);
      return stored === "[]" && !keys.some(key => key.startsWith("gimel:queue:"));
    }""")


@both_clients
def test_counts_equal_what_visitors_did(
    gimel: Served, site: Site, quiet_visitors: Visitors, alephbet: bool
) -> None:
    """By click, form and call, as the printed design says; the variant shows in an attribute."""
    namespace = f"pasted crowd {alephbet}"
    site.pages["/pasted"] = shop(gimel, namespace, alephbet)
    page = quiet_visitors.page()
    did: dict[str, Counter[str]] = {}
    for number in range(4):
        page.goto(f"{site.origin}/pasted")
        given = variant(page)
        goals = ["participate"]
        if number % 2:
            goals.append("bought")
            page.click("b")
            page.click("b")
        if number % 3:
            goals.append("signed up")
            page.evaluate("send.click(); document.querySelector('input').value = 'a'; send.click()")
        else:
            goals.append("looked")
            page.evaluate("gimelClient.goal('looked'); gimelClient.goal('looked')")
        page.reload()
        assert variant(page) == given
        wait_until_sent(page)
        page.evaluate("localStorage.clear()")
        for goal in goals:
            did.setdefault(goal, Counter())[given] += 1

    assert {goal: +Counter(counts) for goal, counts in gimel.counts(namespace).items()} == did
    assert set(did["participate"]) == {"blue", "red"}


REQUIRE = """<script src="/require.js"></script><script>
  require(["/module.js"], (found) => { window.loaded = found; });
</script>"""
GLOBALS = "<script>var module = { exports: 'page' }, exports = module.exports;</script>"
OBJECTS = (
    "<script>var module = { exports: {} }, exports = module.exports; exports.page = 1</script>"
)
ELEMENTS = '<meta id="module"><meta id="exports"><meta id="define">'
ANOTHER = "<script>var AlephBet = { version: 'another' }; var self = window;</script>"


@both_clients
def test_it_lives_beside_other_scripts(
    gimel: Served, site: Site, quiet_visitors: Visitors, alephbet: bool
) -> None:
    """Module loaders, elements and scripts with the same names: all of them work as before."""
    required = package("requirejs", "2.3.7") / "require.js"
    site.pages["/require.js"] = required.read_text("utf-8")
    site.pages["/module.js"] = "define(() => 'a module');"
    page = quiet_visitors.page()
    did: Counter[str] = Counter()
    namespace = f"pasted beside {alephbet}"
    unharmed = {
        REQUIRE: "loaded === 'a module' && !!define.amd && !('exports' in window)",
        GLOBALS: "module.exports === 'page' && exports === 'page'",
        OBJECTS: "module.exports === exports && Object.keys(exports).join() === 'page'",
        ELEMENTS: "[module, exports, define].every(each => each.tagName === 'META')",
        ANOTHER: "AlephBet.version === 'another' && self === window",
    }
    for before, expression in unharmed.items():
        site.pages["/pasted"] = shop(gimel, namespace, alephbet, before)
        page.goto(f"{site.origin}/pasted")
        page.click("b")
        wait_until_sent(page)
        did[variant(page)] += 1
        page.evaluate("localStorage.clear()")
        page.wait_for_function(expression)

    assert gimel.counts(namespace) == {"participate": did, "bought": did}


@both_clients
def test_a_tag_manager_can_insert_it(
    gimel: Served, site: Site, quiet_visitors: Visitors, alephbet: bool
) -> None:
    """It inserts scripts by the DOM, so that files arrive after the scripts that follow them.

    RequireJS arrives in between.
    """
    namespace = f"pasted by a manager {alephbet}"
    tag = json.dumps(pasted(gimel, namespace, alephbet)).replace("<", "\\u003c")
    required = package("requirejs", "2.3.7") / "require.js"
    site.pages["/require.js"] = required.read_text("utf-8")
    site.pages["/pasted"] = f"""{HEAD}{BODY}<script>
      const holder = document.createElement("div");
      holder.innerHTML = {tag};
      for (const given of holder.querySelectorAll("script")) {{
        const script = document.createElement("script");
        for (const {{ name, value }} of given.attributes) script.setAttribute(name, value);
        script.text = given.text;
        document.head.append(script);
      }}
      gimelClient.goal("looked");
    </script><script src="/require.js"></script>"""
    page = quiet_visitors.page()
    page.goto(f"{site.origin}/pasted")
    page.wait_for_selector("[data-buy-button]", state="attached")
    page.click("b")
    wait_until_sent(page)

    given = {variant(page): 1}
    assert gimel.counts(namespace) == {"participate": given, "looked": given, "bought": given}


@both_clients
def test_two_snippets_share_a_page(
    gimel: Served, site: Site, quiet_visitors: Visitors, alephbet: bool
) -> None:
    """A call reaches the goals of both experiments."""
    namespace = f"pasted twice {alephbet}"
    design = Design("second", ("a", "b"), goals={"looked": None})
    second = snippet(gimel.track_url, namespace, design, alephbet=alephbet)
    site.pages["/pasted"] = shop(gimel, namespace, alephbet) + second
    page = quiet_visitors.page()
    page.goto(f"{site.origin}/pasted")
    page.evaluate("gimelClient.goal('looked')")
    wait_until_sent(page)

    seen = {
        "buy button": variant(page),
        "second": page.evaluate("document.documentElement.dataset.second"),
    }
    assert {
        each["experiment"]: [
            (row["label"], row["successes"]) for row in each["goals"][0]["results"]
        ]
        for each in gimel.results(namespace=namespace)
    } == {name: [(given, 1)] for name, given in seen.items()}


def test_alephbet_passes_a_strict_policy_and_tracing_tools(
    gimel: Served, site: Site, quiet_visitors: Visitors
) -> None:
    """A nonce for each script, and a `fetch` and XMLHttpRequest that add headers."""
    policy = f"default-src 'none'; img-src data:; script-src 'nonce-n'; connect-src {gimel.url}"
    before = f"""<meta http-equiv="Content-Security-Policy" content="{policy}"><script>
      const traced = {{
        baggage: "sentry-release=1",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      }};
      const real = window.fetch;
      window.fetch = function (url, options = {{}}) {{
        const headers = new Headers(options.headers);
        Object.entries(traced).forEach(([name, value]) => headers.set(name, value));
        return real.call(this, url, {{ ...options, headers }});
      }};
      const open = XMLHttpRequest.prototype.open;
      XMLHttpRequest.prototype.open = function (...given) {{
        open.apply(this, given);
        Object.entries(traced).forEach(([name, value]) => this.setRequestHeader(name, value));
      }};
    </script>"""
    site.pages[OWN_COPY] = alephbet_file()
    text = f"{HEAD}{before}{pasted(gimel, 'pasted policy', True, OWN_COPY)}{BODY}"
    text = text.replace("<script", "<script nonce=n").replace(' onsubmit="return false"', "")
    site.pages["/pasted"] = text
    page = quiet_visitors.page(intercept=False)  # which leaves the preflight to the server
    page.goto(f"{site.origin}/pasted")
    page.click("b")
    wait_until_sent(page)
    page.evaluate("window.fetch = undefined; gimelClient.goal('looked')")  # AlephBet's other way
    wait_until_sent(page)

    given = {variant(page): 1}
    assert gimel.counts("pasted policy") == {
        "participate": given,
        "bought": given,
        "looked": given,
    }


def test_alephbet_without_storage_is_alephbet_for_one_page(
    gimel: Served, site: Site, visitors: Visitors
) -> None:
    """In a frame without an origin, where storage throws: a page counts once, and never throws."""
    site.pages["/pasted"] = shop(gimel, "pasted blocked", True)
    site.pages["/frame"] = f'{HEAD}<iframe sandbox="allow-scripts" src="/pasted"></iframe>'
    page = visitors.page()
    did: Counter[str] = Counter()
    for _ in range(3):
        page.goto(f"{site.origin}/frame")
        frame = page.frames[1]
        frame.wait_for_load_state()
        frame.evaluate("gimelClient.goal('looked'); gimelClient.goal('looked')")
        did[str(frame.evaluate("document.documentElement.dataset.buyButton"))] += 1
        wait_until(lambda: gimel.counts("pasted blocked") == {"participate": did, "looked": did})

    # The test's own script, which seeds random numbers, is refused as well.
    assert [each for each in visitors.complaints if "'sessionStorage'" not in each] == []


def test_a_variant_of_alephbet_that_throws_counts_nobody_twice(
    gimel: Served, site: Site, visitors: Visitors
) -> None:
    """Each visitor is in one arm over several page views, and sees the control; the error counts.

    A promise that is rejected is an error as well. What the variant did before counts.
    """
    throws = '"red"); arguments[0].goal_complete("shown"); missing.click(); }'
    broken = shop(gimel, "pasted broken", True).replace('"red"); }', throws)
    rejected = broken.replace("missing.click()", "return Promise.reject('missing')")
    page = visitors.page()
    did: Counter[str] = Counter()
    for number in range(4):
        site.pages["/pasted"] = broken if number % 2 else rejected
        for _ in range(1 + number % 2):
            page.goto(f"{site.origin}/pasted")
            assert variant(page) == "blue"
        page.click("b")
        wait_until_sent(page)
        did[page.evaluate("gimelClient.experiments[0].get_stored_variant()")] += 1
        page.evaluate("localStorage.clear()")

    assert gimel.counts("pasted broken") == {
        "participate": did,
        "bought": did,
        "shown": {"blue": 0, "red": did["red"]},
        "gimel:error": {"blue": 0, "red": did["red"]},
    }
    assert min(did["blue"], did["red"]) > 0
    assert {complaint.partition(":")[0] for complaint in visitors.complaints} == {"console"}


def test_a_page_without_alephbet_stays_as_it_is(
    gimel: Served, site: Site, visitors: Visitors
) -> None:
    """Where the CDN cannot be reached nothing throws or is counted; with it the visitor begins."""
    site.pages["/pasted"] = shop(gimel, "pasted unreachable", True)
    found, visitors.alephbet = visitors.alephbet, None
    page = visitors.page()
    page.goto(f"{site.origin}/pasted")
    page.click("b")
    page.evaluate("gimelClient.goal('looked')")
    assert variant(page) == "None"
    assert [each for each in visitors.complaints if "ERR_FAILED" not in each] == []
    visitors.alephbet = found
    page.reload()
    wait_until_sent(page)

    assert gimel.counts("pasted unreachable") == {"participate": {variant(page): 1}}


@contextlib.contextmanager
def chromium_without_devtools(url: str) -> Iterator[None]:
    """Open a page as a user does: with developer tools, Playwright's too, nothing prerenders."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = [*OPTIONS, f"--user-data-dir={profile}", f"--user-agent={BROWSER}"]
        process = subprocess.Popen(
            [program(*CHROMIUM), *options, url],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def test_a_prerendered_page_counts_when_it_is_opened(gimel: Served, site: Site) -> None:
    """The browser runs it earlier, and perhaps nobody opens it. Both clients wait."""
    site.pages[OWN_COPY] = alephbet_file()

    def prerendered(namespace: str, alephbet: bool, more: str = "") -> str:
        """Return a page that also counts, by itself, that it ran and whether it was shown."""
        report = f"""<script>
          const seen = () => fetch({json.dumps(gimel.track_url)} + "?namespace=prerendered"
            + "&experiment=pages&event=participate&uuid=1&variant=" + {json.dumps(namespace)}
            + (document.prerendering ? " unseen" : " seen"));
          seen();
          document.addEventListener("prerenderingchange", () => {{ seen(); {more} }});
        </script>"""
        return f"{HEAD}{pasted(gimel, namespace, alephbet, OWN_COPY if alephbet else None)}{report}"

    def start(*paths: str) -> str:
        rule = {"source": "list", "urls": paths, "eagerness": "immediate"}
        rules = json.dumps({"prerender": [rule]})
        return f"""{HEAD}<script type="speculationrules">{rules}</script>
          <script>setTimeout(() => location = "{paths[0]}", 1000)</script>"""

    site.pages["/1"] = start("/own", "/own-unopened")
    site.pages["/2"] = start("/other", "/other-unopened")
    site.pages["/own"] = prerendered("pre own", False, "setTimeout(() => location = '/2', 500)")
    site.pages["/own-unopened"] = prerendered("pre own unopened", False)
    site.pages["/other"] = prerendered("pre other", True)
    site.pages["/other-unopened"] = prerendered("pre other unopened", True)
    with chromium_without_devtools(f"{site.origin}/1"):
        wait_until(lambda: gimel.counts("pre other"))
        ran = set(gimel.counts("prerendered")["participate"])

    assert ran == {
        "pre own unseen",
        "pre own seen",
        "pre own unopened unseen",
        "pre other unseen",
        "pre other seen",
        "pre other unopened unseen",
    }
    for namespace in ("pre own", "pre other"):
        assert sum(gimel.counts(namespace)["participate"].values()) == 1
        assert gimel.counts(f"{namespace} unopened") == {}

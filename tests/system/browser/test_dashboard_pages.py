"""The dashboard in a real browser: `gimel serve` and `gimel dashboard` with simulated experiments of every verdict.

Every page that a test opens through `visitors` must leave the browser's console without an error and reach nothing outside
loopback; axe-core holds each against WCAG 2.2 AA.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect

from gimel.analysis.counts import Count
from gimel.analysis.experiment import Counted, analyse, analyse_all
from gimel.analysis.verdict import Kind
from gimel.report import figures, plots
from gimel.serve.demo import Demo
from tests.support import crowd
from tests.support.browser import Gimel, Visitors, running_browser, running_gimel
from tests.support.command import environment, gimel
from tests.support.npm import package
from tests.support.servers import Store, free_port, running_store

KEY = "the-key-of-these-tests"
HOSTILE = {
    "script": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "direction": "\u202egnol si siht\u2066",
    "long": "x" * 200,
    "wide": "界" * 200,
    "path": "../../etc/passwd",
    "quotes": "\"'`><a href='javascript:alert(3)'>",
    "template": "{{ 7 * 7 }}{% raw %}",
    "percent": "100%25 %2F?a=b&name=c#d+e",
    "colon and comma": "a:b,c::16",
}
SIMULATED: dict[str, tuple[crowd.Variants, int]] = {
    "button": (
        {
            "blue": (9000, {"buy": 900, "sign up": 450}),
            "red": (9020, {"buy": 1250, "sign up": 470}),
        },
        16,
    ),
    "checkout": ({"original": (9000, {"buy": 1500}), "short": (9050, {"buy": 1000})}, 16),
    "footer": ({"control": (60_000, {"look": 30_000}), "short": (60_100, {"look": 30_100})}, 16),
    "banner": (
        {
            "control": (2000, {"buy": 100}),
            "green": (2010, {"buy": 110}),
            "grey": (1990, {"buy": 95}),
        },
        16,
    ),
    "headline": ({"control": (6200, {"buy": 300}), "question": (5000, {"buy": 320})}, 16),
    "menu": ({"control": (60_000, {"look": 6000}), "icons": (60_000, {"look": 6450})}, 1),
    "pop-up": ({"control": (500, {"buy": 0}), "late": (510, {"buy": 0})}, 16),
    "prices": ({"yearly": (400, {"buy": 20})}, 16),
    "search": ({}, 16),
    "video": ({"control": (300, {"play": 700}), "video": (310, {"play": 900})}, 16),
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with an experiment of every verdict."""
    with running_store(tmp_path_factory.mktemp("simulated")) as store:
        with store.client() as client:
            for name, (variants, precision) in SIMULATED.items():
                crowd.count(client, "alephbet", name, variants, precision)
            client.hset("alephbet:video:meta", "ignored:limit reached", 41)
            client.hset("alephbet:video:meta", "ignored:bot", 7)
        yield store


@pytest.fixture(scope="module")
def served(simulated: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gimel]:
    with running_gimel(
        tmp_path_factory.mktemp("served"), "--redis", simulated.url, "--api-key", KEY
    ) as running:
        yield running


@pytest.fixture
def visitors(chromium: Browser) -> Iterator[Visitors]:
    """Opens pages, whose consoles must stay empty."""
    visitors = Visitors(chromium)
    yield visitors
    visitors.close()
    assert visitors.complaints == []


def dashboard(gimel: Gimel, path: str = "", **query: str) -> str:
    return f"{gimel.url}dashboard{path}{'?' if query else ''}{urlencode(query)}"


def sign_in(page: Page, gimel: Gimel, key: str = KEY) -> None:
    page.goto(dashboard(gimel))
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Show the results").click()


@pytest.fixture
def signed_in(served: Gimel, visitors: Visitors) -> BrowserContext:
    """A browser that knows the key."""
    context = visitors.browser()
    context.add_cookies(
        [{"name": cookie_name(served), "value": session(served), "url": served.url}]
    )
    return context


def cookie_name(gimel: Gimel) -> str:
    return f"gimel-{urlsplit(gimel.url).port}"


def session(gimel: Gimel, key: str = KEY) -> str:
    """Return the cookie that the server gives to whoever knows the key."""
    answer = httpx.post(dashboard(gimel, "/sign-in"), data={"key": key})
    assert answer.status_code == 303, answer.text
    return str(answer.cookies[cookie_name(gimel)])


def known(gimel: Gimel) -> httpx.Client:
    """Return an HTTP client that is signed in."""
    return httpx.Client(cookies={cookie_name(gimel): session(gimel)})


@pytest.fixture(scope="module")
def figures_of_results(served: Gimel, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `gimel results --json` says of the same experiments, by name."""
    done = gimel(
        "results",
        "--json",
        "--url",
        served.url,
        "--api-key",
        KEY,
        home=tmp_path_factory.mktemp("results"),
    )
    assert done.returncode == 0, done.stderr
    return {each["experiment"]: each for each in json.loads(done.stdout)["experiments"]}


def cells(page: Page, caption: str) -> list[list[str]]:
    """Return the text of a table's body."""
    table = page.locator(
        "table", has=page.locator("caption", has_text=re.compile(f"^{re.escape(caption)}$"))
    )
    return [
        [cell.inner_text() for cell in row.locator("th, td").all()]
        for row in table.locator("tbody tr").all()
    ]


def test_every_verdict_is_on_the_overview(
    served: Gimel, signed_in: BrowserContext, visitors: Visitors, figures_of_results: dict[str, Any]
) -> None:
    """In the words of `gimel results`, with since when and how many; what cannot be trusted stands first."""
    page = visitors.page(signed_in)
    page.goto(dashboard(served))
    rows = cells(page, "All experiments, those that cannot be trusted first")

    kinds = {said["kind"] for found in figures_of_results.values() for said in found["verdicts"]}
    assert kinds == {kind.value for kind in Kind}
    assert {row[0] for row in rows} == set(SIMULATED)
    assert {row[0] for row in rows[:2]} == {"headline", "video"}
    for name, since, number, verdict in rows:
        found = figures_of_results[name]
        assert number == f"{sum(each['visitors'] for each in found['participants']):,.0f}"
        assert any(said["sentence"] in verdict for said in found["verdicts"])
        assert all(doubt in verdict for doubt in found["doubts"])
        assert since.startswith("2026-09-21, ")


@pytest.mark.parametrize("name", SIMULATED)
def test_an_experiments_page_says_what_gimel_results_says(
    name: str,
    served: Gimel,
    signed_in: BrowserContext,
    visitors: Visitors,
    figures_of_results: dict[str, Any],
) -> None:
    """Counts, intervals and verdicts of every goal are in its tables and, readable, in its plots."""
    found = figures_of_results[name]
    page = visitors.page(signed_in)
    page.goto(dashboard(served, "/experiment", name=name))
    for summary in page.locator("summary").all():
        summary.click()
    text = page.inner_text("main")

    assert page.get_by_role("heading", level=1).inner_text() == name
    assert all(doubt in text for doubt in found["doubts"])
    for goal in found["goals"]:
        if not goal["is_conversion"]:
            shown = {row[0]: row[3] for row in cells(page, f"Goals per visitor of {goal['goal']}")}
            assert shown == {
                each["variant"]: f"{each['per_visitor']:.2f}" for each in goal["variants"]
            }
            continue
        rows = {row[0]: row[1:] for row in cells(page, f"Rate of {goal['goal']}")}
        drawn = page.get_by_role("img", name=f"Rate of {goal['goal']}").text_content() or ""
        for each in goal["variants"]:
            visitors_seen, conversions, rate, between, _ = rows[each["variant"]]
            assert (visitors_seen, conversions) == (
                f"{each['visitors']:,.0f}",
                f"{each['conversions']:,.0f}",
            )
            assert float(rate) == pytest.approx(100 * each["rate"]["value"], abs=0.06)
            low, high = map(float, between.strip("[]").split(", "))
            assert low == pytest.approx(100 * each["rate"]["low"], abs=0.06)
            assert high == pytest.approx(100 * each["rate"]["high"], abs=0.06)
            assert f"{rate}% {between}" in drawn
        lifts = {each["variant"]: each for each in goal["variants"] if each["lift"]}
        drawn = (
            page.get_by_role("img", name=f"Lift of {goal['goal']}").text_content() or ""
            if lifts
            else ""
        )
        for row in (
            cells(page, f"{goal['goal']} against {found['control']}, the control") if lifts else []
        ):
            wide = lifts[row[0]]["anytime"]["lift"]
            assert float(row[2].split()[0]) == pytest.approx(
                100 * lifts[row[0]]["lift"]["value"], abs=0.6
            )
            assert float(row[5].strip("[]").split(",")[0]) == pytest.approx(
                100 * wide["low"], abs=0.6
            )
            assert row[2].replace(" ", "% ", 1) in drawn
            assert "0%" in drawn


def test_what_cannot_be_trusted_stands_before_any_figure(
    served: Gimel, signed_in: BrowserContext, visitors: Visitors
) -> None:
    """A lost event, a goal that is no conversion, and what was ignored, above the first table."""
    page = visitors.page(signed_in)
    page.goto(dashboard(served, "/experiment", name="video"))
    text = page.inner_text("#live")
    first_table = text.index("Visitors of each variant")
    for doubt in (
        "41 events not counted, a limit was reached",
        "more goals than visitors",
        "Ignored events: 7 bot",
    ):
        assert text.index(doubt) < first_table
    page.goto(dashboard(served, "/experiment", name="headline"))
    assert "visitors are split 55/45 where 50/50 was expected" in page.inner_text(".trust")


def test_choices_work_without_javascript(
    served: Gimel, signed_in: BrowserContext, visitors: Visitors
) -> None:
    """Another control, goal and confidence, from the keyboard alone."""
    context = visitors.browser(java_script_enabled=False)
    context.add_cookies(signed_in.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(dashboard(served))
    page.get_by_role("link", name="button").click()
    page.locator("select[name=control]").select_option("red")
    page.locator("select[name=goal]").select_option("sign up")
    page.get_by_label("Confidence").select_option("99%")
    page.get_by_role("button", name="Show").press("Enter")

    assert parse_qs(urlsplit(page.url).query) == {
        "name": ["button"],
        "control": ["red"],
        "goal": ["sign up"],
        "confidence": ["0.99"],
    }
    assert [heading.inner_text() for heading in page.locator("h2[id]", has_text="Goal:").all()] == [
        "Goal: sign up"
    ]
    assert "control: red" in page.inner_text(".facts")
    assert page.get_by_label("Confidence").input_value() == "0.99"
    page.locator("summary").first.press("Enter")
    assert "99% interval" in page.inner_text("main")


def test_a_refresh_keeps_the_readers_place(
    simulated: Store, served: Gimel, signed_in: BrowserContext, visitors: Visitors
) -> None:
    """New figures come in; the table that was opened, the focus in it and the scroll position stay."""
    with simulated.client() as client:
        crowd.count(client, "refresh", "e", {"a": (3000, {"buy": 100}), "b": (3000, {"buy": 110})})
        page = visitors.page(signed_in)
        page.set_viewport_size({"width": 390, "height": 500})
        page.goto(dashboard(served, "/experiment", name="e", namespace="refresh"))
        summary = page.locator("summary", has_text="The comparison as a table")
        summary.click()
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        page.evaluate("scrollBy(0, -200)")
        place = page.evaluate("scrollY")
        assert place > 500

        crowd.count(client, "refresh", "e", {"a": (3500, {"buy": 100}), "b": (3500, {"buy": 110})})
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.locator(".facts")).to_contain_text("6,995 visitors")

    assert page.evaluate("scrollY") == place
    assert page.evaluate("document.activeElement.textContent") == "The comparison as a table"
    assert page.locator("details[open]").count() == 1
    assert page.locator("table", has_text="against a, the control").is_visible()


def test_a_refresh_comes_by_itself_until_it_is_stopped(
    served: Gimel, signed_in: BrowserContext, visitors: Visitors
) -> None:
    """Every ten seconds of the page's clock; none while the button says stopped."""
    page = visitors.page(signed_in)
    page.clock.install()
    page.goto(dashboard(served))
    with page.expect_response(dashboard(served)):
        page.clock.run_for(10_500)
    page.get_by_role("button", name="Stop refreshing").click()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(60_000)
    page.wait_for_timeout(300)
    assert asked == []


def test_a_refresh_that_fails_keeps_the_figures_and_says_so(
    tmp_path: Path, chromium: Browser
) -> None:
    """While the store is away; when it is back, so are the figures."""
    visitors = Visitors(chromium)
    (tmp_path / "store").mkdir()
    with running_store(tmp_path / "store") as store:
        with store.client() as client:
            crowd.count(client, "alephbet", "e", {"a": (100, {}), "b": (110, {})})
        with running_gimel(tmp_path / "gimel", "--redis", store.url, "--api-key", KEY) as running:
            page = visitors.page()
            sign_in(page, running)
            page.wait_for_selector("table")
            store.kill()
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            expect(page.get_by_role("status")).to_contain_text("The store cannot be reached now.")
            assert page.get_by_role("link", name="e", exact=True).is_visible()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("status")).to_contain_text("gimel does not answer")
    visitors.close()


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_is_text_and_can_be_deleted(
    name: str, simulated: Store, served: Gimel, signed_in: BrowserContext, visitors: Visitors
) -> None:
    """As experiment, variant and goal: shown, followed, drawn, deleted, and never run."""
    namespace = f"hostile {name}"[:200]
    with simulated.client() as client:
        crowd.count(client, namespace, name, {name: (900, {name: 90}), "b": (910, {name: 80})})
    page = visitors.page(signed_in)
    page.set_viewport_size({"width": 390, "height": 800})
    dialogs: list[Dialog] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog))
    page.goto(dashboard(served, namespace=namespace))
    page.locator("tbody a").first.click()
    assert page.get_by_role("heading", level=1).inner_text() == figures.visible(name)
    assert page.locator("svg").count() == 2
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    page.get_by_role("link", name="Delete this experiment").click()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    assert len(served.experiments(namespace)) == 2
    page.get_by_role("button", name="Delete it for good").click()

    assert page.inner_text(".done") == f"Deleted: {figures.visible(name)}"
    assert served.experiments(namespace)[1:] == []
    assert dialogs == []


def test_deleting_asks_first(
    simulated: Store, served: Gimel, signed_in: BrowserContext, visitors: Visitors
) -> None:
    """With how much would be gone; keeping it leads back."""
    with simulated.client() as client:
        crowd.count(client, "delete", "e", {"a": (900, {"buy": 90}), "b": (910, {"buy": 80})})
    page = visitors.page(signed_in)
    page.goto(dashboard(served, "/experiment", name="e", namespace="delete"))
    page.get_by_role("link", name="Delete this experiment").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Delete e?"
    assert "1,8" in page.inner_text("main")
    page.get_by_role("link", name="Keep it").click()
    assert page.get_by_role("heading", level=1).inner_text() == "e"
    assert len(served.experiments("delete")) == 2


AXE = """async () => {
  const found = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
  return found.violations.map(each => `${each.id}: ${each.nodes.map(node => node.html.slice(0, 120)).join(" | ")}`);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("", {}),
        ("", {"namespace": "empty"}),
        *(
            ("/experiment", {"name": name})
            for name in ("button", "video", "headline", "search", "pop-up")
        ),
        ("/delete", {"name": "button"}),
    ],
    ids=str,
)
def test_axe_finds_nothing(
    path: str,
    query: dict[str, str],
    width: int,
    scheme: Any,
    served: Gimel,
    signed_in: BrowserContext,
    visitors: Visitors,
) -> None:
    """By day and by night, on a phone, which scrolls in one direction only, and on a desk."""
    context = visitors.browser(
        bypass_csp=True, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    context.add_cookies(signed_in.cookies())  # type: ignore[arg-type]
    page = visitors.page(context)
    page.goto(dashboard(served, path, **query))
    for summary in page.locator("summary").all():
        summary.click()
    page.add_script_tag(path=package("axe-core", "4.10.3") / "axe.min.js")

    assert page.evaluate(AXE) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_the_key_is_asked(
    scheme: Any, served: Gimel, chromium: Browser
) -> None:
    """Nor on the page that says that it was the wrong one."""
    visitors = Visitors(chromium)
    page = visitors.page(bypass_csp=True, color_scheme=scheme)
    sign_in(page, served, "wrong")
    assert "This is not the key." in page.inner_text("main")
    page.add_script_tag(path=package("axe-core", "4.10.3") / "axe.min.js")
    assert page.evaluate(AXE) == []
    visitors.close()


def test_the_key_is_asked_once_and_shown_nowhere(served: Gimel, chromium: Browser) -> None:
    """Not in an address, a page, the cookie or the log; scripts and other sites cannot have the cookie."""
    visitors = Visitors(chromium)
    page = visitors.page()
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.goto(dashboard(served))
    assert page.locator("table").count() == 0
    sign_in(page, served)
    page.wait_for_selector("table")
    (cookie,) = page.context.cookies()
    again = visitors.page(page.context)
    again.goto(dashboard(served, "/experiment", name="button"))
    assert again.locator("svg").count() == 4

    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (
        True,
        "Strict",
        "/dashboard",
    )
    assert KEY not in f"{cookie}{seen}{page.content()}{again.content()}{served.log.read_text()}"
    assert page.evaluate("document.cookie") == ""
    again.get_by_role("button", name="Forget the key").click()
    again.wait_for_selector("text=Show the results")
    assert page.context.cookies() == []
    visitors.close()


@pytest.mark.parametrize("cookie", [None, "", "wrong", KEY])
@pytest.mark.parametrize("path", ["", "/experiment?name=button", "/delete?name=button"])
def test_without_the_key_nothing_is_shown(path: str, cookie: str | None, served: Gimel) -> None:
    """401 and the form; the key itself is no cookie."""
    cookies = {} if cookie is None else {cookie_name(served): cookie}
    answer = httpx.get(dashboard(served, path), cookies=cookies)
    assert answer.status_code == 401
    assert 'type="password"' in answer.text
    assert "visitors" not in answer.text


def csrf(client: httpx.Client, served: Gimel) -> str:
    found = re.search(
        r'name="csrf" value="(\w+)"', client.get(dashboard(served, "/delete", name="button")).text
    )
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("change", "headers", "status"),
    [
        ({"csrf": ""}, {}, 403),
        ({"csrf": "0" * 64}, {}, 403),
        ({}, {"Origin": "https://example.com"}, 403),
        ({}, {"Origin": "null"}, 403),
        ({}, {"Cookie": "gimel=none"}, 401),
    ],
    ids=["no token", "wrong token", "another site", "nowhere", "no key"],
)
def test_another_site_cannot_delete(
    change: dict[str, str], headers: dict[str, str], status: int, served: Gimel
) -> None:
    """Whatever it has the browser send, the experiment stays."""
    with known(served) as client:
        form = {"name": "button", "namespace": "alephbet", "csrf": csrf(client, served), **change}
        if "Cookie" in headers:
            client.cookies.clear()
        answer = client.post(dashboard(served, "/delete"), data=form, headers=headers)
    assert answer.status_code == status
    assert "button" in [each["experiment"] for each in served.experiments("alephbet")[1:]]


def test_pages_allow_nothing_but_their_own(served: Gimel) -> None:
    """Content-Security-Policy: no foreign script, style, frame or address, and nothing inline but by its hash."""
    with known(served) as client:
        policy = client.get(dashboard(served)).headers["content-security-policy"]
    directives = {name: values for name, *values in (part.split() for part in policy.split(";"))}
    assert directives["default-src"] == ["'none'"]
    assert directives["frame-ancestors"] == directives["base-uri"] == ["'none'"]
    assert directives["connect-src"] == directives["form-action"] == ["'self'"]
    for kind in ("script-src", "style-src"):
        assert re.fullmatch(r"'sha256-[\w+/=]{44}'", " ".join(directives[kind]))


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("?namespace=nowhere", 200, "There is no experiment in the namespace <bdi>nowhere</bdi>."),
        (
            "/experiment?name=buton",
            404,
            "There is no experiment &#39;buton&#39; in the namespace &#39;alephbet&#39;.</strong>"
            " Did you mean &#39;button&#39;?",
        ),
        ("/experiment", 404, "There is no experiment &#39;&#39;"),
        ("/delete?name=buton", 404, "Did you mean &#39;button&#39;?"),
        ("/experiment?name=button&goal=by", 404, "Did you mean &#39;buy&#39;?"),
        ("/experiment?name=button&control=rad", 404, "Did you mean &#39;red&#39;?"),
        ("?confidence=2", 400, "&#39;2&#39; is not a confidence."),
        ("?confidence=nan", 400, "is not a confidence."),
        (f"?namespace={'x' * 201}", 502, "namespace is longer than 200 characters"),
        ("/experiment?name=%00%1b%5b2J", 502, "control character"),
    ],
)
def test_a_page_says_what_is_not_there(path: str, status: int, words: str, served: Gimel) -> None:
    """With the nearest names."""
    with known(served) as client:
        answer = client.get(f"{served.url}dashboard{path}")
    assert (answer.status_code, words in answer.text) == (status, True), answer.text


@contextlib.contextmanager
def local_dashboard(home: Path, *options: str, **variables: str) -> Iterator[str]:
    """Run `gimel dashboard` for the length of a with block; its address."""
    command = [sys.executable, "-m", "gimel", "dashboard", "--no-browser", *options]
    process = subprocess.Popen(
        command,
        cwd=home,
        env=environment(home, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        address = re.search(r"http://\S+", line)
        assert address, f"{line}{process.communicate()}"
        yield address[0]
    finally:
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=30)
        assert KEY not in f"{line}{out}{errors}"
        assert (process.returncode, errors.strip()) == (130, "Interrupted.")


def test_gimel_dashboard_shows_an_api_without_its_key(
    tmp_path: Path, served: Gimel, simulated: Store, visitors: Visitors
) -> None:
    """The same pages; the key stays in the process, and DELETE goes from there to the API."""
    with simulated.client() as client:
        crowd.count(client, "mine", "e", {"a": (900, {"buy": 90}), "b": (910, {"buy": 80})})
    with local_dashboard(
        tmp_path, "--url", served.url, "--namespace", "mine", GIMEL_API_KEY=KEY
    ) as address:
        page = visitors.page()
        asked: list[Any] = []
        page.on("request", lambda request: asked.append(request))
        page.goto(address.removesuffix("/dashboard"))
        page.get_by_role("link", name="e", exact=True).click()
        contents = page.content()
        page.get_by_role("link", name="Delete this experiment").click()
        contents += page.content()
        page.get_by_role("button", name="Delete it for good").click()
        page.wait_for_selector("text=Deleted: e")
        assert {
            urlsplit(request.url).netloc for request in asked if not request.url.startswith("data:")
        } == {urlsplit(address).netloc}
        assert KEY not in contents + "".join(f"{request.url}{request.headers}" for request in asked)
    assert served.experiments("mine")[1:] == []


def test_gimel_dashboard_is_asked_by_its_own_name_only(tmp_path: Path) -> None:
    """A page elsewhere whose name was made to lead to this machine gets nothing (DNS rebinding)."""
    with local_dashboard(tmp_path, "--demo") as address:
        for host in ("example.com", "127.0.0.1.example.com", "example.com:80", "", "[x"):
            answer = httpx.get(address, headers={"Host": host})
            assert answer.status_code in (400, 403), host
            assert "headline" not in answer.text
        assert "headline" in httpx.get(address.replace("127.0.0.1", "localhost")).text


def test_the_demo_shows_every_verdict_and_says_that_it_is_one(
    tmp_path: Path, visitors: Visitors
) -> None:
    """On each of its pages, without any API."""
    answer = Demo(time.time()).experiments("alephbet")
    found = analyse_all(answer, {})
    assert {verdict.kind for each in found for _, verdict in each.verdicts} == set(Kind)
    with local_dashboard(tmp_path, "--demo") as address:
        page = visitors.page()
        page.goto(address)
        links = [link.get_attribute("href") for link in page.locator("tbody a").all()]
        assert len(links) == len(found)
        for link in (None, *links):
            page.goto(address if link is None else f"{address.removesuffix('/dashboard')}{link}")
            assert "Made-up experiments." in page.inner_text("body")


def test_an_api_that_fails_is_told_on_the_page(
    tmp_path: Path, served: Gimel, chromium: Browser
) -> None:
    """Not there at all, or refusing the key: what happened and what to do, in words."""
    visitors = Visitors(chromium)
    nowhere = f"http://127.0.0.1:{free_port()}"
    for url, words in (
        (nowhere, f"Nothing answers at {nowhere}/experiments."),
        (served.url, "refused the API key. Give the right one with --api-key or $GIMEL_API_KEY."),
    ):
        with local_dashboard(tmp_path, "--url", url, "--api-key", "wrong") as address:
            page = visitors.page()
            page.goto(address)
            assert words in page.inner_text("#failure")
    visitors.close()


def test_a_report_is_one_file_that_needs_nothing(
    tmp_path: Path, served: Gimel, visitors: Visitors
) -> None:
    """Every experiment with its plots and tables, opened from the disk: no request, no script, no complaint."""
    done = gimel(
        "dashboard", "--output", "report.html", "--url", served.url, "--api-key", KEY, home=tmp_path
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    page = visitors.page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    assert page.locator("article").count() == len(SIMULATED)
    assert page.locator("tbody a").count() == len(SIMULATED)
    assert page.locator("script, form, link[rel=stylesheet]").count() == 0
    page.get_by_role("link", name="footer").click()
    assert page.evaluate("decodeURIComponent(location.hash).length") > 1
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert KEY not in page.content()


def test_a_report_of_nothing_is_an_error(tmp_path: Path, served: Gimel) -> None:
    """No file is left."""
    done = gimel(
        "dashboard",
        "--output",
        "r.html",
        "--namespace",
        "nowhere",
        "--url",
        served.url,
        "--api-key",
        KEY,
        home=tmp_path,
    )
    assert done.returncode == 1
    assert "There is no experiment in the namespace 'nowhere'." in done.stderr
    assert not (tmp_path / "r.html").exists()


counts = st.integers(0, 10**12) | st.floats(1e-3, 1e20)


@given(
    arms=st.lists(
        st.tuples(counts, counts, st.sampled_from(["1", "16", "exact"])), min_size=1, max_size=5
    ),
    name=st.text(max_size=200),
)
def test_no_count_breaks_a_plot(arms: list[tuple[float, float, str]], name: str) -> None:
    """Everything that is drawn lies inside, in its order, with at least one label on the axis."""
    visitors = {
        f"{number}{name}": Count.of({kind: seen}) for number, (seen, _, kind) in enumerate(arms)
    }
    converted = {
        f"{number}{name}": Count.of({kind: done}) for number, (_, done, kind) in enumerate(arms)
    }
    (goal,) = analyse(Counted("e", visitors, {"g": converted})).goals
    for plot in filter(None, [plots.rates(goal), plots.lifts(goal)]):
        assert 1 <= len(plot.ticks) <= 12
        assert plot.mark is None or 0 <= plot.mark <= plots.WIDTH
        for bar in plot.bars:
            if bar.x is not None:
                inside = [0, bar.low, bar.x, bar.high, plots.WIDTH]
                assert inside == sorted(inside)
                wide = [
                    0,
                    bar.wide_low or 0,
                    bar.low,
                    bar.high,
                    bar.wide_high or plots.WIDTH,
                    plots.WIDTH,
                ]
                assert wide == sorted(wide)

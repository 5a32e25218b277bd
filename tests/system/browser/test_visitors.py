"""A real browser: Chromium, the page snippet, AlephBet from npm, and `gimel serve` with a real store.

Every page is on an origin of its own, as a page of one's web site is, unless it is the demo page. Each test counts in a
namespace of its own.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest
import redis
from playwright.sync_api import Browser, Page

from gimel.page.snippet import snippet
from tests.support.browser import (
    Gimel,
    Site,
    Visitors,
    queue,
    running_browser,
    running_gimel,
    running_site,
    start_browser,
    wait_until_sent,
)
from tests.support.servers import Store, running_store, start_store

EXPERIMENT = "buy button colour"
ADAPTERS = ("GimelAdapter", "LamedAdapter")

# Each visitor of this page does something else, and the page writes down what: the variant as it is seen, the goals reached.
CROWD = """<script>
  const signedUp = new AlephBet.Goal("signed up"), looked = new AlephBet.Goal("looked", { unique: false });
  experiment.add_goals([signedUp, looked]);
  const done = { variant: document.documentElement.dataset.buyButton, bought: 0, "signed up": 0, looked: 0 };
  if (Math.random() < 0.4) {
    done.bought = 1;
    for (let clicks = Math.random() * 3; clicks > 0; clicks--) document.querySelector(".buy-button").click();
  }
  if (Math.random() < 0.2) { done["signed up"] = 1; signedUp.complete(); }
  for (let looks = Math.random() * 3; looks > 1; looks--) { done.looked++; looked.complete(); }
</script>"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def gimel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gimel]:
    """A `gimel serve` with its private store and without configuration."""
    with running_gimel(tmp_path_factory.mktemp("gimel")) as gimel:
        yield gimel


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site() as site:
        yield site


@pytest.fixture
def visitors(chromium: Browser) -> Iterator[Visitors]:
    visitors = Visitors(chromium)
    yield visitors
    visitors.close()


def shop(
    gimel: Gimel, namespace: str, adapter: str = "GimelAdapter", options: str = "", more: str = ""
) -> str:
    """Return a page that has a button to buy with, and the snippet."""
    pasted = snippet(gimel.track_url, namespace).replace("GimelAdapter", adapter)
    pasted = pasted.replace("tracking_adapter: gimel,", f"tracking_adapter: gimel, {options}")
    head = (
        '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>A shop</title>'
    )
    return f'{head}<button class="buy-button">Buy</button>{pasted}{more}'


def variant(page: Page) -> str:
    """Return the variant as a visitor sees it."""
    return str(page.evaluate("document.documentElement.dataset.buyButton"))


def buy(page: Page) -> None:
    page.evaluate("document.querySelector('.buy-button').click()")


@pytest.mark.parametrize(
    ("adapter", "number"), [("GimelAdapter", 200), ("LamedAdapter", 100)], ids=ADAPTERS
)
def test_counts_equal_what_hundreds_of_visitors_did(
    gimel: Gimel, site: Site, visitors: Visitors, adapter: str, number: int
) -> None:
    """Each with a fresh storage, visitors are given variants and reach goals; exactly that is served as results."""
    site.pages["/crowd"] = shop(gimel, f"crowd {adapter}", adapter, more=CROWD)
    page = visitors.page()
    did: dict[str, Counter[str]] = {
        goal: Counter() for goal in ("participate", "bought", "signed up", "looked")
    }

    for _ in range(number):
        page.goto(f"{site.origin}/crowd")
        wait_until_sent(page)
        done = page.evaluate("() => { localStorage.clear(); return done; }")
        did["participate"][done["variant"]] += 1
        for goal in ("bought", "signed up", "looked"):
            did[goal][done["variant"]] += done[goal]

    assert gimel.counts(f"crowd {adapter}") == did
    assert visitors.complaints == []
    assert did["participate"].total() == number
    assert min(min(counts.values()) for counts in did.values()) > 5


def test_a_reload_and_a_second_tab_count_nothing_twice(
    gimel: Gimel, site: Site, visitors: Visitors
) -> None:
    """A visitor is one visitor, with one variant, on every page of every tab."""
    site.pages["/shop"] = shop(gimel, "tabs")
    browser = visitors.browser()
    first = visitors.page(browser)
    first.goto(f"{site.origin}/shop")
    buy(first)
    wait_until_sent(first)
    given = variant(first)

    first.reload()
    buy(first)
    second = visitors.page(browser)
    second.goto(f"{site.origin}/shop")
    buy(second)
    buy(second)
    for tab in (first, second):
        wait_until_sent(tab)

    assert [variant(first), variant(second)] == [given, given]
    assert gimel.counts("tabs") == {"participate": {given: 1}, "bought": {given: 1}}


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_user_id_counts_once_across_two_browsers(
    gimel: Gimel, site: Site, visitors: Visitors, adapter: str
) -> None:
    """Whoever is logged in gets the same variant in every browser, and is one participant who bought once."""
    namespace = f"users {adapter}"
    given: dict[str, list[str]] = {}
    for user in ("ann", "bob"):
        site.pages["/shop"] = shop(gimel, namespace, adapter, options=f'user_id: "{user}",')
        for _ in range(2):
            page = visitors.page()
            page.goto(f"{site.origin}/shop")
            buy(page)
            wait_until_sent(page)
            given.setdefault(user, []).append(variant(page))

    assert all(first == second for first, second in given.values())
    once = Counter(first for first, _ in given.values())
    assert gimel.counts(namespace) == {"participate": once, "bought": once}


def test_nothing_is_lost_while_the_store_is_down(
    tmp_path: Path, site: Site, visitors: Visitors
) -> None:
    """Events answered 503 stay in the visitors' browsers, and are counted on the first page after the store is back."""
    (tmp_path / "store").mkdir()
    with (
        running_store(tmp_path / "store", "--appendonly", "yes") as store,
        running_gimel(tmp_path / "gimel", "--redis", store.url) as gimel,
    ):
        site.pages["/shop"] = shop(gimel, "outage")
        pages = [visitors.page() for _ in range(6)]
        for page in pages[:3]:
            page.goto(f"{site.origin}/shop")
            wait_until_sent(page)

        store.kill()
        for page in pages[:3]:
            with page.expect_response(lambda answer: answer.status == 503):
                buy(page)
        for page in pages[3:]:
            with page.expect_response(lambda answer: answer.status == 503):
                page.goto(f"{site.origin}/shop")
            with page.expect_response(lambda answer: answer.status == 503):
                buy(page)
        kept = [sorted(event["event"] for event in queue(page)) for page in pages]
        again = start_store(tmp_path / "store", "--appendonly", "yes", port=store.port)
        try:
            again.client().ping()
            for page in pages:
                page.reload()
                wait_until_sent(page)
            counts = gimel.counts("outage")
        finally:
            again.kill()

    everybody = Counter(variant(page) for page in pages)
    assert kept == [["bought"]] * 3 + [["bought", "participate"]] * 3
    assert counts == {"participate": everybody, "bought": everybody}


def test_nothing_is_lost_when_the_private_store_is_killed(
    tmp_path: Path, site: Site, visitors: Visitors
) -> None:
    """`gimel serve` starts its own store again, with all that was counted; what was not is sent again."""
    with running_gimel(tmp_path) as gimel:
        site.pages["/shop"] = shop(gimel, "crash")
        pages = [visitors.page() for _ in range(4)]
        for page in pages[:2]:
            page.goto(f"{site.origin}/shop")
            wait_until_sent(page)

        with redis.Redis(unix_socket_path=str(gimel.data / "store.sock")) as private:
            os.kill(private.info("server")["process_id"], signal.SIGKILL)
        for page in pages[2:]:
            page.goto(f"{site.origin}/shop")
        for page in pages:
            buy(page)
        wait_until_counted(gimel)
        for page in pages:
            page.reload()
            wait_until_sent(page)
        counts = gimel.counts("crash")

    everybody = Counter(variant(page) for page in pages)
    assert counts == {"participate": everybody, "bought": everybody}
    assert "Starting it again" in gimel.log.read_text()


def wait_until_counted(gimel: Gimel) -> None:
    """Wait until the store answers again."""
    for _ in range(200):
        try:
            gimel.experiments("any")
        except HTTPError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(gimel.log.read_text())


def test_a_bot_is_refused_for_good(
    gimel: Gimel, site: Site, visitors: Visitors, chromium: Browser
) -> None:
    """A headless Chromium that does not hide it is not counted but noted, and does not send its events again."""
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

    _, experiment = gimel.experiments("bots")
    assert "HeadlessChrome" in user_agent
    assert gimel.counts("bots") == {"participate": {variant(person): 1}}
    assert experiment["ignored"] == {"bot": 1}
    assert bots.complaints == []


def test_an_experiment_that_is_not_allowed_is_refused_for_good(
    tmp_path: Path, session_store: Store, site: Site, visitors: Visitors
) -> None:
    """A page that runs an experiment off the allow-list loses its events at once, instead of sending them on every page."""
    configuration = {"allowed_experiments": ["another"]}
    with running_gimel(
        tmp_path, "--redis", session_store.url, configuration=configuration
    ) as gimel:
        gimel.track("allowed", experiment="another", variant="a", event="participate", uuid="1")
        site.pages["/shop"] = shop(gimel, "allowed")
        page = visitors.page()
        page.goto(f"{site.origin}/shop")
        wait_until_sent(page)

        (meta, another) = gimel.experiments("allowed")
        assert another["experiment"] == "another"
        assert meta["meta"]["ignored"] == {"experiment not allowed": 1}
        assert visitors.complaints == []


def test_a_malformed_event_stays_with_the_client_and_keeps_no_other_from_being_counted(
    gimel: Gimel, site: Site, visitors: Visitors
) -> None:
    """AlephBet drops an event on exactly 200: one answered 400 is sent on every page, in vain; the developer sees why."""
    too_long = "x" * 201
    site.pages["/shop"] = shop(
        gimel, "malformed", more=f'<script>experiment.goal_complete("{too_long}")</script>'
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


@pytest.fixture
def choosy_gimel(tmp_path: Path, session_store: Store, site: Site) -> Iterator[Gimel]:
    """A `gimel serve` that is configured for the pages of the site only."""
    configuration = {"allowed_origins": ["https://www.example.com", site.origin]}
    with running_gimel(
        tmp_path, "--redis", session_store.url, configuration=configuration
    ) as gimel:
        yield gimel


def test_a_configured_origin_is_counted(
    choosy_gimel: Gimel, site: Site, visitors: Visitors
) -> None:
    """A page of a configured origin may read the answer, so its events leave the queue."""
    site.pages["/shop"] = shop(choosy_gimel, "allowed origin")
    page = visitors.page()
    page.goto(f"{site.origin}/shop")
    wait_until_sent(page)

    assert choosy_gimel.counts("allowed origin") == {"participate": {variant(page): 1}}
    assert visitors.complaints == []


def test_another_origin_may_not_read_the_answer(choosy_gimel: Gimel, visitors: Visitors) -> None:
    """CORS keeps the answer from the page, not the event from the server: it is counted, once, and sent on every page."""
    with running_site() as stranger:
        stranger.pages["/shop"] = shop(choosy_gimel, "another origin")
        page = visitors.page()
        for load in (page.goto, lambda _: page.reload()):
            with page.expect_event(
                "requestfailed", lambda request: request.url.startswith(choosy_gimel.track_url)
            ):
                load(f"{stranger.origin}/shop")

        assert [event["event"] for event in queue(page)] == ["participate"]
        assert choosy_gimel.counts("another origin") == {"participate": {variant(page): 1}}
        assert any("Access-Control-Allow-Origin" in complaint for complaint in visitors.complaints)


EVENTS = [
    {"namespace": "", "experiment": "e", "variant": "red", "event": event, "uuid": "1"}
    for event in ("participate", "bought")
]


@pytest.mark.parametrize("batched", [False, True], ids=["one by one", "a list"])
def test_a_beacon_from_another_origin_is_counted(
    gimel: Gimel, site: Site, visitors: Visitors, batched: bool
) -> None:
    """navigator.sendBeacon sends text as text/plain and asks no leave; a page sends so while it is left."""
    site.pages["/left"] = "<!doctype html><title>Left</title>"
    namespace = f"beacon {batched}"
    events = [{**event, "namespace": namespace} for event in EVENTS]
    payloads = [events] if batched else events
    page = visitors.page(intercept=False)
    page.goto(f"{site.origin}/left")
    page.evaluate(
        """([url, payloads]) => addEventListener("pagehide", () => {
          for (const payload of payloads) navigator.sendBeacon(url, JSON.stringify(payload));
        })""",
        [gimel.track_url, payloads],
    )
    page.goto("about:blank")

    both = {"participate": {"red": 1}, "bought": {"red": 1}}
    for _ in range(200):
        if gimel.counts(namespace) == both:
            break
        time.sleep(0.05)
    assert gimel.counts(namespace) == both


def test_a_post_of_json_from_another_origin_passes_the_preflight(
    gimel: Gimel, site: Site, visitors: Visitors
) -> None:
    """For JSON the browser asks the server for leave first, gets it, and the page may read the answer."""
    site.pages["/post"] = "<!doctype html><title>Post</title>"
    page = visitors.page(intercept=False)
    methods: list[str] = []
    network = page.context.new_cdp_session(page)
    network.on(
        "Network.requestWillBeSent",
        lambda sent: methods.append(sent["request"]["method"]),
    )
    network.send("Network.enable")
    page.goto(f"{site.origin}/post")
    answer = page.evaluate(
        """([url, event]) => fetch(url, {
          method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(event)
        }).then(answer => answer.json())""",
        [gimel.track_url, {**EVENTS[0], "namespace": "post"}],
    )

    assert answer == {"status": "ok"}
    assert sorted(methods) == ["GET", "OPTIONS", "POST"]
    assert gimel.counts("post") == {"participate": {"red": 1}}


def test_a_tampered_alephbet_is_not_run(gimel: Gimel, site: Site, visitors: Visitors) -> None:
    """The snippet pins AlephBet by its hash: a file changed on its way is refused by the browser."""
    assert visitors.alephbet is not None
    visitors.alephbet += b"\n;window.tampered = true;"
    site.pages["/shop"] = shop(gimel, "tampered")
    page = visitors.page()
    page.goto(f"{site.origin}/shop")

    assert page.evaluate("[typeof AlephBet, typeof tampered]") == ["undefined", "undefined"]
    assert any("integrity" in complaint for complaint in visitors.complaints)
    assert gimel.counts("tampered") == {}


@pytest.fixture
def demo(tmp_path: Path, session_store: Store, store: redis.Redis) -> Iterator[Gimel]:
    """A `gimel serve` whose demo page has counted nothing yet."""
    with running_gimel(tmp_path, "--redis", session_store.url) as gimel:
        yield gimel


SUM_OF_COLUMN = """(column =>
  [...document.querySelectorAll(`#counts td:nth-child(${column})`)].reduce((sum, cell) => sum + Number(cell.innerText), 0)
)"""


def shown(page: Page) -> dict[str, dict[str, int]]:
    """Return the counts in the demo page's table, as `Gimel.counts` does."""
    rows: list[list[str]] = page.evaluate(
        "[...document.querySelectorAll('#counts tr')].map(r => [...r.cells].map(c => c.innerText))"
    )
    counted = [row for row in rows if len(row) == 3]
    return {
        "participate": {label: int(trials) for label, trials, _ in counted},
        "bought": {label: int(successes) for label, _, successes in counted},
    }


def wait_for_message(page: Page, text: str) -> None:
    """Wait until the demo page's message has the text in it; an empty text waits until there is no message."""
    condition = "text => { const shown = document.getElementById('message').textContent; return text ? shown.includes(text) : !shown; }"
    page.wait_for_function(condition, arg=text)


def wait_for_visitors(page: Page, number: int) -> None:
    page.wait_for_function(
        f"number => {SUM_OF_COLUMN}(2) >= number",
        arg=number,
    )


def test_the_demo_page_shows_what_its_visitors_do(demo: Gimel, visitors: Visitors) -> None:
    """It names the variant it gave; Buy, a new visitor and a hundred more move the counts; the browser has no complaints."""
    page = visitors.page()
    page.goto(demo.url)
    wait_for_visitors(page, 1)
    first = variant(page)
    named = page.inner_text("#variant")
    page.click(".buy-button")
    page.click(".buy-button")
    page.wait_for_function("document.querySelector('#counts td:nth-child(3)').innerText === '1'")
    after_buying = shown(page)

    page.click("#again")
    wait_for_visitors(page, 2)
    page.click("#many")
    page.wait_for_selector("#many:disabled")
    page.wait_for_selector("#many:enabled")
    wait_for_visitors(page, 102)
    page.wait_for_function("!adapters.some(hasUnsent)")
    counts = demo.counts("gimel-demo")
    page.wait_for_function(
        f"bought => {SUM_OF_COLUMN}(3) === bought",
        arg=sum(counts["bought"].values()),
    )

    assert named == first
    assert after_buying == {"participate": {first: 1}, "bought": {first: 1}}
    assert sum(counts["participate"].values()) == 102
    assert min(*counts["participate"].values(), *counts["bought"].values()) > 5
    assert shown(page) == counts
    assert visitors.complaints == []


def test_the_demo_page_outlives_its_store(tmp_path: Path, visitors: Visitors) -> None:
    """It says that the store is away, and when it is back, that all of a hundred visitors were counted."""
    (tmp_path / "store").mkdir()
    with (
        running_store(tmp_path / "store", "--appendonly", "yes") as store,
        running_gimel(tmp_path / "gimel", "--redis", store.url) as gimel,
    ):
        page = visitors.page()
        page.goto(gimel.url)
        wait_for_visitors(page, 1)
        store.kill()
        wait_for_message(page, "The store cannot be reached now.")
        page.click("#many")
        page.wait_for_selector("#many:disabled")
        page.wait_for_selector("#many:enabled")
        again = start_store(tmp_path / "store", "--appendonly", "yes", port=store.port)
        try:
            wait_for_visitors(page, 101)
            wait_for_message(page, "")
            page.wait_for_function("!adapters.some(hasUnsent)")
            counts = gimel.counts("gimel-demo")
        finally:
            again.kill()
    wait_for_message(page, "gimel serve does not answer now.")

    assert sum(counts["participate"].values()) == 101


def test_the_demo_page_says_that_alephbet_is_missing(demo: Gimel, visitors: Visitors) -> None:
    """Without AlephBet nothing can run: the page says why, offers no button, and still shows what is counted."""
    demo.track("gimel-demo", experiment=EXPERIMENT, variant="red", event="participate", uuid="1")
    visitors.alephbet = None
    page = visitors.page()
    page.goto(demo.url)
    wait_for_visitors(page, 1)

    assert "AlephBet could not be loaded from unpkg.com" in page.inner_text("#message")
    assert page.locator("button:enabled").count() == 0


def test_the_demo_page_says_that_its_events_are_ignored(
    tmp_path: Path, session_store: Store, visitors: Visitors
) -> None:
    """A configuration made for one's own experiments leaves the demo out: the page does not stay empty without a word."""
    configuration = {"allowed_experiments": ["another"]}
    with running_gimel(
        tmp_path, "--redis", session_store.url, configuration=configuration
    ) as gimel:
        session_store.client().flushall()
        page = visitors.page()
        page.goto(gimel.url)
        wait_for_message(page, "does config.json not allow it")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_demo_page_fits_its_window(gimel: Gimel, visitors: Visitors, width: int) -> None:
    """Nothing but the snippet is wider than a phone, and that scrolls by itself."""
    page = visitors.page(viewport={"width": width, "height": 800})
    page.goto(gimel.url)
    wait_for_visitors(page, 1)

    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    assert page.evaluate(
        "[...document.querySelectorAll('button')].every(b => b.getBoundingClientRect().right <= innerWidth)"
    )


CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.background = "Canvas";
  const ground = getComputedStyle(probe).backgroundColor;
  const luminance = colours => {  // painted over each other, as WCAG 2 defines it
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrasts = {};
  for (const element of document.querySelectorAll("h1, h2, p, strong, button, th, td, pre, code, small")) {
    const layers = [];
    for (let each = element; each; each = each.parentElement) layers.unshift(getComputedStyle(each).backgroundColor);
    const behind = luminance([ground, ...layers]), text = luminance([ground, ...layers, getComputedStyle(element).color]);
    const name = `${element.tagName} ${element.className}`;
    const contrast = (Math.max(behind, text) + 0.05) / (Math.min(behind, text) + 0.05);
    contrasts[name] = Math.min(contrasts[name] || 21, contrast);
  }
  return [contrasts, luminance([ground])];
}"""


@pytest.mark.parametrize("button", ["blue", "red"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_demo_page_can_be_read(
    gimel: Gimel, visitors: Visitors, scheme: str, button: str
) -> None:
    """Every text stands out from what is behind it as WCAG 2 AA asks, 4.5 to 1, by day and by night."""
    page = visitors.page(color_scheme=scheme)
    page.goto(gimel.url)
    wait_for_visitors(page, 1)
    page.evaluate("button => { document.documentElement.dataset.buyButton = button; }", button)
    contrasts, ground = page.evaluate(CONTRASTS)

    assert {name: contrast for name, contrast in contrasts.items() if contrast < 4.5} == {}
    assert (ground < 0.1) == (scheme == "dark")

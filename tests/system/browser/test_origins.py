"""Pages of other origins in a real browser: CORS, beacons, and the integrity of the snippet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import Site, Visitors, queue, running_site, wait_until_sent
from tests.support.served import Served, serving
from tests.support.servers import Store, wait_until
from tests.support.shop import shop, variant


@pytest.fixture
def choosy_gimel(tmp_path: Path, session_store: Store, site: Site) -> Iterator[Served]:
    """A `gimel serve` for the pages of the site only."""
    configuration = {"allowed_origins": ["https://www.example.com", site.origin]}
    with serving(tmp_path, "--redis", session_store.url, configuration=configuration) as gimel:
        yield gimel


def test_a_configured_origin_is_counted(
    choosy_gimel: Served, site: Site, visitors: Visitors
) -> None:
    """Its page may read the answer, so its events leave the queue."""
    site.pages["/shop"] = shop(choosy_gimel, "allowed origin")
    page = visitors.page()
    page.goto(f"{site.origin}/shop")
    wait_until_sent(page)

    assert choosy_gimel.counts("allowed origin") == {"participate": {variant(page): 1}}
    assert visitors.complaints == []


def test_another_origin_may_not_read_the_answer(choosy_gimel: Served, visitors: Visitors) -> None:
    """CORS hides the answer, not the event: it is counted once, and sent with every page."""
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
    gimel: Served, site: Site, visitors: Visitors, batched: bool
) -> None:
    """navigator.sendBeacon sends text/plain without a preflight while the page unloads."""
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

    counted = {"participate": {"red": 1}, "bought": {"red": 1}}
    wait_until(lambda: gimel.counts(namespace) == counted)


def test_a_post_of_json_from_another_origin_passes_the_preflight(
    gimel: Served, site: Site, visitors: Visitors
) -> None:
    """For JSON the browser sends a preflight first; then the page may read the answer."""
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
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(event)
        }).then(answer => answer.json())""",
        [gimel.track_url, {**EVENTS[0], "namespace": "post"}],
    )

    assert answer == {"status": "ok"}
    assert sorted(methods) == ["GET", "OPTIONS", "POST"]
    assert gimel.counts("post") == {"participate": {"red": 1}}


def test_a_form_data_beacon_is_counted(gimel: Served, site: Site, visitors: Visitors) -> None:
    """The browser sends it as multipart/form-data, with the files that the form has."""
    site.pages["/form"] = "<!doctype html><title>Form</title>"
    page = visitors.page(intercept=False)
    page.goto(f"{site.origin}/form")
    page.evaluate(
        """([url, event]) => {
          const form = new FormData();
          for (const [name, value] of Object.entries(event)) form.append(name, value);
          form.append("photo", new File(["\\r\\n--"], 'a"b.png', { type: "image/png" }));
          navigator.sendBeacon(url, form);
        }""",
        [gimel.track_url, {**EVENTS[0], "namespace": "form"}],
    )

    wait_until(lambda: gimel.counts("form") == {"participate": {"red": 1}})


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_tracing_headers_pass_the_preflight(
    gimel: Served, site: Site, visitors: Visitors, method: str
) -> None:
    """Tracing tools wrap fetch and XMLHttpRequest; the page's events must still arrive."""
    site.pages["/traced"] = "<!doctype html><title>Traced</title>"
    namespace = f"traced {method}"
    page = visitors.page(intercept=False)
    page.goto(f"{site.origin}/traced")
    event = {**EVENTS[0], "namespace": namespace}
    answer = page.evaluate(
        """([url, event, method]) => {
          const headers = {
            "baggage": "a=b",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "x-a-tool-that-nobody-knows": "1",
            "Authorization": "Bearer page"
          };
          if (method === "GET") return fetch(`${url}?${new URLSearchParams(event)}`, { headers })
            .then(answer => answer.json());
          headers["Content-Type"] = "application/json";
          return fetch(url, { method, headers, body: JSON.stringify(event) })
            .then(answer => answer.json());
        }""",
        [gimel.track_url, event, method],
    )

    assert answer == {"status": "ok"}
    assert gimel.counts(namespace) == {"participate": {"red": 1}}
    assert visitors.complaints == []


def test_a_tampered_alephbet_is_not_run(gimel: Served, site: Site, visitors: Visitors) -> None:
    """The snippet pins AlephBet by its hash, so the browser refuses a file that was changed."""
    assert visitors.alephbet is not None
    visitors.alephbet += b"\n;window.tampered = true;"
    site.pages["/shop"] = shop(gimel, "tampered")
    page = visitors.page()
    page.goto(f"{site.origin}/shop")

    assert page.evaluate("[typeof AlephBet, typeof tampered]") == ["undefined", "undefined"]
    assert any("integrity" in complaint for complaint in visitors.complaints)
    assert gimel.counts("tampered") == {}

"""The demo page of `gimel serve` over HTTP: what it loads, shows and keeps to itself."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import redis

from gimel.page.client import script
from gimel.serve.demo_experiment import NAME, with_demo
from gimel.serve.gateway import Gateway, application, sign_in_links
from gimel.wiring import WIRING
from tests.support import crowd
from tests.support.answers import answer, row
from tests.support.asgi import BASE, AsgiClient
from tests.support.events import BROWSER
from tests.support.pages import text_of
from tests.support.runner import invoke
from tests.support.servers import Store
from tests.support.stubs import answering

KEY = "the-key-of-these-tests"
AGENT = {"User-Agent": BROWSER}
DECIDED = {"blue": (1000, {"bought": 200}), "red": (1000, {"bought": 330})}


@pytest.fixture
def gateway(session_store: Store, store: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    return make(session_store, monkeypatch)


def make(store: Store, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Gateway:
    """Return a gateway with an empty Redis and these settings."""
    monkeypatch.setenv("GIMEL_SETTINGS", "")  # which the gateway sets for its handlers
    options = {"host": "127.0.0.1", "port": store.port}
    return Gateway(WIRING, KEY, json.dumps({"redis": options, **settings}))


def client(gateway: Gateway) -> AsgiClient:
    return AsgiClient(application(gateway, None, pytest.fail))


def test_everything_comes_from_its_own_origin(gateway: Gateway) -> None:
    """The policy allows nothing else, and what the page names exists."""
    browser = client(gateway)
    page = browser.get("/", headers=AGENT)
    policy = page.headers["content-security-policy"]
    assert set(re.findall(r"'[^']+'|\w+:", policy)) == {"'none'", "'self'", "data:"}
    head = page.text.partition("</head>")[0]
    loaded = re.findall(r'(?:src|href)="(/[^"]*)"', head)
    assert loaded == ["/demo.css", "/gimel.js", "/demo.js"]
    assert "//" not in head
    for path in loaded:
        answer = browser.get(path)
        kind = "text/css" if path.endswith("css") else "text/javascript"
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"


def test_gimel_js_is_for_every_page(gateway: Gateway) -> None:
    """As `gimel client` prints it; browsers keep it and ask whether it has changed."""
    browser = client(gateway)
    first = browser.get("/gimel.js")
    assert first.text == script()
    assert first.headers["access-control-allow-origin"] == "*"
    assert first.headers["cross-origin-resource-policy"] == "cross-origin"
    assert first.headers["cache-control"] == "no-cache"
    tag = first.headers["etag"]
    again = browser.get("/gimel.js", headers={"If-None-Match": f'W/"other", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert browser.get("/gimel.js", headers={"If-None-Match": '"other"'}).status_code == 200
    assert browser.request("HEAD", "/gimel.js").content == b""


def test_its_verdict_is_that_of_the_dashboard(gateway: Gateway, store: redis.Redis) -> None:
    """Word for word, with the same figures; without the seven days of other experiments."""
    crowd.count(store, "alephbet", NAME, DECIDED, 16)
    browser = client(gateway)
    live = browser.get("/demo/live", headers=AGENT).text
    browser.post("/dashboard/sign-in", data={"key": KEY})
    page = browser.get(f"/dashboard/experiment?name={NAME}").text

    banner = text_of(f"<main>{live[live.index('<section') : live.index('</section>')]}</main>")
    assert "Decided" in banner
    assert "Choose “red”: it converts 65% better than “blue”" in banner
    assert banner in text_of(page)
    table = text_of(f"<main>{live[live.index('<table', live.index('</details>')) :]}</main>")
    assert table in text_of(page)
    assert "red 1,0" in table


def test_one_buyer_is_shown_before_anything_can_be_compared(
    gateway: Gateway, store: redis.Redis
) -> None:
    """In the table, without an axis that has nothing on it; and what to do."""
    crowd.count(store, "alephbet", NAME, {"red": (1, {"bought": 1})}, 16)
    live = client(gateway).get("/demo/live", headers=AGENT).text
    assert "red 1 1 100" in text_of(f"<main>{live}</main>")
    assert "<svg" not in live
    assert "too few visitors for a verdict yet" in live


def test_it_shows_no_other_experiment_and_no_secret(gateway: Gateway, store: redis.Redis) -> None:
    """Whoever reaches the address can read it: no key, no ticket, nothing of a real test."""
    crowd.count(store, "alephbet", "price test", DECIDED, 16)
    links = sign_in_links(gateway, BASE)
    browser = client(gateway)
    contents = browser.get("/", headers=AGENT).text + browser.get("/demo/live").text
    assert "No visitors counted yet." in contents
    assert "price test" not in contents
    assert KEY not in contents
    assert all(link.partition("ticket=")[2] not in contents for link in links)


def test_its_link_signs_in_and_leads_back_to_it(gateway: Gateway) -> None:
    """The ticket leaves the address; the dashboard is then open to this browser."""
    browser = client(gateway)
    link, _ = sign_in_links(gateway, "")
    answer = browser.get(link)
    assert (answer.status_code, browser.get("/dashboard").status_code) == (303, 401)
    assert 'content="0;url=/"' in browser.get(answer.headers["location"]).text
    assert browser.get("/dashboard").status_code == 200


@pytest.mark.parametrize(
    ("settings", "agent", "words"),
    [
        ({}, f"{BROWSER} HeadlessChrome/120.0", "Your browser says that it is a bot"),
        ({"bot_filter": False}, f"{BROWSER} HeadlessChrome/120.0", None),
        ({"allowed_experiments": ["a"]}, BROWSER, "not allow the experiment “demo button”"),
        ({"allowed_experiments": [NAME]}, BROWSER, None),
        ({"allowed_namespaces": ["a"]}, BROWSER, "not allow the namespace “alephbet”"),
    ],
    ids=["bot", "no bot filter", "experiment", "allowed experiment", "namespace"],
)
def test_it_says_why_nothing_is_counted(
    settings: dict[str, Any],
    agent: str,
    words: str | None,
    session_store: Store,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before anybody wonders; and says nothing where events are counted, as the answer shows."""
    browser = client(make(session_store, monkeypatch, **settings))
    event = {"experiment": NAME, "variant": "red", "event": "participate", "uuid": "1"}
    page = text_of(browser.get("/", headers={"User-Agent": agent}).text)
    assert ("nothing that you do here is counted" in page) == (words is not None)
    assert (words or "") in page
    status = browser.post("/e", json=event, headers={"User-Agent": agent}).json()["status"]
    assert status == ("ok" if words is None else "ignored")


def test_a_reached_limit_is_explained(
    session_store: Store, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the words of the dashboard."""
    browser = client(make(session_store, monkeypatch, limits={"experiments": 1}))
    crowd.count(store, "alephbet", "another", {"a": (1, {})}, 16)
    event = {"experiment": NAME, "variant": "red", "event": "participate", "uuid": "1"}
    browser.post("/e", json=event, headers=AGENT)
    live = browser.get("/demo/live", headers=AGENT).text
    assert 'data-refused="limit"' in live
    assert "A limit was reached: 1 event was not counted." in live


@pytest.mark.parametrize(
    ("host", "is_here"), [("127.0.0.1:8000", True), ("localhost", True), ("shop.example", False)]
)
def test_commands_are_shown_on_this_machine_only(
    host: str, is_here: bool, gateway: Gateway
) -> None:
    """Elsewhere they would not work. The snippet has the address that the reader sees."""
    page = text_of(client(gateway).get("/", headers={"Host": host, **AGENT}).text)
    assert ("gimel results --local" in page) == is_here
    assert f"http://{host}/e" in page


def test_a_configured_design_wins() -> None:
    """The demo has no minimum of days, unless config.json describes it."""
    design = with_demo({})[NAME]
    assert (design.control, design.minimum_days) == ("blue", 0)
    assert with_demo({NAME: None, "a": None}) == {NAME: None, "a": None}  # type: ignore[dict-item]


@pytest.mark.parametrize(("option", "words"), [(("--local",), "Decided"), ((), "Running")])
def test_the_commands_of_this_machine_agree(
    option: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    """With --local there is no minimum of days either; elsewhere the name means nothing."""
    counted = row(NAME, DECIDED, ("bought",), since=int(time.time()) - 60)
    with answering(body=answer(counted)) as stub:
        api = ("--url", stub.url, "--api-key", KEY, *option)
        done = invoke("results", NAME, *api, home=tmp_path)
        report = invoke("dashboard", "--output", str(tmp_path / "r.html"), *api, home=tmp_path)
    assert (done.exit_code, report.exit_code) == (0, 0), done.stderr + report.stderr
    assert ('Choose "red"' in done.stdout) == bool(option), done.stdout
    assert f"</span>{words}</h" in (tmp_path / "r.html").read_text()

"""The dashboard over HTTP, without a browser: who may see and do what, and what failures say."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from gimel.api.client import Api
from gimel.errors import GimelError
from gimel.serve.dashboard import Dashboard, Source, application
from gimel.serve.demo import Demo
from gimel.serve.sessions import SECONDS_IDLE
from tests.support.asgi import BASE, AsgiClient
from tests.support.command import environment
from tests.support.servers import free_port
from tests.support.stubs import answering

KEY = "the-key-of-these-tests"
COOKIE = "gimel-8000"


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def dashboard(source: Source | None = None, key: str | None = KEY) -> Dashboard:
    return Dashboard(source or Demo(time.time()), "counted here", key=key)


@pytest.fixture
def browser(clock: Clock) -> AsgiClient:
    """A browser that has not signed in."""
    return AsgiClient(application(dashboard(), clock))


def sign_in(browser: AsgiClient, key: str = KEY) -> httpx.Response:
    return browser.post("/dashboard/sign-in", data={"key": key})


@pytest.fixture
def signed_in(browser: AsgiClient) -> AsgiClient:
    assert sign_in(browser).status_code == 303
    return browser


def csrf(browser: AsgiClient) -> str:
    page = browser.get("/dashboard/delete", params={"name": "headline"}).text
    found = re.search(r'name="csrf" value="(\w+)"', page)
    assert found, page
    return found[1]


@pytest.mark.parametrize("cookie", [None, "", "wrong", KEY], ids=["none", "empty", "wrong", "key"])
@pytest.mark.parametrize("path", ["", "/experiment?name=headline", "/delete?name=headline"])
def test_without_a_session_nothing_is_shown(
    path: str, cookie: str | None, browser: AsgiClient
) -> None:
    """401 and the form; the key itself is not a session."""
    if cookie is not None:
        browser.cookies.set(COOKIE, cookie)
    answer = browser.get(f"/dashboard{path}")
    assert answer.status_code == 401
    assert 'type="password"' in answer.text
    assert "visitors" not in answer.text


def test_the_key_opens_the_dashboard(browser: AsgiClient) -> None:
    """The cookie says nothing about the key."""
    answer = sign_in(browser, f"  {KEY}\n")
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")
    assert KEY not in answer.headers["set-cookie"]
    assert browser.get("/dashboard").status_code == 200


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_cookie_is_out_of_reach(scheme: str, browser: AsgiClient) -> None:
    """Neither scripts nor other sites get it, nor unencrypted connections if pages use https."""
    base = f"{scheme}://127.0.0.1:8000/dashboard"
    token = re.compile(r'name="csrf" value="(\w+)"')
    answers = [browser.post(f"{base}/sign-in", data={"key": KEY}), browser.get(base)]
    found = token.search(answers[1].text)
    assert found, answers[1].text
    answers.append(browser.post(f"{base}/sign-out", data={"csrf": found[1]}))
    for answer, seconds in zip(answers, (SECONDS_IDLE, SECONDS_IDLE, 0), strict=True):
        _, *attributes = answer.headers["set-cookie"].split("; ")
        expected = ["HttpOnly", f"Max-Age={seconds}", "Path=/dashboard", "SameSite=strict"]
        assert sorted(attributes) == expected + ["Secure"] * (scheme == "https")


def test_two_sessions_of_one_key_differ() -> None:
    """So that one can end without the other."""
    app = application(dashboard())
    first, second = AsgiClient(app), AsgiClient(app)
    sign_in(first)
    sign_in(second)
    assert first.cookies[COOKIE] != second.cookies[COOKIE]


@pytest.mark.parametrize("key", ["", "wrong", KEY[:-1], f"{KEY}x", "schlüssel"])
def test_a_wrong_key_opens_nothing(key: str, browser: AsgiClient) -> None:
    """403, and the form again."""
    answer = sign_in(browser, key)
    assert answer.status_code == 403
    assert 'role="alert"' in answer.text
    assert "set-cookie" not in answer.headers
    assert browser.get("/dashboard").status_code == 401


@pytest.mark.parametrize("key", ["", " ", "two words", "schlüssel"], ids=repr)
def test_an_invalid_key_is_refused(key: str) -> None:
    """An empty one would open the dashboard to everybody."""
    with pytest.raises(GimelError, match="The API key is empty or contains invalid characters"):
        dashboard(key=key)


def test_a_session_ends_on_the_server(signed_in: AsgiClient, clock: Clock) -> None:
    """Twelve hours after the latest answer, also for a cookie that somebody keeps longer."""
    for _ in range(3):
        clock.now += SECONDS_IDLE - 60
        assert signed_in.get("/dashboard").status_code == 200
    kept = signed_in.cookies[COOKIE]
    clock.now += SECONDS_IDLE + 60
    signed_in.cookies.set(COOKIE, kept)
    answer = signed_in.get("/dashboard")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_signing_out_ends_the_session(signed_in: AsgiClient) -> None:
    """The cookie is deleted, and a copy of it is worthless."""
    stolen = signed_in.cookies[COOKIE]
    answer = signed_in.post("/dashboard/sign-out", data={"csrf": csrf(signed_in)})
    assert answer.status_code == 303
    assert answer.headers["set-cookie"].startswith(f'{COOKIE}=""; ')
    assert "Max-Age=0" in answer.headers["set-cookie"]
    signed_in.cookies.set(COOKIE, stolen)
    assert signed_in.get("/dashboard").status_code == 401


def test_signing_out_needs_the_dashboards_own_form(signed_in: AsgiClient) -> None:
    """Another site cannot do it."""
    assert signed_in.post("/dashboard/sign-out", data={"csrf": "0"}).status_code == 403
    assert signed_in.get("/dashboard").status_code == 200


def test_guessing_the_key_is_slowed_down(browser: AsgiClient, clock: Clock) -> None:
    """After ten wrong keys even the right one is not tried before the pause is over."""
    for _ in range(10):
        assert sign_in(browser, "wrong").status_code == 403
    clock.now += 2
    for key in ("wrong", KEY):
        answer = sign_in(browser, key)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "4")
        assert "Too many attempts to sign in." in answer.text
        assert "Wait 4 seconds, then enter the key again." in answer.text
        assert browser.get("/dashboard").status_code == 401
    clock.now += 4
    assert sign_in(browser).status_code == 303
    assert browser.get("/dashboard").status_code == 200


def test_guessing_does_not_keep_others_out(clock: Clock) -> None:
    """Neither another address nor a browser that is signed in."""
    app = application(dashboard(), clock)
    attacker, reader = AsgiClient(app, "192.0.2.66"), AsgiClient(app, "192.0.2.1")
    sign_in(reader)
    assert {sign_in(attacker, "wrong").status_code for _ in range(20)} == {403, 429}
    assert reader.get("/dashboard").status_code == 200
    assert sign_in(reader).status_code == 303


@pytest.mark.parametrize(
    ("change", "headers", "status"),
    [
        ({"csrf": ""}, {}, 403),
        ({"csrf": "0" * 64}, {}, 403),
        ({"csrf": "ü"}, {}, 403),
        ({}, {"Origin": "https://example.com"}, 403),
        ({}, {"Origin": "null"}, 403),
        ({}, {"Cookie": "gimel=none"}, 401),
    ],
    ids=["no token", "wrong token", "not ASCII", "another site", "nowhere", "no session"],
)
def test_another_site_cannot_delete(
    change: dict[str, str], headers: dict[str, str], status: int, clock: Clock
) -> None:
    """Whatever it makes the browser send, the experiment stays."""
    source = Demo(time.time())
    browser = AsgiClient(application(dashboard(source), clock))
    sign_in(browser)
    form = {"name": "headline", "namespace": "alephbet", "csrf": csrf(browser), **change}
    if "Cookie" in headers:
        browser.cookies.clear()
    answer = browser.post("/dashboard/delete", data=form, headers=headers)
    assert answer.status_code == status
    assert source.experiment("alephbet", "headline")


def test_the_dashboard_deletes(clock: Clock) -> None:
    """With the token of its form, from its own origin."""
    source = Demo(time.time())
    browser = AsgiClient(application(dashboard(source), clock))
    sign_in(browser)
    form = {"name": "headline", "namespace": "alephbet", "csrf": csrf(browser)}
    answer = browser.post("/dashboard/delete", data=form, headers={"Origin": BASE})
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard?deleted=headline")
    assert "headline" not in [each.name for each in source.experiments("alephbet").experiments]


@pytest.mark.parametrize(
    "content",
    [b"key=" + b"x" * 20_000, b"key=%ff", b"key=\xff", b"&".join(b"k%d=1" % k for k in range(30))],
    ids=["long", "escaped bytes", "bytes", "many fields"],
)
def test_a_form_that_cannot_be_read_is_refused(content: bytes, browser: AsgiClient) -> None:
    """400, with what to do."""
    answer = browser.post("/dashboard/sign-in", content=content)
    assert answer.status_code == 400
    assert "The form cannot be read.</strong> Reload the page." in answer.text


def test_pages_allow_nothing_but_their_own(signed_in: AsgiClient) -> None:
    """Content-Security-Policy: nothing foreign, and nothing inline except by its hash."""
    policy = signed_in.get("/dashboard").headers["content-security-policy"]
    directives = {name: values for name, *values in (part.split() for part in policy.split(";"))}
    assert directives["default-src"] == ["'none'"]
    assert directives["frame-ancestors"] == directives["base-uri"] == ["'none'"]
    assert directives["connect-src"] == directives["form-action"] == ["'self'"]
    for kind in ("script-src", "style-src"):
        assert re.fullmatch(r"'sha256-[\w+/=]{44}'", " ".join(directives[kind]))


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/experiment?name=headlin", 404, "<title>No experiment named “headlin” - Gimel</title>"),
        ("/experiment", 404, "<h1>No experiment named <bdi>“”</bdi></h1>"),
        ("/delete?name=headlin", 404, "<h1>No experiment named <bdi>“headlin”</bdi></h1>"),
        ("/experiment?name=headline&goal=signup", 404, "Did you mean &#39;sign-up&#39;?"),
        ("/experiment?name=headline&control=questions", 404, "Did you mean &#39;question&#39;?"),
        ("?confidence=2", 400, "&#39;2&#39; is not a valid confidence.</strong> Use a number"),
        ("?confidence=nan", 400, "is not a valid confidence."),
        ("?confidence=x", 400, "is not a valid confidence."),
    ],
)
def test_a_page_says_what_does_not_exist(
    path: str, status: int, words: str, signed_in: AsgiClient
) -> None:
    """With the most similar names."""
    answer = signed_in.get(f"/dashboard{path}")
    assert (answer.status_code, words in answer.text) == (status, True), answer.text


def test_an_unreachable_api_is_explained() -> None:
    """What happened and what to do."""
    url = f"http://127.0.0.1:{free_port()}"
    page = AsgiClient(application(dashboard(Api(url, KEY), key=None))).get("/dashboard")
    assert page.status_code == 502
    assert f"Could not connect to {url}/experiments.</strong> Check that it is running" in page.text


def test_a_key_that_the_api_rejects_is_explained() -> None:
    """Without the key."""
    with answering(403, {"message": "Forbidden"}) as stub:
        page = AsgiClient(application(dashboard(Api(stub.url, KEY), key=None))).get("/dashboard")
    assert page.status_code == 502
    assert "rejected the API key.</strong> Pass the correct one with --api-key" in page.text
    assert KEY not in page.text


@pytest.fixture(scope="module")
def open_dashboard() -> AsgiClient:
    """A dashboard without a key, as `gimel dashboard --demo` serves it."""
    demo = Dashboard(Demo(time.time()), "made up", is_demo=True)
    return AsgiClient(application(demo))


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "127.0.0.1.example.com",
        "example.com:80",
        "localhost.example.com",
        "",
        "[x",
        "127.0.0.1@example.com",
    ],
)
def test_a_foreign_name_for_this_machine_is_refused(host: str, open_dashboard: AsgiClient) -> None:
    """A foreign page could make its host name resolve to this machine (DNS rebinding)."""
    answer = open_dashboard.get("/dashboard", headers={"Host": host})
    assert answer.status_code == 400
    assert "headline" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "127.0.0.1"])
def test_a_loopback_name_is_answered(host: str, open_dashboard: AsgiClient) -> None:
    """With any port."""
    assert "headline" in open_dashboard.get("/dashboard", headers={"Host": host}).text


@pytest.mark.parametrize(
    "name", ["", *(each.name for each in Demo(time.time()).experiments("alephbet").experiments)]
)
def test_every_page_of_the_demo_says_that_it_is_made_up(
    name: str, open_dashboard: AsgiClient
) -> None:
    """So that nobody takes it for results."""
    path = "/dashboard/experiment" if name else "/dashboard"
    page = open_dashboard.get(path, params={"name": name} if name else None)
    assert page.status_code == 200
    assert "Made-up experiments." in page.text


def test_importing_reads_no_file(tmp_path: Path) -> None:
    """Neither a template nor a style sheet; only Python's own modules are opened."""
    script = (
        "import sys; opened = []\n"
        "sys.addaudithook(lambda event, values: event == 'open' and opened.append(values[0]))\n"
        "import gimel.serve.dashboard, gimel.serve.gateway\n"
        "print([name for name in opened if str(name).endswith(('.css', '.js', '.j2', '.json'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"

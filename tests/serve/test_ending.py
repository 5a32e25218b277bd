"""The dashboard's pages about the end of experiments, over HTTP."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Mapping
from typing import Any

import pytest

from gimel.analysis.concluded import Concluded
from gimel.errors import GimelError
from gimel.serve.dashboard import Dashboard, application
from gimel.serve.demo import Demo
from tests.support.asgi import BASE, AsgiClient

KEY = "the-key-of-these-tests"
NAME = "button colour"
NOW = time.time()


class Site:
    """A browser that is signed in to a dashboard of made-up experiments."""

    def __init__(self, source: Demo | None = None) -> None:
        self.source = source or Demo(NOW)
        dashboard = Dashboard(self.source, "counted here", key=KEY)
        self.browser = AsgiClient(application(dashboard, lambda: NOW))
        self.browser.post("/dashboard/sign-in", data={"key": KEY})

    def page(self, path: str, **query: str) -> str:
        answer = self.browser.get(f"/dashboard{path}", params=query)
        assert answer.status_code == 200, answer.text
        return html.unescape(answer.text)

    def send(self, path: str, token: str | None = None, **form: str) -> Any:
        if token is None:
            found = re.search(r'name="csrf" value="(\w+)"', self.page("/delete", name="headline"))
            assert found
            token = found[1]
        sent = {"namespace": "alephbet", "csrf": token, **form}
        return self.browser.post(f"/dashboard{path}", data=sent, headers={"Origin": BASE})


def test_conclude() -> None:
    """The form offers the verdict's winner; then the page of the past says what was learned."""
    site = Site()
    assert f"/dashboard/conclude?name={NAME.replace(' ', '+')}" in site.page(
        "/experiment", name=NAME
    )
    assert '<option value="red" selected>' in site.page("/conclude", name=NAME)

    answer = site.send("/conclude", name=NAME, winner="red", note="Support likes <b>it</b>.")
    listed = site.page("/concluded", done=NAME)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/dashboard/concluded?done=button+colour"
    assert f"Concluded: {NAME}" in listed
    assert "Kept \u201cred\u201d." in listed
    assert "Support likes <b>it</b>." in listed
    assert "interval" in listed
    assert NAME not in [each.name for each in site.source.experiments("alephbet").experiments]


def test_hostile_names_are_text() -> None:
    """A note cannot become an element."""
    site = Site()
    site.send("/conclude", name=NAME, winner="", note="<script>alert(1)</script>")

    raw = site.browser.get("/dashboard/concluded").text

    assert "<script>alert" not in raw
    assert "No winner chosen." in raw


def test_the_page_of_the_experiment() -> None:
    """Its address then shows the record, and its deletion deletes that."""
    site = Site()
    site.send("/conclude", name=NAME, winner="red")

    page = site.page("/experiment", name=NAME)
    assert f"<h1><bdi>{NAME}</bdi></h1>" in page
    assert '<a href="/dashboard/concluded">Concluded experiments</a>' in page
    assert "what was learned" in site.page("/delete", name=NAME)
    site.send("/delete", name=NAME)
    assert site.source.concluded("alephbet") == ()


def test_reopen() -> None:
    """It is asked for, and the experiment continues."""
    site = Site()
    site.send("/conclude", name=NAME, winner="red")

    assert "Reopen" in site.page("/reopen", name=NAME)
    assert site.send("/reopen", name=NAME).status_code == 303
    assert site.source.experiment("alephbet", NAME)


@pytest.mark.parametrize("path", ["/conclude", "/reopen"])
def test_another_site_can_do_nothing(path: str) -> None:
    """Without the token of the dashboard's own form, nothing is changed."""
    site = Site()
    site.send("/conclude", name="headline") if path == "/reopen" else None
    before = [each.name for each in site.source.concluded("alephbet")]

    assert site.send(path, token="", name="headline").status_code == 403
    assert [each.name for each in site.source.concluded("alephbet")] == before


@pytest.mark.parametrize("path", ["/conclude", "/concluded", "/reopen"])
def test_without_a_session_nothing_is_shown(path: str) -> None:
    """The key is asked for."""
    site = Site()
    site.browser.cookies.clear()

    assert site.browser.get(f"/dashboard{path}?name=headline").status_code in (303, 401)


def test_an_api_without_a_past() -> None:
    """With an older API, an experiment that does not exist is still missing."""

    class Old(Demo):
        def concluded(self, namespace: str, scope: str | None = None) -> tuple[Concluded, ...]:
            raise GimelError("an older API")

        def conclude(self, namespace: str, experiment: str, record: Mapping[str, Any]) -> int:
            raise GimelError("an older API")

    site = Site(Old(NOW))

    assert site.browser.get("/dashboard/experiment?name=unknown").status_code == 404

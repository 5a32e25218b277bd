"""The dashboard over HTTP, without a browser: what its addresses choose, and where pages lead."""

from __future__ import annotations

import re
import time

import pytest

from gimel.analysis.design import Design
from gimel.serve.dashboard import Dashboard, application
from gimel.serve.demo import DESIGNS, Demo
from tests.support.asgi import AsgiClient


@pytest.fixture(scope="module")
def open_dashboard() -> AsgiClient:
    """A dashboard without a key, as `gimel dashboard --demo` serves it."""
    demo = Dashboard(Demo(time.time()), "made up", designs=DESIGNS, is_demo=True)
    return AsgiClient(application(demo))


def test_the_design_of_an_experiment_is_used() -> None:
    """On the overview and on the experiment's own page."""
    designs = {"button colour": Design(control="red", goal="refund")}
    browser = AsgiClient(application(Dashboard(Demo(time.time()), "made up", designs=designs)))
    page = browser.get("/dashboard/experiment", params={"name": "button colour"}).text
    assert "control: red<" in page
    assert '<bdi>refund</bdi></strong> <span class="role">primary</span>' in page
    assert "“refund”: " in browser.get("/dashboard").text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=FORM", ["sign-up form"]),
        ("state=decided&q=h", ["checkout steps", "login with a link"]),
        (
            "state=decided&sort=lift",
            [
                "button colour",
                "login with a link",
                "footer links",
                "checkout steps",
            ],
        ),
        ("state=decided&sort=newest&q=link", ["login with a link", "footer links"]),
        ("q=nothing+like+this", []),
    ],
)
def test_an_overview_is_chosen_by_its_address(
    query: str, names: list[str], open_dashboard: AsgiClient
) -> None:
    """State, part of a name, and order, together."""
    assert visible_rows(open_dashboard, query) == names


def visible_rows(browser: AsgiClient, query: str) -> list[str]:
    page = browser.get(f"/dashboard?{query}")
    assert page.status_code == 200
    return re.findall(r'<tr role="row" class="\w+">.*?<bdi>([^<]+)</bdi>', page.text, re.DOTALL)


@pytest.mark.parametrize("query", ["state=happy", "sort=luck", "state=&sort=&q=", "state=0&sort=x"])
def test_a_choice_that_does_not_exist_is_ignored(query: str, open_dashboard: AsgiClient) -> None:
    """All experiments are shown, in the usual order."""
    assert visible_rows(open_dashboard, query) == visible_rows(open_dashboard, "")


def test_a_failure_leads_back(open_dashboard: AsgiClient) -> None:
    """To the experiments of the same namespace."""
    page = open_dashboard.get("/dashboard/experiment?name=none&namespace=shop")
    assert page.status_code == 404
    assert '<a href="/dashboard?namespace=shop">All experiments</a>' in page.text


def test_a_page_is_compressed(open_dashboard: AsgiClient) -> None:
    """For browsers that can read it: it is fetched again every ten seconds."""
    page = open_dashboard.get("/dashboard")
    assert page.headers["content-encoding"] == "gzip"
    assert int(page.headers["content-length"]) < len(page.content) / 3
    plain = open_dashboard.get("/dashboard", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert len(plain.content) == len(page.content)


def test_an_unknown_experiment_leads_to_similar_ones(open_dashboard: AsgiClient) -> None:
    """Ten links, the most similar first; in an empty namespace to the others."""
    page = open_dashboard.get("/dashboard/experiment?name=Headlin&confidence=0.9").text
    links = re.findall(r'<a href="([^"]+)"><bdi>([^<]+)</bdi></a>', page)
    assert links[0] == ("/dashboard/experiment?name=headline&amp;confidence=0.9", "headline")
    assert len(links) == 10
    assert "Other namespaces:" not in page

    page = open_dashboard.get("/dashboard/experiment?name=headline&namespace=shop").text
    assert "The namespace <bdi>shop</bdi> has no such experiment, nor any other." in page
    assert re.findall(r'<a href="([^"]+)"><bdi>([^<]+)</bdi></a>', page) == [
        ("/dashboard", "alephbet")
    ]


def test_an_empty_namespace_leads_to_those_that_exist(open_dashboard: AsgiClient) -> None:
    """With a link to each."""
    page = open_dashboard.get("/dashboard?namespace=alephbat").text
    assert "No experiment is running in the namespace <bdi>alephbat</bdi>." in page
    assert '<a href="/dashboard"><bdi>alephbet</bdi></a>' in page
    assert "Namespaces that exist:" not in open_dashboard.get("/dashboard").text


def test_the_root_leads_to_the_dashboard(open_dashboard: AsgiClient) -> None:
    """For those who type only the host."""
    assert open_dashboard.get("/").headers["location"] == "/dashboard"

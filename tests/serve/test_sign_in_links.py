"""Links that sign a browser in to the dashboard: once, without the key."""

from __future__ import annotations

import time

import pytest

from gimel.serve.dashboard import Dashboard, application
from gimel.serve.demo import Demo
from gimel.serve.gate import sign_in_path
from gimel.serve.sessions import Tickets
from tests.support.asgi import AsgiClient

KEY = "the-key-of-these-tests"


@pytest.mark.parametrize(
    ("to_home", "target"), [(False, "/dashboard"), (True, "/")], ids=["dashboard", "home"]
)
def test_a_ticket_signs_one_browser_in(to_home: bool, target: str) -> None:
    """Once; a second click there leads on, and elsewhere to the form or the page without a key."""
    tickets = Tickets()
    app = application(Dashboard(Demo(time.time()), "counted here", key=KEY, tickets=tickets))
    first, second = AsgiClient(app), AsgiClient(app)
    link = sign_in_path(tickets.issue(), to_home)

    assert first.request("HEAD", link).status_code == (303 if to_home else 401)
    entered = first.get(link)
    assert (entered.status_code, KEY in entered.text) == (200, False)
    assert f'content="0;url={target}"' in entered.text
    assert "samesite=strict" in entered.headers["set-cookie"].lower()
    assert first.get("/dashboard").status_code == 200
    again = first.get(link)
    assert (again.status_code, again.headers["location"]) == (303, target)

    late = second.get(link)
    if to_home:
        assert (late.status_code, late.headers["location"]) == (303, "/")
    else:
        assert late.status_code == 401
        assert "This link has been used" in late.text
    assert second.get("/dashboard").status_code == 401


def test_without_a_ticket_the_sign_in_address_is_the_form() -> None:
    """It does not speak of a link."""
    app = application(Dashboard(Demo(time.time()), "counted here", key=KEY))
    answer = AsgiClient(app).get("/dashboard/sign-in")
    assert (answer.status_code, "This link" in answer.text) == (401, False)

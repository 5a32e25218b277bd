"""docs/alerts.md: the check of the signature works as it is printed, and no kind is missing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gimel.alerts import messages
from gimel.alerts.conditions import Kind
from gimel.alerts.receivers import Webhook
from tests.support.receivers import receiving

PAGE = (Path(__file__).parents[1] / "docs/alerts.md").read_text("utf-8")
SECRET = "a-long-random-text-of-your-own"

Check = Callable[[str, bytes, str], bool]


@pytest.fixture(scope="module")
def check() -> Check:
    """The function on the page."""
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    names: dict[str, Any] = {}
    exec(compile(block, "docs/alerts.md", "exec"), names)
    found: Check = names["is_from_gimel"]
    return found


def test_the_printed_check_accepts_what_gimel_sends(check: Check) -> None:
    """And nothing else: no other body, secret or time."""
    now = time.time()
    with receiving() as receiver:
        Webhook(receiver.url, SECRET).send([messages.sample_alert(now)], now)
    (request,) = receiver.requests
    signature = request.headers["x-gimel-signature"]
    sent, digest = signature.split(",")

    assert check(signature, request.body, SECRET)
    assert not check(signature, request.body + b" ", SECRET)
    assert not check(signature, request.body, "another")
    assert not check(f"t={int(now) + 1},{digest}", request.body, SECRET)
    for malformed in ("", "t=,v1=", sent, digest, f"{sent},v1=", f"t=²,{digest}", "é"):
        assert not check(malformed, request.body, SECRET)


def test_an_old_request_is_refused(check: Check) -> None:
    """Somebody may have recorded it."""
    body = b"{}"
    for age, is_accepted in ((290, True), (310, False), (-310, False)):
        signature = messages.signature(SECRET, body, time.time() - age)
        assert check(signature, body, SECRET) is is_accepted


def test_the_table_has_every_kind() -> None:
    """With the title that a message begins with."""
    rows = re.findall(r"^\| ([A-Z][\w ]+) \| `([\w-]+)` \| ", PAGE, re.M)
    assert rows == [(kind.title, kind.value) for kind in Kind]

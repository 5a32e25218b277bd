"""Gateway events as AWS builds them, and reading the answers to them.

The samples beside this module have the structure of those in AWS's documentation, with the query of
a Gimel event.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

EVENT = {"experiment": "button", "variant": "red", "event": "participate", "uuid": "visitor-1"}
"""A valid event. Tests add to it or change it."""

OK = {"status": "ok"}

BROWSER = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

Configure = Callable[..., None]
Gateway = Callable[..., dict[str, Any]]


def sample(name: str) -> dict[str, Any]:
    """Return a fresh copy of a sample event, by the name of its file."""
    event: dict[str, Any] = json.loads(_text(name))
    return event


@cache
def _text(name: str) -> str:
    return (Path(__file__).parent / f"{name}.json").read_text("utf-8")


def rest(
    method: str = "GET",
    query: dict[str, str] | None = None,
    body: str | None = None,
    **headers: str,
) -> dict[str, Any]:
    """Return a REST API's event (payload 1.0). Header names have underscores instead of dashes."""
    event = sample("rest_api")
    event["httpMethod"] = event["requestContext"]["httpMethod"] = method
    event["queryStringParameters"] = query
    event["multiValueQueryStringParameters"] = query and {
        name: [value] for name, value in query.items()
    }
    given = {"User-Agent": BROWSER} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    event["headers"] = given
    event["multiValueHeaders"] = {name: [value] for name, value in given.items()}
    event["body"] = body
    return event


def url(
    method: str = "GET",
    query: dict[str, str] | None = None,
    body: str | None = None,
    **headers: str,
) -> dict[str, Any]:
    """Return a function URL's event (payload 2.0, like that of an HTTP API)."""
    event = sample("function_url")
    event["requestContext"]["http"]["method"] = method
    event["rawQueryString"] = urlencode(query or {})
    del event["queryStringParameters"]
    if query:
        event["queryStringParameters"] = query
    event["headers"] = {"user-agent": BROWSER} | {
        name.replace("_", "-").lower(): value for name, value in headers.items()
    }
    if body is not None:
        event["body"] = body
    return event


def balancer(
    method: str = "GET",
    query: dict[str, str] | None = None,
    body: str | None = None,
    **headers: str,
) -> dict[str, Any]:
    """Return a load balancer's event, whose query is still encoded."""
    event = sample("load_balancer")
    event["httpMethod"] = method
    event["queryStringParameters"] = {
        quote(name): quote(value) for name, value in (query or {}).items()
    }
    event["headers"] = {"user-agent": BROWSER} | {
        name.replace("_", "-").lower(): value for name, value in headers.items()
    }
    event["body"] = body or ""
    return event


def balancer_lists(
    method: str = "GET",
    query: dict[str, str] | None = None,
    body: str | None = None,
    **headers: str,
) -> dict[str, Any]:
    """Return the event of a load balancer whose target group has multi-value headers on."""
    event = balancer(method, query, body, **headers)
    for name, name_of_lists in (
        ("queryStringParameters", "multiValueQueryStringParameters"),
        ("headers", "multiValueHeaders"),
    ):
        event[name_of_lists] = {each: ["another", value] for each, value in event.pop(name).items()}
    return event


with_each_gateway = pytest.mark.parametrize(
    "gateway", [rest, url, balancer_lists], ids=["rest", "url", "balancer"]
)
"""Run the test with the events of a REST API, a function URL and a load balancer."""


def read(answer: dict[str, Any]) -> tuple[int, Any]:
    """Return the status and the parsed body of a gateway answer."""
    return answer["statusCode"], json.loads(answer["body"])


def ignored(reason: str) -> dict[str, str]:
    """Return the answer for an event that is ignored."""
    return {"status": "ignored", "reason": reason}

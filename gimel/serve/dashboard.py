"""The dashboard as a web site: requests in, pages out. Decides who may see and do what; knows nothing of what a page says.

Where a key is wanted it is asked once, in a form; the browser then keeps a cookie that is made from the key and does not tell
it. Nobody but these pages can have the browser delete anything: a form carries a token, and another site's request is refused.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from gimel.analysis.counts import ExperimentCounts, NamespaceCounts
from gimel.analysis.design import Design
from gimel.analysis.experiment import NotFound, analyse, analyse_all
from gimel.errors import GimelError
from gimel.report import html
from gimel.report.html import BASE, Choices, Frame

LOOPBACK = ("127.0.0.1", "localhost", "::1")

_LONGEST_FORM = 16_384
_SECONDS_SIGNED_IN = 30 * 86_400
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": html.policy(),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Source(Protocol):
    """Where experiments are read and deleted. Each of these raises GimelError where it cannot."""

    def experiments(self, namespace: str) -> NamespaceCounts: ...

    def experiment(self, namespace: str, name: str) -> ExperimentCounts: ...

    def delete(self, namespace: str, experiment: str) -> object: ...


@dataclass(frozen=True)
class Site:
    """A dashboard. `described` tells readers where the figures come from.

    `key` is what a browser must know; where it is None there is nothing to keep others out but that only this machine can reach
    the site: then it is asked by a loopback name, or some page elsewhere has had its own name lead here.
    """

    source: Source
    described: str
    namespace: str = "alephbet"
    designs: Mapping[str, Design] = field(default_factory=dict)
    key: str | None = field(default=None, repr=False)
    is_demo: bool = False
    secret: str = field(default_factory=secrets.token_urlsafe, repr=False)

    @property
    def csrf(self) -> str:
        return _derived(self.secret, "form")

    @property
    def session(self) -> str:
        """What the cookie of a browser that knows the key holds."""
        return _derived(self.key or "", "session")


class _Refused(Exception):
    """A request that is not answered as asked: with this status, message and hint."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.error = GimelError(message, hint)


Page = Callable[[Request, Choices, Frame], Response]
Action = Callable[[Request, Choices, Frame, Mapping[str, str]], Response]


def routes(site: Site, now: Callable[[], float] = time.time) -> list[Route]:
    """Return the routes of a dashboard, all of them under `BASE`."""

    def overview(request: Request, choices: Choices, frame: Frame) -> Response:
        answer = site.source.experiments(choices.namespace)
        found = analyse_all(answer, site.designs, choices.confidence)
        deleted = request.query_params.get("deleted")
        return _html(html.overview(found, answer.ignored, choices, frame, now(), deleted))

    def experiment(request: Request, choices: Choices, frame: Frame) -> Response:
        counted = site.source.experiment(choices.namespace, request.query_params.get("name", ""))
        found = analyse(
            counted, site.designs.get(counted.name), choices.confidence, choices.control
        )
        return _html(html.experiment(found, choices, frame, now()))

    def ask_to_delete(request: Request, choices: Choices, frame: Frame) -> Response:
        counted = site.source.experiment(choices.namespace, request.query_params.get("name", ""))
        return _html(html.delete(counted, choices, frame, now()))

    def delete(
        request: Request, choices: Choices, frame: Frame, form: Mapping[str, str]
    ) -> Response:
        name = form.get("name", "")
        there = Choices(form.get("namespace", choices.namespace), choices.usual)
        site.source.delete(there.namespace, name)
        return RedirectResponse(there.address(deleted=name), 303)

    def sign_in(
        request: Request, choices: Choices, frame: Frame, form: Mapping[str, str]
    ) -> Response:
        given = form.get("key", "").strip().encode("utf-8", "replace")
        if not secrets.compare_digest(given, (site.key or "").encode()):
            return _html(html.sign_in(True, choices, frame, now()), 403)
        answer = RedirectResponse(BASE, 303)
        age, cookie = _SECONDS_SIGNED_IN, _cookie(request)
        answer.set_cookie(
            cookie, site.session, max_age=age, path=BASE, httponly=True, samesite="strict"
        )
        return answer

    def sign_out(
        request: Request, choices: Choices, frame: Frame, form: Mapping[str, str]
    ) -> Response:
        answer = RedirectResponse(BASE, 303)
        answer.delete_cookie(_cookie(request), path=BASE, httponly=True, samesite="strict")
        return answer

    def knows_key(request: Request) -> bool:
        if site.key is None:
            return True
        return secrets.compare_digest(
            request.cookies.get(_cookie(request), "").encode(), site.session.encode()
        )

    def answered(request: Request, answer: Callable[[Choices, Frame], Response]) -> Response:
        """Return the answer, or the page that says why there is none; with the headers that every page has."""
        choices = Choices(site.namespace, site.namespace)
        frame = Frame(
            site.described,
            site.is_demo,
            site.csrf,
            keyed=site.key is not None and knows_key(request),
        )
        try:
            if site.key is None and _host(request.headers.get("host", "")) not in LOOPBACK:
                raise _Refused(
                    403,
                    "This address is not the dashboard's.",
                    "Open the one that `gimel dashboard` printed.",
                )
            choices = _choices(request.query_params, site.namespace)
            response = answer(choices, frame)
        except _Refused as refused:
            response = _html(html.failure(refused.error, choices, frame, now()), refused.status)
        except GimelError as error:
            status = 404 if isinstance(error, NotFound) else 502
            response = _html(html.failure(error, choices, frame, now()), status)
        response.headers.update(_HEADERS)
        return response

    def page(path: str, show: Page) -> Route:
        def endpoint(request: Request) -> Response:
            def answer(choices: Choices, frame: Frame) -> Response:
                if not knows_key(request):
                    return _html(html.sign_in(False, choices, frame, now()), 401)
                return show(request, choices, frame)

            return answered(request, answer)

        return Route(BASE + path, endpoint, methods=["GET"])

    def action(path: str, act: Action, is_open: bool = False) -> Route:
        async def endpoint(request: Request) -> Response:
            form = await _form(request)

            def answer(choices: Choices, frame: Frame) -> Response:
                if form is None or _is_foreign(request):
                    raise _Refused(
                        403,
                        "This request does not come from the dashboard.",
                        "Open the page once more.",
                    )
                if not is_open:
                    if not knows_key(request):
                        return _html(html.sign_in(False, choices, frame, now()), 401)
                    if not secrets.compare_digest(
                        form.get("csrf", "").encode("utf-8", "replace"), site.csrf.encode()
                    ):
                        raise _Refused(
                            403,
                            "This page is older than the running gimel.",
                            "Go back, load it again and retry.",
                        )
                return act(request, choices, frame, form)

            return await run_in_threadpool(answered, request, answer)

        return Route(BASE + path, endpoint, methods=["POST"])

    return [
        page("", overview),
        page("/experiment", experiment),
        page("/delete", ask_to_delete),
        action("/delete", delete),
        *(
            [action("/sign-in", sign_in, is_open=True), action("/sign-out", sign_out)]
            if site.key is not None
            else []
        ),
    ]


def application(site: Site) -> Starlette:
    """Return a web server's application that is a dashboard and nothing else."""

    def home(_: Request) -> Response:
        return RedirectResponse(BASE)

    return Starlette(routes=[Route("/", home, methods=["GET"]), *routes(site)])


def _choices(query: Mapping[str, str], usual: str) -> Choices:
    """Return what the address asks for. Raises _Refused where that cannot be."""
    text = query.get("confidence") or "0.95"
    try:
        confidence = float(text)
    except ValueError:
        confidence = 0.0
    if not 0.5 <= confidence <= 0.9999:
        raise _Refused(400, f"{text!r} is not a confidence.", "It is a number from 0.5 to 0.9999.")
    return Choices(
        query.get("namespace") or usual,
        usual,
        query.get("goal") or None,
        query.get("control") or None,
        confidence,
    )


def _html(page: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(page.encode("utf-8", "replace"), status)


def _host(header: str) -> str:
    """Return the name in a Host header, '' where there is none."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _is_foreign(request: Request) -> bool:
    """Whether a browser says that another site's page sends this."""
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


def _cookie(request: Request) -> str:
    """Return the cookie's name: browsers do not keep the cookies of two ports apart."""
    return f"gimel-{(request.scope.get('server') or ('', 0))[1]}"


async def _form(request: Request) -> Mapping[str, str] | None:
    """Return the fields of a form, None where it is none or too long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            return None
    try:
        return dict(
            parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=20)
        )
    except ValueError:
        return None


def _derived(secret: str, purpose: str) -> str:
    return hmac.new(
        secret.encode(), f"gimel dashboard {purpose}".encode(), hashlib.sha256
    ).hexdigest()

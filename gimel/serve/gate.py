"""Who may see and do what in the dashboard. What a page shows and an action does is passed in.

Where a key is required, a form asks for it, or a link with a ticket replaces it. The browser then
holds a session cookie, which every answer renews. Only the pages of the dashboard can make a
browser delete something: each form carries a token, and requests from other sites are refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from gimel.analysis.experiment import NotFound
from gimel.analysis.phrases import pluralize
from gimel.errors import GimelError
from gimel.report import html
from gimel.report.html import BASE, Choices, Frame
from gimel.serve.sessions import (
    SECONDS_IDLE,
    SECONDS_SIGNED_IN,
    Sessions,
    Throttle,
    Tickets,
)

_SIGN_IN = "/sign-in"

HOME = "/"
"""The path of the page around the dashboard, which needs no session."""

_LONGEST_FORM = 16_384  # bytes
_MOST_FIELDS = 20

# A redirect would not do: a browser does not send a strict cookie with a chain of redirects that a
# page of another site began, such as a terminal in the browser.
_FORWARD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={0}">
<title>Signed in - Gimel</title><main><h1>Signed in</h1><p><a href="{0}">Continue</a></p></main>
</html>
"""

# An overview of 500 experiments is 660 KB, and is fetched every ten seconds. The token in it cannot
# be guessed from its compressed length: another site's requests come without the session's cookie,
# and without a key there is only the loopback, on which nobody listens.
_COMPRESSION = Middleware(GZipMiddleware, minimum_size=2000, compresslevel=6)


@dataclass(frozen=True)
class Visit:
    """A request to see or do something, with what every page needs. `form` is {} for a GET."""

    request: Request
    choices: Choices
    frame: Frame
    form: Mapping[str, str] = field(default_factory=dict)


class _Refused(Exception):
    """The request is answered with this status and a page that shows the error."""

    def __init__(
        self, status: int, message: str, hint: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = GimelError(message, hint)
        self.headers = headers or {}


Answer = Callable[[Visit], Response]


def sign_in_path(ticket: str, to_home: bool = False) -> str:
    """Return the path that signs a browser in once and leads to the dashboard, or to `HOME`."""
    return f"{BASE}{_SIGN_IN}?ticket={quote(ticket)}{'&to=home' if to_home else ''}"


class Gate:
    """Who may see and do what: sessions, the sign-in form, and the token of every other form."""

    def __init__(
        self,
        key: str | None,
        namespace: str,
        frame: Frame,
        now: Callable[[], float],
        tickets: Tickets,
    ) -> None:
        """Without a key everybody may see and do everything; `namespace` is the usual one."""
        self._key = key
        self._tickets = tickets
        self._namespace = namespace
        self._frame = frame
        self._now = now
        self._csrf = secrets.token_hex(32)
        self._sessions = Sessions(now)
        self._throttle = Throttle(now)
        self._headers = _page_headers()

    def page(self, path: str, show: Answer) -> Route:
        """Return the route of a page that only those who are signed in see."""

        def endpoint(request: Request) -> Response:
            return self._answer(request, {}, lambda visit: self._if_signed_in(visit, show))

        return Route(BASE + path, endpoint, methods=["GET"], middleware=[_COMPRESSION])

    def action(self, path: str, act: Answer, needs_session: bool = True) -> Route:
        """Return the route of a form that only the dashboard's own pages can send."""

        def checked(visit: Visit) -> Response:
            if not secrets.compare_digest(
                visit.form.get("csrf", "").encode("utf-8", "replace"), self._csrf.encode()
            ):
                raise _Refused(403, "This page is out of date.", "Go back and reload it.")
            return act(visit)

        def answer(visit: Visit) -> Response:
            if _is_foreign(visit.request):
                raise _Refused(
                    403, "This request was not sent by the dashboard.", "Reload the page."
                )
            return self._if_signed_in(visit, checked) if needs_session else act(visit)

        async def endpoint(request: Request) -> Response:
            form = await _read_form(request)
            return await run_in_threadpool(self._answer, request, form, answer)

        return Route(BASE + path, endpoint, methods=["POST"])

    def sign_in_and_out(self) -> list[Route]:
        """Return the routes of links with a ticket, of the form for the key, and of signing out."""

        def enter(request: Request) -> Response:
            return self._answer(request, {}, self._enter)

        return [
            Route(BASE + _SIGN_IN, enter, methods=["GET"]),
            self.action(_SIGN_IN, self._sign_in, needs_session=False),
            self.action("/sign-out", self._sign_out),
        ]

    def _enter(self, visit: Visit) -> Response:
        """Sign in by a ticket, and forward to the dashboard or the page around it."""
        request = visit.request
        ticket = request.query_params.get("ticket", "")
        target = HOME if request.query_params.get("to") == "home" else BASE
        if visit.frame.keyed:  # a second click in the same browser
            return RedirectResponse(target, 303)
        # Programs that check links send HEAD, which must not use up the ticket.
        if request.method == "GET" and self._tickets.redeem(ticket):
            response: Response = html_response(_FORWARD.format(target))
            _set_cookie(response, request, self._sessions.start())
            return response
        if target == HOME:
            return RedirectResponse(target, 303)
        return self._ask_for_key(visit, 401, is_used=bool(ticket))

    def _sign_in(self, visit: Visit) -> Response:
        request = visit.request
        address = request.client.host if request.client else ""
        if wait := self._throttle.attempt(address):
            raise _Refused(
                429,
                "Too many attempts to sign in.",
                f"Wait {pluralize(wait, 'second')}, then enter the key again.",
                {"Retry-After": str(wait)},
            )
        given = visit.form.get("key", "").strip().encode("utf-8", "replace")
        if self._key is None or not secrets.compare_digest(given, self._key.encode()):
            return self._ask_for_key(visit, 403)
        self._throttle.succeeded(address)
        response = RedirectResponse(BASE, 303)
        _set_cookie(response, request, self._sessions.start())
        return response

    def _sign_out(self, visit: Visit) -> Response:
        self._sessions.end(_session(visit.request))
        response = RedirectResponse(BASE, 303)
        _set_cookie(response, visit.request, "", seconds=0)
        return response

    def _if_signed_in(self, visit: Visit, answer: Answer) -> Response:
        """Return the answer, or the form that asks for the key."""
        if self._key is None or visit.frame.keyed:
            return answer(visit)
        return self._ask_for_key(visit, 401)

    def _ask_for_key(self, visit: Visit, status: int, is_used: bool = False) -> Response:
        """Return the form that asks for the key: 401, or 403 after a wrong one.

        `is_used` if the visitor came by a link that no longer works.
        """
        page = html.sign_in(
            status == 403,
            visit.choices,
            visit.frame,
            self._now(),
            hours=SECONDS_IDLE // 3600,
            days=SECONDS_SIGNED_IN // 86_400,
            used=is_used,
        )
        return html_response(page, status)

    def _answer(self, request: Request, form: Mapping[str, str] | None, answer: Answer) -> Response:
        """Return the answer, or a page that explains the failure; with the headers of all pages."""
        choices = Choices(self._namespace, self._namespace)
        renewed = None if self._key is None else self._sessions.renew(_session(request))
        frame = replace(self._frame, csrf=self._csrf, keyed=renewed is not None)
        try:
            if form is None:
                raise _Refused(400, "The form cannot be read.", "Reload the page.")
            choices = _choices(request.query_params, self._namespace)
            response = answer(Visit(request, choices, frame, form))
        except _Refused as refused:
            response = html_response(
                html.failure(refused.error, choices, frame, self._now()), refused.status
            )
            response.headers.update(refused.headers)
        except GimelError as error:
            status = 404 if isinstance(error, NotFound) else 502
            response = html_response(html.failure(error, choices, frame, self._now()), status)
        response.headers.update(self._headers)
        if renewed is not None and "set-cookie" not in response.headers:
            _set_cookie(response, request, renewed)
        return response


def _page_headers() -> dict[str, str]:
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": html.policy(),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


def _choices(query: Mapping[str, str], usual: str) -> Choices:
    """Return what the address asks for. Raises _Refused for an invalid confidence."""
    text = query.get("confidence") or "0.95"
    try:
        confidence = float(text)
    except ValueError:
        confidence = 0.0
    if not 0.5 <= confidence <= 0.9999:
        raise _Refused(
            400, f"{text!r} is not a valid confidence.", "Use a number from 0.5 to 0.9999."
        )
    return Choices(
        query.get("namespace") or usual,
        usual,
        query.get("goal") or None,
        query.get("control") or None,
        confidence,
    )


def html_response(page: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(page.encode("utf-8", "replace"), status)


def _is_foreign(request: Request) -> bool:
    """Whether the browser says that a page of another site sends this."""
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


def _cookie_name(request: Request) -> str:
    """Return the name of the cookie: browsers do not separate the cookies of two ports."""
    return f"gimel-{(request.scope.get('server') or ('', 0))[1]}"


def _set_cookie(
    response: Response, request: Request, cookie: str, seconds: int = SECONDS_IDLE
) -> None:
    """Have the browser keep the session cookie for so long, out of reach of scripts and sites."""
    response.set_cookie(
        _cookie_name(request),
        cookie,
        max_age=seconds,
        path=BASE,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def _session(request: Request) -> str:
    return request.cookies.get(_cookie_name(request), "")


async def _read_form(request: Request) -> Mapping[str, str] | None:
    """Return the fields of a URL-encoded form, None if it is not one or too long.

    Starlette's `request.form()` requires python-multipart even for these, and does not limit the
    length of the whole.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            return None
    try:
        return dict(
            parse_qsl(
                body.decode(),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MOST_FIELDS,
            )
        )
    except ValueError:
        return None

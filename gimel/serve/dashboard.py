"""The dashboard as a web site: its routes, and what each of them reads or does.

`gate` decides who may see and do what; `report.html` decides what a page says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gimel.analysis.concluded import Concluded
from gimel.analysis.counts import ExperimentCounts, NamespaceCounts
from gimel.analysis.design import Design
from gimel.analysis.experiment import NotFound, analyse, analyse_all
from gimel.api.client import check_key
from gimel.api.http import LOOPBACK
from gimel.errors import similar_first
from gimel.report import html
from gimel.report.html import BASE, Choices, Frame
from gimel.report.overview import Filter
from gimel.runtime.fields import DEFAULT_NAMESPACE
from gimel.serve.ending import Ending
from gimel.serve.gate import Gate, Visit, html_response
from gimel.serve.sessions import Tickets


class Source(Protocol):
    """Reads, concludes and deletes experiments. Each method raises GimelError if it cannot."""

    def experiments(self, namespace: str, *, history: bool = False) -> NamespaceCounts: ...

    def experiment(
        self, namespace: str, name: str, *, history: bool = False
    ) -> ExperimentCounts: ...

    def delete(self, namespace: str, experiment: str) -> object: ...

    def conclude(self, namespace: str, experiment: str, record: Mapping[str, Any]) -> int: ...

    def reopen(self, namespace: str, experiment: str) -> int: ...

    def concluded(self, namespace: str, scope: str | None = None) -> tuple[Concluded, ...]: ...


@dataclass(frozen=True)
class Dashboard:
    """What a dashboard shows, and to whom. `caption` tells readers where the figures come from.

    `key` must be entered to see anything, unless a browser comes with one of the `tickets`. Without
    a key, whoever reaches the dashboard sees everything, so only `application` may serve it, to
    this machine alone. Raises GimelError for an invalid key.
    """

    source: Source
    caption: str
    namespace: str = DEFAULT_NAMESPACE
    designs: Mapping[str, Design] = field(default_factory=dict)
    key: str | None = field(default=None, repr=False)
    is_demo: bool = False
    tickets: Tickets = field(default_factory=Tickets, repr=False)

    def __post_init__(self) -> None:
        if self.key is not None:
            check_key(self.key)


def routes(dashboard: Dashboard, now: Callable[[], float] = time.time) -> list[Route]:
    """Return the routes of a dashboard, all of them under `BASE`."""
    frame = Frame(dashboard.caption, dashboard.is_demo)
    gate = Gate(dashboard.key, dashboard.namespace, frame, now, dashboard.tickets)
    views = _Views(dashboard, now)
    return [
        gate.page("", views.overview),
        gate.page("/experiment", views.experiment),
        gate.page("/delete", views.ask_to_delete),
        gate.action("/delete", views.delete),
        *views.ending.routes(gate),
        *(gate.sign_in_and_out() if dashboard.key is not None else []),
    ]


def application(dashboard: Dashboard, now: Callable[[], float] = time.time) -> Starlette:
    """Return an application that is a dashboard and nothing else, for a loopback address.

    It answers only under a loopback name. Otherwise a page whose host name is made to resolve to
    this machine could read it in the user's browser (DNS rebinding).
    """

    def home(_: Request) -> Response:
        return RedirectResponse(BASE)

    return Starlette(
        routes=[Route("/", home, methods=["GET"]), *routes(dashboard, now)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK, www_redirect=False)],
    )


class _Views:
    """What is shown and done, for visitors who may."""

    def __init__(self, dashboard: Dashboard, now: Callable[[], float]) -> None:
        self._source = dashboard.source
        self._designs = dashboard.designs
        self._now = now
        self.ending = Ending(dashboard.source, dashboard.designs, now)

    def overview(self, visit: Visit) -> Response:
        answer = self._source.experiments(visit.choices.namespace, history=True)
        now = self._now()
        found = analyse_all(answer, self._designs, now=now, confidence=visit.choices.confidence)
        asked = visit.request.query_params
        page = html.overview(
            found,
            answer.ignored,
            visit.choices,
            visit.frame,
            now,
            asked.get("deleted"),
            Filter.parse(asked),
            similar_first(visit.choices.namespace, answer.namespaces or ()),
        )
        return html_response(page)

    def experiment(self, visit: Visit) -> Response:
        counted = self._find(visit)
        if counted is None:
            ended = self.ending.find(visit)
            return self.ending.page(ended, visit) if ended else self._missing(visit)
        now = self._now()
        found = analyse(
            counted,
            self._designs.get(counted.name),
            now=now,
            confidence=visit.choices.confidence,
            control=visit.choices.control,
        )
        return html_response(html.experiment(found, visit.choices, visit.frame, now))

    def ask_to_delete(self, visit: Visit) -> Response:
        counted = self._find(visit)
        if counted is None:
            ended = self.ending.find(visit)
            return self.ending.ask_to_delete(ended, visit) if ended else self._missing(visit)
        return html_response(html.delete(counted, visit.choices, visit.frame, self._now()))

    def delete(self, visit: Visit) -> Response:
        name = visit.form.get("name", "")
        usual = visit.choices.usual
        remaining = Choices(visit.form.get("namespace", visit.choices.namespace), usual)
        self._source.delete(remaining.namespace, name)
        return RedirectResponse(remaining.address(deleted=name), 303)

    def _find(self, visit: Visit) -> ExperimentCounts | None:
        """Return the experiment that the address names; None if it does not exist."""
        try:
            return self._source.experiment(visit.choices.namespace, _name(visit), history=True)
        except NotFound:
            return None

    def _missing(self, visit: Visit) -> Response:
        name, namespace = _name(visit), visit.choices.namespace
        answer = self._source.experiments(namespace)
        page = html.missing(
            name,
            similar_first(name, [each.name for each in answer.experiments]),
            similar_first(namespace, answer.namespaces or ()),
            visit.choices,
            visit.frame,
            self._now(),
        )
        return html_response(page, 404)


def _name(visit: Visit) -> str:
    return visit.request.query_params.get("name", "")

"""The dashboard's pages about the end of experiments, and what they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gimel.analysis.concluded import MAX_NOTE, Concluded, record
from gimel.analysis.counts import ExperimentCounts
from gimel.analysis.design import Design
from gimel.analysis.experiment import NotFound, analyse
from gimel.errors import GimelError
from gimel.report import past_pages
from gimel.report.html import Choices
from gimel.serve.gate import Gate, Visit, html_response


class Source(Protocol):
    """Concludes experiments, and lists those concluded. Each method raises GimelError."""

    def experiment(
        self, namespace: str, name: str, *, history: bool = False
    ) -> ExperimentCounts: ...

    def conclude(self, namespace: str, experiment: str, record: Mapping[str, Any]) -> int: ...

    def reopen(self, namespace: str, experiment: str) -> int: ...

    def concluded(self, namespace: str, scope: str | None = None) -> tuple[Concluded, ...]: ...


class Ending:
    """What is shown and done, for visitors who may."""

    def __init__(
        self, source: Source, designs: Mapping[str, Design], now: Callable[[], float]
    ) -> None:
        self._source = source
        self._designs = designs
        self._now = now

    def routes(self, gate: Gate) -> list[Route]:
        return [
            gate.page("/concluded", self._list),
            gate.page("/conclude", self._ask),
            gate.action("/conclude", self._conclude),
            gate.page("/reopen", self._ask_to_reopen),
            gate.action("/reopen", self._reopen),
        ]

    def find(self, visit: Visit) -> Concluded | None:
        """Return the concluded experiment that the address names; None if there is none."""
        name = _name(visit)
        scope = None if "," in name or not name else name
        try:
            found = self._source.concluded(visit.choices.namespace, scope)
        except GimelError:  # an older API keeps none
            return None
        return next((each for each in found if each.name == name), None)

    def page(self, found: Concluded, visit: Visit) -> Response:
        """Return the page of a concluded experiment."""
        page = past_pages.concluded(
            [found], visit.choices, visit.frame, self._now(), only=found.name
        )
        return html_response(page)

    def ask_to_delete(self, found: Concluded, visit: Visit) -> Response:
        """Return the page that asks whether to delete its record."""
        return html_response(past_pages.delete(found, visit.choices, visit.frame, self._now()))

    def _list(self, visit: Visit) -> Response:
        found = self._source.concluded(visit.choices.namespace)
        name = visit.request.query_params.get("done", "")
        done = f"Concluded: {name}" if any(each.name == name for each in found) else ""
        page = past_pages.concluded(found, visit.choices, visit.frame, self._now(), done=done)
        return html_response(page)

    def _ask(self, visit: Visit) -> Response:
        found = self._analyse(visit.choices.namespace, _name(visit))
        return html_response(past_pages.conclude(found, visit.choices, visit.frame, self._now()))

    def _conclude(self, visit: Visit) -> Response:
        name, choices = visit.form.get("name", ""), _choices(visit)
        found = self._analyse(choices.namespace, name)
        note = visit.form.get("note", "")[:MAX_NOTE]
        kept = record(found, visit.form.get("winner") or None, note)
        if not visit.form.get("winner"):
            kept["winner"] = None
        if not self._source.conclude(choices.namespace, name, kept):
            raise NotFound(f"There is no experiment {name!r}.")
        return RedirectResponse(choices.address("/concluded", done=name), 303)

    def _ask_to_reopen(self, visit: Visit) -> Response:
        found = self.find(visit)
        if found is None:
            raise NotFound(f"No experiment {_name(visit)!r} was concluded.")
        return html_response(past_pages.reopen(found, visit.choices, visit.frame, self._now()))

    def _reopen(self, visit: Visit) -> Response:
        name, choices = visit.form.get("name", ""), _choices(visit)
        self._source.reopen(choices.namespace, name)
        return RedirectResponse(choices.address("/experiment", name=name), 303)

    def _analyse(self, namespace: str, name: str) -> Any:
        counts = self._source.experiment(namespace, name, history=True)
        return analyse(counts, self._designs.get(name), now=self._now())


def _choices(visit: Visit) -> Choices:
    namespace = visit.form.get("namespace", visit.choices.namespace)
    return Choices(namespace, visit.choices.usual)


def _name(visit: Visit) -> str:
    return visit.request.query_params.get("name", "")

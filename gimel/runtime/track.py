"""`gimel.track`: a visitor takes part in an experiment, or reaches a goal.

Parses the events of a call, refuses those that the settings do not allow, has the others counted
and answers for each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from gimel.runtime import bots, http
from gimel.runtime.counting import count, count_known
from gimel.runtime.errors import BadRequest
from gimel.runtime.event import (
    BOT,
    EXPERIMENT_NOT_ALLOWED,
    NAMESPACE_NOT_ALLOWED,
    TrackEvent,
    parse_event,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gimel.runtime.formats import Request
    from gimel.runtime.process import Process
    from gimel.runtime.settings import Settings

METHODS = ("GET", "POST")
UNAVAILABLE = "the data store is unavailable; send the event again later"
MAX_EVENTS = 100

_is_bot = lru_cache(maxsize=500)(bots.is_bot)


def track(event: Any, context: Any = None) -> Any:
    """Count an event: `experiment`, `variant`, `event`, `uuid` and optionally `namespace`.

    `event` is the name of a goal or `participate`. A POST may contain a list of up to 100 events;
    then the answer has a list `events` with one answer per event.
    """
    return http.answer(event, context, _track, methods=METHODS, unavailable=UNAVAILABLE)


def _track(request: Request, process: Process) -> Any:
    parameters, body = request.parameters, request.body
    if isinstance(body, list):
        return _track_batch(request, body, process)
    if body is not None:
        if not isinstance(body, dict):
            raise BadRequest("the body must be a JSON object, a list of them, or a form")
        parameters = {**parameters, **body}
    event = parse_event(parameters)
    counter = process.known.get(event.names)
    if (
        counter is not None
        and not (process.settings.bot_filter and _is_bot(request.user_agent))
        and count_known(process, counter, event.uuid)
    ):
        return http.OK  # the counter of a name that the settings do not allow is never known
    (answer,) = _answer_each([event], request, process)
    return answer


def _track_batch(request: Request, batch: list[Any], process: Process) -> Any:
    if not 1 <= len(batch) <= MAX_EVENTS:
        raise BadRequest(f"the list has {len(batch)} events; it may have 1 to {MAX_EVENTS}")
    answers: list[Mapping[str, str]] = [{}] * len(batch)
    events: dict[int, TrackEvent] = {}
    for position, item in enumerate(batch):
        try:
            if not isinstance(item, dict):
                raise BadRequest("an event must be a JSON object")
            events[position] = parse_event({**request.parameters, **item})
        except BadRequest as error:
            answers[position] = {"error": str(error)}
    if not events:
        raise BadRequest("no event of the list is valid", events=answers)
    outcomes = _answer_each(list(events.values()), request, process)
    for position, outcome in zip(events, outcomes, strict=True):
        answers[position] = outcome
    return {"status": "ok" if len(events) == len(batch) else "partial", "events": answers}


def _answer_each(
    events: Sequence[TrackEvent], request: Request, process: Process
) -> list[Mapping[str, str]]:
    reasons = _refused(events, request, process.settings)
    accepted = [event for event in events if event not in reasons]
    if accepted:
        reasons.update(count(process, accepted))
    if reasons:
        from gimel.runtime.refusals import note

        note(process.redis, reasons)
    return [
        {"status": "ignored", "reason": reasons[event]} if event in reasons else http.OK
        for event in events
    ]


def _refused(
    events: Sequence[TrackEvent], request: Request, settings: Settings
) -> dict[TrackEvent, str]:
    """Return the events that the settings do not allow, each with the reason."""
    if settings.bot_filter and _is_bot(request.user_agent):
        return dict.fromkeys(events, BOT)
    namespaces, experiments = settings.allowed_namespaces, settings.allowed_experiments
    refused = {}
    for event in events:
        namespace, experiment = event.names[:2]
        if namespaces is not None and namespace not in namespaces:
            refused[event] = NAMESPACE_NOT_ALLOWED
        elif experiments is not None and experiment not in experiments:
            refused[event] = EXPERIMENT_NOT_ALLOWED
    return refused

"""`gimel.track`: a visitor takes part in an experiment, or reached a goal.

Parses the events of a call, refuses those that policy keeps out, has the rest counted and answers for each.
"""

from gimel.runtime import fields, http
from gimel.runtime.bots import is_bot
from gimel.runtime.counting import count
from gimel.runtime.errors import BadRequest
from gimel.runtime.event import TrackEvent
from gimel.runtime.redis import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from gimel.runtime.http import Request
    from gimel.runtime.settings import Settings

METHODS = ("GET", "POST")
MOST_EVENTS = 100

BOT = "bot"
NAMESPACE_NOT_ALLOWED = "namespace not allowed"
EXPERIMENT_NOT_ALLOWED = "experiment not allowed"
LIMIT_REACHED = "limit reached"

_OK = {"status": "ok"}


def track(event: "Any", context: "Any" = None) -> "Any":
    """Handle `experiment`, `variant`, `event` (a goal's name or `participate`), `uuid` and, if given, `namespace`.

    A POST may hold a list of up to 100 such events; its answer has an `events` list with an answer for each.
    """
    return http.answer(event, context, METHODS, _track)


def _track(request: "Request", settings: "Settings", context: "Any") -> "Any":
    if isinstance(request.body, list):
        return _track_batch(request, settings, context)
    if request.body is not None and not isinstance(request.body, dict):
        raise BadRequest("the body must be a JSON object, a list of them, or a form")
    event = _parse({**request.parameters, **(request.body or {})}, settings)
    (answer,) = _judge_and_count([event], request, settings, context)
    return answer


def _track_batch(request: "Request", settings: "Settings", context: "Any") -> "Any":
    batch: list[Any] = request.body
    if not 1 <= len(batch) <= MOST_EVENTS:
        raise BadRequest(f"the list holds {len(batch)} events; it may hold 1 to {MOST_EVENTS}")
    answers: list[Mapping[str, str]] = [{}] * len(batch)
    events: dict[int, TrackEvent] = {}
    for index, item in enumerate(batch):
        try:
            if not isinstance(item, dict):
                raise BadRequest("an event must be a JSON object")
            events[index] = _parse({**request.parameters, **item}, settings)
        except BadRequest as error:
            answers[index] = {"error": str(error)}
    if not events:
        raise BadRequest("no event of the list is valid", events=answers)
    counted = _judge_and_count(list(events.values()), request, settings, context)
    for index, outcome in zip(events, counted, strict=True):
        answers[index] = outcome
    return {"status": "ok" if len(events) == len(batch) else "partial", "events": answers}


def _parse(parameters: "Mapping[str, Any]", settings: "Settings") -> TrackEvent:
    return TrackEvent(
        fields.namespace(parameters),
        fields.text(parameters, "experiment"),
        fields.text(parameters, "event"),
        fields.text(parameters, "variant"),
        fields.text(parameters, "uuid"),
        settings.precision,
    )


def _judge_and_count(
    events: "Sequence[TrackEvent]", request: "Request", settings: "Settings", context: "Any"
) -> "list[Mapping[str, str]]":
    redis = process.client(settings.redis, context)
    robot = settings.bot_filter and is_bot(request.user_agent)
    reasons = [BOT if robot else _not_allowed(event, settings) for event in events]
    welcome = [event for event, reason in zip(events, reasons, strict=True) if reason is None]
    over = count(redis, welcome, settings.limits) if welcome else set()
    outcomes: list[Mapping[str, str]] = []
    refused: list[tuple[TrackEvent, str]] = []
    for event, reason in zip(events, reasons, strict=True):
        reason = reason or (LIMIT_REACHED if event.counter in over else None)
        if reason is None:
            outcomes.append(_OK)
        else:
            refused.append((event, reason))
            outcomes.append({"status": "ignored", "reason": reason})
    if refused:
        from gimel.runtime.refusals import note

        note(redis, refused)
    return outcomes


def _not_allowed(event: TrackEvent, settings: "Settings") -> "str | None":
    if (
        settings.allowed_namespaces is not None
        and event.namespace not in settings.allowed_namespaces
    ):
        return NAMESPACE_NOT_ALLOWED
    if (
        settings.allowed_experiments is not None
        and event.experiment not in settings.allowed_experiments
    ):
        return EXPERIMENT_NOT_ALLOWED
    return None

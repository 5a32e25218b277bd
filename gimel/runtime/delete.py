"""`gimel.delete`: remove every key of one experiment, and nothing else; conclude it; reopen it."""

from __future__ import annotations

from gimel.runtime import fields, http
from gimel.runtime.counter import Experiment
from gimel.runtime.removal import remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gimel.runtime.formats import Request
    from gimel.runtime.process import Process

METHODS = ("DELETE",)
UNAVAILABLE = "the data store is unavailable; delete the experiment again later"


def delete(event: Any, context: Any = None) -> Any:
    """Delete an `experiment` of a `namespace`, or `conclude` or `reopen` the one of that name.

    A delete answers how many counters there were, with those that an interrupted delete left, and
    `"concluded": true` if it removed the record of a concluded experiment. Deleting it again is not
    an error. `gimel.runtime.conclude` says what the others answer.
    """
    return http.answer(event, context, _delete, methods=METHODS, unavailable=UNAVAILABLE)


def _delete(request: Request, process: Process) -> Any:
    if "conclude" in request.parameters or "reopen" in request.parameters:
        from gimel.runtime.conclude import act

        return act(request, process)
    namespace = fields.namespace(request.parameters)
    name = fields.text(request.parameters, "experiment")
    deletion = remove(process.redis, Experiment(namespace, name))
    counters = len(deletion.counters)
    if deletion.was_concluded:  # the record is something, too
        return {"status": "ok", "deleted": max(counters, 1), "concluded": True}
    return {"status": "ok", "deleted": counters}

"""`gimel.snapshot`: the daily run, which records every experiment and then sends the alerts.

Without a receiver it loads neither the analysis nor anything that sends.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gimel
from gimel.runtime import fields, keys
from gimel.runtime.concluded import tidy_all
from gimel.runtime.process import Process, current
from gimel.runtime.settings import VARIABLE
from gimel.runtime.snapshot import take

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gimel.analysis.design import Design

_DESIGNS = Path(gimel.__file__).parent / "designs.json"
_RESERVE = 1.0  # seconds before AWS ends the run
_DAY = 86_400  # seconds
_TO_SEND = 120.0  # seconds that are kept for sending


def snapshot(event: Any, context: Any = None) -> dict[str, Any]:
    """Take a snapshot of every experiment, then send the alerts.

    Returns how many experiments were recorded and how many alerts were sent, with the names of the
    receivers that failed. Raises RedisError where no snapshot can be taken; AWS repeats the run
    then. A receiver that fails is only logged: the next run sends what it has missed.

    An event with the name of an `experiment` is that of a trial before a deploy: nothing is
    recorded or sent. One with a `transfer` is part of an export or import: its answer is that of
    `gimel.transfer.function.execute`.
    """
    process = current(context)
    if isinstance(event, dict) and "transfer" in event:
        from gimel.transfer.function import execute

        return execute(event["transfer"], process)
    if isinstance(event, dict) and "experiment" in event:
        return _try(event, process)
    now = int(time.time())
    experiments = sum(1 for _ in take(process, now))
    tidy_all(process.redis, now)
    alerts = json.loads(os.environ[VARIABLE]).get("alerts")
    if not alerts:
        return {"status": "ok", "experiments": experiments, "alerts": 0}
    from random import Random

    from gimel.alerts import notify, receivers, records, watch

    # A second look, which reads the counts of the first one. Everything is recorded by now,
    # whatever becomes of the alerts. The order changes every day: if the time is too short for all
    # experiments, it must not be the same ones that are never looked at.
    watching = watch.Watch(read_designs(), now)
    for taken in take(process, now, Random(now // _DAY).shuffle):  # noqa: S311 - no secret
        if _seconds_left(context) < _TO_SEND:
            _log("all", "there was no time to look at every experiment")
            break
        watching.add(taken)
    store = records.Records(process.redis)
    for namespace, ignored in store.ignored(sorted(watching.namespaces)):
        watching.add_namespace(namespace, ignored)
    # By name, so that a message that is sent again has the same id.
    watched = sorted(
        watching.watched,
        key=lambda each: (each.experiment is None, each.namespace, each.experiment or ""),
    )
    outcome = notify.notify(
        receivers.configured(alerts), watched, store, now, lambda: _seconds_left(context)
    )
    for name, why in outcome.failures:
        _log(name, why)
    answer: dict[str, Any] = {"status": "ok", "experiments": experiments, "alerts": outcome.alerts}
    if outcome.failures:
        answer["failed"] = [name for name, _ in outcome.failures]
    return answer


def read_designs(path: Path = _DESIGNS) -> dict[str, Design]:
    """Return the designs that `gimel deploy` put beside the code, by the experiment's name.

    The file holds an object for each experiment, with fields of `Design`; omitted ones have their
    defaults. Without the file the result is empty.
    """
    from gimel.analysis.design import Design

    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    content: Mapping[str, Mapping[str, Any]] = json.loads(text)
    return {name: Design(**options) for name, options in content.items()}


def _try(event: Mapping[str, Any], process: Process) -> dict[str, Any]:
    """Answer a trial: load all code, read the designs, and ask Redis something."""
    from gimel.alerts import notify, receivers, records, watch  # noqa: F401

    read_designs()
    namespace = keys.encode(fields.namespace(event))
    asked = ("SISMEMBER", keys.experiments_key(namespace), fields.text(event, "experiment"))
    process.redis.run([asked])
    return {"status": "ok", "experiments": 0, "alerts": 0}


def _log(receiver: str, why: str) -> None:
    line = {"level": "ERROR", "error": "alerts not sent", "receiver": receiver, "message": why}
    print(json.dumps(line), file=sys.stderr)  # noqa: T201 - Lambda's log is its standard error


def _seconds_left(context: Any) -> float:
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return float("inf") if remaining is None else remaining() / 1000 - _RESERVE

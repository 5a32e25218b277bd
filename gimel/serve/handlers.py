"""The runtime's handlers, called as Lambda calls them: one event at a time, on one thread."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import gimel
from gimel.analysis.concluded import Concluded
from gimel.analysis.counts import ExperimentCounts, NamespaceCounts
from gimel.api import answers, concluded
from gimel.api.client import find_experiment
from gimel.errors import GimelError
from gimel.runtime import process
from gimel.runtime.errors import BadRequest, RedisError
from gimel.runtime.settings import VARIABLE

Handler = Callable[[Any, Any], Any]
Result = TypeVar("Result")


def find_handler(name: str) -> Handler:
    """Return the handler of a name in the wiring, such as "gimel.track"."""
    handler: Handler = getattr(gimel, name.removeprefix("gimel."))
    return handler


class Handlers:
    """Calls handlers, and reads experiments through them as a source of the dashboard."""

    def __init__(self, settings: str) -> None:
        """`settings` are the runtime's GIMEL_SETTINGS, which handlers read from the environment."""
        os.environ[VARIABLE] = settings
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lambda")

    async def call(
        self, handler: Handler, event: Mapping[str, Any], at: float | None = None
    ) -> Any:
        """Return what a handler answers to an event, raise what it raises.

        `at` is the time that it takes for now, in seconds since 1970.
        """
        call = partial(handler, event, None)
        return await self.run(call if at is None else partial(_call_at, at, call))

    async def run(self, function: Callable[[], Result]) -> Result:
        """Return what a function returns that uses Redis as the handlers do, on their thread.

        Events wait for it.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def wait_for(self, function: Callable[[], Result]) -> Result:
        """Do the same from a thread other than that of the event loop."""
        return self._thread.submit(function).result()

    def experiments(
        self, namespace: str, scope: str | None = None, *, history: bool = False
    ) -> NamespaceCounts:
        """Return the counts of a namespace, or of its experiment `scope`. Raises GimelError.

        With `history`, earlier counts as well.

        This and the methods below wait for the handler: do not call them on the event loop.
        """

        def fetch(page: str | None) -> Any:
            asked = {"namespace": namespace, "scope": scope, "page": page}
            asked["history"] = "true" if history else None
            return self._ask("gimel.all", asked)

        return answers.read(fetch, "gimel serve")

    def experiment(self, namespace: str, name: str, *, history: bool = False) -> ExperimentCounts:
        """Return one experiment. Raises GimelError with the most similar names."""
        return find_experiment(partial(self.experiments, history=history), namespace, name)

    def delete(self, namespace: str, experiment: str) -> None:
        """Delete all counts of an experiment. Raises GimelError."""
        self._ask("gimel.delete", {"namespace": namespace, "experiment": experiment})

    def conclude(self, namespace: str, experiment: str, record: Mapping[str, Any]) -> int:
        """Conclude an experiment with a record. Return its number of counters."""
        asked = {"namespace": namespace, "conclude": experiment, "record": dict(record)}
        return int(self._ask("gimel.delete", asked)["concluded"])

    def reopen(self, namespace: str, experiment: str) -> int:
        """Undo a conclusion. Return the number of counters. Raises GimelError."""
        asked = {"namespace": namespace, "reopen": experiment}
        return int(self._ask("gimel.delete", asked)["reopened"])

    def concluded(self, namespace: str, scope: str | None = None) -> tuple[Concluded, ...]:
        """Return the concluded experiments of a namespace, the latest first, or one of them."""

        def fetch(page: str | None) -> Any:
            asked = {"namespace": namespace, "scope": scope, "page": page, "concluded": "true"}
            return self._ask("gimel.all", asked)

        return concluded.read(fetch, "gimel serve")

    def close(self) -> None:
        """Wait for the event that is being handled. Nothing can be called afterwards."""
        self._thread.shutdown()

    def _ask(self, handler: str, parameters: Mapping[str, Any]) -> Any:
        try:
            return self._thread.submit(find_handler(handler), parameters, None).result()
        except RedisError:
            raise GimelError("Redis cannot be reached.", "Check that it is running.") from None
        except BadRequest as error:
            raise GimelError(f"The request is invalid: {error}.") from None


def _call_at(time: float, call: Callable[[], Any]) -> Any:
    """Return what a handler answers that takes `time` for now."""
    state = process.current()
    state.at = time
    try:
        return call()
    finally:
        state.at = None

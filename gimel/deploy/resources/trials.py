"""Trying versions before they are live: a marked event is counted, read and removed again.

What does not work, because Redis refuses the password or cannot be reached from the functions'
network, is found while visitors still reach the version that works. Before a first deploy they
reach none, and the public URLs are checked right after it: the function that deletes is tried
alone. It both reads and writes, which a replica refuses, and needs no second call to clean up.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gimel.analysis.phrases import join_names
from gimel.deploy.desired import Desired, FunctionConfiguration
from gimel.deploy.history import UNPUBLISHED
from gimel.deploy.identity import ALIAS, Identity
from gimel.deploy.policies import Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.concurrency import CONCURRENCY
from gimel.deploy.resources.functions import function_permission, functions_by_name, version_id
from gimel.errors import GimelError
from gimel.wiring import SNAPSHOT

NAMESPACE = "gimel-check"
TRACK, DELETE = "gimel.track", "gimel.delete"
_UNTIL_IAM_APPLIES, _BETWEEN_TRIALS = 60.0, 2.0  # seconds
_IN_ORDER = (TRACK, "gimel.all", "gimel.experiment", SNAPSHOT, DELETE)

_REFUSED_LOGIN = "WRONGPASS"
_WAIT, _PATIENCE = 5.0, 60.0  # seconds


class DoesNotWork(GimelError):
    """A version that was tried does not work."""


@dataclass(frozen=True)
class Trial:
    """A version to try; `number` None means the one that has just been published.

    UNPUBLISHED stands for what is live.
    """

    function: str
    configuration: FunctionConfiguration
    number: int | None

    @property
    def handler(self) -> str:
        """The handler, such as "gimel.track"."""
        return self.configuration.handler

    @property
    def logs_in_by_iam(self) -> bool:
        """Whether it logs in to a store on ElastiCache as its role."""
        settings = json.loads(self.configuration.settings or "{}")
        return bool(settings.get("redis", {}).get("iam"))


class Trials(Resource[None]):
    """See the module. It observes nothing."""

    def observe(self, look: Look) -> None:
        return None

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        existing = functions_by_name(observed)
        trials, live = [], []
        for function in desired.functions:
            there = existing.get(function.name)
            if there is not None and there.is_live(function.configuration):
                live.append(Trial(function.name, function.configuration, UNPUBLISHED))
            else:
                number = there.version_with(function.configuration) if there else None
                trials.append(Trial(function.name, function.configuration, number))
        if not any(function.live for function in existing.values()):
            deleting = [each for each in trials if each.handler == DELETE]
            trials = deleting[:1] or trials
        yield from try_versions(trials, live, observed)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        yield function_permission(identity, desired, "InvokeFunction")


TRIALS = Trials()


def try_versions(
    trials: Iterable[Trial], live: Iterable[Trial], observed: Observed
) -> Iterator[Step]:
    """Yield the step that tries versions, if any can be tried.

    `live` are functions that stay as they are: one of them may have to remove the marked event. A
    function without concurrency cannot be invoked. Versions of Gimel 1.5.0 have no settings.
    """
    off = {name for name, reserved in observed.of(CONCURRENCY).items() if reserved == 0}

    def usable(each: Trial) -> bool:
        return (
            each.handler in _IN_ORDER
            and each.configuration.settings is not None
            and each.function not in off
        )

    possible = sorted(filter(usable, trials), key=lambda each: _IN_ORDER.index(each.handler))
    removers = [each for each in (*possible, *filter(usable, live)) if each.handler == DELETE]
    if not removers:
        possible = [each for each in possible if each.handler != TRACK]
    if possible:
        yield TryVersions(tuple(possible), removers[0] if removers else None)


@dataclass(frozen=True)
class TryVersions(Step):
    """Invoke versions that are not live. `remover` deletes the marked event."""

    trials: tuple[Trial, ...]
    remover: Trial | None

    def __str__(self) -> str:
        names = join_names([each.function for each in self.trials])
        counts = any(each.handler == TRACK for each in self.trials)
        return f"Try {names} before going live{', with a marked event' if counts else ''}"

    def perform(self, run: Run) -> None:
        """Raises GimelError that names the version which does not work, and why."""
        experiment = f"{NAMESPACE}-{secrets.token_hex(8)}"
        counted = is_removing = False
        try:
            for trial in self.trials:
                is_removing = trial.handler == DELETE
                answer = _try(run, trial, event_for(trial, experiment))
                counted = counted or (trial.handler == TRACK and answer == {"status": "ok"})
                if counted and trial.handler == "gimel.all":
                    _check_read(trial, answer, experiment)
        except BaseException:
            if counted and not is_removing:
                with contextlib.suppress(GimelError):  # the first error says more
                    self._remove(run, experiment)
            raise
        if counted and not is_removing:
            self._remove(run, experiment)

    def _remove(self, run: Run, experiment: str) -> None:
        if self.remover:
            invoke(run, self.remover, event_for(self.remover, experiment))


def _try(run: Run, trial: Trial, event: dict[str, str]) -> Any:
    """Return what a version answers. Raises GimelError if it fails.

    After a change of the role, ElastiCache may refuse its login for some seconds.
    """
    started = run.aws.clock()
    while True:
        try:
            return invoke(run, trial, event)
        except DoesNotWork as error:
            waited = run.aws.clock() - started
            is_refused = trial.logs_in_by_iam and _REFUSED_LOGIN in error.message
            if not is_refused or waited >= _PATIENCE:
                raise
            run.aws.on_wait(f"the store does not accept the role yet ({waited:.0f} s so far)")
            run.aws.sleep(_WAIT)


def event_for(trial: Trial, experiment: str) -> dict[str, str]:
    """Return an event that the handler of a version answers with the plain value."""
    settings = json.loads(trial.configuration.settings or "{}")
    namespace = (settings.get("allowed_namespaces") or [NAMESPACE])[0]
    event = {"namespace": namespace, "experiment": experiment}
    if trial.handler == TRACK:
        event |= {"variant": "marked", "event": "participate", "uuid": secrets.token_hex(8)}
    elif trial.handler == "gimel.all":
        event["scope"] = experiment
    return event


def invoke(run: Run, trial: Trial, event: dict[str, str]) -> Any:
    """Return what a version answers. Raises GimelError if it fails."""
    qualifier = {None: run.ids.get(version_id(trial.function), ""), UNPUBLISHED: ALIAS}.get(
        trial.number, str(trial.number)
    )
    which = {"FunctionName": trial.function, "Qualifier": qualifier}
    started = run.aws.clock()
    while True:
        answer = run.aws.call("lambda", "invoke", **which, Payload=json.dumps(event))
        said = json.loads(answer["Payload"].read() or "null")
        if "FunctionError" not in answer:
            return said
        if not _may_not_read_yet(said) or run.aws.clock() - started > _UNTIL_IAM_APPLIES:
            break
        run.aws.on_wait("the role may not read the password yet")
        run.aws.sleep(_BETWEEN_TRIALS)
    why = said.get("errorMessage") if isinstance(said, dict) else None
    which_one = "what is live" if qualifier == ALIAS else f"version {qualifier}"
    reason = str(why or said).rstrip(".")
    raise DoesNotWork(
        f"The function {trial.function} does not work in {which_one}: {reason}.",
        "`gimel preflight` checks Redis; the function's log says more.",
    )


def _may_not_read_yet(said: Any) -> bool:
    """Return whether AWS denied a function its password, as it does until IAM knows a new policy.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html
    """
    denied = isinstance(said, dict) and said.get("errorType") == "SecretError"
    return denied and "AccessDenied" in str(said.get("errorMessage"))


def is_counted(rows: Iterable[Any], experiment: str) -> bool:
    """Return whether what `gimel.all` answers has counts of an experiment.

    An experiment that was asked for by name is in the answer even if it does not exist.
    """
    found = [row for row in rows if isinstance(row, dict) and row.get("experiment") == experiment]
    return any(row.get("participants") for row in found)


def _check_read(trial: Trial, rows: Sequence[Any], experiment: str) -> None:
    if not is_counted(rows, experiment):
        raise DoesNotWork(
            f"The function {trial.function} does not find the event that was just counted.",
            "Check that all functions use the same Redis.",
        )

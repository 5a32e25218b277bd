"""An `Aws` that makes the calls which a test expects, in order, and gets the test's answers.

The clients are boto3's own, so that botocore checks every parameter against AWS's model of the
operation. Answers are checked against it too. Nothing is sent, and time passes only by waiting.
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import functools
import io
import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.loaders import JSONFileLoader
from botocore.validate import validate_parameters

from gimel.deploy.aws import SERVICES, Aws
from gimel.deploy.identity import Deployment
from tests.support.state.cloud import ACCOUNT, HERE, Place

ANYTHING: Any = object()
"""Parameters that do not matter."""


@dataclass(frozen=True)
class Refusal:
    """An error that AWS answers."""

    code: str
    message: str = ""
    status: int = 400


@dataclass(frozen=True)
class Expected:
    """A call, its parameters and its outcome: an answer, a refusal, or an exception of botocore."""

    operation: str
    given: Any
    outcome: Any

    def matches(self, operation: str, given: Mapping[str, Any]) -> bool:
        """Return whether a call is the expected one."""
        return operation == self.operation and (self.given is ANYTHING or given == self.given)


class Json(dict[str, Any]):
    """Equal to a text that is JSON of the same value."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and json.loads(other) == dict(self)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None


@dataclass
class Script:
    """What is expected. `made` are the calls so far, `waits` the seconds between attempts.

    A call that is not expected is answered by `answers`, by its name, or else by `always`. An
    outcome may be a function of the parameters.
    """

    in_any_order: bool = False
    expected: deque[Expected] = field(default_factory=deque)
    always: Any = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    given: list[Mapping[str, Any]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    now: float = 0.0

    def expect(self, operation: str, outcome: Any = None, /, **given: Any) -> Script:
        """Expect a call with exactly these parameters, and answer it so. Returns itself."""
        self.expected.append(Expected(operation, given, {} if outcome is None else outcome))
        return self

    def expect_any(self, operation: str, outcome: Any = None, /) -> Script:
        """Expect a call with whatever parameters, and answer it so. Returns itself."""
        self.expected.append(Expected(operation, ANYTHING, {} if outcome is None else outcome))
        return self

    def aws(self, place: Place = HERE) -> Aws:
        """Return the way to AWS that keeps to the script."""
        aws = copy.copy(_aws(place.region))
        aws.deployment = Deployment(place.name, place.given_role)
        aws.sleep = self._sleep
        aws.clock = lambda: self.now
        aws.on_wait = self.reasons.append
        _scripts[place.region] = self
        return aws

    def _sleep(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)

    def check(self, operation: str, given: Mapping[str, Any]) -> None:
        """Check that this is the next call."""
        self.made.append(operation)
        self.given.append(given)
        if not self.expected:
            known = operation in self.answers or self.always is not None
            assert known, f"unexpected call {operation} {given}"
            return
        if self.in_any_order:
            wanted = (each for each in self.expected if each.matches(operation, given))
            if (found := next(wanted, None)) is not None:
                self.expected.remove(found)
                self.expected.appendleft(found)
        expected = self.expected[0]
        assert operation == expected.operation, f"{operation} {given}, not {expected}"
        assert expected.matches(operation, given), f"{operation} {given}, not {expected.given}"

    def outcome(self) -> Any:
        """Return the outcome of the call that was checked last."""
        if self.expected:
            outcome = self.expected.popleft().outcome
        else:
            outcome = self.answers.get(self.made[-1], self.always)
        return outcome(self.given[-1]) if callable(outcome) else outcome


@contextlib.contextmanager
def scripted(*, in_any_order: bool = False) -> Iterator[Script]:
    """Check at the end of a with block that every expected call was made."""
    script = Script(in_any_order)
    yield script
    assert not script.expected, f"not called: {[each.operation for each in script.expected]}"


def caller(place: Place = HERE) -> dict[str, Any]:
    """Return AWS's answer to GetCallerIdentity."""
    return {"Account": ACCOUNT, "Arn": place.operator, "UserId": "AIDAEXAMPLE"}


def invoked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return Lambda's answer where the functions work: what was tracked last is found again."""
    event = json.loads(given["Payload"])
    answers = {"track": {"status": "ok"}, "all": found(event["experiment"], is_counted=True)}
    kind = given["FunctionName"].removeprefix("gimel-").partition("-")[0]
    return lambda_answer(answers.get(kind, {"status": "ok"}))


def found(experiment: str, *, is_counted: bool) -> list[dict[str, Any]]:
    """Return what `gimel.all` answers about an experiment: it has a row even if it is unknown."""
    participants = [{"label": "marked", "trials": 1}] if is_counted else []
    return [{"meta": {}}, {"experiment": experiment, "goals": [], "participants": participants}]


def lambda_answer(value: Any, **more: Any) -> dict[str, Any]:
    """Return AWS's answer to Invoke, with this value as what the function returns."""
    return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(value).encode()), **more}


def role_answer(place: Place = HERE, **more: Any) -> dict[str, Any]:
    """Return AWS's answer to CreateRole and GetRole."""
    role = {"Path": "/", "RoleName": "gimel", "RoleId": "AROAEXAMPLEAROAE", "Arn": place.role}
    return {"Role": {**role, "CreateDate": datetime.datetime(2026, 1, 15), **more}}


@pytest.fixture(scope="module", autouse=True)
def service_models_are_read_once() -> Iterator[None]:
    """Every new session reads megabytes of JSON."""
    read = functools.cache(JSONFileLoader.load_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda self, path: read(_LOADER, path))
        yield


_LOADER = JSONFileLoader()
_scripts: dict[str, Script] = {}


@functools.cache
def _aws(region: str) -> Aws:
    """Make the clients once per region: reading AWS's models takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_USE_DUALSTACK_ENDPOINT"):
            patch.delenv(name, raising=False)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, "/dev/null")
        aws = Aws(region=region)
    make = aws._make_client

    def watched(service: str) -> Any:
        client = make(service)
        _watch(client, region)
        return client

    for service in SERVICES:
        _watch(aws._clients[service], region)
    aws._make_client = watched  # type: ignore[assignment]
    return aws


def _watch(client: Any, region: str) -> None:
    """Let a client ask the script, and send nothing."""
    events = client.meta.events
    events.register_first("before-parameter-build", functools.partial(_check, region))
    events.register_first("before-call", functools.partial(_answer, region))


def _check(region: str, *, params: Mapping[str, Any], model: Any, **_: Any) -> None:
    _scripts[region].check(model.name, dict(params))


def _answer(region: str, *, model: Any, **_: Any) -> Any:
    outcome = _scripts[region].outcome()
    if isinstance(outcome, Exception):
        raise outcome
    if isinstance(outcome, Refusal):
        error = {"Code": outcome.code, "Message": outcome.message}
        return _response(outcome.status), {
            "Error": error,
            "ResponseMetadata": {"HTTPStatusCode": outcome.status},
        }
    if model.output_shape is not None:
        validate_parameters(outcome, model.output_shape)
    return _response(200), {**outcome, "ResponseMetadata": {"HTTPStatusCode": 200}}


def _response(status: int) -> AWSResponse:
    return AWSResponse("https://aws.example.com", status, HTTPHeaders(), None)

"""What is checked before a deploy, where no AWS is needed for it."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any, get_args

import pytest

from gimel.config import Config, load
from gimel.config.aws import Aws as AwsSection
from gimel.deploy.checks import preflight
from gimel.errors import GimelError
from tests.support.servers import Store, free_port
from tests.support.state.cloud import ALL
from tests.support.state.settled import configuration

TODAY = datetime.date(2026, 1, 15)
VPC = {"aws": {"vpc": {"subnets": ["subnet-a1"], "security_groups": ["sg-a1"]}}}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """redis-py repeats a failed connection for several seconds."""
    monkeypatch.setattr("redis.retry.sleep", lambda seconds: None)


@pytest.mark.parametrize(
    ("name", "today", "status"),
    [
        ("python3.13", datetime.date(2026, 1, 15), "ok"),
        ("python3.10", datetime.date(2026, 5, 3), "ok"),
        ("python3.10", datetime.date(2026, 5, 5), "warning"),
        ("python3.10", datetime.date(2026, 10, 31), "warning"),
        ("python3.10", datetime.date(2026, 11, 1), "warning"),
        ("python3.13", datetime.date(2029, 1, 1), "ok"),
        ("python3.13", datetime.date(2029, 1, 2), "warning"),
        ("python3.14", datetime.date(2040, 1, 1), "warning"),
    ],
)
def test_a_runtime_is_supported_until_its_date(
    name: str, today: datetime.date, status: str
) -> None:
    """Half a year ahead a warning begins; a deploy is never stopped, for AWS still takes it."""
    found = preflight.check_runtime(name, today)

    assert (found.name, found.status) == ("runtime", status)
    assert str(preflight.END_OF_LIFE[name]) in found.message
    assert ("python3.13" in found.hint) == (status == "warning")


def test_an_unsupported_runtime_is_told_from_one_that_soon_will_be() -> None:
    """The day after the last one, the sentence is another."""
    end = preflight.END_OF_LIFE["python3.11"]
    last = preflight.check_runtime("python3.11", end)
    after = preflight.check_runtime("python3.11", end + datetime.timedelta(days=1))

    assert last.status == after.status == "warning"
    assert last.message != after.message


def test_every_runtime_that_can_be_configured_has_its_date() -> None:
    """A new one in the schema needs one in the table."""
    assert set(get_args(AwsSection.model_fields["runtime"].annotation)) == set(
        preflight.END_OF_LIFE
    )


class Emulator:
    """An emulator of AWS that answers nothing."""

    endpoint = "http://127.0.0.1:5000"

    def identity(self) -> None:
        raise GimelError("No credentials were found.")


class Real(Emulator):
    """AWS itself, which answers nothing either."""

    endpoint = None  # type: ignore[assignment]


def preflighted(tmp_path: Path, aws: Any = None, /, **document: Any) -> dict[str, str]:
    """Return the statuses of all checks of a file, without AWS."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"redis": {"host": "127.0.0.1", "port": free_port()}, **document}))
    findings = preflight.preflight(load(file), aws, TODAY)
    return {each.name: each.status for each in findings if each.name != "AWS"}


def test_the_reason_why_aws_does_not_answer_is_given_once(tmp_path: Path) -> None:
    """A store that Gimel creates is then not checked, which is not a failure as well."""
    file = tmp_path / "config.json"
    file.write_text('{"redis": {"provision": "valkey-serverless"}}')
    for before_deploy in (False, True):
        aws: Any = Real()
        found = preflight.preflight(load(file), aws, TODAY, before_deploy=before_deploy)
        assert [(each.name, each.status) for each in found[-2:]] == [
            ("AWS", "failed"),
            ("store", "warning"),
        ]


def test_without_a_file_only_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the file would hold is not missed line by line."""
    findings = preflight.preflight(
        Config(None, configuration().document, configuration().wiring), None, TODAY
    )

    assert [each.name for each in findings if each.status == "failed"] == ["configuration"]
    assert "Redis" not in {each.name for each in findings}


def test_each_check_is_reported(tmp_path: Path) -> None:
    """The file, the runtime and Redis; the settings only where they cannot be deployed."""
    assert preflighted(tmp_path, Emulator()) == {
        "configuration": "ok",
        "runtime": "ok",
        "Redis": "failed",
    }


@pytest.mark.parametrize("aws", [None, Real()], ids=["no AWS", "AWS"])
def test_a_redis_on_this_machine_cannot_be_deployed(aws: Any, tmp_path: Path) -> None:
    """Whether it answers here does not matter, and is not shown."""
    assert preflighted(tmp_path, aws) == {
        "configuration": "ok",
        "runtime": "ok",
        "Redis address": "failed",
    }


def test_a_redis_in_the_vpc_is_not_refused_for_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the functions reach it, so that the connection from here may fail."""
    monkeypatch.setattr(preflight, "check_redis", lambda config: [])
    private = {"redis": {"host": "10.1.2.3"}}
    assert preflighted(tmp_path, Real(), **private)["Redis address"] == "failed"
    assert "Redis address" not in preflighted(tmp_path, Real(), **private, **VPC)


def test_preflight_connects_as_lambda_will(tmp_path: Path, session_store: Store) -> None:
    """A socket of this machine would answer, and AWS Lambda does not have it."""
    given = {"host": "127.0.0.1", "port": free_port(), "unix_socket_path": "/no/socket"}
    found = preflighted(tmp_path, Emulator(), redis=given)
    assert (found["Redis options"], found["Redis"]) == ("warning", "failed")
    given["port"] = session_store.port
    assert preflighted(tmp_path, Emulator(), redis=given)["Redis"] == "ok"


def test_settings_that_are_too_long_are_a_failure(tmp_path: Path) -> None:
    """Before a deploy finds it out."""
    long = ["x" * 190 + str(number) for number in range(30)]

    assert preflighted(tmp_path, allowed_experiments=long)["settings"] == "failed"


def timed(name: str, handler: str, seconds: int, **access: Any) -> dict[str, Any]:
    """Return an entry of extra_wiring with a time-out."""
    path = {"pathPart": "mine", "method": {"httpMethod": "GET", "apiKeyRequired": True}}
    function = {"FunctionName": name, "Handler": handler, "Timeout": seconds}
    return {"lambda": function, **(access or {"api_gateway": path})}


@pytest.mark.parametrize(
    ("document", "warned"),
    [
        ({}, set()),
        ({"extra_wiring": [timed(ALL, "gimel.all", 60)]}, {f"{ALL} timeout"}),
        ({"extra_wiring": [timed("mine", "gimel.experiment", 30)]}, {"mine timeout"}),
        ({"extra_wiring": [timed("mine", "gimel.experiment", 29)]}, set()),
        ({"extra_wiring": [timed("mine", "gimel.track", 60, function_url=True)]}, set()),
        ({"aws": {"functions": {ALL: {"timeout": 30}}}}, {f"{ALL} timeout"}),
        (
            {
                "extra_wiring": [timed(ALL, "gimel.all", 60)],
                "aws": {"functions": {ALL: {"timeout": 20}}},
            },
            set(),
        ),
    ],
    ids=[
        *("the wiring's own", "as in 1.5.0", "a new function", "just in time", "a function URL"),
        *("overridden", "shortened"),
    ],
)
def test_a_function_that_may_outlast_api_gateway_is_a_warning(
    tmp_path: Path, document: dict[str, Any], warned: set[str]
) -> None:
    """Nobody would get its answer. Only what a path leads to is behind API Gateway."""
    found = preflighted(tmp_path, **document)

    assert {name for name, status in found.items() if status == "warning"} == warned


@pytest.mark.parametrize(("reserved", "warned"), [(0, True), (1, False)])
def test_a_function_that_may_never_run_is_a_warning(
    tmp_path: Path, reserved: int, warned: bool
) -> None:
    """Somebody may have stopped it so, for a while."""
    options = {"functions": {"gimel-track": {"reserved_concurrency": reserved}}}
    found = preflighted(tmp_path, aws=options)
    assert ("gimel-track reserved_concurrency" in found) == warned


def route(handler: str, path: str, method: str = "GET", key: bool = False) -> dict[str, Any]:
    """Return an entry of extra_wiring."""
    names = {"gimel.all": ALL}
    return {
        "lambda": {"FunctionName": names.get(handler, f"our-{path}"), "Handler": handler},
        "api_gateway": {
            "pathPart": path,
            "method": {"httpMethod": method, "apiKeyRequired": key},
        },
    }


@pytest.mark.parametrize(
    ("entry", "warned"),
    [
        (route("gimel.all", "open"), {"GET /open"}),
        (route("gimel.all", "experiments"), {"GET /experiments"}),
        (route("gimel.delete", "remove", "POST"), {"POST /remove"}),
        (route("gimel.experiment", "one"), {"GET /one"}),
        (route("gimel.all", "closed", key=True), set()),
        (route("gimel.track", "t"), set()),
    ],
    ids=["results", "Gimel's own route", "delete", "one experiment", "with the key", "tracking"],
)
def test_results_that_anybody_can_read_are_a_warning(
    tmp_path: Path, entry: dict[str, Any], warned: set[str]
) -> None:
    """A route without the key may be intended, so it is a warning; tracking is open to everyone."""
    found = preflighted(tmp_path, extra_wiring=[entry])

    assert {name for name, status in found.items() if status == "warning"} == warned

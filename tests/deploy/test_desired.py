"""What a configuration asks for, and the limit on what Lambda takes as settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gimel.config import load
from gimel.deploy.bundle import code_sha256
from gimel.deploy.desired import desired_state
from gimel.errors import GimelError
from tests.support.configurations import OWN_FUNCTION, SECOND_PATH, URL
from tests.support.state.cloud import (
    ALL,
    DELETE,
    FUNCTIONS,
    SNAPSHOT,
    TRACK,
)
from tests.support.state.names import Configuration, Desired
from tests.support.state.settled import ARCHIVE, configuration, desired

NETWORK = {"subnets": ["subnet-b2", "subnet-a1"], "security_groups": ["sg-b2", "sg-a1"]}


def configured(wanted: Desired, name: str = TRACK) -> Configuration:
    """Return the configuration that a function should have."""
    return {each.name: each.configuration for each in wanted.functions}[name]


def test_the_defaults() -> None:
    """Four functions of the wiring's sizes, on Python 3.13 and arm64, outside any VPC."""
    wanted = desired()

    sizes = [
        (each.name, each.configuration.memory, each.configuration.timeout)
        for each in wanted.functions
    ]
    assert sizes == [
        (TRACK, 128, 3),
        (ALL, 256, 29),
        (DELETE, 256, 29),
        (SNAPSHOT, 512, 900),
    ]
    assert [each.schedule for each in wanted.functions] == [None, None, None, "cron(5 0 * * ? *)"]
    for function in wanted.functions:
        made = function.configuration
        assert (made.runtime, made.architecture) == ("python3.13", "arm64")
        assert (made.subnets, made.security_groups) == ((), ())
        assert (function.reserved_concurrency, function.url) == (None, False)


@pytest.mark.parametrize(
    ("options", "attribute", "expected"),
    [
        ({"functions": {TRACK: {"memory": 512}}}, "memory", 512),
        ({"functions": {TRACK: {"timeout": 9}}}, "timeout", 9),
        ({"functions": {ALL: {"memory": 512}}}, "memory", 128),
        ({"runtime": "python3.14"}, "runtime", "python3.14"),
        ({"architecture": "x86_64"}, "architecture", "x86_64"),
        ({"vpc": NETWORK}, "subnets", ("subnet-a1", "subnet-b2")),
        ({"vpc": NETWORK}, "security_groups", ("sg-a1", "sg-b2")),
    ],
    ids=["memory", "timeout", "another's", "runtime", "architecture", "subnets", "groups"],
)
def test_an_option_reaches_the_function(
    options: dict[str, Any], attribute: str, expected: object
) -> None:
    """And only the function that it names; ids are sorted, as AWS may return them in any order."""
    assert getattr(configured(desired(aws=options)), attribute) == expected


@pytest.mark.parametrize("concurrency", [0, 5])
def test_reserved_concurrency_may_be_none_at_all(concurrency: int) -> None:
    """0 stops a function, and is not the same as no reservation."""
    wanted = desired(aws={"functions": {TRACK: {"reserved_concurrency": concurrency}}})

    assert [each.reserved_concurrency for each in wanted.functions] == [
        concurrency,
        None,
        None,
        None,
    ]


def test_extra_wiring_brings_its_functions() -> None:
    """With their sizes; a function wired twice is one, with a URL where one entry says so."""
    wanted = desired(extra_wiring=[SECOND_PATH, OWN_FUNCTION, URL])

    assert [each.name for each in wanted.functions] == [*FUNCTIONS, "our-experiment"]
    assert configured(wanted, "our-experiment").memory == 256
    assert [each.url for each in wanted.functions] == [True, False, False, False, False]


def test_every_function_runs_the_same_code_and_settings() -> None:
    """The zip that was given, known by its hash, and GIMEL_SETTINGS as the runtime reads it."""
    wanted = desired(precision=64)

    for function in wanted.functions:
        assert function.code == ARCHIVE
        assert function.configuration.code_sha256 == code_sha256(ARCHIVE)
        assert json.loads(function.configuration.settings or "") == {
            "precision": 64,
            "redis": {"host": "redis.example.com"},
        }


ALERTS = {
    "webhook": "https://hooks.example.com/0123456789",
    "secret": "0123456789abcdef",
    "sns": "arn:aws:sns:us-east-1:123456789012:experiments",
}


def test_only_the_snapshot_gets_the_settings_of_alerts() -> None:
    """They hold secrets, and no other handler sends any."""
    wanted = desired(alerts=ALERTS)

    settings = {
        each.name: json.loads(each.configuration.settings or "") for each in wanted.functions
    }
    assert settings.pop(SNAPSHOT).pop("alerts") == ALERTS
    assert not [each for each in settings.values() if "alerts" in each]


def test_without_snapshots_there_is_no_function_for_them() -> None:
    """Its options may stay in the configuration."""
    wanted = desired(snapshots=False, aws={"functions": {SNAPSHOT: {"memory": 512}}})

    assert SNAPSHOT not in wanted.function_names


def test_a_changed_design_changes_the_snapshot_alone() -> None:
    """It is in the code of the function that analyses."""
    before, after = (
        desired_state(configuration(experiments={"e": {"goal": goal}})) for goal in ("a", "b")
    )

    changed = [
        now.name
        for then, now in zip(before.functions, after.functions, strict=True)
        if then.configuration != now.configuration
    ]
    assert changed == [SNAPSHOT]


def test_secrets_and_code_are_not_shown_by_accident() -> None:
    """A trace or a log line that shows what is desired shows neither password nor zip."""
    wanted = desired(redis={"host": "redis.example.com", "password": "s3cr3t"})

    assert "s3cr3t" in str(configured(wanted).settings)
    for shown in (repr(wanted.functions), repr(configured(wanted))):
        assert "s3cr3t" not in shown
        assert ARCHIVE.decode() not in shown


@pytest.mark.parametrize("redis", [None, {}, {"host": "ENTER YOUR REDIS HOST"}])
def test_without_a_redis_nothing_can_be_deployed(redis: dict[str, Any] | None) -> None:
    """The error says how to enter it."""
    with pytest.raises(GimelError, match=r"redis\.host") as failure:
        desired(redis=redis)

    assert "gimel configure" in failure.value.hint


def measured(settings: str) -> int:
    """Return the bytes of the environment as AWS measures them."""
    return len(f'{{"GIMEL_SETTINGS":{json.dumps(settings)}}}')


def sized(bytes_of_settings: int) -> dict[str, Any]:
    """Return a configuration whose environment takes so many bytes, by a long password."""
    short = configured(desired(redis={"host": "h", "password": "x"})).settings or ""
    spare = bytes_of_settings - measured(short)
    return {"redis": {"host": "h", "password": "x" * (1 + spare)}}


def test_settings_of_4096_bytes_are_deployed() -> None:
    """AWS counts the variables as JSON: with the name, and with escaped quotation marks."""
    settings = configured(desired(**sized(4096))).settings or ""

    assert measured(settings) == 4096


@pytest.mark.parametrize(
    ("document", "longest"),
    [
        (sized(4097), "redis.password"),
        ({"allowed_experiments": ["x" * 190 + str(i) for i in range(30)]}, "allowed_experiments"),
        ({"allowed_namespaces": ["x" * 190 + str(i) for i in range(30)]}, "allowed_namespaces"),
        ({"allowed_origins": [f"https://{'x' * 190}{i}" for i in range(30)]}, "allowed_origins"),
        ({"redis": {"host": "h", "ssl_ca_data": "x" * 5000}}, "redis.ssl_ca_data"),
        ({"redis": {"host": "h", "password": "é" * 3000}}, "redis.password"),
        ({"alerts": {"webhook": f"https://example.com/{'x' * 4096}"}}, "alerts.webhook"),
        (
            {
                "redis": {"host": "h", "ssl_ca_data": "x" * 4096},
                "experiments": {f"e{i}": {"goal": "buy"} for i in range(90)},
            },
            "redis.ssl_ca_data",
        ),
    ],
    ids=[
        "one byte",
        "experiments",
        "namespaces",
        "origins",
        "certificates",
        "not ASCII",
        "alerts",
        "designs, which are not among the settings",
    ],
)
def test_longer_settings_are_an_error_that_names_the_longest(
    document: dict[str, Any], longest: str
) -> None:
    """Before anything is made; the limit is in the message, no value is."""
    with pytest.raises(GimelError, match="4096") as failure:
        desired(**document)

    assert longest in failure.value.message
    assert "xxxx" not in str(failure.value)


def test_a_long_ca_file_is_named_by_its_own_key(tmp_path: Path) -> None:
    """Its text is in the settings, its path in the configuration."""
    (tmp_path / "ca.pem").write_text("x" * 5000)
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"redis": {"host": "h", "ssl_ca_certs": "ca.pem"}}))

    with pytest.raises(GimelError, match=r"redis\.ssl_ca_certs"):
        desired_state(load(file), b"")


def test_without_a_zip_the_packages_own_is_taken() -> None:
    """As `gimel deploy` calls it."""
    function = desired_state(configuration()).functions[0]

    assert function.code.startswith(b"PK")
    assert function.configuration.code_sha256 == code_sha256(function.code)

"""The `redis` section: what it accepts as 1.5.0 did, URLs, and what AWS Lambda gets of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gimel import config
from gimel.config import Document
from gimel.errors import GimelError


def parsed(section: dict[str, Any]) -> dict[str, Any]:
    """Return what is set in a `redis` section once it has been parsed."""
    return Document.model_validate({"redis": section}).model_dump(exclude_unset=True)["redis"]  # type: ignore[no-any-return]


def loaded(folder: Path, section: dict[str, Any]) -> config.Config:
    """Return the configuration that a file with this section holds."""
    path = folder / "config.json"
    path.write_text(json.dumps({"redis": section}))
    return config.load(path)


@pytest.mark.parametrize(
    ("key", "given", "meant"),
    [
        ("port", "6379", 6379),
        ("port", 6379.0, 6379),
        ("db", "2", 2),
        ("password", 12345, "12345"),
        ("username", 7, "7"),
        ("ssl", 1, True),
        ("ssl", 0, False),
        ("ssl", "true", True),
        ("ssl", "Yes", True),
        ("ssl_check_hostname", 1, True),
        ("ssl_cert_reqs", "CERT_NONE", "none"),
        ("ssl_cert_reqs", None, "none"),
        ("ssl_cert_reqs", 0, "none"),
        ("ssl_cert_reqs", 1, "optional"),
        ("ssl_cert_reqs", 2, "required"),
    ],
    ids=repr,
)
def test_redis_is_configured_as_1_5_0_could(key: str, given: Any, meant: Any) -> None:
    """Whatever redis-py 3.5 accepted keeps the meaning that it had there."""
    assert parsed({key: given}) == {key: meant}


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("port", True),
        ("port", 0),
        ("port", 70_000),
        ("port", "6379x"),
        ("db", False),
        ("db", -1),
        ("ssl", "false"),
        ("ssl", "off"),
        ("ssl", "perhaps"),
        ("ssl", 2),
        ("ssl_cert_reqs", True),
        ("ssl_cert_reqs", "never"),
        ("ssl_cert_reqs", 3),
        ("host", ""),
        ("password", "secret\n"),
        ("username", "\tme"),
        ("socket_timeout", 0),
        ("socket_timeout", "1"),
        ("socket_timeout", True),
    ],
    ids=repr,
)
def test_what_redis_py_could_not_use_is_refused(key: str, given: Any) -> None:
    """Or misunderstood: it treated any text as true, so that "false" enabled TLS."""
    with pytest.raises(ValidationError):
        parsed({key: given})


@pytest.mark.parametrize(
    "more",
    [{}, {"ssl_cert_reqs": "none", "socket_timeout": 2.0}, {"host": None}],
    ids=["alone", "with others", "with null"],
)
def test_the_runtime_gets_the_parts_of_a_url(more: dict[str, Any], tmp_path: Path) -> None:
    """`redis.url` is what `--redis` of `gimel serve` is; the runtime needs no parser."""
    url = "rediss://u:p%40ss@h:6380/3"
    read = loaded(tmp_path, {"url": url, **more})
    parts = {"host": "h", "port": 6380, "db": 3, "username": "u", "password": "p@ss", "ssl": True}
    expected = {**parts, **{key: value for key, value in more.items() if value is not None}}
    assert json.loads(read.runtime_settings())["redis"] == expected
    assert read.require_redis().host == "h"


def test_lambda_gets_nothing_that_only_this_machine_has(tmp_path: Path) -> None:
    """With the path of a socket, it would try that and answer 503."""
    local = {"unix_socket_path": "/tmp/s", "ssl_certfile": "c.pem", "ssl_keyfile": "k.pem"}
    read = loaded(tmp_path, {"host": "h", "port": 7, **local})
    assert json.loads(read.runtime_settings()) == {"redis": {"host": "h", "port": 7}}
    assert json.loads(read.runtime_settings(local)) == {"redis": local}


def test_a_socket_alone_cannot_be_deployed(tmp_path: Path) -> None:
    """The error says why, rather than that something is missing."""
    read = loaded(tmp_path, {"unix_socket_path": "/tmp/s"})
    with pytest.raises(config.ConfigError, match=r"AWS Lambda cannot reach redis\.unix_socket_pat"):
        read.runtime_settings()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://h", {"host": "h"}),
        ("redis://h:6380/3", {"host": "h", "port": 6380, "db": 3}),
        ("redis://:p%40ss@h", {"host": "h", "password": "p@ss"}),
        (
            "rediss://u:p@h:6380",
            {"host": "h", "port": 6380, "username": "u", "password": "p", "ssl": True},
        ),
        ("unix:///tmp/s.sock", {"unix_socket_path": "/tmp/s.sock"}),
        ("redis://h/", {"host": "h"}),
        ("redis://[::1]:6380", {"host": "::1", "port": 6380}),
        (
            "rediss://h?ssl_cert_reqs=none&socket_timeout=2",
            {"host": "h", "ssl": True, "ssl_cert_reqs": "none", "socket_timeout": 2.0},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_redis_url_is_understood(url: str, expected: dict[str, Any]) -> None:
    """As redis-py reads it."""
    assert config.redis_from_url(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        *("h:6379", "http://h", "", "redis://", "redis://:6379", "redis:///0", "unix://"),
        *("redis://h:99999", "redis://h:0", "redis://h:x", "redis://h/x", "redis://h/1/2"),
        *("redis://:pass#word@h", "redis://h/-1", "redis://[::1", "redis://h#x"),
    ],
)
def test_what_is_not_a_redis_url_is_refused(url: str) -> None:
    """With an error that shows what one looks like. redis-py would take localhost or database 0."""
    with pytest.raises(GimelError, match=r'The Redis URL must be like "redis://\[user:pass'):
        config.redis_from_url(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis://h?sll=true", "must not have the option 'sll'. Available: 'ssl_cert_reqs', "),
        ("redis://h?ssl=perhaps", "must have a valid ssl."),
        ("redis://h?db=-1", "must have a valid db."),
        ("redis://ho%20st", "must have a valid host: it must be a host name of letters, digits"),
        ("redis://h\n", "must not contain spaces or line breaks. Remove them."),
    ],
)
def test_the_wrong_part_of_a_redis_url_is_named(url: str, message: str) -> None:
    """As a key of the file is."""
    with pytest.raises(GimelError) as caught:
        config.redis_from_url(url)
    assert f"The Redis URL {message}" in str(caught.value)


def test_no_error_about_a_redis_url_quotes_the_password() -> None:
    """A slash in it makes the URL's parser take a part of it for the port."""
    with pytest.raises(GimelError) as caught:
        config.redis_from_url("redis://:hunter2/x@h")
    assert "hunter" not in str(caught.value)

"""The configuration: which file, what may stand in it, what its errors say, what reaches the runtime."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from gimel import config
from gimel.config import schema
from gimel.errors import GimelError
from gimel.runtime import settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, with the current directory elsewhere."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def written(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_the_nearest_file_is_found(home: Path) -> None:
    """--config, then $GIMEL_CONFIG, then ./config.json, then ~/.gimel/config.json."""
    assert config.find_config(None, {}, home) is None
    in_home = written(home / ".gimel" / "config.json", {})
    assert config.find_config(None, {}, home) == in_home
    here = written(Path("config.json"), {})
    assert config.find_config(None, {}, home) == here
    by_variable = written(home / "variable.json", {})
    assert config.find_config(None, {"GIMEL_CONFIG": str(by_variable)}, home) == by_variable
    by_option = written(home / "option.json", {})
    assert config.find_config(str(by_option), {"GIMEL_CONFIG": str(by_variable)}, home) == by_option


@pytest.mark.parametrize(
    ("given", "environment"), [("no.json", {}), (None, {"GIMEL_CONFIG": "no.json"})]
)
def test_a_file_that_was_named_must_be_there(
    given: str | None, environment: dict[str, str], home: Path
) -> None:
    """Falling back to another file would deploy with the wrong one."""
    written(home / ".gimel" / "config.json", {})
    with pytest.raises(GimelError, match=r"no\.json, which is not there"):
        config.find_config(given, environment, home)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{\n  "redis": {"host": "h",}\n}', r"line 2, column 2\d: not JSON"),
        ("", r"line 1, column 1: not JSON"),
        ("[]", r"expected an object, found \[\]"),
        ('{"redis": {}, "redis": {}}', r"the key 'redis' stands there twice"),
        ("\xff", r"not a text file of JSON in UTF-8"),
        (
            {"experiments": {"e": {"contrl": "a"}}},
            r"there is no key 'experiments.e.contrl'. Did you mean 'control'\?",
        ),
        (
            {"experiments": {"e": {"weights": {"a": -1}}}},
            r"experiments.e.weights.a must be greater than or equal to 0; found -1",
        ),
        (
            {"experiments": {"e": {"weights": ["a"]}}},
            r"experiments.e.weights must be an object; found \[\"a\"\]",
        ),
        ({"redsi": {}}, r"there is no key 'redsi'. Did you mean 'redis'\?"),
        ({"redis": {"hots": "h"}}, r"there is no key 'redis.hots'. Did you mean 'host'\?"),
        ({"redis": []}, r"redis must be an object; found \[\]"),
        ({"redis": {"port": "x"}}, r'redis.port must be a whole number; found "x"'),
        (
            {"redis": {"port": 70000}},
            r"redis.port must be less than or equal to 65535; found 70000",
        ),
        ({"redis": {"ssl": "perhaps"}}, r'redis.ssl must be true or false; found "perhaps"'),
        ({"precision": 3}, r"precision must be 1, 4, 16, 64 or 256; found 3"),
        (
            {"limits": {"counters": 0}},
            r"limits.counters must be greater than or equal to 1; found 0",
        ),
        (
            {"limits": {"counter": 1}},
            r"there is no key 'limits.counter'. Did you mean 'counters'\?",
        ),
        (
            {"allowed_origins": ["example.com"]},
            r'allowed_origins.0 must be "\*" or like "https://example.com"',
        ),
        ({"allowed_origins": []}, r"allowed_origins must not be empty"),
        ({"allowed_experiments": [""]}, r"allowed_experiments.0 must not be empty"),
        ({"extra_wiring": {}}, r"extra_wiring must be a list; found \{\}"),
        ({"extra_wiring": [{}]}, r"extra_wiring\[0\]: 'lambda' is missing"),
    ],
    ids=lambda value: json.dumps(value)[:40] if not isinstance(value, str) else value[:30],
)
def test_a_mistake_is_named_with_its_file_and_key(
    content: Any, message: str, tmp_path: Path
) -> None:
    """The error says which file, where in it, what was found and what is allowed."""
    path = tmp_path / "config.json"
    path.write_bytes(
        (content if isinstance(content, str) else json.dumps(content)).encode("latin-1")
    )
    with pytest.raises(GimelError, match=message) as caught:
        config.load(path)
    assert str(path) in caught.value.message


def test_no_error_shows_a_password(tmp_path: Path) -> None:
    """What stands where a password belongs is never repeated."""
    path = written(tmp_path / "config.json", {"redis": {"host": "h", "password": ["hunter2"]}})
    with pytest.raises(GimelError, match=r"redis\.password must be text; found a secret") as caught:
        config.load(path)
    assert "hunter2" not in str(caught.value)


REDIS_PY = {
    "host": "redis.example.com",
    "port": "6379",
    "db": "2",
    "password": 12345,
    "charset": "utf-8",
    "decode_responses": True,
    "socket_keepalive": True,
    "retry_on_timeout": True,
    "max_connections": 5,
    "ssl": True,
    "ssl_cert_reqs": "CERT_NONE",
}


def test_a_file_of_1_5_0_is_valid_as_it_is(tmp_path: Path) -> None:
    """Whatever redis-py took as a connection's arguments is accepted; what the runtime needs of it arrives there."""
    path = written(tmp_path / "config.json", {"redis": REDIS_PY, "extra_wiring": []})
    arrived = settings.Settings(json.loads(config.load(path).runtime_settings())).redis
    assert (arrived.host, arrived.port, arrived.db, arrived.password) == (
        "redis.example.com",
        6379,
        2,
        "12345",
    )
    assert (arrived.ssl, arrived.ssl_cert_reqs) == (True, "none")


def test_the_runtime_gets_what_was_configured(tmp_path: Path) -> None:
    """Each setting of the runtime that a configuration changes is the one that the runtime reads."""
    document = {
        "redis": {"host": "h"},
        "precision": 64,
        "bot_filter": False,
        "allowed_origins": ["https://example.com"],
        "allowed_namespaces": ["a"],
        "allowed_experiments": ["e"],
        "limits": {"counters": 7},
    }
    got = settings.Settings(
        json.loads(config.load(written(tmp_path / "config.json", document)).runtime_settings())
    )
    assert (got.precision, got.bot_filter, got.allowed_origins) == (
        64,
        False,
        ("https://example.com",),
    )
    assert (got.allowed_namespaces, got.allowed_experiments) == (frozenset("a"), frozenset("e"))
    assert got.limits == {**settings.DEFAULTS["limits"], "counters": 7}


def test_defaults_are_not_repeated_to_the_runtime(tmp_path: Path) -> None:
    """The environment variable of a plain configuration holds the host and no more: 4 KB is all there is."""
    path = written(
        tmp_path / "config.json", {"redis": {"host": "h", "port": 6379}, "precision": 16}
    )
    assert config.load(path).runtime_settings() == '{"redis":{"host":"h"}}'


def test_plans_of_experiments_stay_at_home(tmp_path: Path) -> None:
    """They are for the results; the runtime, which is public and small, does not get them."""
    plan = {"control": "blue", "weights": {"blue": 2, "red": 1.5}}
    loaded = config.load(
        written(tmp_path / "config.json", {"redis": {"host": "h"}, "experiments": {"e": plan}})
    )
    assert loaded.document.experiments["e"] == schema.Experiment(
        control="blue", weights={"blue": 2, "red": 1.5}
    )
    assert loaded.runtime_settings() == '{"redis":{"host":"h"}}'


def test_every_setting_of_the_runtime_can_be_configured() -> None:
    """The two lists of names, the configuration's and the runtime's, are one."""
    configurable = set(config.Document.model_fields) - {"redis", "extra_wiring"}
    assert configurable >= set(settings.DEFAULTS)
    redis = {name for name, field in schema.Redis.model_fields.items() if not field.exclude}
    assert redis == set(settings.REDIS_DEFAULTS)
    assert set(schema.Limits.model_fields) == set(settings.DEFAULTS["limits"])


def test_a_ca_file_travels_as_text(tmp_path: Path) -> None:
    """Lambda has no such file: its content is sent, found beside the configuration."""
    written(tmp_path / "ca.pem", "CERTIFICATE")
    path = written(
        tmp_path / "config.json", {"redis": {"host": "h", "ssl": True, "ssl_ca_certs": "ca.pem"}}
    )
    redis = json.loads(config.load(path).runtime_settings())["redis"]
    assert redis == {"host": "h", "ssl": True, "ssl_ca_data": "CERTIFICATE"}


def test_a_ca_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """The error names the key and the file."""
    path = written(tmp_path / "config.json", {"redis": {"host": "h", "ssl_ca_certs": "no.pem"}})
    with pytest.raises(GimelError, match=r"redis\.ssl_ca_certs: .*no\.pem cannot be read"):
        config.load(path).runtime_settings()


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ({}, "redis.host"),
        ({"redis": {}}, "redis.host"),
        ("template", "redis.host"),
        ("host entered", "redis.password"),
    ],
    ids=str,
)
def test_redis_must_be_entered_before_it_is_used(document: Any, key: str, tmp_path: Path) -> None:
    """The template's own text is not taken for a host or a password."""
    template = config.template()
    texts = {"template": template, "host entered": template.replace("ENTER YOUR REDIS HOST", "h")}
    path = written(
        tmp_path / "config.json", texts.get(document, "") if isinstance(document, str) else document
    )
    with pytest.raises(GimelError, match=f"{key} is not entered yet"):
        config.load(path).runtime_settings()


def test_the_file_is_created_for_its_owner_only_and_never_overwritten(tmp_path: Path) -> None:
    """It will hold a password; and what is there stays."""
    path = tmp_path / "new" / "config.json"
    config.create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        config.create(path)
    assert path.read_text() == "mine"


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
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_redis_url_is_understood(url: str, expected: dict[str, Any]) -> None:
    """As redis-py reads it."""
    assert config.redis_from_url(url) == expected


@pytest.mark.parametrize("url", ["h:6379", "http://h", ""])
def test_what_is_no_redis_url_is_refused(url: str) -> None:
    """With an error that shows how one looks."""
    with pytest.raises(GimelError, match=r"Write redis://"):
        config.redis_from_url(url)

"""The configuration file: which one is found, what is read from it, what reaches the runtime."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from gimel import config
from gimel.analysis.design import Design
from gimel.config import redis, schema
from gimel.errors import GimelError
from gimel.runtime import settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, with the current directory elsewhere."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def written(path: Path, content: Any) -> Path:
    """Return the path after writing text, or anything else as JSON."""
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
    ("given", "environment", "by"),
    [("no.json", {}, "--config"), (None, {"GIMEL_CONFIG": "no.json"}, r"\$GIMEL_CONFIG")],
    ids=["option", "variable"],
)
def test_a_named_file_must_exist(
    given: str | None, environment: dict[str, str], by: str, home: Path
) -> None:
    """Falling back to another file would deploy with the wrong one."""
    written(home / ".gimel" / "config.json", {})
    with pytest.raises(GimelError, match=rf"The file no\.json given by {by} does not exist\."):
        config.find_config(given, environment, home)


def test_without_a_home_only_the_current_directory_is_searched(home: Path) -> None:
    """A container may have no home directory; finding no file there is not an error."""
    assert config.find_config(None, {}, None) is None
    here = written(Path("config.json"), {})
    assert config.find_config(None, {}, None) == here
    assert config.config_path(None, {}, None) == here


def test_without_a_home_a_new_file_needs_a_name(home: Path) -> None:
    """Without one, `gimel configure` says what to do."""
    with pytest.raises(GimelError, match=r"Set \$HOME, or name a file with --config"):
        config.config_path(None, {}, None)
    assert config.config_path("new.json", {}, None) == Path("new.json")


def test_a_place_that_cannot_be_searched_is_an_error(home: Path) -> None:
    """A name that is too long fails like the home of another user, which root could read."""
    with pytest.raises(GimelError, match=r"cannot be read: File name too long\. Name another"):
        config.find_config("a" * 300, {}, home)


def test_a_pipe_is_a_file(home: Path) -> None:
    """`--config <(decrypt config.json)` keeps the password from the disk."""
    os.mkfifo("pipe")
    assert config.find_config("pipe", {}, home) == Path("pipe")


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
    """All arguments of a redis-py connection are accepted; the runtime gets what it needs."""
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
    """Each setting of the runtime that a configuration changes arrives there."""
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
    """The environment variable of a plain configuration holds the host alone: it has 4 KB."""
    path = written(
        tmp_path / "config.json", {"redis": {"host": "h", "port": 6379}, "precision": 16}
    )
    assert config.load(path).runtime_settings() == '{"redis":{"host":"h"}}'


DESIGN: dict[str, Any] = {
    "control": "blue",
    "weights": {"blue": 2, "red": 1.5},
    "goal": "buy",
    "guardrails": ["refund", "signup"],
    "decrease": ["refund"],
    "lift": 0.05,
    "minimum_days": 14,
    "visitors": 100_000,
}


def test_a_design_has_all_its_keys(tmp_path: Path) -> None:
    """The lists become tuples, because a design never changes."""
    path = written(tmp_path / "config.json", {"experiments": {"e": DESIGN}})
    assert config.load(path).designs() == {
        "e": Design(
            control="blue",
            weights={"blue": 2, "red": 1.5},
            goal="buy",
            guardrails=("refund", "signup"),
            decrease=("refund",),
            lift=0.05,
            minimum_days=14,
            visitors=100_000,
        )
    }
    assert DESIGN.keys() == schema.Experiment.keys().keys()


def test_the_documented_design_has_all_keys(tmp_path: Path) -> None:
    """The example of docs/configuration.md is valid as it is."""
    page = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")
    section = page.partition("## Designing an experiment")[2].partition("\n## ")[0]
    (example,) = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    assert list(config.load(written(tmp_path / "config.json", example)).designs()) == ["checkout"]
    shown = json.loads(example)["experiments"]["checkout"]
    explained = re.findall(r"^- `(\w+)`:", section, re.MULTILINE)
    assert list(shown) == explained == list(schema.Experiment.keys())


def test_an_empty_design_is_the_default_one(tmp_path: Path) -> None:
    """What the file omits is what an experiment without a design gets."""
    path = written(tmp_path / "config.json", {"experiments": {"e": {}}})
    assert config.load(path).designs() == {"e": Design()}


def test_of_designed_experiments_the_runtime_gets_only_the_names(tmp_path: Path) -> None:
    """Its limits do not keep them out; the designs are for the results."""
    document = {"redis": {"host": "h"}, "experiments": {"f": {}, "e": DESIGN}}
    loaded = config.load(written(tmp_path / "config.json", document))
    assert loaded.runtime_settings() == '{"experiments":["e","f"],"redis":{"host":"h"}}'


def test_every_setting_of_the_runtime_can_be_configured() -> None:
    """The configuration and the runtime know the same names, but for those of a store on AWS."""
    configurable = set(config.Document.model_fields) - {"redis", "extra_wiring"}
    assert configurable >= set(settings.DEFAULTS)
    assert {"iam", "cluster", *redis.Redis.keys()} == {"provision", "url", *settings.REDIS_DEFAULTS}
    assert set(schema.Limits.keys()) == set(settings.DEFAULTS["limits"])


def test_a_ca_file_travels_as_text(tmp_path: Path) -> None:
    """Lambda has no such file: its content is sent, and its path is relative to the file."""
    written(tmp_path / "ca.pem", "CERTIFICATE")
    path = written(
        tmp_path / "config.json", {"redis": {"host": "h", "ssl": True, "ssl_ca_certs": "ca.pem"}}
    )
    arrived = json.loads(config.load(path).runtime_settings())["redis"]
    assert arrived == {"host": "h", "ssl": True, "ssl_ca_data": "CERTIFICATE"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [("no.pem", "No such file or directory"), ("a\0b", "not a text file in ASCII")],
    ids=["missing", "NUL"],
)
def test_a_ca_file_that_cannot_be_read_is_named(name: str, reason: str, tmp_path: Path) -> None:
    """The error names the key, the file and the reason."""
    path = written(tmp_path / "config.json", {"redis": {"host": "h", "ssl_ca_certs": name}})
    with pytest.raises(GimelError, match=rf"redis\.ssl_ca_certs: .*{name} cannot .*: {reason}\."):
        config.load(path).runtime_settings()


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({}, "redis.host"),
        ({"redis": {}}, "redis.host"),
        (config.template(), "redis.host"),
        (config.template().replace("ENTER YOUR REDIS HOST", "h"), "redis.password"),
    ],
    ids=["empty", "empty section", "template", "host entered"],
)
def test_redis_must_be_set_before_it_is_used(content: Any, key: str, tmp_path: Path) -> None:
    """The template's own text is not taken for a host or a password."""
    path = written(tmp_path / "config.json", content)
    with pytest.raises(config.ConfigError) as caught:
        config.load(path).runtime_settings()
    assert caught.value.message == f"{path}: {key} is not set."
    assert caught.value.hint.endswith("Run `gimel configure` to fix it.")


def test_without_a_file_the_defaults_hold() -> None:
    """Only Redis has no default, and the error says that no file was found."""
    defaults = config.load(None)
    assert defaults.document == config.Document()
    with pytest.raises(GimelError, match=r"redis\.host is not set \(no configuration file found\)"):
        defaults.require_redis()


def test_the_file_is_created_for_its_owner_only_and_never_overwritten(tmp_path: Path) -> None:
    """It will hold a password, and an existing file stays as it is."""
    path = tmp_path / "new" / "config.json"
    config.create(path)
    assert path.read_text() == config.template()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        config.create(path)
    assert path.read_text() == "mine"


def test_a_file_that_could_not_be_written_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the next `gimel configure` would open an empty file instead of the template."""
    opened = os.open
    monkeypatch.setattr(os, "open", lambda path, flags, mode: _full(opened(path, flags, mode)))
    with pytest.raises(OSError, match="No space left"):
        config.create(tmp_path / "config.json")
    assert not (tmp_path / "config.json").exists()


def _full(descriptor: int) -> int:
    """Return the descriptor, which now leads to a disk that is full."""
    with Path("/dev/full").open("w") as full:
        os.dup2(full.fileno(), descriptor)
    return descriptor


def test_the_template_is_beside_the_code_and_at_the_top() -> None:
    """The top of the repository has a link to the packaged file."""
    link = Path(__file__).parents[2] / "config.json.template"
    assert link.is_symlink()
    assert link.read_text("utf-8") == config.template()

"""Which API a command reads: --url, --api-key, --local and the environment."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from gimel.api.client import Api
from gimel.cli import Options, terminal
from gimel.cli.connection import LOCAL_TRACK_URL, LOCAL_URL, deployed_api, find_api
from gimel.deploy import deployed
from gimel.deploy.deployed import Deployed
from gimel.errors import GimelError
from tests.support.answers import answer, two
from tests.support.command import gimel_here
from tests.support.stubs import answering

KEY = "the-key-of-these-tests"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `gimel serve` has run and kept its key."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gimel" / "data").mkdir(parents=True)
    (tmp_path / ".gimel" / "data" / "api-key").write_text(f"{KEY}\n")
    return tmp_path


def test_the_local_api_has_one_address() -> None:
    """The default of every command."""
    assert (LOCAL_URL, LOCAL_TRACK_URL) == ("http://127.0.0.1:8000", "http://127.0.0.1:8000/e")


def test_local_reads_the_kept_key(home: Path) -> None:
    """A given URL or key takes precedence."""
    assert find_api(None, None, True) == Api(LOCAL_URL, KEY)
    assert find_api("http://127.0.0.1:9000", "other", True) == Api("http://127.0.0.1:9000", "other")


def test_local_without_a_key_file_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That says how to get one."""
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(GimelError, match="api-key does not exist") as failure:
        find_api(None, None, True)
    assert failure.value.hint == "Run `gimel serve` first, or pass its key with --api-key."


@pytest.mark.parametrize("content", ["", "\n", "two words"], ids=repr)
def test_a_broken_key_file_is_an_error(content: str, home: Path) -> None:
    """In the same words as those of `gimel serve`."""
    (home / ".gimel" / "data" / "api-key").write_text(content)
    with pytest.raises(GimelError, match="api-key does not contain a valid API key") as failure:
        find_api(None, None, True)
    assert "Delete the file" in failure.value.hint


def test_local_without_a_home_directory_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose user has neither $HOME nor a passwd entry; a key is enough."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 54_321)
    with pytest.raises(GimelError, match="the home directory is unknown") as failure:
        find_api(None, None, True)
    assert failure.value.hint == "Set $HOME, or pass the key with --api-key."
    assert find_api(None, KEY, True) == Api(LOCAL_URL, KEY)


def test_a_url_requires_a_key() -> None:
    """The error names the URL and the ways to pass a key."""
    with pytest.raises(GimelError, match="https://host/prod requires an API key") as failure:
        find_api("https://host/prod", None, False)
    assert failure.value.hint == "Pass it with --api-key or $GIMEL_API_KEY."


@pytest.mark.parametrize("local", [False, True])
def test_an_empty_key_is_an_error(local: bool, home: Path) -> None:
    """It is not taken for a missing one."""
    with pytest.raises(GimelError, match="The API key is empty or contains invalid characters"):
        find_api("https://host/prod", "", local)


def test_url_and_key_come_from_the_environment(tmp_path: Path) -> None:
    """An empty variable counts as missing."""
    with answering(body=answer(two())) as stub:
        done = gimel_here("results", home=tmp_path, GIMEL_URL=stub.url, GIMEL_API_KEY=KEY)
        assert (done.returncode, stub.sent[0]["x-api-key"]) == (0, KEY)
        done = gimel_here("results", home=tmp_path, GIMEL_URL=stub.url, GIMEL_API_KEY="")
    assert done.returncode == 1
    assert f"{stub.url} requires an API key." in done.stderr


def test_without_a_deployment_the_local_api_is_suggested(tmp_path: Path) -> None:
    """Here no credentials or region are found."""
    done = gimel_here("results", home=tmp_path, AWS_EC2_METADATA_DISABLED="true")
    assert done.returncode == 1
    assert "To read `gimel serve` on this machine, use --local." in done.stderr


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:4566"])
def test_a_deployed_api_is_read_as_its_account_is(
    monkeypatch: pytest.MonkeyPatch, endpoint: str | None
) -> None:
    """At the domain of the account's partition, and with the CA bundle of its profile."""
    aws = SimpleNamespace(
        region="eusc-de-east-1", endpoint=endpoint, dns_suffix="amazonaws.eu", ca_bundle="/b.pem"
    )
    monkeypatch.setattr(terminal, "connect", lambda profile, region, deployment: aws)
    monkeypatch.setattr(deployed, "find_deployed", lambda aws: Deployed("x1", KEY, {}))

    with click.Context(click.Command("results"), obj=Options(None)):
        found = deployed_api(None)

    url = "https://x1.execute-api.eusc-de-east-1.amazonaws.eu/prod"
    if endpoint:
        url = f"{endpoint}/restapis/x1/prod/_user_request_"
    assert found == Api(url, KEY, "/b.pem")

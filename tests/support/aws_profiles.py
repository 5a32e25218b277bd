"""A home directory with AWS profiles that do not work, and what Gimel says about them."""

from __future__ import annotations

import os
from pathlib import Path

import botocore.credentials
import botocore.tokens
import pytest

from gimel.deploy.aws import Aws
from gimel.errors import GimelError
from tests.support.kept_clients import read_service_models_once
from tests.support.servers import free_port


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Work in an empty home directory. Calls go to a port where nobody listens."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in {
        "HOME": str(tmp_path),
        "USERPROFILE": str(tmp_path),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}",
    }.items():
        monkeypatch.setenv(name, value)
    cache = str(tmp_path / ".aws/sso/cache")  # botocore finds its own when it is imported
    for provider in (botocore.credentials.SSOProvider, botocore.tokens.SSOTokenProvider):
        monkeypatch.setattr(provider, "_SSO_TOKEN_CACHE_DIR", cache)
    (tmp_path / ".aws/sso/cache").mkdir(parents=True)
    monkeypatch.setattr("botocore.utils.ContainerMetadataFetcher.SLEEP_TIME", 0)
    monkeypatch.setattr("gimel.deploy.aws.SERVICES", ("sts", "apigateway"))  # the others take time
    read_service_models_once(monkeypatch.setattr)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configure(home: Path, profile: str) -> None:
    (home / ".aws/config").write_text(f"[profile p]\n{profile}\n")


def failure(profile: str | None = "p") -> GimelError:
    """Use the profile, and return the error, which is one that Gimel expects."""
    with pytest.raises(GimelError) as found:
        Aws(profile, sleep=lambda seconds: None).identity()
    assert "hunter2" not in str(found.value)
    assert "\n" not in found.value.message
    return found.value

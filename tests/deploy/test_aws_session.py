"""Whose account it is, and where: credentials, profile, region and endpoint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore import exceptions as botocore_errors

from gimel.deploy.aws import Aws
from gimel.errors import GimelError
from tests.support.aws import Script, caller, scripted
from tests.support.aws import service_models_are_read_once as service_models_are_read_once
from tests.support.state.cloud import HERE, Place
from tests.support.state.seen import identity_of

CHINA = Place("cn-north-1", "aws-cn")


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as script:
        yield script


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (botocore_errors.NoCredentialsError(), "aws configure"),
        (botocore_errors.PartialCredentialsError(provider="env", cred_var="x"), "aws configure"),
        (botocore_errors.ProfileNotFound(profile="nobody"), "list-profiles"),
        (botocore_errors.NoRegionError(), "--region"),
        (botocore_errors.InvalidRegionError(region_name="!"), "--region"),
        (botocore_errors.SSOTokenLoadError(profile_name="p", error_msg="e"), "aws sso login"),
        (botocore_errors.TokenRetrievalError(provider="p", error_msg="e"), "aws sso login"),
        (botocore_errors.CredentialRetrievalError(provider="p", error_msg="e"), "aws sso login"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else "",
)
def test_credentials_that_cannot_be_used_are_explained(
    script: Script, error: Exception, hint: str
) -> None:
    """At once, in one sentence, with what to do."""
    script.expect_any("GetRestApis", error)

    with pytest.raises(GimelError) as failure:
        script.aws().call("apigateway", "get_rest_apis")

    assert hint in failure.value.hint
    assert script.waits == []


@pytest.mark.parametrize("place", [HERE, CHINA], ids=lambda place: place.region)
def test_the_identity_is_asked_for_once(script: Script, place: Place) -> None:
    """The partition is that of the caller's ARN."""
    script.expect("GetCallerIdentity", caller(place))
    aws = script.aws(place)

    assert aws.identity() == aws.identity() == identity_of(place)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of somebody who has configured nothing."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")


@pytest.mark.usefixtures("nobody")
def test_without_a_region_there_is_an_error() -> None:
    """Before anything is asked of AWS."""
    with pytest.raises(GimelError, match="region") as failure:
        Aws()

    assert "--region" in failure.value.hint


@pytest.mark.usefixtures("nobody")
def test_a_profile_that_does_not_exist_is_an_error() -> None:
    """It is named."""
    with pytest.raises(GimelError, match="nobody"):
        Aws(profile="nobody", region="us-east-1")


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize(
    ("region", "suffix", "dual_stack"),
    [
        ("us-east-1", "amazonaws.com", "false"),
        ("us-east-1", "amazonaws.com", "true"),
        ("cn-north-1", "amazonaws.com.cn", "false"),
        ("cn-north-1", "amazonaws.com.cn", "true"),
        ("us-gov-west-1", "amazonaws.com", "false"),
        ("us-gov-west-1", "amazonaws.com", "true"),
        ("eusc-de-east-1", "amazonaws.eu", "false"),
    ],
)
def test_an_address_of_aws_is_not_an_emulators(
    monkeypatch: pytest.MonkeyPatch, region: str, suffix: str, dual_stack: str
) -> None:
    """Dual-stack endpoints, which have other names, included."""
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", dual_stack)

    aws = Aws(region=region)

    assert (aws.endpoint, aws.dns_suffix) == (None, suffix)


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize(
    ("region", "similar"), [("us-est-1", "'us-east-1'"), ("mars-west-1", "'us-west-1'")]
)
def test_a_region_that_does_not_exist_is_an_error(region: str, similar: str) -> None:
    """With similar names, and before its hosts are looked for."""
    with pytest.raises(GimelError, match=f"no AWS region '{region}'") as found:
        Aws(region=region)

    assert similar in found.value.hint


@pytest.mark.usefixtures("nobody")
def test_an_emulator_may_have_any_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its addresses do not depend on it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")

    assert Aws(region="local").dns_suffix == ""


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("url", ["http://127.0.0.1:4566", "https://amazonaws.com.example.org"])
def test_another_address_is_an_emulators(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Whatever the variable names that is not AWS's own."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)

    assert Aws(region="us-east-1").endpoint == url

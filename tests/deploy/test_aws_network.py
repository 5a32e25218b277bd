"""The AWS SDK behind a company's proxy and authority: what cannot succeed is said at once."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from gimel.deploy.aws import Aws
from gimel.errors import GimelError
from tests.support.aws import service_models_are_read_once as service_models_are_read_once
from tests.support.connect_proxy import ConnectProxy
from tests.support.servers import free_port
from tests.support.stubs import Stub, answering

PASSWORD = "hunter2"
IDENTITY = """<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>
<Arn>arn:aws:iam::123456789012:user/me</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"""

Set = Callable[..., None]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Set:
    """Start with credentials and nothing else. Returns a function that sets variables."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy") or "CA_BUNDLE" in name:
            monkeypatch.delenv(name)

    def set_variables(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    set_variables(
        AWS_ACCESS_KEY_ID="AKIAEXAMPLE",
        AWS_SECRET_ACCESS_KEY="secret",
        AWS_CONFIG_FILE=str(tmp_path / "config"),
        AWS_SHARED_CREDENTIALS_FILE="/dev/null",
    )
    monkeypatch.setattr("gimel.deploy.aws.SERVICES", ("sts", "apigateway"))  # the others take time
    return set_variables


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return str(tmp_path / "bundle.pem")


@pytest.fixture
def server(bundle: str) -> Iterator[Stub]:
    """AWS's STS, with a certificate of the company's authority."""
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.cert_pem.write_to_path(bundle)
    authority.issue_cert("sts.eu-west-1.amazonaws.com").configure_cert(tls)
    with answering(body=IDENTITY, tls=tls) as stub:
        yield stub


def port(server: Stub) -> int:
    return int(server.url.rsplit(":", 1)[1])


def identify(waits: list[float] | None = None) -> str:
    """Ask AWS who this is. `waits` gets the seconds before each further attempt."""
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        if waits is not None:
            waits.append(seconds)

    return Aws(region="eu-west-1", sleep=sleep, clock=lambda: now).identity().account


def failure(*, retried: bool = False) -> GimelError:
    waits: list[float] = []
    with pytest.raises(GimelError) as found:
        identify(waits)
    assert bool(waits) == retried
    assert PASSWORD not in str(found.value)
    return found.value


@pytest.mark.parametrize("login", ["", "me:hunter2"])
def test_aws_is_reached_through_a_proxy(
    server: Stub, bundle: str, environment: Set, login: str
) -> None:
    """With the certificate of the company's authority."""
    with ConnectProxy(port(server), login) as proxy:
        at = f"{login}@" if login else ""
        environment(HTTPS_PROXY=f"http://{at}{proxy.address}", AWS_CA_BUNDLE=bundle)
        assert identify() == "123456789012"

    assert proxy.asked == ["sts.eu-west-1.amazonaws.com:443"]


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "profile"])
def test_which_bundle_an_account_is_reached_with(
    server: Stub, bundle: str, environment: Set, tmp_path: Path, variable: str
) -> None:
    """The other requests are told that of the profile."""
    if variable == "profile":
        (tmp_path / "config").write_text(f"[default]\nca_bundle = {bundle}\n")
    else:
        environment(**{variable: bundle})
    with ConnectProxy(port(server)) as proxy:
        environment(HTTPS_PROXY=f"http://{proxy.address}")
        assert identify() == "123456789012"

    expected = None if variable == "REQUESTS_CA_BUNDLE" else bundle
    assert Aws(region="eu-west-1").ca_bundle == expected


def test_a_certificate_that_nobody_knows_is_not_retried(server: Stub, environment: Set) -> None:
    """The hint names the variable that helps."""
    with ConnectProxy(port(server)) as proxy:
        environment(HTTPS_PROXY=f"http://{proxy.address}")
        found = failure()

    assert "certificate of sts.eu-west-1.amazonaws.com is not trusted" in found.message
    assert "$AWS_CA_BUNDLE" in found.hint
    assert len(proxy.asked) == 1


@pytest.mark.parametrize(
    ("login", "says"), [("", "requires a login"), ("you:hunter2@", "rejected the login")]
)
def test_a_login_that_a_proxy_requires_is_not_retried(
    server: Stub, environment: Set, login: str, says: str
) -> None:
    """Repeated wrong logins lock accounts."""
    with ConnectProxy(port(server), "me:right") as proxy:
        environment(HTTPS_PROXY=f"http://{login}{proxy.address}")
        found = failure()

    assert found.message == f"The proxy {proxy.address} {says}."
    assert len(proxy.asked) == 1


def test_a_login_that_the_sdk_cannot_send(server: Stub, environment: Set) -> None:
    """It encodes logins in ASCII."""
    with ConnectProxy(port(server), "me:ä") as proxy:
        environment(HTTPS_PROXY=f"http://me:%C3%A4@{proxy.address}")
        assert "ASCII" in failure().hint


@pytest.mark.parametrize(
    ("refusal", "retried"), [("403 Forbidden", False), ("503 Service Unavailable", True)]
)
def test_a_proxy_that_does_not_connect(
    server: Stub, environment: Set, refusal: str, retried: bool
) -> None:
    """It may be unable to for a while, or forbid it."""
    with ConnectProxy(port(server), refusal=refusal) as proxy:
        environment(HTTPS_PROXY=f"http://{proxy.address}")
        assert proxy.address in failure(retried=retried).message


def test_a_proxy_that_is_not_there_is_retried_briefly(environment: Set) -> None:
    """The SDK's own text about it may show the login."""
    environment(HTTPS_PROXY=f"http://http:hunter2@127.0.0.1:{free_port()}")

    assert "Could not connect to the proxy 127.0.0.1:" in failure(retried=True).message


@pytest.mark.parametrize("proxy", ["socks5://me:hunter2@proxy.test", "http://me:hunter2@proxy:x"])
def test_a_proxy_that_cannot_be_used(environment: Set, proxy: str) -> None:
    """Before any call: the SDK would look for an HTTP proxy on a host named socks5."""
    environment(HTTPS_PROXY=proxy)

    with pytest.raises(GimelError, match=r"\$HTTPS_PROXY") as found:
        Aws(region="eu-west-1")

    assert PASSWORD not in str(found.value)


@pytest.mark.parametrize("value", ["/does/not/exist", " ", ""])
@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_a_bundle_that_cannot_be_used(environment: Set, variable: str, value: str) -> None:
    """An empty one does not turn verification off."""
    environment(**{variable: value})

    found = failure()

    assert "CA bundle" in found.message
    assert "$AWS_CA_BUNDLE" in found.hint

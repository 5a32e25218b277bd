"""The network as companies have it: proxies, logins, and their private authorities."""

from __future__ import annotations

import datetime
import socket
import ssl
import struct
from pathlib import Path

import pytest
import trustme
import urllib3

from gimel.api.http import LOOPBACK, NoAnswer, Proxy, Session, UnknownHost, proxy_for
from gimel.api.tracking import RETRIES
from gimel.errors import GimelError
from tests.support.company import HOST, Company, Set
from tests.support.company import company as company
from tests.support.company import environment as environment
from tests.support.connect_proxy import ConnectProxy
from tests.support.servers import Listener, free_port
from tests.support.stubs import answering

URL = f"https://{HOST}/track"
PASSWORD = "hunter2"


def ask(url: str = URL, ca_bundle: str | None = None, retries: urllib3.Retry = RETRIES) -> int:
    with Session(url, ca_bundle=ca_bundle, retries=retries) as session:
        return session.send("GET", url).status


def failure(url: str = URL, retries: urllib3.Retry = RETRIES) -> NoAnswer:
    with pytest.raises(NoAnswer) as found:
        ask(url, retries=retries)
    assert PASSWORD not in str(found.value)
    return found.value


PROXY, LOGIN = Proxy("http://proxy.test:3128", "$HTTPS_PROXY"), "me:hunter2"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://proxy.test:3128", ("http://proxy.test:3128", "")),
        ("http://proxy.test:3128/", ("http://proxy.test:3128", "")),
        ("https://proxy.test:3128", ("https://proxy.test:3128", "")),
        ("HTTP://proxy.test:3128", ("http://proxy.test:3128", "")),
        ("proxy.test:3128", ("http://proxy.test:3128", "")),
        ("//proxy.test:3128", ("http://proxy.test:3128", "")),
        ("proxy.test", ("http://proxy.test", "")),
        ("[::1]:3128", ("http://[::1]:3128", "")),
        ("http://me:hunter2@proxy.test:3128", ("http://proxy.test:3128", LOGIN)),
        ("me:hunter2@proxy.test:3128", ("http://proxy.test:3128", LOGIN)),
        ("http://me@proxy.test:3128", ("http://proxy.test:3128", "me:")),
        ("http://a%40b:p%3A%2F%C3%A4@proxy.test", ("http://proxy.test", "a@b:p:/ä")),
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_a_proxy_in_every_form(
    environment: Set, variable: str, value: str, expected: tuple[str, str]
) -> None:
    """With and without a scheme and a login, in a variable of either case."""
    environment(**{variable: value})

    found = proxy_for(URL)

    assert found is not None
    assert (found.url, found.login, found.source) == (*expected, f"${variable}")
    assert PASSWORD not in repr(found)


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize("value", ["gimel.test", ".test", "other.org, gimel.test:443", "*"])
def test_hosts_without_a_proxy(environment: Set, variable: str, value: str) -> None:
    """By name, domain or port."""
    environment(HTTPS_PROXY="http://proxy.test:3128", **{variable: value})

    assert proxy_for("https://gimel.test:443/track") is None
    assert (proxy_for("https://elsewhere.com") is None) == (value == "*")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("socks5://me:hunter2@proxy.test:1080", "'socks5', which is not supported"),
        ("socks5h://proxy.test:1080", "'socks5h', which is not supported"),
        ("ftp://proxy.test", "'ftp', which is not supported"),
        ("http://me:hunter2@proxy.test:port", "is not a valid URL"),
        ("http://me:hunter2#x@proxy.test", "is not a valid URL"),
        ("http://", "is not a valid URL"),
        ("http://[::1", "is not a valid URL"),
        ("proxy.test:0", "is not a valid URL"),
    ],
)
def test_a_proxy_that_cannot_be_used(environment: Set, value: str, says: str) -> None:
    """It is an expected error that names the variable, and never the password."""
    environment(HTTPS_PROXY=value)

    with pytest.raises(GimelError, match=says) as found:
        ask()

    assert "$HTTPS_PROXY" in found.value.message
    assert "http://" in found.value.hint
    assert PASSWORD not in str(found.value)


@pytest.mark.parametrize("login", ["", LOGIN, "a@b:p:/ä"])
def test_a_request_through_a_proxy(company: Company, environment: Set, login: str) -> None:
    """The login goes to the proxy and not to the server."""
    written = {"": "", LOGIN: f"{LOGIN}@", "a@b:p:/ä": "a%40b:p%3A%2F%C3%A4@"}[login]
    with ConnectProxy(company.port, login) as proxy:
        environment(HTTPS_PROXY=f"{written}{proxy.address}", AWS_CA_BUNDLE=company.bundle)
        assert ask() == 200

    assert (proxy.asked, proxy.logins) == ([f"{HOST}:443"], [login])
    assert "proxy-authorization" not in company.server.sent[0]


def test_a_proxy_that_is_spoken_to_with_tls(company: Company, environment: Set) -> None:
    """Its certificate is verified with the same authorities."""
    with ConnectProxy(company.port, LOGIN, tls=company.tls) as proxy:
        environment(HTTPS_PROXY=f"https://{LOGIN}@{proxy.address}")
        problem = failure()
        environment(AWS_CA_BUNDLE=company.bundle)
        assert ask() == 200

    assert f"certificate of the proxy {proxy.address} is not trusted" in problem.message
    assert "$AWS_CA_BUNDLE" in problem.hint


@pytest.mark.parametrize(
    ("login", "says"), [("", "requires a login"), ("you:hunter2@", "rejected the login")]
)
def test_a_login_that_a_proxy_requires(
    company: Company, environment: Set, login: str, says: str
) -> None:
    """Not asked again, as repeated wrong logins lock accounts."""
    with ConnectProxy(company.port, LOGIN) as proxy:
        environment(HTTPS_PROXY=f"{login}{proxy.address}")
        problem = failure()

    assert problem.message == f"The proxy {proxy.address} {says}."
    assert "$HTTPS_PROXY" in problem.hint
    assert (problem.passes, len(proxy.asked)) == (False, 1)


def test_a_login_for_a_request_that_needs_no_tunnel(environment: Set) -> None:
    """A proxy passes on what is not encrypted, and answers 407 in the server's place."""
    with answering(407) as proxy:
        environment(HTTP_PROXY=proxy.url)
        assert "requires a login" in failure("http://gimel.test/track").message


@pytest.mark.parametrize(
    ("refusal", "passes"), [("403 Forbidden", False), ("503 Service Unavailable", True)]
)
def test_a_proxy_that_does_not_connect(
    company: Company, environment: Set, refusal: str, passes: bool
) -> None:
    """That it forbids a host is final; that it does not find one yet passes."""
    with ConnectProxy(company.port, refusal=refusal) as proxy:
        environment(https_proxy=proxy.address)
        problem = failure()

    assert f"did not connect to {HOST}: {refusal}." in problem.message
    assert "$NO_PROXY" in problem.hint
    assert problem.passes == passes


@pytest.mark.parametrize(
    "proxy", [f"127.0.0.1:{free_port()}", "proxy.invalid:3128"], ids=["no server", "no such host"]
)
def test_a_proxy_that_is_not_there(environment: Set, proxy: str) -> None:
    """The error names the proxy instead of the API."""
    environment(HTTPS_PROXY=f"http://{LOGIN}@{proxy}")

    problem = failure()

    assert problem.message == f"Could not connect to the proxy {proxy}."
    assert "$HTTPS_PROXY" in problem.hint
    assert not problem.passes


@pytest.mark.parametrize("host", LOOPBACK)
def test_this_machine_is_reached_without_a_proxy(environment: Set, host: str) -> None:
    """`gimel serve` runs there."""
    environment(http_proxy="http://proxy.invalid:3128")
    address = f"[{host}]" if ":" in host else host

    assert "proxy" not in failure(f"http://{address}:{free_port()}").message


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", None])
def test_the_authority_of_a_company(
    company: Company, environment: Set, variable: str | None
) -> None:
    """From the variables that the AWS SDK reads, or from its profile."""
    if variable:
        environment(**{variable: company.bundle})

    assert ask(company.server.url, None if variable else company.bundle) == 200


def test_which_bundle_is_used(company: Company, environment: Set, tmp_path: Path) -> None:
    """$AWS_CA_BUNDLE precedes $REQUESTS_CA_BUNDLE, and a given one precedes both."""
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    environment(REQUESTS_CA_BUNDLE=str(tmp_path / "other.pem"), AWS_CA_BUNDLE=company.bundle)
    assert ask(company.server.url) == 200

    environment(AWS_CA_BUNDLE=str(tmp_path / "other.pem"))
    assert "is not trusted" in failure(company.server.url).message
    assert ask(company.server.url, company.bundle) == 200


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file or directory"),
        ("no PEM", "contains no certificates"),
        ("", "contains no certificates"),
    ],
)
def test_a_bundle_that_cannot_be_used(
    environment: Set, tmp_path: Path, content: str | None, says: str
) -> None:
    """Its path is named."""
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_text(content)
    environment(AWS_CA_BUNDLE=str(path))

    with pytest.raises(GimelError, match=says) as found:
        ask()

    assert str(path) in found.value.message
    assert "$AWS_CA_BUNDLE" in found.value.hint


def test_an_empty_variable_does_not_turn_verification_off(environment: Set) -> None:
    """As in the SDK, it is an error."""
    environment(AWS_CA_BUNDLE=" ")

    with pytest.raises(GimelError, match="is empty"):
        ask()


def test_a_certificate_that_nobody_knows(company: Company) -> None:
    """It is not asked for again, and the hint names the variable that helps."""
    problem = failure(company.server.url)

    assert "is not trusted: unable to get local issuer certificate" in problem.message
    assert "$AWS_CA_BUNDLE" in problem.hint
    assert not problem.passes
    assert company.server.asked == []


DAY = datetime.timedelta(days=1)


@pytest.mark.parametrize(
    ("age", "says"), [(400 * DAY, "has expired"), (-10 * DAY, "not yet valid")]
)
def test_a_certificate_of_another_time(
    environment: Set, tmp_path: Path, age: datetime.timedelta, says: str
) -> None:
    """More often than the certificate, the clock is wrong."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "bundle.pem")
    begin = datetime.datetime.now(datetime.timezone.utc) - age
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf = authority.issue_cert("127.0.0.1", not_before=begin, not_after=begin + 30 * DAY)
    leaf.configure_cert(tls)
    environment(AWS_CA_BUNDLE=str(tmp_path / "bundle.pem"))

    with answering(tls=tls) as server:
        problem = failure(server.url)

    assert says in problem.message
    assert "clock" in problem.hint


def test_a_certificate_of_another_host(company: Company, environment: Set) -> None:
    """Through a proxy that leads to the wrong server, for example."""
    environment(AWS_CA_BUNDLE=company.bundle)
    with ConnectProxy(company.port) as proxy:
        environment(HTTPS_PROXY=proxy.address)
        assert "is not trusted: " in failure("https://other.test/track").message


def test_a_server_without_tls(environment: Set) -> None:
    """Final, like a wrong certificate."""
    with answering() as server:
        problem = failure(server.url.replace("http:", "https:"))

    assert "with TLS" in problem.message
    assert not problem.passes


def test_which_failures_pass_by_themselves() -> None:
    """A reset and an unknown name do; that nobody listens does not."""

    def reset(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with Listener(reset) as server:
        assert failure(f"http://127.0.0.1:{server.port}", urllib3.Retry(0)).passes

    assert not failure(f"http://127.0.0.1:{free_port()}").passes
    unknown = failure("http://gimel.invalid")
    assert isinstance(unknown, UnknownHost)
    assert unknown.passes


def test_a_redirect_is_not_followed(company: Company, environment: Set) -> None:
    """Through a proxy neither."""
    with answering() as elsewhere, answering(302, Location=elsewhere.url) as proxy:
        environment(HTTP_PROXY=proxy.url)
        assert ask("http://gimel.test/track") == 302

    assert elsewhere.asked == []

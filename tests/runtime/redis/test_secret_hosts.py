"""Which hosts are asked for secrets, and how they are verified."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from botocore.loaders import create_loader
from botocore.regions import EndpointResolver

from gimel.runtime import errors
from gimel.runtime.redis import connection, secrets, tls
from gimel.runtime.settings import RedisOptions
from tests.support.clients import MakeClient
from tests.support.secret_keeper import SSM, Aws, parameter
from tests.support.secret_keeper import aws as aws
from tests.support.secret_keeper import credentials as credentials
from tests.support.servers import Store
from tests.support.waiting import PING


@pytest.mark.parametrize("trusted", [True, False], ids=["a known authority", "another authority"])
def test_aws_is_verified(
    trusted: bool,
    locked_store: Store,
    client: MakeClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the certificates that this machine trusts."""
    authority, other = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    (authority if trusted else other).cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with Aws(context) as aws:
        aws.answers = [parameter("s3cret")]
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://localhost:{aws.port}")
        ours = client(locked_store.port, password=SSM)
        if trusted:
            assert ours.execute(PING) == [b"ping"]
        else:
            monkeypatch.setattr(secrets, "_SECONDS", 0.25)
            with pytest.raises(errors.SecretError, match="CERTIFICATE_VERIFY_FAILED"):
                ours.execute(PING)
            assert aws.requests == []


def test_only_the_authorities_of_aws_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To verify AWS; whatever the machine trusts verifies any other address."""
    names = ["Amazon", "Starfield Technologies, Inc.", "Another"]
    authorities = [trustme.CA(organization_name=name) for name in names]
    bundle = "# a comment\n\n".join(each.cert_pem.bytes().decode() for each in authorities)
    (tmp_path / "ca.pem").write_text(bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    def loaded(host: str, **options: Any) -> set[str]:
        tls.context.cache_clear()
        context = secrets._context(RedisOptions(options), host)
        subjects: Any = [each["subject"] for each in context.get_ca_certs()]
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        return {dict(pair for (pair,) in each)["organizationName"] for each in subjects}

    assert loaded("ssm.eu-west-1.amazonaws.com") == set(names[:2])
    assert loaded("localhost") == set(names)
    # The context for Redis is used only if it verifies as much.
    assert loaded("ssm.eu-west-1.amazonaws.com", ssl=True) == set(names)
    for options in (
        {"ssl_cert_reqs": "none"},
        {"ssl_check_hostname": False},
        {"ssl_ca_data": authorities[2].cert_pem.bytes().decode()},
    ):
        assert loaded("ssm.eu-west-1.amazonaws.com", ssl=True, **options) == set(names[:2])


def test_another_authority_of_aws_is_found_by_the_second_attempt(
    locked_store: Store,
    client: MakeClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Among the others that this machine trusts."""
    host = "ssm.eu-west-1.amazonaws.com"
    authority, former = (trustme.CA(organization_name=name) for name in ("New", "Amazon"))
    bundle = "".join(each.cert_pem.bytes().decode() for each in (former, authority))
    (tmp_path / "ca.pem").write_text(bundle)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    connect = connection._connect_tcp
    monkeypatch.setattr(
        connection, "_connect_tcp", lambda to, end: connect(("127.0.0.1", to[1]), end)
    )
    with Aws(context) as aws:
        aws.answers = [parameter("s3cret")]
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://{host}:{aws.port}")

        assert client(locked_store.port, password=SSM).execute(PING) == [b"ping"]


def test_the_hosts_are_those_of_boto3() -> None:
    """In every region and partition."""
    resolver = EndpointResolver(create_loader().load_data("endpoints"))
    asked = 0
    for partition in resolver.get_available_partitions():
        for service in ("ssm", "secretsmanager"):
            for region in resolver.get_available_endpoints(service, partition):
                expected: Any = resolver.construct_endpoint(service, region, partition)
                assert secrets.service_host(service, region) == expected["hostname"]
                asked += 1
    assert asked > 50


def test_an_arn_leads_to_its_own_region(client: MakeClient, aws: Aws) -> None:
    """The request is signed for the region where the secret is."""
    aws.answers = [(400, {"__type": "ResourceNotFoundException"})]
    arn = "arn:aws:secretsmanager:us-east-2:123456789012:secret:redis-AbCdEf"

    with pytest.raises(errors.SecretError, match="ResourceNotFound"):
        client(1, password={"secretsmanager": arn}).execute(PING)

    assert "/us-east-2/secretsmanager/" in aws.requests[0][0]["authorization"]

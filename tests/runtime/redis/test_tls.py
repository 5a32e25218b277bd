"""TLS to Redis: it is verified unless the settings say otherwise.

A proxy in front of the real store terminates TLS.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import trustme

from gimel.runtime import errors
from tests.support.clients import MakeClient
from tests.support.servers import Listener, Proxy, Store
from tests.support.waiting import LONG, PING, SOON, seconds_until, stay_silent


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def context_for(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture
def secure(authority: trustme.CA, session_store: Store, store: redis.Redis) -> Iterator[Proxy]:
    """The empty store behind TLS, with a certificate for 127.0.0.1."""
    with Proxy(session_store.port, context_for(authority, "127.0.0.1")) as proxy:
        yield proxy


@pytest.fixture
def elsewhere(authority: trustme.CA, session_store: Store) -> Iterator[Proxy]:
    """The empty store behind TLS, with a certificate for another host."""
    with Proxy(session_store.port, context_for(authority, "redis.example")) as proxy:
        yield proxy


def test_a_ca_file_verifies_the_server(secure: Proxy, ca_file: str, client: MakeClient) -> None:
    """With `ssl_ca_certs` a server of that authority is trusted; calls share a connection."""
    ours = client(secure.port, ssl=True, ssl_ca_certs=ca_file)
    replies = [ours.execute([("SADD", "set", "a"), ("SMEMBERS", "set")]) for _ in range(3)]
    assert replies == [[1, [b"a"]], [0, [b"a"]], [0, [b"a"]]]
    assert secure.connections == 1


def test_ca_data_verifies_the_server(
    secure: Proxy, authority: trustme.CA, client: MakeClient
) -> None:
    """`ssl_ca_data` is the certificate itself, because a Lambda has no file of it."""
    ours = client(secure.port, ssl=True, ssl_ca_data=authority.cert_pem.bytes().decode())
    assert ours.execute(PING) == [b"ping"]


def test_a_long_answer_is_read_whole(
    secure: Proxy, store: redis.Redis, ca_file: str, client: MakeClient
) -> None:
    """An answer of many TLS records is read to its end."""
    body = bytes(range(256)) * 8_000
    store.set("long", body)
    assert client(secure.port, ssl=True, ssl_ca_certs=ca_file).execute(
        [("GET", "long"), *PING]
    ) == [body, b"ping"]


def test_a_connection_that_died_is_replaced(
    secure: Proxy, ca_file: str, client: MakeClient
) -> None:
    """A kept TLS connection that was closed is replaced without an error."""
    ours = client(secure.port, ssl=True, ssl_ca_certs=ca_file)
    ours.execute(PING)
    secure.hang_up()
    assert ours.execute(PING) == [b"ping"]
    assert secure.connections == 2


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="verification is the default"),
        pytest.param(
            {"ssl_ca_data": trustme.CA().cert_pem.bytes().decode()}, id="another authority"
        ),
        pytest.param({"ssl_check_hostname": False}, id="unknown authority, host name unchecked"),
        pytest.param({"ssl_ca_certs": "/no/such/file.pem"}, id="missing file"),
        pytest.param({"ssl_ca_certs": __file__}, id="file without a certificate"),
        pytest.param({"ssl_ca_data": "no certificate"}, id="data without a certificate"),
        pytest.param({"ssl_ca_data": "kein Schlüssel"}, id="data beyond ASCII"),
        pytest.param(
            {"ssl_cert_reqs": "none", "ssl_certfile": "/no/such/file.pem"},
            id="missing client certificate",
        ),
    ],
)
def test_what_cannot_be_verified_is_refused(
    secure: Proxy, client: MakeClient, options: dict[str, Any]
) -> None:
    """Without a trusted authority nothing is sent, and the connection has failed."""
    with pytest.raises(errors.ConnectionFailed):
        client(secure.port, ssl=True, **options).execute(PING)
    assert secure.received == b""


def test_a_certificate_for_another_host_is_refused(
    elsewhere: Proxy, ca_file: str, client: MakeClient
) -> None:
    """A trusted authority is not enough: the certificate must be for this host."""
    with pytest.raises(errors.ConnectionFailed, match="not valid for"):
        client(elsewhere.port, ssl=True, ssl_ca_certs=ca_file).execute(PING)
    assert elsewhere.received == b""


def test_the_host_name_need_not_be_checked(
    elsewhere: Proxy, ca_file: str, client: MakeClient
) -> None:
    """`ssl_check_hostname` false accepts another host's certificate, as tunnels need it."""
    assert client(elsewhere.port, ssl=True, ssl_ca_certs=ca_file, ssl_check_hostname=False).execute(
        PING
    ) == [b"ping"]


def test_verification_can_be_turned_off(elsewhere: Proxy, client: MakeClient) -> None:
    """`ssl_cert_reqs` none accepts any certificate."""
    assert client(elsewhere.port, ssl=True, ssl_cert_reqs="none").execute(PING) == [b"ping"]


def test_a_client_certificate_is_sent(
    authority: trustme.CA, session_store: Store, tmp_path: Path, ca_file: str, client: MakeClient
) -> None:
    """A server that requires a client certificate gets it, and refuses clients without one."""
    context = context_for(authority, "127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    ours = authority.issue_cert("client.example")
    ours.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    ours.private_key_pem.write_to_path(tmp_path / "key.pem")
    files = {"ssl_certfile": str(tmp_path / "cert.pem"), "ssl_keyfile": str(tmp_path / "key.pem")}
    with Proxy(session_store.port, context) as proxy:
        assert client(proxy.port, ssl=True, ssl_ca_certs=ca_file, **files).execute(PING) == [
            b"ping"
        ]
        with pytest.raises(errors.ConnectionFailed):
            client(proxy.port, ssl=True, ssl_ca_certs=ca_file).execute(PING)


def test_a_server_without_tls_is_refused(session_store: Store, client: MakeClient) -> None:
    """With TLS in the settings, the client never falls back to plain text."""
    with pytest.raises(errors.ConnectionFailed):
        client(
            session_store.port, ssl=True, ssl_cert_reqs="none", socket_connect_timeout=0.3
        ).execute(PING)


def test_plain_text_to_a_tls_server_fails(secure: Proxy, client: MakeClient) -> None:
    """Without TLS in the settings, a TLS server is a failed connection."""
    with pytest.raises(errors.ConnectionFailed):
        client(secure.port, socket_timeout=1).execute(PING)


@pytest.mark.parametrize("bound", ["connect time-out", "deadline"])
def test_a_handshake_that_stalls_ends_in_time(client: MakeClient, ca_file: str, bound: str) -> None:
    """The handshake is part of connecting: the same time-out and deadline bound it."""
    with Listener(stay_silent) as listener:
        timeout = SOON if bound == "connect time-out" else 60
        ours = client(listener.port, ssl=True, ssl_ca_certs=ca_file, socket_connect_timeout=timeout)
        ours.deadline = time.monotonic() + SOON if bound == "deadline" else None
        assert seconds_until(errors.ConnectionFailed, lambda: ours.execute(PING)) < LONG

"""The network of a company: an authority that signs for everybody, and a server behind a proxy."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.support.stubs import Stub, answering

HOST = "gimel.test"  # not in the DNS: only a proxy knows it

Set = Callable[..., None]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Set:
    """Start without network settings. Returns a function that sets variables."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.endswith("CA_BUNDLE"):
            monkeypatch.delenv(name)

    def set_variables(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_variables


@dataclass(frozen=True)
class Company:
    """A network whose authority signs for everybody: its bundle, and a server behind a proxy."""

    bundle: str
    tls: ssl.SSLContext
    server: Stub

    @property
    def port(self) -> int:
        return int(self.server.url.rsplit(":", 1)[1])


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "bundle.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST, "127.0.0.1").configure_cert(tls)
    with answering(body={"status": "ok"}, tls=tls) as server:
        yield Company(str(tmp_path / "bundle.pem"), tls, server)

"""AWS as far as it keeps secrets: a small server on loopback, and a function that asks it."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from gimel.runtime.redis import secrets
from tests.support.servers import Listener

SSM = {"ssm": "/gimel/redis"}
THROTTLED = (400, {"__type": "ThrottlingException", "message": "Rate exceeded"})


def parameter(value: object) -> tuple[int, object]:
    return 200, {"Parameter": {"Name": "/gimel/redis", "Type": "SecureString", "Value": value}}


def secret(text: str) -> tuple[int, object]:
    return 200, {"Name": "redis", "SecretString": text}


class Aws(Listener):
    """Answers what `answers` hold, each once and the last one again and again.

    An answer is a status with its content, the raw bytes, or None for silence.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: list[tuple[int, object] | bytes | None] = []
        self.requests: list[tuple[dict[str, str], dict[str, Any]]] = []
        self._tls = tls
        super().__init__(self._answer)

    def _answer(self, connection: socket.socket) -> None:
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True)
        with connection:
            head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
            lines = head.decode().split("\r\n")[1:]
            headers = dict(line.split(": ", 1) for line in lines)
            self.requests.append((headers, json.loads(body)))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if answer is None:  # no answer, until the client gives up
                connection.recv(1)
            elif isinstance(answer, bytes):
                connection.sendall(answer)
            else:
                text = json.dumps(answer[1])
                start = f"HTTP/1.1 {answer[0]} X\r\nContent-Length: {len(text)}\r\n\r\n"
                connection.sendall((start + text).encode())


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Act as a function that has just started, without long pauses."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setattr(secrets, "_PAUSE", 0.01)
    monkeypatch.setattr(secrets, "_SECONDS", 10)
    secrets.forget()
    yield
    secrets.forget()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with Aws() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.port}")
        yield server

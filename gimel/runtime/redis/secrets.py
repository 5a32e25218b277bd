"""A password that AWS keeps, in Parameter Store (SSM) or Secrets Manager, read once per process.

Shipped only to functions whose settings name a secret, and loaded for their first connection. It
speaks HTTP itself, because `http.client` would cost a cold start several times as much.
"""

from __future__ import annotations

import json
import os
import ssl
import time
from binascii import a2b_base64

from gimel.runtime.errors import SecretError
from gimel.runtime.redis import tls
from gimel.runtime.sigv4 import Credentials, signed_headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from gimel.runtime.settings import RedisOptions

    Connect: TypeAlias = Callable[[tuple[str, int], float], socket.socket]

_SECONDS = 1.2  # for all attempts: of the 3 s of gimel-track, Redis may take 1.6
_PAUSE = 0.1  # seconds before the second attempt
_READ_AGAIN_AFTER = 60.0  # seconds
_LARGEST = 256 * 1024  # bytes of an answer; a secret has at most 64 KB

_TARGETS = {"ssm": "AmazonSSM", "secretsmanager": "secretsmanager"}
_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
}
"""What host names end with, by what the region's name begins with; usually `amazonaws.com`."""

# To load only AWS's root certificates, of 140, saves at least 20 ms.
# https://www.amazontrust.com/repository/
_OWNERS_OF_ROOTS = (b"Amazon", b"Starfield")

_known: dict[str, str] = {}
_read_again: dict[str, float] = {}
_distrusted: set[str] = set()
"""Hosts that these do not verify, so that all root certificates are loaded for the next attempt."""


def password(options: RedisOptions, deadline: float | None, connect: Connect) -> str:
    """Return the password that the options refer to, from AWS the first time.

    A reference is `{"ssm": NAME}`, or `{"secretsmanager": NAME or ARN}` perhaps with the `key` of a
    value in the secret's JSON. `deadline` is as `time.monotonic()` gives it; `connect` opens a
    socket by such a moment. Raises SecretError.
    """
    name = str(options.password)
    if name not in _known:
        _known[name] = _read(options, deadline, connect)
    return _known[name]


def changed_password(options: RedisOptions, deadline: float | None, connect: Connect) -> str | None:
    """Return the password if it has changed since it was read, for when Redis refuses it.

    AWS is asked at most once per minute. Raises SecretError.
    """
    name, now = str(options.password), time.time()
    if 0 <= now - _read_again.get(name, 0) < _READ_AGAIN_AFTER:
        return None
    _read_again[name] = now
    before, _known[name] = _known.get(name), _read(options, deadline, connect)
    return None if _known[name] == before else _known[name]


def service_host(service: str, region: str) -> str:
    """Return the host name of a service in a region."""
    suffixes = [suffix for start, suffix in _SUFFIXES.items() if region.startswith(start)]
    return f"{service}.{region}.{suffixes[0] if suffixes else 'amazonaws.com'}"


def forget() -> None:
    """Forget what was read, as a new process knows nothing."""
    for each in (_known, _read_again, _distrusted):
        each.clear()


def _read(options: RedisOptions, deadline: float | None, connect: Connect) -> str:
    end = time.monotonic() + _SECONDS
    if deadline is not None:
        end = min(end, deadline)
    reference: Any = options.password
    if "ssm" in reference:
        service, name, action = "ssm", reference["ssm"], "GetParameter"
        question = {"Name": name, "WithDecryption": True}
    else:
        service, name = "secretsmanager", reference["secretsmanager"]
        action, question = "GetSecretValue", {"SecretId": name}
    pause = _PAUSE
    while True:
        status, answer, reason = _ask(
            service, name, action, json.dumps(question), options, connect, end
        )
        if status == 200 and (value := _value(answer, reference.get("key"))):
            return value
        # A 4xx is final, unless AWS was asked too often.
        is_final = 200 <= status < 500 and status != 429 and "Throttl" not in reason
        # At random, so that functions that started together do not come back together.
        pause *= 1 + os.urandom(1)[0] / 255
        if is_final or time.monotonic() + pause >= end:
            raise SecretError(f"{service}:{action} of {name}: {reason}")
        time.sleep(pause)


def _value(answer: Any, key: str | None) -> str | None:
    """Return the password in an answer, None if it has none."""
    try:
        value = answer["Parameter"]["Value"] if "Parameter" in answer else answer["SecretString"]
        value = value if key is None else json.loads(value)[key]
    except (ValueError, KeyError, TypeError):
        return None
    return value if isinstance(value, str) else None


def _ask(
    service: str,
    name: str,
    action: str,
    question: str,
    options: RedisOptions,
    connect: Connect,
    end: float,
) -> tuple[int, Any, str]:
    """Return the status, the content, and a reason in case that the content is not the secret.

    The status is 0 if there was no answer. The reason quotes nothing that may be the secret.
    """
    credentials = Credentials(os.environ)
    if name.startswith("arn:"):
        credentials.region = name.split(":")[3]
    scheme, host, port = _address(
        os.environ.get("AWS_ENDPOINT_URL") or f"https://{service_host(service, credentials.region)}"
    )
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "host": host if port in (80, 443) else f"{host}:{port}",
        "x-amz-target": f"{_TARGETS[service]}.{action}",
    }
    headers = signed_headers(credentials, service, headers, question.encode())
    headers |= {"content-length": str(len(question)), "connection": "close"}
    lines = [f"{header}: {value}\r\n" for header, value in headers.items()]
    request = f"POST / HTTP/1.1\r\n{''.join(lines)}\r\n{question}"
    try:
        connection = connect((host, port), end)
        try:
            connection.settimeout(_remaining(end))
            if scheme == "https":
                context = _context(options, host)
                connection = context.wrap_socket(connection, server_hostname=host)
            connection.sendall(request.encode())
            status, body = _receive(connection, end)
        finally:
            connection.close()
        answer = json.loads(body)
        if status == 200:
            return status, answer, "the value is not text, or has not the key"
        code, said = answer["__type"].rpartition("#")[2], answer.get("message")
        return status, answer, f"{code}: {said or answer.get('Message') or ''}"[:500]
    except TimeoutError:
        return 0, None, f"no answer from {host} in time"
    except OSError as error:
        if isinstance(error, ssl.SSLError):
            _distrusted.add(host)
        return 0, None, f"no answer from {host}: {error}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return 0, None, f"the answer from {host} is not valid"


def _address(url: str) -> tuple[str, str, int]:
    """Return the scheme, the host and the port of a URL."""
    scheme, _, rest = url.partition("://")
    host, _, port = rest.partition("/")[0].partition(":")
    return scheme, host, int(port or (443 if scheme == "https" else 80))


def _context(options: RedisOptions, host: str) -> ssl.SSLContext:
    """Return how to verify AWS: the context for Redis, which is needed anyway, or a cheap one."""
    is_default = options.ssl_cert_reqs == "required" and options.ssl_check_hostname
    if options.ssl and is_default and not (options.ssl_ca_certs or options.ssl_ca_data):
        return tls.context(options)
    few = host.endswith(".amazonaws.com") and host not in _distrusted
    return ssl.create_default_context(cadata=(few and _roots()) or None)


def _roots() -> bytes:
    """Return those of this machine's root certificates that AWS uses, none if not known."""
    file = ssl.get_default_verify_paths().cafile
    if file is None:
        return b""
    with open(file, "rb") as certificates:  # noqa: PTH123 - pathlib is expensive to import
        blocks = certificates.read().split(b"-----BEGIN CERTIFICATE-----")[1:]
    found = [a2b_base64(block.partition(b"-----END")[0]) for block in blocks]
    return b"".join(each for each in found if any(owner in each for owner in _OWNERS_OF_ROOTS))


def _receive(connection: socket.socket, end: float) -> tuple[int, bytes]:
    """Return the status and the body of an HTTP answer. Raises OSError or ValueError."""
    data = b""
    while True:
        head, ends, body = data.partition(b"\r\n\r\n")
        if ends:
            first, *lines = head.lower().decode("latin-1").split("\r\n")
            headers = dict(line.split(":", 1) for line in lines)
            length = int(headers.get("content-length") or _LARGEST)
            if len(body) >= length:
                return int(first.split(" ")[1]), body[:length]
        connection.settimeout(_remaining(end))
        received = connection.recv(65536)
        if not received and ends and "content-length" not in headers:  # the end of the answer
            chunked = "chunked" in headers.get("transfer-encoding", "")
            return int(first.split(" ")[1]), _joined(body) if chunked else body
        if not received or len(data) > _LARGEST:
            raise ValueError("the answer ends early, or is too long")
        data += received


def _remaining(end: float) -> float:
    """Return the seconds until the end, or next to none: a time-out of 0 would mean no wait."""
    return max(end - time.monotonic(), 1e-3)


def _joined(chunks: bytes) -> bytes:
    """Return the body in chunks, each with its length before it. Raises ValueError."""
    body = b""
    while True:
        head, _, rest = chunks.partition(b"\r\n")
        length = int(head.partition(b";")[0], 16)
        if not length:
            return body
        body += rest[:length]
        chunks = rest[length + 2 :]

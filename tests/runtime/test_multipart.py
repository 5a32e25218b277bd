"""Bodies of `multipart/form-data`: what browsers and others send, and what is refused."""

from __future__ import annotations

import base64

import pytest
import redis

import gimel
from gimel.runtime import multipart
from gimel.runtime.errors import BadRequest
from tests.support.events import EVENT, OK, Gateway, read, with_each_gateway
from tests.support.redis_content import count, snapshot

BOUNDARY = "----WebKitFormBoundaryxZ7KYPqkJ2bmCwUq"
KIND = f"multipart/form-data; boundary={BOUNDARY}"


def form(*parts: str, boundary: str = BOUNDARY) -> str:
    """Return a body of parts, each without its first header's name."""
    written = "".join(f"--{boundary}\r\nContent-Disposition: {part}\r\n" for part in parts)
    return f"{written}--{boundary}--\r\n"


def field(name: str, value: str) -> str:
    return f'form-data; name="{name}"\r\n\r\n{value}'


FILE = (
    'form-data; name="photo"; filename="a; name=uuid.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG'
)
SENT = form(*(field(name, value) for name, value in EVENT.items()), FILE)


@with_each_gateway
@pytest.mark.parametrize("is_base64", [False, True], ids=["text", "base64"])
def test_form(gimel_store: redis.Redis, gateway: Gateway, is_base64: bool) -> None:
    """A FormData is counted, without its files, as text and as Base64."""
    body = base64.b64encode(SENT.encode()).decode() if is_base64 else SENT
    event = gateway("POST", body=body, Content_Type=KIND) | {"isBase64Encoded": is_base64}

    assert read(gimel.track(event, None)) == (200, OK)
    assert count(gimel_store, "button", "participate", "red") == 1


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param(KIND, form(field("uuid", "é 1")), id="browser"),
        pytest.param(KIND, form(field("uuid", "é 1")).strip(), id="without a last line end"),
        pytest.param(KIND.replace("multipart", "Multipart"), form(field("uuid", "é 1")), id="case"),
        pytest.param(
            'multipart/form-data; charset=utf-8; boundary="a b"',
            form(field("uuid", "é 1"), boundary="a b"),
            id="quoted boundary",
        ),
        pytest.param(
            KIND,
            form("form-data; name=uuid\r\nContent-Type: text/plain; charset=utf-8\r\n\r\né 1"),
            id="bare name, type after it",
        ),
        pytest.param(
            KIND,
            form(field("uuid", "é 1")).replace(
                "Content-Disp", "Content-Type: text/plain\r\ncontent-disp"
            ),
            id="type before the name",
        ),
        pytest.param(
            KIND,
            form('form-data; name="uuid"\r\nContent-Transfer-Encoding: 8bit\r\n\r\né 1'),
            id="transfer encoding without an effect",
        ),
        pytest.param(KIND, form(field("uuid", "one"), field("uuid", "é 1")), id="last value"),
        pytest.param(
            KIND,
            form(field("uuid", "é 1"), 'form-data; name="uuid"; filename=""\r\n\r\n'),
            id="file",
        ),
    ],
)
def test_fields(kind: str, body: str) -> None:
    """The fields are read as they were sent."""
    assert multipart.parse(body.strip(), kind) == {"uuid": "é 1"}


def test_value_with_line_ends() -> None:
    """A value may contain everything but its boundary."""
    value = "a\r\n\r\nb\r\n--c--\r\n"

    assert multipart.parse(form(field("uuid", value)).strip(), KIND) == {"uuid": value}


def test_most_fields() -> None:
    """A form may have 100 fields, like a URL-encoded one."""
    fields = [field(f"f{number}", "") for number in range(101)]

    assert len(multipart.parse(form(*fields[:100]).strip(), KIND)) == 100
    with pytest.raises(BadRequest, match="at most 100 fields"):
        multipart.parse(form(*fields).strip(), KIND)


WHOLE = form(field("experiment", "button"), field("uuid", "1"))


@with_each_gateway
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param(KIND, WHOLE.rstrip("-\r\n"), id="cut off at the end"),
        pytest.param(KIND, WHOLE[:-60], id="cut off in a field"),
        pytest.param("multipart/form-data", WHOLE, id="no boundary"),
        pytest.param("multipart/form-data; boundary=other", WHOLE, id="another boundary"),
        pytest.param(KIND, f"preamble\r\n{WHOLE}", id="preamble"),
        pytest.param(KIND, f"{WHOLE}epilogue", id="epilogue"),
        pytest.param(KIND, WHOLE.replace("\r\n", "\n"), id="bare line ends"),
        pytest.param(KIND, "--", id="only dashes"),
        pytest.param(KIND, "experiment=button", id="URL-encoded"),
        pytest.param(KIND, form("attachment; name=uuid\r\n\r\n1"), id="not form-data"),
        pytest.param(KIND, form("form-data\r\n\r\n1"), id="no name"),
        pytest.param(KIND, WHOLE.replace("Content-Disposition", "X"), id="no disposition"),
        pytest.param(
            KIND,
            form('form-data; name="uuid"\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ=='),
            id="base64 part",
        ),
        pytest.param(
            KIND,
            form(
                'form-data; name="uuid"\r\ncontent-transfer-encoding: quoted-printable\r\n\r\n=31'
            ),
            id="quoted-printable part",
        ),
    ],
)
def test_refused(gimel_store: redis.Redis, gateway: Gateway, kind: str, body: str) -> None:
    """What is not a whole and unambiguous form is a 400, though the query has an event."""
    event = gateway("POST", query=EVENT, body=body, Content_Type=kind)

    status, answer = read(gimel.track(event, None))

    assert status == 400
    assert answer["error"].startswith("the body ")
    assert snapshot(gimel_store) == {}

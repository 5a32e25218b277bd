"""Signatures of AWS, against those of botocore."""

from __future__ import annotations

import calendar
import time
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import example, given
from hypothesis import strategies as st

from gimel.runtime import sigv4
from gimel.runtime.errors import SettingsError

Keys = tuple[str, str, str | None]

LABEL = st.from_regex(r"[a-z][a-z0-9-]{0,39}", fullmatch=True)
ODD = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80)
KEYS = st.tuples(LABEL.map(str.upper), ODD, st.none() | ODD)
EVERY_CHARACTER = "".join(map(chr, range(33, 127)))


def environment(keys: Keys, region: str) -> dict[str, str]:
    """Return what AWS Lambda sets."""
    access, secret, token = keys
    values = {"AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": region}
    return {**values, **({"AWS_SESSION_TOKEN": token} if token else {})}


def seconds(timestamp: str) -> int:
    return calendar.timegm(time.strptime(timestamp, "%Y%m%dT%H%M%SZ"))


@given(keys=KEYS, region=LABEL, cache=LABEL, user=ODD | st.text(min_size=1, max_size=40))
@example(("A", EVERY_CHARACTER, EVERY_CHARACTER), "eu-west-1", "my-cache", EVERY_CHARACTER)
@example(("A", "s", None), "us-east-1", "c", "a b ü 😀")
def test_a_token_is_what_botocore_presigns(keys: Keys, region: str, cache: str, user: str) -> None:
    """With and without a session token, and whatever characters the values have."""
    url = f"http://{cache}/?Action=connect&User={quote(user)}&ResourceType=ServerlessCache"
    theirs = AWSRequest("GET", url)
    SigV4QueryAuth(Credentials(*keys), "elasticache", region, expires=900).add_auth(theirs)
    expected = dict(parse_qsl(urlsplit(str(theirs.url)).query))

    credentials = sigv4.Credentials(environment(keys, region))
    now = seconds(expected["X-Amz-Date"])
    address, _, query = sigv4.elasticache_token(credentials, cache, user, now).partition("?")

    assert address == f"{cache}/"
    assert dict(parse_qsl(query)) == expected
    assert query.isascii()
    assert " " not in query


def test_a_cache_has_a_name_in_lower_case() -> None:
    """ElastiCache lowers the case of the name that a cache is created with."""
    credentials = sigv4.Credentials(environment(("A", "s", None), "us-east-1"))

    tokens = [sigv4.elasticache_token(credentials, name, "u", 0) for name in ("Shop", "shop")]

    assert tokens[0] == tokens[1]


@given(keys=KEYS, region=LABEL, value=ODD, body=st.binary(max_size=200))
def test_a_request_is_signed_as_botocore_signs_it(
    keys: Keys, region: str, value: str, body: bytes
) -> None:
    """All headers and the body are signed."""
    headers = {"host": "ssm.example.com", "content-type": "application/x-amz-json-1.1"}
    headers["x-amz-target"] = value
    theirs = AWSRequest("POST", "https://ssm.example.com/", headers=dict(headers), data=body)
    SigV4Auth(Credentials(*keys), "ssm", region).add_auth(theirs)
    expected = {name.lower(): value for name, value in theirs.headers.items()}

    credentials = sigv4.Credentials(environment(keys, region))
    now = seconds(expected["x-amz-date"])

    assert sigv4.signed_headers(credentials, "ssm", headers, body, now) == expected


def test_without_credentials_there_is_no_token() -> None:
    """The error names the variable that is missing and none of the values."""
    with pytest.raises(SettingsError, match="AWS_SECRET_ACCESS_KEY is missing") as caught:
        sigv4.Credentials({"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_REGION": "us-east-1"})

    assert "AKIAEXAMPLE" not in str(caught.value)

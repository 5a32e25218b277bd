"""Addresses of Redis as people paste them: what works, and what to do about the rest."""

from __future__ import annotations

import pytest

from gimel.config.address import check_host
from gimel.config.kinds import NotAllowedError


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "redis", "redis.example.com", "redis.example.com.", "my_redis", "1.example"),
        *("127.0.0.1", "10.0.0.1", "::1", "fe80::1%eth0", "2001:db8::1", "xn--mnchen-3ya.example"),
        *("m\u00fcnchen.example", "UPPER.Example", "a" * 63, "ENTER YOUR REDIS HOST"),
    ],
)
def test_a_host_is_kept_as_it_is(host: str) -> None:
    """Names, those with underscores too, as Docker's may be, addresses, the template's text."""
    assert check_host(host) == host


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("", "must not be empty"),
        (" ", "must not be empty"),
        (" 127.0.0.1", "spaces or line breaks. Remove them."),
        ("127.0.0.1\n", "spaces or line breaks. Remove them."),
        ("redis.example.com\t", "spaces or line breaks. Remove them."),
        ("\u00a0redis.example.com", "spaces or line breaks. Remove them."),
        ("redis://127.0.0.1:6379", "not a URL. Move the URL to redis.url."),
        ("REDISS://h", "not a URL. Move the URL to redis.url."),
        ("https://x.upstash.io", 'not a URL. Remove "https://" and any path.'),
        ("127.0.0.1:6379", "without a port. Move the port 6379 to redis.port."),
        ("redis.example.com:6379", "without a port. Move the port 6379 to redis.port."),
        ("[::1]:6379", "without a port. Move the port 6379 to redis.port."),
        ("[::1]", "without brackets. Remove the brackets."),
        ("redis.example.com/0", "without a path. A database number belongs in redis.db."),
        ("redis.example.com?db=1", "without a path."),
        ("user:password@redis.example.com", "without a user. Set redis.username and redis.passw"),
        ("redis.example.com:", "of letters, digits and . - _"),
        ("redis.example.com, other", "of letters, digits and . - _"),
        ("<your host>", "of letters, digits and . - _"),
        ("${REDIS_HOST}", "of letters, digits and . - _"),
        ("redis\u3002example\u3002com", "of letters, digits and . - _"),
        ("redis\uff0eexample", "of letters, digits and . - _"),
        ("redis.example.com\u200b", "of letters, digits and . - _"),
        ("\uff11\uff12\uff17.0.0.1", "of letters, digits and . - _"),
        ("127.0.0", "or a complete IP address"),
        ("300.1.1.1", "or a complete IP address"),
        (".example.com", "between and after its dots"),
        ("redis..example.com", "between and after its dots"),
        ("a" * 64, "between and after its dots"),
    ],
)
def test_what_is_not_a_host_says_what_to_do(host: str, says: str) -> None:
    """It could never work, wherever Redis runs."""
    with pytest.raises(NotAllowedError) as caught:
        check_host(host)
    assert says in f"{caught.value.allowed}. {caught.value.hint}"

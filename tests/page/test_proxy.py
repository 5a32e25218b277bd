"""The configurations that forward a path of the site to the track URL."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from botocore.session import get_session
from botocore.validate import validate_parameters

from gimel.errors import GimelError
from gimel.page.proxy import (
    KINDS,
    Upstream,
    check_path,
    cloudfront,
    netlify,
    nginx,
    parse_upstream,
    vercel,
)

API = "https://abc123.execute-api.eu-west-1.amazonaws.com/prod/e"
FUNCTION = "https://abc123.lambda-url.eu-west-1.on.aws/"
DOMAIN = "https://ab.example.com/e"
LOCAL = "http://127.0.0.1:8000/e"


@pytest.mark.parametrize(
    ("url", "upstream", "authority"),
    [
        (
            API,
            Upstream("https", "abc123.execute-api.eu-west-1.amazonaws.com", 443, "/prod/e"),
            "abc123.execute-api.eu-west-1.amazonaws.com",
        ),
        (
            FUNCTION,
            Upstream("https", "abc123.lambda-url.eu-west-1.on.aws", 443, "/"),
            "abc123.lambda-url.eu-west-1.on.aws",
        ),
        (LOCAL, Upstream("http", "127.0.0.1", 8000, "/e"), "127.0.0.1:8000"),
        ("http://[::1]:8000/e/", Upstream("http", "::1", 8000, "/e/"), "[::1]:8000"),
        (
            "HTTPS://AB.example.com:443",
            Upstream("https", "ab.example.com", 443, ""),
            "ab.example.com",
        ),
        (
            "https://bücher.example/e",
            Upstream("https", "xn--bcher-kva.example", 443, "/e"),
            "xn--bcher-kva.example",
        ),
        (
            "http://ab.example.com:443/e",
            Upstream("http", "ab.example.com", 443, "/e"),
            "ab.example.com:443",
        ),
    ],
)
def test_a_track_url_in_parts(url: str, upstream: Upstream, authority: str) -> None:
    """An API, a function, a domain and `gimel serve`, without the port that the scheme implies."""
    assert parse_upstream(url) == upstream
    assert upstream.authority == authority


@pytest.mark.parametrize(
    "url",
    [
        "/e",
        f"{API}?a=b",
        "https://ann:secret@ab.example.com/e",
        "https://abc123.execute-api.eu-west-1.amazonaws.com/prod",
        "https://ab.example.com/e;",
        "https://ab.example.com/$host",
        "https://ab.example.com/a%20b",
        "https://ab.example.com//e",
        "https://ab.example.com/:splat",
        f"https://{'ü' * 70}.example/e",
    ],
)
def test_another_url_is_refused(url: str) -> None:
    """Those that count no events, and what would have a meaning in a configuration."""
    with pytest.raises(GimelError) as failure:
        parse_upstream(url)

    assert failure.value.hint
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize("path", ["/e", "/e/", "/shop/e-1", "/.well-known/e_~"])
def test_a_path_of_the_site_is_accepted(path: str) -> None:
    """With or without a slash at its end."""
    check_path(path)


@pytest.mark.parametrize(
    "path",
    ["", "/", "e", "//e", "/e?a", "/e*", "/:e", "/e {", "/e\n", "/a%20b", "/e;", "/ü", "/$e"],
)
def test_another_path_is_refused(path: str) -> None:
    """The root is the site itself, and other characters have a meaning somewhere."""
    with pytest.raises(GimelError) as failure:
        check_path(path)

    assert failure.value.hint


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("url", [API, FUNCTION, DOMAIN])
def test_each_names_the_path_and_the_host(kind: Callable[[Upstream, str], str], url: str) -> None:
    """And ends its last line."""
    upstream = parse_upstream(url)

    printed = kind(upstream, "/e")

    assert "/e" in printed
    assert upstream.host in printed
    assert printed.endswith("\n")


def test_nginx_over_http_needs_no_certificates() -> None:
    """The other lines stay."""
    secure, plain = (nginx(parse_upstream(url), "/e").splitlines() for url in (DOMAIN, LOCAL))

    assert [line.split()[0] for line in secure if line not in plain] == [
        "set",
        "proxy_pass",
        "proxy_ssl_server_name",
        "proxy_ssl_verify",
        "proxy_ssl_verify_depth",
        "proxy_ssl_trusted_certificate",
    ]


def test_cloudfront_takes_its_parts() -> None:
    """AWS's own model of a distribution accepts them."""
    printed = json.loads(cloudfront(parse_upstream(API), "/e"))

    model = get_session().get_service_model("cloudfront")
    assert list(printed) == ["Origin", "CacheBehavior"]
    for name, value in printed.items():
        validate_parameters(value, model.shape_for(name))


@pytest.mark.parametrize(
    ("url", "path", "origin_path"),
    [
        (API, "/e", "/prod"),
        (API, "/prod/e", ""),
        (DOMAIN, "/e", ""),
        (FUNCTION, "/e", ""),
        (FUNCTION, "/shop/e/", ""),
        ("https://ab.example.com/e/", "/e/", ""),
    ],
)
def test_cloudfront_reaches_the_path(url: str, path: str, origin_path: str) -> None:
    """It puts the origin's path before that of the request; a function answers any path."""
    origin = json.loads(cloudfront(parse_upstream(url), path))["Origin"]

    assert origin["OriginPath"] == origin_path
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"


@pytest.mark.parametrize(
    ("url", "hint"),
    [(API, "Use --path /e."), ("https://ab.example.com", "Use a track URL with a path.")],
)
def test_cloudfront_cannot_replace_a_path(url: str, hint: str) -> None:
    """The error says which path is possible."""
    with pytest.raises(GimelError, match="cannot lead to") as failure:
        cloudfront(parse_upstream(url), "/shop/event")

    assert failure.value.hint == hint


def test_cloudfront_connects_to_a_port() -> None:
    """Over HTTP where the track URL is not HTTPS."""
    origin = json.loads(cloudfront(parse_upstream("http://ab.example.com:81/e"), "/e"))["Origin"]

    assert origin["CustomOriginConfig"]["HTTPPort"] == 81
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "http-only"


def test_vercel_and_netlify_rewrite_to_the_track_url() -> None:
    """Each in the format of its file."""
    upstream = parse_upstream(API)

    assert json.loads(vercel(upstream, "/shop/e")) == {
        "rewrites": [{"source": "/shop/e", "destination": API}]
    }
    assert netlify(upstream, "/shop/e").splitlines() == [
        "[[redirects]]",
        '  from = "/shop/e"',
        f'  to = "{API}"',
        "  status = 200",
        "  force = true",
    ]


@pytest.mark.parametrize("kind", [cloudfront, vercel, netlify])
@pytest.mark.parametrize(
    "url", [LOCAL, "http://localhost:8000/e", "http://[::1]:8000/e", "http://10.0.0.1/e"]
)
def test_a_service_cannot_reach_your_network(
    kind: Callable[[Upstream, str], str], url: str
) -> None:
    """Such as `gimel serve` on this machine."""
    with pytest.raises(GimelError, match="in your own network") as failure:
        kind(parse_upstream(url), "/e")

    assert "--track-url" in failure.value.hint

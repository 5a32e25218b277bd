"""Which URLs can be track URLs."""

from __future__ import annotations

import re

import pytest

from gimel.errors import GimelError
from gimel.page.track_url import check_track_url, is_mixed_content

API = "https://abc123.execute-api.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    "url",
    [
        f"{API}/prod/e",
        f"{API}/prod/track",
        f"{API}/prod/t",
        f"{API}/prod/shop/events",
        f"{API}/e",
        "https://abc123.lambda-url.eu-west-1.on.aws/",
        "https://abc123.lambda-url.eu-west-1.on.aws",
        "https://events.example.com/e",
        "https://events.example.com/",
        "https://www.example.com/e/",
        "https://bücher.example/e",
        "HTTPS://EXAMPLE.COM/e",
        "http://127.0.0.1:8000/e",
        "http://[::1]:8000/e",
        "http://127.0.0.1:4566/restapis/abc/prod/_user_request_/e",
    ],
)
def test_a_track_url_is_accepted(url: str) -> None:
    """REST APIs with the routes of WIRING and others, functions, and hosts of the site."""
    check_track_url(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("host/e", "'host/e' is not the URL of a track endpoint"),
        ("/e", "is not the URL of a track endpoint"),
        ("//host/e", "is not the URL of a track endpoint"),
        ("ftp://host/e", "is not the URL of a track endpoint"),
        ("file:///shop/e", "is not the URL of a track endpoint"),
        ("javascript:alert(1)", "is not the URL of a track endpoint"),
        ("https:///e", "is not the URL of a track endpoint"),
        ("https://host:port/e", "is not the URL of a track endpoint"),
        ("https://host:70000/e", "is not the URL of a track endpoint"),
        ("https://[host/e", "is not the URL of a track endpoint"),
        ("", "is not the URL of a track endpoint"),
        ("https://host/e?", "must not contain '?' or '#'"),
        ("https://host/e?namespace=shop", "must not contain '?' or '#'"),
        ("https://host/e#shop", "must not contain '?' or '#'"),
        ("https://host/ e", "contains a character that no URL may have"),
        ("https://host/e\n", "contains a character that no URL may have"),
        ("https://host\\e", "contains a character that no URL may have"),
        ("https://host/</script>", "contains a character that no URL may have"),
        ("https://ann:secret@host/e", "contains a user name or a password"),
        ("https://ann@host/e", "contains a user name or a password"),
        (f"{API}/prod/experiments", "/experiments does not count events"),
        (f"{API}/prod/delete/", "/delete does not count events"),
        ("http://127.0.0.1:8000/dashboard", "/dashboard does not count events"),
        ("http://127.0.0.1:8000/dashboard/shop", "/dashboard does not count events"),
        (API, "is the URL of the API, not of its track endpoint"),
        (f"{API}/prod", "is the URL of the API, not of its track endpoint"),
        (f"{API}/prod/", "is the URL of the API, not of its track endpoint"),
        ("http://127.0.0.1:8000/", "is the URL of the API, not of its track endpoint"),
    ],
)
def test_another_url_is_refused(url: str, message: str) -> None:
    """With the reason, what to do, and no password."""
    with pytest.raises(GimelError, match=re.escape(message)) as failure:
        check_track_url(url)

    assert failure.value.hint
    assert "secret" not in str(failure.value)


def test_the_hint_for_a_stage_is_the_track_url() -> None:
    """Which is what `gimel deploy` prints."""
    with pytest.raises(GimelError) as failure:
        check_track_url(f"{API}/prod/")

    assert failure.value.hint == f"Use {API}/prod/e."


@pytest.mark.parametrize(
    ("url", "mixed"),
    [
        ("http://events.example.com/e", True),
        ("http://192.168.0.2:8000/e", True),
        ("https://events.example.com/e", False),
        ("http://127.0.0.1:8000/e", False),
        ("http://localhost:8000/e", False),
        ("http://[::1]:8000/e", False),
    ],
)
def test_mixed_content_is_recognized(url: str, mixed: bool) -> None:
    """Browsers block requests to HTTP from HTTPS pages, except to the machine they run on."""
    assert is_mixed_content(url) == mixed

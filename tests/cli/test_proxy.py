"""`gimel proxy`: a rewrite on stdout, and what to do with it on stderr."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gimel.page.proxy import KINDS, parse_upstream
from tests.cli.conftest import Done

URL = "https://abc.execute-api.eu-west-1.amazonaws.com/prod/e"


@pytest.mark.parametrize("kind", KINDS)
def test_stdout_is_the_configuration(kind: str, run: Callable[..., Done]) -> None:
    """And stderr says where it belongs, how to check it, and what the page needs."""
    done = run("proxy", kind, "--track-url", URL)

    assert (done.code, done.stdout) == (0, KINDS[kind](parse_upstream(URL), "/e"))
    where, check, page = done.stderr.splitlines()
    assert "your site" in where or "your Caddyfile" in where
    assert "curl -d '' https://YOUR-SITE/e" in check
    assert "gimel snippet --url https://YOUR-SITE/e" in page


def test_another_path(run: Callable[..., Done]) -> None:
    """It is that of the page, too."""
    done = run("proxy", "nginx", "--track-url", URL, "--path", "/shop/e/")

    assert done.stdout.startswith("location = /shop/e/ {\n")
    assert "gimel snippet --url https://YOUR-SITE/shop/e/" in done.stderr


@pytest.mark.parametrize(
    ("path", "words"),
    [("/track", "block GET of /track on any site"), ("/a/nobot/", "block GET and POST of")],
)
def test_a_path_that_ad_blockers_know(path: str, words: str, run: Callable[..., Done]) -> None:
    """Is printed with a warning."""
    done = run("proxy", "caddy", "--track-url", URL, "--path", path)

    assert done.code == 0
    assert words in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("apache",), 2, "'apache'"),
        (("nginx", "--path", "e"), 1, "'e' is not a path of your site"),
        (("nginx", "--track-url", "example.com"), 1, "is not the URL of a track endpoint"),
        (("vercel", "--track-url", "http://127.0.0.1:8000/e"), 1, "Vercel cannot reach"),
    ],
)
def test_what_is_wrong_is_said(
    arguments: tuple[str, ...], code: int, words: str, run: Callable[..., Done]
) -> None:
    """And nothing is printed."""
    done = run("proxy", *arguments)

    assert (done.code, done.stdout) == (code, "")
    assert words in done.stderr


def test_without_aws_it_names_the_option_that_needs_none(run: Callable[..., Done]) -> None:
    """No region is configured."""
    done = run("proxy", "nginx")

    assert done.code == 1
    assert "With --track-url, no credentials are needed." in done.stderr

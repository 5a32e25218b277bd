"""`gimel snippet`: HTML to paste into a page."""

from __future__ import annotations

from collections.abc import Callable

from tests.cli.conftest import Done


def test_the_snippet_is_ready_to_paste(run: Callable[..., Done]) -> None:
    """It pins AlephBet, and holds the track URL and the namespace."""
    done = run("snippet", "--namespace", "shop", "--url", "https://abc.example.com/prod/track")
    assert done.code == 0
    assert "alephbet@0.27.0/dist/alephbet.min.js" in done.stdout
    assert 'new AlephBet.GimelAdapter("https://abc.example.com/prod/track", "shop", ' in done.stdout


def test_the_snippet_lets_nothing_break_out(run: Callable[..., Done]) -> None:
    """A name with markup stays a JavaScript string."""
    done = run("snippet", "--namespace", '</script><b>"')
    assert done.stdout.count("</script>") == 2
    assert "<b>" not in done.stdout


def test_the_snippet_needs_a_complete_url(run: Callable[..., Done]) -> None:
    """The page would take a URL without scheme and host as relative."""
    done = run("snippet", "--url", "example.com/track")
    assert done.code == 1
    assert "Error: 'example.com/track' is not the URL" in done.stderr

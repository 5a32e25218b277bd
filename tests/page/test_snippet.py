"""The snippet sends events to the given URL, and nothing in it can end the script."""

from __future__ import annotations

import pytest

from gimel.errors import GimelError
from gimel.page.snippet import ALEPHBET, snippet


def test_the_snippet_sends_to_the_url_and_namespace() -> None:
    """Both are arguments of the adapter."""
    shown = snippet("https://host/prod/track", "shop")

    assert 'new AlephBet.GimelAdapter("https://host/prod/track", "shop", unsent)' in shown


def test_the_snippet_pins_the_client() -> None:
    """The browser checks the file against its hash."""
    shown = snippet("https://host/track", "shop")

    assert f"https://unpkg.com/alephbet@{ALEPHBET.version}/dist/alephbet.min.js" in shown
    assert f'integrity="{ALEPHBET.integrity}" crossorigin="anonymous"' in shown


def test_a_namespace_cannot_end_the_script() -> None:
    """It is a JavaScript string, whatever it contains."""
    shown = snippet("https://host/track", "</script><script>\"'")

    assert shown.count("</script>") == 2
    assert "\\u003c/script\\u003e\\u003cscript\\u003e" in shown


@pytest.mark.parametrize("url", ["host/track", "/track", "ftp://host/track", "https:///track", ""])
def test_an_incomplete_url_is_refused(url: str) -> None:
    """The error says what to give."""
    with pytest.raises(GimelError, match="is not the URL of a track endpoint") as failure:
        snippet(url, "shop")

    assert failure.value.hint == "Give the complete URL: https://host/path."

"""Templates are filled in from values, and read no earlier than that."""

from __future__ import annotations

import jinja2
import pytest

from gimel import templating


def test_values_are_escaped() -> None:
    """A value becomes text in HTML."""
    shown = templating.render(
        "gimel.page",
        "alephbet.js.j2",
        version="<1>",
        file="",
    )

    assert "AlephBet &lt;1&gt;" in shown


def test_a_missing_value_is_an_error() -> None:
    """A page with a hole is never sent."""
    with pytest.raises(jinja2.UndefinedError):
        templating.render("gimel.page", "snippet.html.j2")


def test_a_file_is_returned_as_it_is() -> None:
    """Styles and scripts are not filled in."""
    assert templating.source("gimel.report", "script.js").startswith('"use strict";')

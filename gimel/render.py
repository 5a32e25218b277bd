"""Jinja2: the page snippet and, from the same templates folder, every page that Gimel shows.

Values come in, text goes out: no file is written here and no service is asked.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from gimel.errors import GimelError


@dataclass(frozen=True)
class Client:
    """A release of the AlephBet JavaScript client, and the Subresource Integrity hash of its dist/alephbet.min.js."""

    version: str
    integrity: str


ALEPHBET = Client("0.27.0", "sha384-4VEL32ya6Zl4KzeC363t/ySCI+riTrRthoaev9aFmg7i5aF8/44TAI0fCz7Vvzha")


def snippet(track_url: str, namespace: str) -> str:
    """Return the HTML to paste into a page. Raises GimelError where the URL is not a complete http or https one."""
    parts = urlsplit(track_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise GimelError(f"{track_url!r} is not the URL of a track endpoint.", "Write it whole: https://host/path.")
    return render("snippet.html.j2", alephbet=ALEPHBET, track_url=track_url, namespace=namespace)


def render(template: str, **values: Any) -> str:
    """Return a template of gimel/templates filled in; what is not marked safe is escaped as HTML."""
    return _environment().get_template(template).render(**values)


@functools.cache
def source(template: str) -> str:
    """Return a file of gimel/templates as it is."""
    return (files("gimel") / "templates" / template).read_text("utf-8")


@functools.cache
def _environment() -> Environment:
    """Return what keeps the compiled templates, made when the first is asked for."""
    return Environment(
        loader=PackageLoader("gimel", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

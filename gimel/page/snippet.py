"""The HTML to paste into a page: the AlephBet client, an experiment and a goal."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from gimel import templating
from gimel.errors import GimelError


@dataclass(frozen=True)
class Release:
    """A release of the AlephBet JavaScript client on npm.

    Attributes:
        version: Its version.
        integrity: The Subresource Integrity hash of its dist/alephbet.min.js.
    """

    version: str
    integrity: str


ALEPHBET = Release(
    "0.27.0", "sha384-4VEL32ya6Zl4KzeC363t/ySCI+riTrRthoaev9aFmg7i5aF8/44TAI0fCz7Vvzha"
)


def snippet(track_url: str, namespace: str) -> str:
    """Return the snippet for a page that sends its events to `track_url`.

    Raises:
        GimelError: It is not an absolute http or https URL.
    """
    parts = urlsplit(track_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise GimelError(
            f"{track_url!r} is not the URL of a track endpoint.",
            "Give the complete URL: https://host/path.",
        )
    return templating.render(
        "gimel.page",
        "snippet.html.j2",
        alephbet=ALEPHBET,
        track_url=track_url,
        namespace=namespace,
    )

"""How large the browser clients of other projects are; writes the table of docs/comparison.md.

    python -m benchmarks.comparison

Each is a file that its project publishes on npm for browsers, in the newest version in 2026-11.
Where there are several, it is the smallest that can assign a variant and send an event. PostHog's
smallest needs an extension for that, which a bundler adds; so the file that assigns variants by
itself is measured too. benchmarks/page.py measures what clients cost a page beyond their size.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass

from benchmarks.marked_tables import fill, markdown
from gimel.page.client import script
from gimel.page.snippet import ALEPHBET
from tests.support.command import REPOSITORY
from tests.support.npm import package

PAGE = REPOSITORY / "docs" / "comparison.md"
TABLE = "clients"


@dataclass(frozen=True)
class Client:
    """A file of an npm package, for a project."""

    project: str
    package: str
    version: str
    file: str


CLIENTS = (
    Client("AlephBet", "alephbet", ALEPHBET.version, "dist/alephbet.min.js"),
    Client("sixpack", "sixpack-client", "2.1.0", "sixpack.js"),
    Client("Swetrix", "swetrix", "4.6.1", "dist/swetrix.js"),
    Client("GrowthBook", "@growthbook/growthbook", "1.8.0", "dist/bundles/index.min.js"),
    Client("PostHog slim, without flags", "posthog-js", "1.449.2", "dist/module.slim.js"),
    Client("PostHog, as its snippet loads it", "posthog-js", "1.449.2", "dist/array.js"),
)


def main() -> None:
    """Measure the clients and write the table."""
    rows = [gimel_row()]
    for client in CLIENTS:
        source = (package(client.package, client.version) / client.file).read_bytes()
        rows.append(row(client.project, described(client), source))
    fill(PAGE, TABLE, markdown(("client", "gzipped bytes", "bytes", "file"), rows))


def gimel_row() -> tuple[str, ...]:
    """Return the row of gimel.js as it is now."""
    return row("Gimel", "[`gimel.js`](client.md)", script().encode())


def row(project: str, file: str, source: bytes) -> tuple[str, ...]:
    """Return a row of the table."""
    compressed = len(gzip.compress(source, 9, mtime=0))
    return project, f"{compressed:,}", f"{len(source):,}", file


def described(client: Client) -> str:
    """Return the file of a client, with a link to its package."""
    address = f"https://www.npmjs.com/package/{client.package}/v/{client.version}"
    return f"[{client.package} {client.version}]({address}), `{client.file}`"


if __name__ == "__main__":
    main()

"""What a reader sees of an HTML page."""

from __future__ import annotations

import re
from html import unescape


def text_of(page: str) -> str:
    """Return what a reader sees of a page: its main element without tags."""
    main = page[page.index("<main") : page.index("</main>")]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


def closed_text_of(page: str) -> str:
    """Return what a reader sees of a page before opening any of its details."""
    innermost = re.compile(r"<details([^>]*)>((?:(?!<details).)*?)</details>", re.DOTALL)

    def fold(details: re.Match[str]) -> str:
        attributes, content = details.groups()
        return content if attributes.endswith(" open") else content.partition("</summary>")[0]

    while innermost.search(page):
        page = innermost.sub(fold, page)
    return text_of(page)

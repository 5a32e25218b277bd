"""What a reader sees of an HTML page."""

from __future__ import annotations

import re
from html import unescape


def text_of(page: str) -> str:
    """Return what a reader sees of a page: its main element without tags."""
    main = page[page.index("<main") : page.index("</main>")]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())

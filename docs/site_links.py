"""Links of the pages, as the site needs them: what lies outside of docs/ is on GitHub.

MkDocs calls `on_page_markdown`; mkdocs.yml names this file.
"""

from __future__ import annotations

import re
from typing import Any

_REPOSITORY = "https://github.com/Alephbet/gimel/blob/HEAD"
_OUTSIDE = re.compile(r"\]\(\.\./([^)\s]+)\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return a page whose relative links to other folders are absolute."""
    return _OUTSIDE.sub(rf"]({_REPOSITORY}/\1)", markdown)

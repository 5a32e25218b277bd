"""Tables in the documentation that programs write, each between two comments with its name.

`<!-- table outages -->` and `<!-- end of table outages -->`, for example. What is outside of them
is written by hand and never changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose first column is text, and the others are numbers."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def fill(page: Path, name: str, content: str) -> None:
    """Replace the content of a table. Raises LookupError if the page has no such table."""
    marked = re.compile(
        rf"(<!-- table {re.escape(name)} -->\n).*?(<!-- end of table {re.escape(name)} -->)",
        re.DOTALL,
    )
    text, found = marked.subn(
        lambda marks: f"{marks[1]}{content}{marks[2]}", page.read_text("utf-8")
    )
    if found != 1:
        raise LookupError(f"{page} has {found} tables with the name {name}")
    page.write_text(text, "utf-8")

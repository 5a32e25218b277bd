"""docs/troubleshooting.md: its headings are messages that the code can print."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/troubleshooting.md").read_text("utf-8")
SYMPTOMS = {"Nothing is counted", "The visitors are split unevenly"}
"""What a user sees rather than reads."""

HEADINGS = [line[4:] for line in PAGE.splitlines() if line.startswith("### ")]


@cache
def literals() -> list[str]:
    """Return the texts in the code; whatever is filled in is missing."""
    found = []
    for path in sorted((ROOT / "gimel").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = (
                    part.value if isinstance(part, ast.Constant) else "\n" for part in node.values
                )
                found.append("".join(map(str, parts)))
    return found


@pytest.mark.parametrize("heading", [each for each in HEADINGS if each not in SYMPTOMS])
def test_a_heading_is_a_message(heading: str) -> None:
    """A text of the code has the words of the heading, with something else for each `…`."""
    words = [re.escape(part) for part in heading.split("…")]
    pattern = re.compile("(?s)" + ".*".join(words))

    assert any(pattern.search(text) for text in literals()), heading


def test_a_message_that_does_not_exist_is_noticed() -> None:
    """The search does not find everything."""
    assert not any("Port 8000 is haunted" in text for text in literals())

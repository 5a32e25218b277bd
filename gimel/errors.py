"""The one exception that Gimel's own code raises for an expected failure, and the hint for a name.

An error becomes output and an exit code in one place, `gimel.cli`. Nothing here knows the terminal.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection

_LISTED = 10


class GimelError(Exception):
    """Something that the user can fix.

    `message` says what happened, `hint` what to do next. Both are plain sentences; neither holds a
    secret.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


def suggest(word: str, choices: Collection[str]) -> str:
    """Return a hint for an unknown word: the most similar choices in any case, else the first ten."""
    if not choices:
        return ""
    folded: dict[str, str] = {}
    for choice in choices:
        folded.setdefault(choice.casefold(), choice)
    similar = [folded[each] for each in difflib.get_close_matches(word.casefold(), folded, 3, 0.75)]
    if similar:
        return f"Did you mean {' or '.join(map(repr, similar))}?"
    listed = ", ".join(map(repr, list(choices)[:_LISTED]))
    more = f" and {len(choices) - _LISTED} more" if len(choices) > _LISTED else ""
    return f"Available: {listed}{more}."

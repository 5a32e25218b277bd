"""The exception for every expected failure, and the hint for an unknown name.

`gimel.cli` turns the exception into output and an exit code. Nothing here knows the terminal.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection

_LISTED = 10


class GimelError(Exception):
    """Something that the user can fix.

    `message` says what happened, `hint` what to do next. Both are plain sentences without secrets.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


def suggest(word: str, choices: Collection[str]) -> str:
    """Return a hint for an unknown word: the most similar choices, else the first ten."""
    hint = did_you_mean(word, choices)
    if hint or not choices:
        return hint
    listed = ", ".join(map(repr, list(choices)[:_LISTED]))
    more = f" and {len(choices) - _LISTED} more" if len(choices) > _LISTED else ""
    return f"Available: {listed}{more}."


def did_you_mean(word: str, choices: Collection[str]) -> str:
    """Return a hint with up to three choices that resemble a word in any case, else ""."""
    folded: dict[str, str] = {}
    for choice in choices:
        folded.setdefault(choice.casefold(), choice)
    similar = [folded[each] for each in difflib.get_close_matches(word.casefold(), folded, 3, 0.75)]
    return f"Did you mean {' or '.join(map(repr, similar))}?" if similar else ""

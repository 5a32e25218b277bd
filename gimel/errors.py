"""The exception for every expected failure, and the hints for an unknown name.

`gimel.cli` turns the exception into output and an exit code. Nothing here knows the terminal.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence

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


class Interrupted(GimelError):
    """Ctrl-C, where something must be said about what was being done."""


def suggest(word: str, choices: Collection[str]) -> str:
    """Return a hint for an unknown word: the most similar choices, else the first ten."""
    hint = did_you_mean(word, choices)
    if hint or not choices:
        return hint
    return f"Available: {enumerate_names(list(choices))}."


def enumerate_names(names: Sequence[str]) -> str:
    """Return the first ten names in quotes, and the number of the others."""
    listed = ", ".join(map(repr, names[:_LISTED]))
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{listed}{more}"


def similar_first(word: str, choices: Iterable[str]) -> list[str]:
    """Return the choices, those first that resemble a word most in any case."""
    compare = difflib.SequenceMatcher(b=word.casefold())

    def distance(choice: str) -> float:
        compare.set_seq1(choice.casefold())
        return -compare.ratio()

    return sorted(choices, key=distance)


def did_you_mean(word: str, choices: Collection[str]) -> str:
    """Return a hint with up to three choices that resemble a word in any case, else ""."""
    folded: dict[str, str] = {}
    for choice in choices:
        folded.setdefault(choice.casefold(), choice)
    similar = [folded[each] for each in difflib.get_close_matches(word.casefold(), folded, 3, 0.75)]
    return f"Did you mean {' or '.join(map(repr, similar))}?" if similar else ""

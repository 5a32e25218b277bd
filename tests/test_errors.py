"""The hints for an unknown word."""

from __future__ import annotations

import pytest

from gimel.errors import GimelError, did_you_mean, enumerate_names, similar_first, suggest


@pytest.mark.parametrize(
    ("word", "choices", "hint"),
    [
        ("PROD", ["prod", "staging"], "Did you mean 'prod'?"),
        ("color", ["colour", "colours", "size"], "Did you mean 'colour' or 'colours'?"),
        ("zzz", ["a", "b"], "Available: 'a', 'b'."),
        ("zzz", [f"name-{n}" for n in range(12)], "'name-9' and 2 more."),
        ("zzz", [], ""),
    ],
    ids=["other case", "two similar", "none similar", "too many", "no choices"],
)
def test_suggest(word: str, choices: list[str], hint: str) -> None:
    """Similar choices come first; without any, the first ten are listed."""
    assert suggest(word, choices).endswith(hint)


def test_similar_choices_come_first() -> None:
    """In any case; those that resemble it equally keep their order."""
    assert similar_first("SOHP", ["b", "a", "shoes", "shop"]) == ["shop", "shoes", "b", "a"]


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "'0'"), (10, "'8', '9'"), (11, "'8', '9' and 1 more"), (30, "'9' and 20 more")],
)
def test_ten_names_are_enumerated(number: int, text: str) -> None:
    """The others are only counted."""
    assert enumerate_names([str(n) for n in range(number)]).endswith(text)


def test_an_error_reads_as_message_and_hint() -> None:
    """`str` joins the two sentences and leaves no space where there is no hint."""
    assert str(GimelError("It failed.", "Try again.")) == "It failed. Try again."
    assert str(GimelError("It failed.")) == "It failed."


def test_a_hint_may_be_for_similar_choices_only() -> None:
    """Where the message already lists all choices."""
    assert did_you_mean("prud", ["prod", "staging"]) == "Did you mean 'prod'?"
    assert did_you_mean("zzz", ["prod", "staging"]) == ""

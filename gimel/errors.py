"""The one exception that Gimel's own code raises for an expected failure.

It is turned into output and an exit code in one place, `gimel.cli`. It knows nothing of the terminal.
"""

from __future__ import annotations


class GimelError(Exception):
    """Something that the user can put right.

    `message` says what happened, `hint` what to do next. Both are plain sentences; neither holds a secret.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

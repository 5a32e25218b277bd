"""Paths as users write them, where `~` is the home directory. A container may not have one."""

from __future__ import annotations

from pathlib import Path

from gimel.errors import GimelError


def home() -> Path | None:
    """Return the user's home directory, None if neither $HOME nor the system names one."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def expand(path: str | Path, otherwise: str = "write the path without ~") -> Path:
    """Return a path with `~` replaced.

    Raises GimelError if there is no such home directory; its hint suggests what to do `otherwise`.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise GimelError(
            f"{path} cannot be found: the home directory is unknown.",
            f"Set $HOME, or {otherwise}.",
        ) from None

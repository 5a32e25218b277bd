"""Waiting for what takes AWS minutes, within bounds and with progress."""

from __future__ import annotations

from collections.abc import Callable

from gimel.deploy.aws import Aws
from gimel.errors import GimelError

_FIRST_WAIT, _LONGEST_WAIT = 2.0, 15.0  # seconds


def wait_until(
    aws: Aws, is_done: Callable[[], bool], reason: str, patience: float, error: GimelError
) -> None:
    """Wait until something is done, for at most so many seconds. Raises `error` otherwise.

    `reason` is shown with the seconds so far.
    """
    started, wait = aws.clock(), _FIRST_WAIT
    while not is_done():
        waited = aws.clock() - started
        if waited + wait > patience:
            raise error
        aws.on_wait(f"{reason} ({waited:.0f} s so far)")
        aws.sleep(wait)
        wait = min(wait * 1.5, _LONGEST_WAIT)

"""Where `gimel serve` is by default, and the commands that read it.

Imports no web server, so that every command can know the address.
"""

from __future__ import annotations

import shlex

LOCAL_PORT = 8000
LOCAL_URL = f"http://127.0.0.1:{LOCAL_PORT}"


def command(name: str, base: str, *more: str) -> str:
    """Return the command, such as `results`, that reads the `gimel serve` at a base address."""
    address = [] if base == LOCAL_URL else ["--url", base]
    return shlex.join(["gimel", name, "--local", *address, *more])

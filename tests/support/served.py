"""A real `gimel serve`, as a user starts it: a process of its own on a free port."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.support.command import environment


class Served:
    """A running `gimel serve` and an HTTP client for it."""

    def __init__(self, process: subprocess.Popen[str], url: str, key: str) -> None:
        self.process = process
        self.url = url.rstrip("/")
        self.http = httpx.Client(base_url=url, timeout=30)
        self.key = {"x-api-key": key}

    def results(self, **parameters: str) -> list[Any]:
        answer = self.http.get("/experiments", params=parameters, headers=self.key)
        assert answer.status_code == 200, answer.text
        return list(answer.json()[1:])


@contextlib.contextmanager
def serving(home: Path, *options: str, **variables: str) -> Iterator[Served]:
    """Run `gimel serve` on a free port until the block ends, then with Ctrl-C."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gimel", "serve", "--port", "0", *options],
        cwd=home,
        env=environment(home, **variables),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        head = "".join(process.stdout.readline() for _ in range(3))
        url, key = re.search(r"listens on (\S+)", head), re.search(r"API key +(\S+)", head)
        assert url, head
        assert key, head
        # Read on, or the pipe might fill.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        served = Served(process, url[1], key[1])
        with served.http:
            yield served
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(30)

"""A real `gimel serve`, as a user starts it: a process on a free port."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import httpx

from gimel.wiring import TRACK_PATH
from tests.support.command import environment
from tests.support.events import BROWSER


class Served:
    """A running `gimel serve` and an HTTP client for it. `log` is its standard error.

    `links` are the last two lines that it printed: the demo page, and the dashboard.
    """

    def __init__(
        self,
        process: subprocess.Popen[str],
        url: str,
        key: str,
        links: tuple[str, str],
        log: Path,
        data: Path,
    ) -> None:
        self.process = process
        self.links = links
        self.url = url.rstrip("/")
        self.http = httpx.Client(base_url=url, timeout=30)
        self.key = {"x-api-key": key}
        self.log = log
        self.data = data

    @property
    def track_url(self) -> str:
        return f"{self.url}/{TRACK_PATH}"

    def results(self, **parameters: str) -> list[Any]:
        """Return the experiments that GET /experiments returns, without the leading `meta`."""
        return self.experiments(**parameters)[1:]

    def experiments(self, **parameters: str) -> list[Any]:
        """Return what GET /experiments returns: `meta` first."""
        answer = self.http.get("/experiments", params=parameters, headers=self.key)
        assert answer.status_code == 200, answer.text
        return list(answer.json())

    def counts(self, namespace: str) -> dict[str, dict[str, int]]:
        """Return {`participate` or goal: {variant: uuids}} of the namespace's only experiment.

        {} if there is no experiment.
        """
        experiments = self.results(namespace=namespace)
        if not experiments:
            return {}
        (experiment,) = experiments
        counts = {
            "participate": {row["label"]: row["trials"] for row in experiment["participants"]}
        }
        for goal in experiment["goals"]:
            counts[goal["goal"]] = {row["label"]: row["successes"] for row in goal["results"]}
        return counts

    def track(self, namespace: str, **event: str) -> None:
        """Count an event as a page does."""
        answer = self.http.get(
            "/track", params={"namespace": namespace, **event}, headers={"User-Agent": BROWSER}
        )
        assert answer.status_code == 200, answer.text


def _head(output: IO[str]) -> str:
    """Return what `gimel serve` prints before it serves: all of it, if it ends instead."""
    lines = []
    for line in output:
        lines.append(line)
        if line.startswith("Dashboard"):
            break
    return "".join(lines)


@contextlib.contextmanager
def serving(
    home: Path, *options: str, configuration: dict[str, Any] | None = None, **variables: str
) -> Iterator[Served]:
    """Run `gimel serve` on a free port until the block ends, then stop it with Ctrl-C."""
    home.mkdir(parents=True, exist_ok=True)
    if configuration is not None:
        (home / "config.json").write_text(json.dumps(configuration))
    log = home / "gimel.log"
    data = home / ".gimel" / "data"
    if "--data-dir" in options:
        data = Path(options[options.index("--data-dir") + 1])
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "gimel", "serve", "--port", "0", *options],
            cwd=home,
            env=environment(home, **variables),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        assert process.stdout is not None
        head = _head(process.stdout)
        url, key = re.search(r"listens on (\S+)", head), re.search(r"API key +(\S+)", head)
        assert url, f"{head}{log.read_text()}"
        assert key, head
        # Read on, or the pipe might fill.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        links = [line.split()[-1] for line in head.splitlines()[-2:]]
        served = Served(process, url[1], key[1], (links[0], links[1]), log, data)
        with served.http:
            yield served
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(30)

"""`gimel results --watch`."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gimel.api.client import Api
from gimel.cli import results as cli_results
from tests.support.answers import answer, two
from tests.support.command import environment
from tests.support.servers import free_port
from tests.support.stubs import answering

COMMAND = (sys.executable, "-m", "gimel", "results", "--watch", "--api-key", "secret-key")


def test_watching_ends_with_ctrl_c(tmp_path: Path) -> None:
    """The exit code is 130, and there is no trace."""
    with (
        answering(body=answer(two())) as stub,
        subprocess.Popen(
            [*COMMAND, "--url", stub.url],
            cwd=tmp_path,
            env=environment(tmp_path, PYTHONUNBUFFERED="1"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            # The tests may run in the background, where Ctrl-C is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        while "Press Ctrl-C to stop." not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read().strip() == "Interrupted."


def test_watching_goes_on_while_the_api_is_down(capsys: pytest.CaptureFixture[str]) -> None:
    """Each failure is reported, and the next try follows."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    query = cli_results.Query("shop", None, None, None, 0.95, {})
    with pytest.raises(KeyboardInterrupt):
        cli_results._watch(Api(f"http://127.0.0.1:{free_port()}", "key"), query, sleep)
    assert capsys.readouterr().err.count("Error: ") == 3

"""What README.md and docs/ show is run: commands by a shell, JSON by what reads it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gimel import config
from tests.support.command import environment
from tests.support.events import BROWSER
from tests.support.served import Served, serving

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "WIRING.md", *sorted((ROOT / "docs").glob("*.md"))]
ELSEWHERE = {
    r"git clone|pip install|python3 -m venv": ".ci/run",
    r"uvx |pipx ": ".ci/smoke.py",
    r"python -m benchmarks|nox ": "noxfile.py",
    r"gimel serve$": "tests/support/served.py",
    r"_GIMEL_COMPLETE": "tests/cli/test_completion.py",
    r"gimel configure": "tests/cli/test_configure.py",
    r"gimel (export|import)": "tests/cli/test_export.py",
    r"gimel alerts": "tests/cli/test_alerts.py",
    r"gimel (conclude|results menu)": "tests/cli/test_conclude.py",
    r"gimel proxy nginx": "tests/system/test_proxies.py",
    r"gimel status --check": "tests/system/emulator/test_watching.py",
    r"gimel (preflight|deploy)": "docs/aws_page.py",
}
"""Commands that are run by other tests, and where."""


def blocks(language: str) -> list[Any]:
    """Return the code blocks in a language, as parameters of a test."""
    return [
        pytest.param(block, id=f"{page.name}-{number}")
        for page in PAGES
        for number, block in enumerate(
            re.findall(rf"^ *```{language}\n(.*?)^ *```", page.read_text("utf-8"), re.M | re.S), 1
        )
    ]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("home")
    with serving(home) as served:
        gimel = home / "bin" / "gimel"
        gimel.parent.mkdir()
        gimel.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gimel "$@"\n')
        gimel.chmod(0o755)
        yield served


@pytest.mark.parametrize("block", blocks("sh"))
def test_commands_run(block: str, served: Served) -> None:
    """With `gimel serve` running, and the variables set that the pages name."""
    home = served.log.parent
    lines = [line.partition(" #")[0].rstrip() for line in block.splitlines()]
    here = [line for line in lines if not any(re.search(each, line) for each in ELSEWHERE)]
    script = "\n".join(here).replace("gimel simulate", 'gimel simulate --url "$TRACK_URL"')

    ran = subprocess.run(
        ["bash", "-euc", script.replace("curl ", f"curl -fsS -A '{BROWSER}' ")],
        cwd=home,
        env=environment(
            home,
            PATH=f"{home}/bin:{environment(home)['PATH']}",
            TRACK_URL=served.track_url,
            GIMEL_URL=served.url,
            GIMEL_API_KEY=served.key["x-api-key"],
        ),
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("place", ELSEWHERE.values())
def test_what_runs_elsewhere_has_its_place(place: str) -> None:
    """The file exists."""
    assert (ROOT / place).is_file()


@pytest.mark.parametrize("block", blocks("json"))
def test_json_is_accepted(block: str, served: Served, tmp_path: Path) -> None:
    """Events are counted, a configuration is valid, and a route can be added."""
    shown = json.loads(block)
    if isinstance(shown, list):
        answer = served.http.post("/e", json=shown, headers={"User-Agent": BROWSER})
        assert answer.json()["status"] == "ok"
        return
    document: dict[str, Any] = {"extra_wiring": [shown]} if "lambda" in shown else shown
    if "ssl_ca_certs" in document.get("redis", {}):
        (tmp_path / document["redis"]["ssl_ca_certs"]).write_text("a certificate")
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"redis": {"host": "redis.example.com"}, **document}))

    assert config.load(path).require_redis()

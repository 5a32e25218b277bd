"""gimel.js in node, in pages of a browser that `fake_page.js` imitates."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from gimel.page.client import script
from tests.support.programs import program

_BROWSER = (Path(__file__).parent / "fake_page.js").read_text("utf-8")


def scenario(body: str, **values: object) -> Any:
    """Run the body of an async function, where `browser`, `START` and `BUTTON` exist.

    Return what it returns. The `values` are constants of these names.
    """
    constants = {"CLIENT": script(), **values}
    known = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in constants.items())
    run = f"(async (browser) => {{ {body} }})(new Browser()).then((value) =>"
    return run_node(f"{known}{_BROWSER}{run} console.log(JSON.stringify(value ?? null)));")


def run_node(source: str) -> Any:
    """Run JavaScript and return what it prints, which is JSON."""
    done = subprocess.run(
        [program("node"), "-"],
        input=source,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

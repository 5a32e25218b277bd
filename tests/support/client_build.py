"""gimel.min.js is built from gimel.js with terser: `python -m tests.support.client_build`."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.npm import package
from tests.support.programs import program

CLIENT = Path(__file__).parents[2] / "gimel" / "page" / "client"
SOURCE, BUILT = CLIENT / "gimel.js", CLIENT / "gimel.min.js"

_TERSER = "5.51.4"
_COMPRESS = "ecma=2020,passes=3,unsafe_arrows,pure_getters,hoist_funs"
_FORMAT = "ecma=2020,inline_script"


def build() -> str:
    """Return the minified client. It depends on nothing but the source and the options."""
    command = [
        program("node"),
        str(package("terser", _TERSER) / "bin" / "terser"),
        str(SOURCE),
        "--compress",
        _COMPRESS,
        "--mangle",
        "--format",
        _FORMAT,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n") + "\n"


if __name__ == "__main__":
    BUILT.write_text(build(), "utf-8")

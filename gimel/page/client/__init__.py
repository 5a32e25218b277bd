"""gimel.js, the client for the page: the text that is printed, served or inlined.

`gimel.js` is the readable source, and `gimel.min.js` what `python -m tests.support.client_build`
makes of it. A test builds it again and compares.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import gimel

_EXPORT = "export default gimel\n"


def script(*, module: bool = False, readable: bool = False) -> str:
    """Return the client, minified unless `readable`.

    As a module it also has a default export. Neither form contains anything that would end a
    <script> element.
    """
    text = _text("gimel.js" if readable else "gimel.min.js")
    head = f"// Gimel {gimel.__version__}, MIT\n"
    return head + text + (_EXPORT if module else "")


def declarations() -> str:
    """Return the TypeScript declarations of the client."""
    return _text("gimel.d.ts")


@cache
def _text(name: str) -> str:
    return (files(__name__) / name).read_text("utf-8")

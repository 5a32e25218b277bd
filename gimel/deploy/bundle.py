"""The zip that AWS Lambda runs: gimel/__init__.py and gimel/runtime/ as readable source.

It is byte-identical from any folder, machine and Python, so that what is deployed can be recognised
by its hash: entries are sorted, dates and modes are fixed, and nothing is compressed, because two
versions of zlib compress the same text differently.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold
_UNIX = 3
_MODE = 0o100644


def build(package: Path = _PACKAGE) -> bytes:
    """Return the zip of a folder that holds the package `gimel`."""
    files = [package / "__init__.py", *(package / "runtime").rglob("*.py")]
    sources = {f"gimel/{file.relative_to(package).as_posix()}": file.read_bytes() for file in files}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in sorted(sources):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = _MODE << 16
            archive.writestr(entry, sources[name].replace(b"\r\n", b"\n"))
    return stream.getvalue()


def code_sha256(archive: bytes) -> str:
    """Return the hash of a zip as AWS Lambda gives it, in base64."""
    return base64.b64encode(hashlib.sha256(archive).digest()).decode("ascii")

"""The zips that AWS Lambda runs: parts of Gimel as readable source.

The function that takes the snapshots also analyses them, and has more parts and the designs of the
experiments. A zip is byte-identical from any folder, machine and Python, so that what is deployed
can be recognized by its hash: entries are sorted, dates and modes are fixed, and nothing is
compressed, because two versions of zlib compress the same text differently.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from gimel.analysis.design import Design

_PACKAGE = Path(__file__).parents[1]
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold
_UNIX = 3
_MODE = 0o100644
_TRANSFER = ("transfer/__init__.py", "transfer/function.py")

_SIGNATURES, _SECRETS = "gimel/runtime/sigv4.py", "gimel/runtime/redis/secrets.py"
_OPTIONAL = frozenset({_SIGNATURES, _SECRETS})


def needed_modules(settings: str) -> frozenset[str]:
    """Return which optional modules the handlers need with these settings (GIMEL_SETTINGS)."""
    redis = json.loads(settings)["redis"]
    if isinstance(redis.get("password"), dict):
        return _OPTIONAL
    return frozenset({_SIGNATURES} if redis.get("iam") else ())


def build(package: Path = _PACKAGE, modules: frozenset[str] = frozenset()) -> bytes:
    """Return the zip of the handlers that answer requests.

    `package` is the folder of the package `gimel`, and `modules` are those of `needed_modules`.
    """
    return _zip(_sources(package, modules, "runtime"))


def build_snapshot(
    designs: Mapping[str, Design],
    package: Path = _PACKAGE,
    modules: frozenset[str] = frozenset(),
    *,
    transfers: bool = False,
) -> bytes:
    """Return the zip of the handler `gimel.snapshot`, with the designs of the experiments.

    `transfers` is whether it executes the commands of `gimel export` and `gimel import`.
    """
    sources = _sources(package, modules, "alerts", "analysis", "runtime")
    sources["gimel/errors.py"] = (package / "errors.py").read_bytes()
    for name in _TRANSFER if transfers else ():
        sources[f"gimel/{name}"] = (package / name).read_bytes()
    described = {name: asdict(design) for name, design in designs.items()}
    text = json.dumps(described, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return _zip({**sources, "gimel/designs.json": text.encode()})


def _sources(package: Path, modules: frozenset[str], *parts: str) -> dict[str, bytes]:
    """Return the package's own module and those of some of its parts, by their names in a zip."""
    files = [package / "__init__.py"]
    files += [file for part in parts for file in (package / part).rglob("*.py")]
    named = {f"gimel/{file.relative_to(package).as_posix()}": file for file in files}
    skipped = _OPTIONAL - modules
    return {name: file.read_bytes() for name, file in named.items() if name not in skipped}


def _zip(sources: Mapping[str, bytes]) -> bytes:
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

"""The zips that AWS Lambda runs."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

import gimel
from gimel.analysis.design import Design
from gimel.deploy import bundle
from tests.support.events import rest
from tests.support.servers import Store

PACKAGE = Path(gimel.__file__).parent


def names(archive: bytes) -> list[str]:
    return zipfile.ZipFile(BytesIO(archive)).namelist()


RUNTIME = [
    f"gimel/{file.relative_to(PACKAGE).as_posix()}" for file in (PACKAGE / "runtime").rglob("*.py")
]
SIGV4, SECRETS = "gimel/runtime/sigv4.py", "gimel/runtime/redis/secrets.py"


@pytest.mark.parametrize(
    ("settings", "without"),
    [
        pytest.param({"host": "h", "password": "p"}, {SIGV4, SECRETS}, id="a password"),
        pytest.param({"host": "h", "username": "u", "iam": "cache"}, {SECRETS}, id="IAM"),
        pytest.param({"host": "h", "password": {"ssm": "/p"}}, set(), id="a secret"),
    ],
)
def test_holds_the_runtime_and_nothing_else(settings: dict[str, Any], without: set[str]) -> None:
    """The zip has gimel/__init__.py and the sources of gimel/runtime, sorted, and no other file.

    What only some settings need is included with these settings.
    """
    modules = bundle.needed_modules(json.dumps({"redis": settings}))

    held = names(bundle.build(modules=modules))

    assert held == sorted({"gimel/__init__.py", *RUNTIME} - without)


DESIGNS = {
    "checkout": Design(
        goal="bought", guardrails=["left"], decrease=[], weights={"red": 2, "blue": 1}
    )
}


def test_the_snapshot_has_what_analyses_and_the_designs() -> None:
    """The zip also has the analysis, the alerts, the errors and a file with the designs."""
    sources = [file for part in ("analysis", "alerts") for file in (PACKAGE / part).rglob("*.py")]
    expected = {f"gimel/{file.relative_to(PACKAGE).as_posix()}" for file in sources}

    held = names(bundle.build_snapshot(DESIGNS))

    more = {"gimel/__init__.py", "gimel/designs.json", "gimel/errors.py"}
    assert held == sorted({*RUNTIME, *expected, *more} - {SIGV4, SECRETS})


def test_the_snapshot_may_have_what_executes_an_export(
    tmp_path: Path, session_store: Store
) -> None:
    """Two more files, which run alone; other zips stay as they are."""
    archive = bundle.build_snapshot(DESIGNS, transfers=True)
    more = {"gimel/transfer/__init__.py", "gimel/transfer/function.py"}
    assert {*names(archive)} - {*names(bundle.build_snapshot(DESIGNS))} == more
    (tmp_path / "gimel.zip").write_bytes(archive)
    command = [base64.b64encode(word).decode() for word in (b"SCARD", b"none")]
    event = {"transfer": {"commands": [command], "idempotent": True}}

    assert _ask(tmp_path, "snapshot", event, session_store) == {"replies": [0]}


def test_the_designs_can_be_read_back() -> None:
    """Each with all its options, whatever their order in the configuration."""
    archive = zipfile.ZipFile(BytesIO(bundle.build_snapshot(DESIGNS)))

    written = json.loads(archive.read("gimel/designs.json"))

    assert {name: Design(**options) for name, options in written.items()} == DESIGNS
    assert written["checkout"]["minimum_days"] == Design().minimum_days
    other = {"checkout": replace(DESIGNS["checkout"], weights={"blue": 1, "red": 2}), "a": Design()}
    assert bundle.build_snapshot(other) == bundle.build_snapshot(dict(reversed(other.items())))
    assert bundle.build_snapshot(other) != bundle.build_snapshot(DESIGNS)


def test_is_readable_source() -> None:
    """Each file in the zip is the file of the package, byte for byte."""
    archive = zipfile.ZipFile(BytesIO(bundle.build_snapshot({})))

    for name in set(archive.namelist()) - {"gimel/designs.json"}:
        assert archive.read(name) == (PACKAGE.parent / name).read_bytes()


@pytest.mark.parametrize("umask", [0o000, 0o077], ids=["open umask", "closed umask"])
def test_is_byte_identical_from_another_folder(tmp_path: Path, umask: int) -> None:
    """Other dates and modes, compiled files and leftovers beside it make no difference."""
    before = os.umask(umask)
    try:
        shutil.copytree(PACKAGE, tmp_path / "elsewhere", copy_function=shutil.copyfile)
    finally:
        os.umask(before)
    (tmp_path / "elsewhere" / "runtime" / "notes.txt").write_text("left over")
    os.utime(tmp_path / "elsewhere" / "__init__.py", (1, 1))

    elsewhere = tmp_path / "elsewhere"
    assert bundle.build(elsewhere) == bundle.build()
    assert bundle.build_snapshot(DESIGNS, elsewhere) == bundle.build_snapshot(DESIGNS)


def test_is_the_same_from_a_checkout_with_windows_line_ends(tmp_path: Path) -> None:
    """Line ends that Git turned into CRLF change nothing."""
    shutil.copytree(PACKAGE, tmp_path / "crlf")
    source = tmp_path / "crlf" / "runtime" / "track.py"
    source.write_bytes(source.read_bytes().replace(b"\n", b"\r\n"))

    assert bundle.build(tmp_path / "crlf") == bundle.build()


def test_the_snapshot_runs_alone_as_lambda_loads_it(tmp_path: Path, session_store: Store) -> None:
    """It answers the trial of a deploy, for which it loads everything that it ever needs."""
    zipfile.ZipFile(BytesIO(bundle.build_snapshot(DESIGNS))).extractall(tmp_path / "gimel.zip")

    answer = _ask(tmp_path, "snapshot", {"namespace": "n", "experiment": "e"}, session_store)

    assert answer["status"] == "ok"


def test_does_not_depend_on_zlib() -> None:
    """Nothing is compressed, so that another version of zlib cannot change a byte."""
    archive = zipfile.ZipFile(BytesIO(bundle.build()))

    assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


@pytest.mark.parametrize("handler", ["track", "all", "experiment", "delete"])
def test_runs_alone_as_lambda_loads_it(tmp_path: Path, session_store: Store, handler: str) -> None:
    """It answers without any other package, imported from the zip by the handler's name."""
    (tmp_path / "gimel.zip").write_bytes(bundle.build())
    query = {"experiment": "e", "variant": "v", "event": "participate", "uuid": "u"}
    event = rest("DELETE" if handler == "delete" else "GET", query)

    assert _ask(tmp_path, handler, event, session_store)["statusCode"] == 200


def _ask(folder: Path, handler: str, event: object, store: Store) -> dict[str, Any]:
    """Return what a handler answers, imported from the zip in a folder, which may be unpacked."""
    program = (
        "import sys, importlib, json; sys.path.insert(0, 'gimel.zip');"
        f"handler = getattr(importlib.import_module('gimel'), {handler!r});"
        "print(json.dumps(handler(json.load(sys.stdin), None)))"
    )
    settings = json.dumps({"redis": {"host": "127.0.0.1", "port": store.port}})

    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        cwd=folder,
        env={"GIMEL_SETTINGS": settings},
        input=json.dumps(event),
        capture_output=True,
        text=True,
        check=True,
    )

    answer: dict[str, Any] = json.loads(run.stdout)
    return answer

"""gimel.js as a file: its size, how it is built, its declarations and its module form."""

from __future__ import annotations

import gzip
import re
import subprocess
from pathlib import Path

import pytest

from gimel.page.client import declarations, script
from tests.support.client_build import BUILT, SOURCE, build
from tests.support.programs import program

LIMIT = 2048
"""Bytes, gzipped."""


@pytest.mark.parametrize("module", [False, True], ids=["script", "module"])
def test_the_client_is_small(module: bool) -> None:
    """As it is printed, compressed as servers do."""
    assert len(gzip.compress(script(module=module).encode(), 9, mtime=0)) <= LIMIT


def test_the_minified_client_is_built_from_the_source() -> None:
    """Whoever builds it gets the same bytes."""
    assert build() == BUILT.read_text("utf-8"), "Run `python -m tests.support.client_build`."


def test_it_can_be_inlined() -> None:
    """Nothing in it ends a <script> element, or begins a comment there."""
    assert not re.search(r"</script|<!--|<script", script() + script(readable=True), re.IGNORECASE)


@pytest.mark.parametrize("readable", [False, True], ids=["minified", "readable"])
def test_it_is_a_module_as_well(tmp_path: Path, readable: bool) -> None:
    """`import` gets the same function that a plain script defines. To import it needs no page."""
    (tmp_path / "gimel.mjs").write_text(script(module=True, readable=readable), "utf-8")
    (tmp_path / "site.mjs").write_text(
        'import gimel from "./gimel.mjs";\n'
        'console.log(gimel === globalThis.gimel, gimel.assign("e", "v", { a: 1 }));'
    )
    done = subprocess.run(
        [program("node"), "site.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "true a\n", done.stderr


def destructured(name: str) -> set[str]:
    """Return the options that a function of the source takes."""
    match = re.search(
        rf"const {name} = \(\{{(.*?)\n *\}}\) =>", SOURCE.read_text("utf-8"), re.DOTALL
    )
    assert match
    return set(re.findall(r"^ +(\w+)(?=,| =)", match[1], re.MULTILINE))


@pytest.mark.parametrize(
    ("interface", "function"), [("Options", "gimel"), ("Design", "experiment")]
)
def test_the_declarations_have_the_options_of_the_source(interface: str, function: str) -> None:
    """No option is missing from either."""
    match = re.search(
        rf"interface {interface} \{{\n(.*?)^\}}", declarations(), re.DOTALL | re.MULTILINE
    )
    assert match
    declared = set(re.findall(r"^  (\w+)[?(:]", match[1], re.MULTILINE))

    assert declared == destructured(function)
    assert len(declared) > 5

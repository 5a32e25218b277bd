"""docs/architecture.md is true: its flows, its layout, its table of the imports and its keys.

The layout and the table are generated: `cog -I docs -r docs/architecture.md` updates them. The
rest is written by hand; a failure names the row to correct.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from gimel.runtime import keys

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/architecture.md").read_text("utf-8")
UPDATE = "Run `cog -I docs -r docs/architecture.md`."

FLOW_STEPS = re.findall(r"^\| [^|]+ \| `(gimel/[\w/]+\.py)` \| `([\w.]+)` \|$", PAGE, re.MULTILINE)
LAYOUT = PAGE.partition("```text\n")[2].partition("```")[0]
IMPORTS = PAGE.partition("| importer | imports |\n")[2].partition("\n\n")[0].partition("<!--")[0]

EVERYWHERE = {"gimel", "errors"}  # the page says that the table omits them


def package_or_module(names: list[str]) -> str:
    """Return the part below `gimel` to which a dotted name belongs, `gimel` for the root itself."""
    below = names[1:2]
    exists = below and (
        (ROOT / "gimel" / below[0]).is_dir() or (ROOT / f"gimel/{below[0]}.py").is_file()
    )
    return below[0] if exists else "gimel"


def imports_of(path: Path) -> set[str]:
    """Return the packages and top-level modules of Gimel that a file imports, also in functions."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return {package_or_module(name.split(".")) for name in found if name.split(".")[0] == "gimel"}


def definitions(path: Path) -> set[str]:
    """Return the functions, classes and methods of a file: `parse`, `Api`, `Api.experiments`."""
    names = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {
                f"{node.name}.{part.name}"
                for part in node.body
                if isinstance(part, ast.FunctionDef)
            }
    return names


@pytest.mark.parametrize(("file", "function"), FLOW_STEPS, ids=str)
def test_each_step_of_a_flow_is_in_the_file_that_the_page_names(file: str, function: str) -> None:
    """The tables of the three flows name files that exist and functions that they define."""
    assert (ROOT / file).is_file(), f"docs/architecture.md names {file}, which does not exist"
    assert function in definitions(ROOT / file), f"docs/architecture.md names {function} in {file}"


def test_the_flows_have_steps() -> None:
    """The pattern above finds the three tables."""
    assert len(FLOW_STEPS) > 25


def test_every_path_that_the_page_names_exists() -> None:
    """Files and folders in the text exist; a path with `<name>` is not checked."""
    named = re.findall(r"`((?:gimel|docs|tests|examples|benchmarks)/[\w./]*)`", PAGE)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_layout_names_every_package_and_module_and_no_other() -> None:
    """Each package has a line, with its modules below it."""
    named = set()
    folder = ""
    for word in LAYOUT.split():
        if word.startswith("gimel/"):
            folder = word if word.endswith("/") else ""
            named.add(word)
        elif word.endswith(".py"):
            named.add(f"{folder}{word}")
    modules = {path.relative_to(ROOT) for path in (ROOT / "gimel").rglob("*.py")}
    top = {path for path in modules if len(path.parts) == 2}
    packages = {f"{path.parent}/" for path in modules - top}
    inner = {str(path) for path in modules - top if path.name != "__init__.py"}
    assert named == {str(path) for path in top} | packages | inner, UPDATE


def test_the_table_has_the_imports_of_the_source() -> None:
    """Each package with what it imports, and nothing besides."""
    rows = [re.findall(r"`(\w+)`", row) for row in IMPORTS.splitlines()]
    shown = {(row[0], imported) for row in rows for imported in row[1:]}
    found = set()
    for path in (ROOT / "gimel").rglob("*.py"):
        importer = package_or_module(
            ["gimel", path.relative_to(ROOT / "gimel").parts[0].removesuffix(".py")]
        )
        if importer not in {"__main__", *EVERYWHERE}:
            found |= {(importer, each) for each in imports_of(path) - {importer, *EVERYWHERE}}
    assert shown == found, UPDATE


@pytest.mark.parametrize(
    "key",
    [
        keys.NAMESPACES,
        keys.experiments_key("{ns}"),
        keys.counters_key("{ns}"),
        keys.experiment_counters_key("{ns}", "{experiment}"),
        keys.counter_id("{ns}", "{experiment}", "{goal}", "{variant}", 1),
        keys.meta_key("{ns}", "{experiment}"),
        keys.namespace_meta_key("{ns}"),
        keys.deleting_key("{ns}", "{experiment}"),
    ],
)
def test_the_key_table_has_the_keys_of_the_runtime(key: str) -> None:
    """The page spells each key as `gimel.runtime.keys` does."""
    assert f"| `{key}` |" in PAGE

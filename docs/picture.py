"""The layout and the table of the imports in architecture.md, read from the source.

Cog writes them; CI checks them. Nothing of Gimel is imported here.
"""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1] / "gimel"
ANYWHERE = {"gimel", "errors"}
"""What every package may import, and the table does not show: the version, and GimelError."""


def layout() -> str:
    """Return a Markdown block with one line per package, and the names of the modules below it."""
    lines = ["```text"]
    for path in sorted(ROOT.glob("*.py")):
        lines += _entry(_shown(path), _summary(path))
    for package in sorted(path.parent for path in ROOT.glob("*/**/__init__.py")):
        lines += _entry(f"{_shown(package)}/", _summary(package / "__init__.py"))
        modules = [path.name for path in sorted(package.glob("*.py"))]
        lines += _entry("", "  ".join(name for name in modules if name != "__init__.py"))
    return "\n".join([*lines, "```"]) + "\n"


def imports() -> set[tuple[str, str]]:
    """Return (importer, imported) for the packages of Gimel, and its modules outside of them."""
    arrows = set()
    for path in ROOT.rglob("*.py"):
        importer = _room(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for name in _imported(node):
                arrows.add((importer, _room(name.split(".")[1:])))
    return {
        (importer, imported)
        for importer, imported in arrows
        if importer != imported and not {importer, imported} & (ANYWHERE | {"__main__"})
    }


def import_table() -> str:
    """Return a Markdown table of `imports`, a row per importer."""
    rows: dict[str, list[str]] = {}
    for importer, imported in sorted(imports()):
        rows.setdefault(importer, []).append(f"`{imported}`")
    lines = [f"| `{importer}` | {', '.join(imported)} |" for importer, imported in rows.items()]
    return "\n".join(["| importer | imports |", "| --- | --- |", *lines]) + "\n"


def _room(parts: tuple[str, ...] | list[str]) -> str:
    """Return the package or top-level module of a dotted name without its leading `gimel`."""
    return parts[0] if parts and parts[0] != "__init__" else "gimel"


def _imported(node: ast.AST) -> list[str]:
    """Return the dotted names below `gimel` that a statement imports."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module == "gimel":
        names = [f"gimel.{alias.name}" for alias in node.names if _exists(alias.name)] or ["gimel"]
    elif isinstance(node, ast.ImportFrom):
        names = [node.module or ""]
    else:
        names = []
    return [name for name in names if name.split(".")[0] == "gimel"]


def _exists(name: str) -> bool:
    return (ROOT / name).is_dir() or (ROOT / f"{name}.py").is_file()


def _entry(name: str, text: str) -> list[str]:
    """Return the lines of a name and what follows it, in two columns."""
    return textwrap.wrap(text, 100, initial_indent=f"{name:24}", subsequent_indent=" " * 24)


def _shown(path: Path) -> str:
    return path.relative_to(ROOT.parent).as_posix()


def _summary(path: Path) -> str:
    """Return the first line of a module's docstring, without its final period."""
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return docstring.partition("\n")[0].removesuffix(".")

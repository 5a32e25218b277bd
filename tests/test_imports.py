"""What import-linter cannot say about imports. The other rules are in pyproject.toml."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
PURE = ("gimel/__init__.py", "gimel/runtime/**/*.py", "gimel/analysis/**/*.py")
ALLOWED = {"gimel", "_typeshed"}  # the latter exists for type checkers only
PURE_MODULES = sorted(
    str(path.relative_to(REPOSITORY)) for pattern in PURE for path in REPOSITORY.glob(pattern)
)


@pytest.mark.parametrize("module", PURE_MODULES)
def test_the_standard_library_is_enough(module: str) -> None:
    """The runtime, which ships to Lambda without packages, and the analysis import nothing else."""
    imported = top_level_imports((REPOSITORY / module).read_text("utf-8"))

    assert imported - sys.stdlib_module_names - ALLOWED == set()


def top_level_imports(source: str) -> set[str]:
    """Return the first part of each absolute import, wherever in the source it is."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(str(node.module).partition(".")[0])
    return names

"""CONTRIBUTING.md, CI and the code agree: what it shows is run, and what it asks for is done."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

from gimel.config import Document

ROOT = Path(__file__).parent.parent
CI = (ROOT / ".ci/run").read_text("utf-8")
NOXFILE = (ROOT / "noxfile.py").read_text("utf-8")
WORKFLOW = (ROOT / ".github/workflows/ci.yml").read_text("utf-8")
RELEASE = (ROOT / ".github/workflows/release.yml").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")

SESSIONS = set(re.findall(r"^@nox\.session.*\ndef (\w+)\(", NOXFILE, re.MULTILINE))
MEASURES = {"bench"}  # a busy machine says nothing
RELEASES = {"build", "smoke"}
NOT_IN_CI = MEASURES | RELEASES


def shown_commands() -> list[str]:
    """Return the commands of CONTRIBUTING.md: lines of its blocks, and what its text names nox."""
    blocks = re.findall(r"^```sh\n(.*?)^```", CONTRIBUTING, re.MULTILINE | re.DOTALL)
    lines = [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [*lines, *re.findall(r"`((?:\.venv/bin/)?nox [^`]*)`", CONTRIBUTING)]


@pytest.mark.parametrize("command", shown_commands())
def test_commands_are_those_of_ci(command: str) -> None:
    """What a contributor types is a session of noxfile.py, or is done by `.ci/run`."""
    words = shlex.split(command.removeprefix(".venv/bin/"))
    if words[:2] == ["nox", "-s"]:
        end = words.index("--") if "--" in words else len(words)
        assert set(words[2:end]) <= SESSIONS
    else:
        assert command in CI or words[:2] == ["git", "clone"]


def test_ci_runs_every_session() -> None:
    """`.ci/run` runs the sessions, or all tests at once; so does the workflow, in its own way."""
    assert sessions_in(CI) | {"tests", "system"} == SESSIONS - NOT_IN_CI
    assert sessions_in(WORKFLOW) | {"pythons", "runtime"} == SESSIONS - NOT_IN_CI


def test_the_release_builds_and_tries_what_it_publishes() -> None:
    """By a session, and by what the other session runs, on more machines than a contributor has."""
    assert sessions_in(RELEASE) == {"build"}
    assert RELEASE.count(" .ci/smoke.py dist/*.whl") == 2
    assert NOXFILE.count('".ci/smoke.py"') == 2
    assert sessions_in(CONTRIBUTING) >= RELEASES


def sessions_in(script: str) -> set[str]:
    """Return the names after each `nox -s`."""
    return {name for names in re.findall(r"nox -s ([\w ]+)", script) for name in names.split()}


def test_ci_ends_with_the_command_of_the_readme() -> None:
    """What the README tells a contributor to run is run as it is written there."""
    command = CI.rstrip().rpartition("\n")[2]

    assert command.endswith("&& .venv/bin/pytest")
    assert f"\n{command}\n" in (ROOT / "README.md").read_text("utf-8")


def test_every_test_states_its_claim() -> None:
    """CONTRIBUTING.md asks for a docstring. Ruff could only demand one for helpers as well."""
    silent = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]

    assert silent == []


def test_the_python_of_lambda_is_the_default_one() -> None:
    """The Python that CI must have is the one that `gimel deploy` chooses."""
    runtime = Document.model_validate({"redis": {"host": "h"}}).aws.runtime

    assert f'\nLAMBDA_PYTHON = "{runtime.removeprefix("python")}"' in NOXFILE

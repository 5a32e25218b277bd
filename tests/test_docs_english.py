"""Plain English in everything that a user or a developer reads.

The expressions to avoid are in `tests/support/phrases.py`.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import phrases
from tests.support.phrases import PHRASES, Phrase

ROOT = Path(__file__).parents[1]
FOLDERS = (".ci", ".github", "benchmarks", "docs", "examples", "gimel", "tests")
SUFFIXES = {".css", ".html", ".j2", ".js", ".json", ".md", ".py", ".template", ".toml"} | {
    ".yaml",
    ".yml",
}
QUOTES_THEM = Path(phrases.__file__)

COMPILED = [(re.compile(phrase.pattern), phrase.advice) for phrase in PHRASES]


@dataclass(frozen=True)
class Text:
    """A passage that is read as one: its words, and the line of the file each one is on."""

    words: list[str]
    lines: list[int]


def passages(path: Path) -> Iterator[Text]:
    """Yield what a reader sees: a file as a whole, or of Python its comments and texts.

    In tests only comments and docstrings are: other texts are input, or the output they assert.
    """
    source = (ROOT / path).read_text("utf-8")
    if path.suffix != ".py":
        yield split(source, 1)
        return
    yield from comments(source)
    nodes = list(ast.walk(ast.parse(source)))
    within = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if path.parts[0] == "tests" and id(node) not in docstrings:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            yield split("".join(map(str, parts)), node.lineno)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in within
        ):
            yield split(node.value, node.lineno)


def comments(source: str) -> Iterator[Text]:
    """Yield the comments of a Python file; those on consecutive lines are one passage."""
    words: list[str] = []
    lines: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            line = token.start[0]
            if lines and line > lines[-1] + 1:
                yield Text(words, lines)
                words, lines = [], []
            found = token.string.lstrip("#").split()
            words += found
            lines += [line] * len(found)
    yield Text(words, lines)


def split(text: str, first_line: int) -> Text:
    words: list[str] = []
    lines: list[int] = []
    for number, line in enumerate(text.split("\n"), first_line):
        found = line.split()
        words += found
        lines += [number] * len(found)
    return Text(words, lines)


def findings(text: Text) -> Iterator[tuple[int, str]]:
    """Yield (line, what was found and what to write instead)."""
    joined = " ".join(text.words)
    starts: list[int] = []
    position = 0
    for word in text.words:
        starts.append(position)
        position += len(word) + 1
    for pattern, advice in COMPILED:
        for match in pattern.finditer(joined):
            line = text.lines[bisect_right(starts, match.start()) - 1]
            yield line, f'"{match[0].strip()}": {advice}'


def read_files() -> list[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    found += ROOT.glob("*")
    return sorted(
        path.relative_to(ROOT)
        for path in found
        if path.is_file()
        and (path.suffix in SUFFIXES or path.parent.name == ".ci")
        and "__pycache__" not in path.parts
        and path != QUOTES_THEM
    )


@pytest.mark.parametrize("path", read_files(), ids=str)
def test_plain_english(path: Path) -> None:
    """No file has an expression of PHRASES."""
    found = sorted({finding for text in passages(path) for finding in findings(text)})
    assert not found, "\n" + "\n".join(f"{path}:{line}: {what}" for line, what in found)


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.catches)
def test_a_phrase_catches_its_example_and_lets_the_others_pass(phrase: Phrase) -> None:
    """Each pattern finds the expression and no sentence that only looks like it."""
    pattern = re.compile(phrase.pattern)
    assert pattern.search(phrase.catches)
    assert [sentence for sentence in phrase.passes if pattern.search(sentence)] == []

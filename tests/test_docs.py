"""The Markdown pages: links lead somewhere, and the commands shown exist."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from gimel.cli import main

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/*.md", "examples/**/*.md", ".github/*.md")
    for path in ROOT.glob(pattern)
)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_relative_links_lead_to_files(page: Path) -> None:
    """Every link without a host names a file or folder of the repository."""
    text = (ROOT / page).read_text("utf-8")
    links = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", text)
    assert [link for link in links if not (ROOT / page.parent / link).exists()] == []


def commands(text: str) -> list[list[str]]:
    """Return the words after `gimel` in the code of a page, in blocks and in the text."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line.partition("#")[0] for block in blocks for line in block.splitlines()]
    spans = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    shown = [*lines, *spans]
    found = [
        re.findall(r"(?:^|&& )(?:\S*/)?gimel (.+?)(?= &&|$)", " ".join(each.split()))
        for each in shown
    ]
    return [each.split() for every in found for each in every]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_commands_and_their_options_exist(page: Path) -> None:
    """A reader who types a command as it is shown gets no usage error."""
    context = click.Context(main)
    for words in commands((ROOT / page).read_text("utf-8")):
        if words[0] == "COMMAND" or words[0].startswith("-"):
            command: click.Command | None = main
        else:
            command = main.get_command(context, words[0])
        assert command is not None, f"gimel {' '.join(words)}"
        known = {option for each in command.get_params(context) for option in each.opts}
        given = {word.partition("=")[0] for word in words if word.startswith("-")}
        assert given <= known | {"-h"}, f"gimel {' '.join(words)}"


def test_commands_are_found() -> None:
    """The patterns above see what the README shows."""
    found = commands((ROOT / "README.md").read_text("utf-8"))
    assert ["deploy", "--dry-run"] in found
    assert ["serve"] in found
    assert ["preflight"] in found


def test_guides_name_each_command() -> None:
    """A command is explained where it is needed, and not only in the generated list."""
    guides = [page for page in PAGES if page.name not in ("commands.md", "CHANGELOG.md")]
    named = {words[0] for page in guides for words in commands((ROOT / page).read_text("utf-8"))}

    assert set(main.list_commands(click.Context(main))) - named == set()

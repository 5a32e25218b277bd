"""What `--help` shows beyond click: examples, and names similar to a command that does not exist.

Nothing here knows the commands themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import click


class Command(click.Command):
    """A command with examples: each command line with what it does, "" if that is obvious."""

    def __init__(self, *args: Any, examples: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_examples(self.examples, formatter)


class Group(click.Group):
    """A group of commands with examples. It suggests commands for one that does not exist."""

    def __init__(self, *args: Any, examples: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_examples(self.examples, formatter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the name of the command, the command and its arguments. Raises UsageError."""
        name = args[0]
        is_option = name.startswith("-")  # click explains those
        if not (is_option or ctx.resilient_parsing) and self.get_command(ctx, name) is None:
            similar = " or ".join(map(repr, similar_names(name, self.list_commands(ctx))))
            question = f" Did you mean {similar}?" if similar else ""
            raise click.UsageError(f"No such command {name!r}.{question}", ctx)
        return super().resolve_command(ctx, args)


def similar_names(name: str, names: list[str]) -> list[str]:
    """Return the names that somebody who typed `name` may mean, the most similar first."""
    beginning = [each for each in names if name and each.startswith(name.lower())]
    return beginning or get_close_matches(name.lower(), names)


def _write_examples(examples: Mapping[str, str], formatter: click.HelpFormatter) -> None:
    with formatter.section("Examples"):
        for line in _example_lines(examples, formatter.width - formatter.current_indent):
            formatter.write(f"{'':{formatter.current_indent}}{line}\n")


def _example_lines(examples: Mapping[str, str], width: int) -> Iterator[str]:
    """Yield the lines: each comment beside its command, or above it if one does not fit."""
    longest = max(map(len, examples))
    is_wide = any(longest + len(f"  # {meaning}") > width for meaning in examples.values())
    for command, meaning in examples.items():
        if not meaning:
            yield command
        elif is_wide:
            yield f"# {meaning}"
            yield command
        else:
            yield f"{command:{longest}}  # {meaning}"

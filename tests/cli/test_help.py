"""What `--help` shows: sections, whole sentences, examples that run, and similar commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator

import click
import pytest

from gimel.cli import SECTIONS, main
from gimel.cli.help import Command, Group, similar_names
from tests.cli.conftest import Done
from tests.cli.test_main import COMMANDS

WIDTH = 80


def every_command(
    command: click.Command = main, parent: click.Context | None = None, name: str = "gimel"
) -> Iterator[click.Context]:
    """Yield a context for the group, each command, and each command of a group."""
    context = click.Context(command, parent, name, terminal_width=WIDTH)
    yield context
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None
            yield from every_command(found, context, inner)


CONTEXTS = {context.command_path: context for context in every_command()}
EXAMPLES = [
    (path, example)
    for path, context in CONTEXTS.items()
    if isinstance(context.command, Command | Group)
    for example in context.command.examples
]


def test_help_lists_every_command_in_a_section(run: Callable[..., Done]) -> None:
    """In the order of use, with its summary on the same line."""
    done = run("--help")
    assert done.code == 0
    for title, commands in SECTIONS.items():
        part = done.stdout.partition(f"\n{title}:\n")[2].partition("\n\n")[0]
        shown = [line.split(maxsplit=1) for line in part.splitlines()]
        assert shown == [[name, summary] for name, summary in commands.items()]
    listed = [name for commands in SECTIONS.values() for name in commands]
    assert sorted(listed) == COMMANDS


@pytest.mark.parametrize("path", CONTEXTS)
def test_help_fits_into_80_columns(path: str) -> None:
    """And no sentence is cut off."""
    _usage, *lines = CONTEXTS[path].get_help().splitlines()
    assert [line for line in lines if len(line) > WIDTH or line.endswith("...")] == []


@pytest.mark.parametrize("path", CONTEXTS)
def test_help_ends_with_examples_of_the_command(path: str) -> None:
    """One at least, indented like the options."""
    shown = CONTEXTS[path].get_help().partition("\nExamples:\n")[2].splitlines()
    assert shown
    assert all(re.match(r"  (gimel|#) ", line) for line in shown)
    name = path.removeprefix("gimel")
    assert all(name in example for command, example in EXAMPLES if command == path)


@pytest.mark.parametrize(("path", "example"), EXAMPLES)
def test_an_example_is_valid_usage(
    path: str, example: str, run: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every option and value of it is accepted; the command does not run."""
    monkeypatch.setattr(click.Command, "invoke", lambda *_: None)
    program, *arguments = shlex.split(example.partition(" > ")[0])
    assert program == "gimel"
    assert run(*arguments).code == 0


def test_a_comment_that_does_not_fit_is_above_its_command() -> None:
    """In an aligned column otherwise."""

    def shown(width: int) -> list[str]:
        examples = {"gimel a": "one", "gimel long": "two", "gimel b": ""}
        command = Command("a", examples=examples)
        text = click.Context(command, terminal_width=width).get_help()
        return text.partition("Examples:\n")[2].splitlines()

    assert shown(80) == ["  gimel a     # one", "  gimel long  # two", "  gimel b"]
    # click's help has 50 columns at least, so the comment is what has to be long.
    command = Command("a", examples={"gimel a": "b" * 80})
    text = click.Context(command, terminal_width=80).get_help()
    assert text.endswith(f"Examples:\n  # {'b' * 80}\n  gimel a")


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        (["reslts"], " Did you mean 'results'?"),
        (["Results"], " Did you mean 'results'?"),
        (["pre"], " Did you mean 'preflight'?"),
        (["con", "--help"], " Did you mean 'configure' or 'conclude'?"),
        (["s"], " Did you mean 'serve' or 'simulate' or 'snippet' or 'sample-size' or 'status'?"),
        (["xyzzy"], ""),
        (["key", "rotat"], " Did you mean 'rotate'?"),
    ],
    ids=" ".join,
)
def test_a_mistyped_command_is_answered_with_similar_ones(
    arguments: list[str], suggestion: str, run: Callable[..., Done]
) -> None:
    """By its beginning, else by its letters."""
    mistyped = arguments[1] if arguments[0] == "key" else arguments[0]
    done = run(*arguments)
    assert done.code == 2
    assert done.stderr.endswith(f"\nError: No such command {mistyped!r}.{suggestion}\n")


def test_a_mistyped_option_is_answered_with_similar_ones(run: Callable[..., Done]) -> None:
    """click does that."""
    done = run("deploy", "--dry-rum")
    assert (done.code, "Did you mean" in done.stderr, "--dry-run" in done.stderr) == (2, True, True)


def test_no_name_is_similar_to_nothing() -> None:
    """As where a script passes an empty variable."""
    assert similar_names("", ["serve", "status"]) == []

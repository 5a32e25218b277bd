"""What the shell completes beyond click: names that take time to find, and quotes in bash.

A Tab must answer at once, so whatever fails or takes too long completes nothing. `connection` knows
where the names are.

Anybody who can send events can name an experiment. Names that a shell could read as more than one
word are quoted or skipped, because a Tab puts them on a command line.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

from gimel.cli import COMPLETION

SECONDS = 1.5

_PLAIN = re.compile(r"[\w./:@%+=-]+")


@add_completion_class
class Bash(BashComplete):
    """Completion for bash that quotes: click's own splits or runs what a name contains."""

    source_template = r"""
%(complete_func)s() {
    local answer kind value
    answer=$(IFS=$'\n'; COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
    COMPREPLY=()
    while IFS=, read -r kind value; do
        case $kind in
            plain) COMPREPLY+=("$value") ;;
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
        esac
    done <<<"$answer"
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def format_completion(self, item: CompletionItem) -> str:
        word = os.environ["COMP_WORDS"].split("\n")[int(os.environ["COMP_CWORD"])]
        return f"{item.type},{quote_for_bash(item.value, word[:1])}"


def quote_for_bash(name: str, opened: str) -> str:
    """Return what bash reads as this name after the quotation mark `opened`, if there is one."""
    if opened == "'":
        return name.replace("'", r"'\''")
    if opened == '"':
        return re.sub(r'(["\\$`])', r"\\\1", name)
    return re.sub(r"([^\w./:@%+=,-])", r"\\\1", name)


def answer(complete: Callable[[], object]) -> NoReturn:
    """Answer the shell and exit. An error would be printed in the middle of the user's line."""
    with (
        open(os.devnull, "w") as nowhere,  # noqa: PTH123
        contextlib.redirect_stderr(nowhere),
        contextlib.suppress(Exception, KeyboardInterrupt),
    ):
        complete()
    sys.exit(0)


def files(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell complete the names of files."""
    return [CompletionItem(incomplete, type="file")]


def complete_names(find: Callable[[list[str]], None], incomplete: str) -> list[CompletionItem]:
    """Return the names that `find` puts into its list before the time is over.

    It may fail at any time; what it found until then is used.
    """
    found: list[str] = []

    def run() -> None:
        with contextlib.suppress(Exception):
            find(found)

    thread = threading.Thread(target=run, daemon=True)  # a daemon, so that exiting does not wait
    thread.start()
    thread.join(SECONDS)
    return [
        CompletionItem(name)
        for name in sorted(found)
        if name.startswith(incomplete) and _can_complete(name)
    ]


def _can_complete(name: str) -> bool:
    """Return whether the shell that asks inserts the name as one word.

    The scripts of click end a name at a comma; PowerShell's does not quote.
    """
    if name.startswith("-") or "," in name or not name.isprintable():
        return False
    quotes = os.environ.get(COMPLETION, "").partition("_")[0] in ("bash", "zsh", "fish")
    return quotes or _PLAIN.fullmatch(name) is not None

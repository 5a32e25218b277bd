"""`gimel configure`"""

from __future__ import annotations

import os
from pathlib import Path

import click

from gimel import config
from gimel.cli import Options, terminal
from gimel.cli.help import Command
from gimel.cli.new_file import ask_for_redis
from gimel.errors import GimelError


@click.command(
    cls=Command,
    examples={
        "gimel configure": "the file that other commands read",
        "gimel --config staging.json configure": "another file",
    },
)
@click.pass_obj
def command(options: Options) -> None:
    """Create or edit the configuration in $VISUAL or $EDITOR, then check it.

    An existing file is never overwritten. On a terminal, it first asks where the counts of a new
    one are kept, which may need no editor.
    """
    path = options.config_path()
    redis = ask_for_redis() if terminal.can_ask() and not path.exists() else None
    try:
        config.create(path, redis)
        click.echo(f"Created {path}", err=True)
    except FileExistsError:
        click.echo(f"Editing {path}", err=True)
    except OSError as error:
        raise GimelError(
            f"{path} cannot be created: {error.strerror}.", "Name another file with --config."
        ) from None
    is_complete = is_new = redis is not None
    while True:
        if not is_complete:
            _edit(path)
        is_complete = False
        try:
            config.load(path).runtime_settings()
        except config.ConfigError as mistake:
            if not terminal.can_ask():
                raise GimelError(mistake.message, mistake.advice) from None
            err = terminal.asks_on_stderr()
            click.echo(f"{mistake.message} {mistake.advice}".rstrip(), err=err)
            if not click.confirm("Edit it again?", default=True, err=err):
                raise GimelError(
                    f"{path} still has this mistake.", "Run `gimel configure` again to fix it."
                ) from None
        else:
            next_step = " Continue with `gimel preflight`." if is_new else ""
            click.echo(f"{path} is valid.{next_step}", err=True)
            return


def _edit(path: Path) -> None:
    try:
        click.edit(filename=str(path))
    except click.ClickException as error:
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "the default editor"
        raise GimelError(
            f"{editor} could not edit {path}: {error.message}.",
            "Set $EDITOR to your editor, or edit the file by hand.",
        ) from None

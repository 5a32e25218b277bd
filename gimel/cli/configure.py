"""`gimel configure`"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from gimel import config
from gimel.cli import Options
from gimel.errors import GimelError


@click.command()
@click.pass_obj
def command(options: Options) -> None:
    """Create the configuration, or edit it, in $VISUAL or $EDITOR; then check it.

    An existing file is never overwritten.
    """
    path = options.config_place()
    try:
        config.create(path)
        click.echo(f"Created {path}", err=True)
    except FileExistsError:
        click.echo(f"Editing {path}", err=True)
    except OSError as error:
        raise GimelError(
            f"{path} cannot be created: {error.strerror}.", "Name another file with --config."
        ) from None
    while True:
        _edit(path)
        try:
            config.load(path).require_redis()
        except GimelError as mistake:
            if not (sys.stdin.isatty() and sys.stderr.isatty()):
                raise
            click.echo(
                f"{mistake.message} {mistake.hint.replace('Run `gimel configure` to mend it.', '')}".strip(),
                err=True,
            )
            if not click.confirm("Edit it again?", default=True, err=True):
                raise GimelError(
                    f"{path} is as you left it, and cannot be used yet.",
                    "Run `gimel configure` again.",
                ) from None
        else:
            click.echo(f"{path} is valid.", err=True)
            return


def _edit(path: Path) -> None:
    try:
        click.edit(filename=str(path))
    except click.ClickException as error:
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "the usual editor"
        raise GimelError(
            f"{editor} could not edit {path}: {error.message}.",
            "Set $EDITOR to your editor, or edit the file by hand.",
        ) from None

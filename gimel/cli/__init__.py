"""The command line: the only place that echoes, prompts or exits. One command a module; here the group and its errors.

A command is a module of this package, named after it, whose import is put off until it runs: `gimel --version` loads no boto3.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click

import gimel
from gimel import config
from gimel.errors import GimelError

REPORT_TO = "https://github.com/Alephbet/gimel/issues"

_COMMANDS = (
    "configure",
    "dashboard",
    "delete",
    "deploy",
    "destroy",
    "iam-policy",
    "preflight",
    "results",
    "rollback",
    "sample-size",
    "serve",
    "simulate",
    "snippet",
    "status",
)


@dataclass(frozen=True)
class Options:
    """What stands before the command's name."""

    config_file: str | None
    debug: bool

    def load_config(self) -> config.Config:
        """Return the configuration found, or the defaults where there is no file. Raises GimelError."""
        return config.load(config.find_config(self.config_file, os.environ, Path.home()))

    def config_place(self) -> Path:
        """Return the configuration file to edit or create."""
        return config.config_path(self.config_file, os.environ, Path.home())


class Commands(click.Group):
    """A group that imports a command's module when it is asked for, and turns failures into messages and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"gimel.cli.{cmd_name.replace('-', '_')}")
        return cast(click.Command, module.command)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run with exit code 0 done, 1 an expected failure, 2 wrong usage, 130 interrupted."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(
                errors="backslashreplace"
            )  # a name may hold what the terminal cannot show
        try:
            # What is returned outside of click's standalone mode is the exit code that a command raised, or None.
            sys.exit(super().main(*args, **{**kwargs, "standalone_mode": False}))
        except click.ClickException as wrong_usage:
            wrong_usage.show()
            sys.exit(wrong_usage.exit_code)
        except (click.Abort, KeyboardInterrupt):
            click.echo("Interrupted.", err=True)
            sys.exit(130)
        except GimelError as failure:
            click.echo(f"Error: {failure.message}", err=True)
            if failure.hint:
                click.echo(failure.hint, err=True)
            sys.exit(1)
        except BrokenPipeError:
            sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - or Python fails once more on exit
            sys.exit(1)
        except Exception as error:
            if "--debug" in sys.argv[1:]:
                raise
            click.echo(
                f"Error: something unexpected happened: {type(error).__name__}: {error}", err=True
            )
            click.echo(
                f"Please run it again with `gimel --debug` and report what it prints at {REPORT_TO}",
                err=True,
            )
            sys.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    help="Configuration file. [default: $GIMEL_CONFIG, ./config.json or ~/.gimel/config.json]",
)
@click.option("--debug", is_flag=True, help="Show the whole trace of an unexpected error.")
@click.version_option(gimel.__version__, prog_name="gimel", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, config_file: str | None, debug: bool) -> None:
    """A/B tests on your own AWS account, with results that can be trusted."""
    ctx.obj = Options(config_file, debug)

"""The command line: the only place that prints, prompts or exits. One command per module.

This module is the group of the commands and turns failures into messages and exit codes. A
command's module has the command's name and is imported when it runs: `gimel --version` does not
load boto3.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import keyword
import os
import platform
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

import gimel
from gimel import config
from gimel.cli.help import Group
from gimel.errors import GimelError, Interrupted
from gimel.paths import home

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

REPORT_TO = "https://github.com/Alephbet/gimel/issues"
COMPLETION = "_GIMEL_COMPLETE"
"""The environment variable with which click's scripts ask for completions."""

SECTIONS = {
    "Try it": {
        "serve": "Run the whole backend on this machine, with a demo page.",
        "simulate": "Send simulated visitors to a track URL.",
    },
    "Deploy": {
        "configure": "Create or edit the configuration, then check it.",
        "preflight": "Check the configuration, AWS and Redis.",
        "deploy": "Deploy the backend to AWS, or update it.",
        "snippet": "Print the HTML to paste into a page.",
        "client": "Print gimel.js, a client to put on your site.",
        "proxy": "Print a rewrite that serves the track URL from your site.",
        "iam-policy": "Print the IAM policy that Gimel's commands need.",
    },
    "Results": {
        "results": "Show which variant is winning, and whether to trust it.",
        "dashboard": "Show the results as pages in the browser.",
        "sample-size": "Calculate how long an experiment takes.",
        "namespaces": "List the namespaces that have experiments.",
    },
    "Manage": {
        "alerts": "Show where alerts go, or send a test there.",
        "status": "Show what is deployed, its last day, and whether it is healthy.",
        "logs": "Show what the functions log.",
        "rollback": "Undo the newest deploy.",
        "key": "Manage the API key.",
        "conclude": "End an experiment and keep its result.",
        "delete": "Delete the counts of an experiment.",
        "export": "Write all counts to a file.",
        "import": "Merge an exported file into a Redis.",
        "destroy": "Delete everything that `gimel deploy` created.",
    },
}
"""The commands by section of `gimel --help`, in its order, each with a summary that fits on a line.

`--help` and the shell's completion thereby import no command.
"""

_COMMANDS = {name: summary for part in SECTIONS.values() for name, summary in part.items()}


@dataclass(frozen=True)
class Options:
    """The options of the group that commands use."""

    config_file: str | None

    def load_config(self) -> config.Config:
        """Return the configuration, or the defaults if there is no file. Raises GimelError."""
        return config.load(config.find_config(self.config_file, os.environ, home()))

    def config_path(self) -> Path:
        """Return the configuration file to edit or create. Raises GimelError."""
        return config.config_path(self.config_file, os.environ, home())


class Commands(Group):
    """The group: it imports commands on demand, and turns failures into exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        name += "_" if keyword.iskeyword(name) else ""
        module = importlib.import_module(f"gimel.cli.{name}")
        return cast(click.Command, module.command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in sections, with their summaries in one column."""
        longest = max(map(len, _COMMANDS))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:{longest}}", commands[name]) for name in commands])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that begin so, or the options."""
        from click.shell_completion import CompletionItem

        found = [name for name in _COMMANDS if name.startswith(incomplete)]
        names = [CompletionItem(name, help=_COMMANDS[name]) for name in found]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse arguments that are not text, before a command sends or prints them."""
        for each in args:
            if any("\ud800" <= character <= "\udfff" for character in each):
                shown = os.fsencode(each).decode("utf-8", "backslashreplace")
                raise click.UsageError(f"The argument '{shown}' is not valid UTF-8.", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. An unexpected error becomes a report of it, unless with --debug."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, GimelError):
            raise
        except Exception as error:
            if isinstance(error, OSError) and _is_output_error(error):
                raise output_failure(error) from None
            if ctx.params["debug"]:
                raise
            if isinstance(error, FileNotFoundError) and _cwd_is_gone():
                raise GimelError(
                    "The current directory no longer exists.", "Change to another one."
                ) from None
            raise _bug_report(error, ctx.invoked_subcommand or "") from error

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, and exit: 0 success, 1 expected failure, 2 wrong usage, 130 interrupted."""
        if COMPLETION in os.environ:
            from gimel.cli import completion

            kwargs["complete_var"] = COMPLETION
            if os.environ[COMPLETION].endswith("_complete"):
                completion.answer(lambda: super(Commands, self).main(*args, **kwargs))
        try:
            _prepare_streams()
            code = self._run(*args, **kwargs)
        except click.ClickException as wrong_usage:
            code = wrong_usage.exit_code
            _report(wrong_usage.show)
        except click.exceptions.Exit as end:
            code = end.exit_code
        except (click.Abort, KeyboardInterrupt):
            code = 130
            _report(lambda: click.echo("Interrupted.", err=True))
        except GimelError as failure:
            code = 130 if isinstance(failure, Interrupted) else 1
            text = "\n".join(filter(None, [f"Error: {failure.message}", failure.hint]))
            _report(lambda: click.echo(text, err=True))
        _drop_unwritten()
        sys.exit(code)

    def _run(self, *args: Any, **kwargs: Any) -> int:
        try:
            # Outside of click's standalone mode this is the code of an Exit, or None.
            code = super().main(*args, **{**kwargs, "standalone_mode": False})
            sys.stdout.flush()
        except OSError as error:  # from --help or --version, which never reach `invoke`
            if not _is_output_error(error):
                raise
            raise output_failure(error) from None
        return code or 0


def _prepare_streams() -> None:
    """Make the standard streams safe to use. Raises GimelError if stdout is closed."""
    if sys.stdin is None:  # it was closed, as by `<&-`
        sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        raise GimelError("The output could not be written: standard output is closed.")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name may hold what the terminal cannot show
            stream.reconfigure(errors="backslashreplace")


def _is_output_error(error: OSError) -> bool:
    """Return whether writing the output failed, which click and rich do for the commands."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    module = str(frame.f_globals.get("__name__"))
    return module.startswith(("click.", "rich.")) or module == __name__


def output_failure(error: OSError) -> Exception:
    """Return the exception to raise if the output cannot be written."""
    if isinstance(error, BrokenPipeError):  # the reader closed the pipe, as `head` does
        return click.exceptions.Exit(1)
    return GimelError(f"The output could not be written: {error.strerror}.")


def _report(show: Callable[[], None]) -> None:
    """Print a failure. If stderr cannot be written either, the exit code has to do."""
    with contextlib.suppress(OSError):
        show()


def _drop_unwritten() -> None:
    """Discard what could not be written: Python would flush it at exit and fail again."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _cwd_is_gone() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _bug_report(error: Exception, command: str) -> GimelError:
    """Return a report of an unexpected error, without the values that its text may quote."""
    ours = [
        f" in {frame.f_globals['__name__']}, line {line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__")).startswith("gimel.")
    ]
    return GimelError(
        f"unexpected {type(error).__name__}{ours[-1] if ours else ''}. This is a bug in Gimel.",
        f"Please report it at {REPORT_TO} with these lines:\n"
        f"  gimel {command}, version {gimel.__version__}\n"
        f"  Python {platform.python_version()} on {platform.system()} {platform.release()}"
        f" ({platform.machine()})\n"
        f"`gimel --debug {command}` shows the traceback; remove secrets before you share it.",
    )


def _complete_files(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from gimel.cli import completion

    return completion.files(context, parameter, incomplete)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    examples={
        "gimel serve": "try it, without AWS",
        "gimel results --local": "what was counted there",
        "gimel deploy --help": "options and examples of a command",
    },
)
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    shell_complete=_complete_files,
    help="Configuration file. [default: $GIMEL_CONFIG, ./config.json or ~/.gimel/config.json]",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected error.")
@click.version_option(gimel.__version__, prog_name="gimel", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, config_file: str | None, debug: bool) -> None:
    """Run A/B tests on your own AWS account, with results that you can trust."""
    ctx.obj = Options(config_file)

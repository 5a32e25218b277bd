"""`gimel export`: the counters of a namespace, or of all, into a file."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import click

from gimel.analysis.phrases import pluralize
from gimel.cli import Options, terminal
from gimel.cli.help import Command
from gimel.cli.progress import counting
from gimel.cli.store import Store, Where, open_store, store_options
from gimel.errors import GimelError, enumerate_names
from gimel.runtime.fields import DEFAULT_NAMESPACE


@click.command(
    cls=Command,
    examples={
        "gimel export counters.json.gz": "the default namespace, from the configured Redis",
        "gimel export --all --local counters.json": "all of `gimel serve`",
        "gimel export --namespace shop --redis redis://localhost shop.json": "from another Redis",
    },
)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--namespace",
    "namespaces",
    multiple=True,
    metavar="NAME",
    help=f"Namespace to export; may be repeated. [default: {DEFAULT_NAMESPACE}]",
)
@click.option("--all", "everything", is_flag=True, help="Export every namespace.")
@click.option(
    "--deploy",
    metavar="DEPLOY",
    type=click.IntRange(1),
    help="Export the store of an earlier deploy: a number from `gimel status --history`.",
)
@store_options
@click.pass_obj
def command(
    options: Options,
    file: Path | None,
    namespaces: tuple[str, ...],
    everything: bool,
    deploy: int | None,
    redis_url: str | None,
    local: bool,
    profile: str | None,
    region: str | None,
) -> None:
    """Write the counters of all experiments to FILE, to import them into another Redis.

    The file holds everything that Gimel keeps: counts, histories, conclusions. Nothing is changed,
    and events may be counted meanwhile. If FILE ends with .gz, it is compressed. Without FILE, the
    export is printed.
    """
    from gimel.transfer import export, files

    if everything and namespaces:
        raise click.UsageError("--namespace and --all exclude each other.")
    began = time.monotonic()
    with open_store(options, Where(redis_url, local, profile, region, deploy)) as store:
        names = _find(store, namespaces, everything)
        total = sum(map(len, names.values()))
        with (
            _opened(file) as stream,
            counting(total, "experiments exported", terminal.stderr()) as progress,
        ):
            lines = export.export(store.redis, names, _warn, progress)
            totals = files.write(stream, lines, int(time.time()))
    experiments = pluralize(totals.experiments, "experiment")
    counters = pluralize(totals.counters, "counter")
    where = f" to {file}" if file else ""
    click.echo(
        f"Exported {experiments} with {counters} from {store.name}{where} in"
        f" {time.monotonic() - began:.1f} s.",
        err=True,
    )


def _find(store: Store, namespaces: Sequence[str], everything: bool) -> dict[str, list[str]]:
    """Return the experiments of each namespace. Raises GimelError if there are none."""
    from gimel.transfer import export

    wanted = namespaces or (DEFAULT_NAMESPACE,)
    if everything:
        wanted = export.namespaces(store.redis)
    names = {namespace: export.experiments(store.redis, namespace) for namespace in wanted}
    empty = [namespace for namespace, found in names.items() if not found]
    if empty or not names:
        where = f" in {enumerate_names(empty)}" if empty else ""
        raise GimelError(
            f"The Redis at {store.name} has no experiments{where}.",
            "Check the options --redis, --local and --namespace.",
        )
    return names


@contextlib.contextmanager
def _opened(file: Path | None) -> Iterator[IO[bytes]]:
    """Open what to write to. FILE appears when it is complete, and only its owner can read it."""
    if file is None or str(file) == "-":
        yield _Stdout()
        return
    part = file.with_name(f".{file.name}.part")
    try:
        part.unlink(missing_ok=True)  # of an export that was killed
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as raw:
                with _compressed(raw, file) as stream:
                    yield stream
                raw.flush()
                os.fsync(raw.fileno())
            part.replace(file)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise GimelError(f"{file} cannot be written: {error.strerror}.") from None


class _Stdout(io.BytesIO):
    """Standard output. click writes there, so that its errors are reported as for all commands.

    Bytes are written at once.
    """

    def write(self, content: Any) -> int:
        click.echo(content, nl=False)
        return len(content)


def _compressed(raw: IO[bytes], file: Path) -> contextlib.AbstractContextManager[Any]:
    if file.suffix == ".gz":
        return gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6)
    return contextlib.nullcontext(raw)


def _warn(text: str) -> None:
    click.echo(f"Warning: {text}", err=True)

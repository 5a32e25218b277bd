"""`gimel serve`"""

from __future__ import annotations

import contextlib
import shlex
from pathlib import Path
from typing import Any

import click

from gimel import config
from gimel.api.client import check_key
from gimel.api.http import LOOPBACK
from gimel.cli import Options
from gimel.cli.connection import LOCAL_PORT
from gimel.cli.help import Command
from gimel.page.snippet import snippet
from gimel.runtime.fields import DEFAULT_NAMESPACE
from gimel.serve import datadir
from gimel.wiring import TRACK_PATH

_SHORT_KEY = 16  # characters; Gimel's own keys have 32


@click.command(
    cls=Command,
    examples={
        "gimel serve": "on port 8000",
        "gimel serve --port 9000 --data-dir ./counts": "with its own data",
        "gimel serve --redis redis://localhost:6379/1": "in your Redis",
    },
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=LOCAL_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--redis", "redis_url", metavar="URL", help="Redis to count in, instead of a private one."
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=datadir.DEFAULT,
    show_default=True,
    help="Directory of the private Redis and the API key.",
)
@click.option(
    "--api-key",
    metavar="KEY",
    help="Key required to read and delete. [default: created once, kept in the data directory]",
)
@click.pass_obj
def command(
    options: Options,
    host: str,
    port: int,
    redis_url: str | None,
    data_dir: Path,
    api_key: str | None,
) -> None:
    """Run the whole backend on this machine, with a demo page, until Ctrl-C.

    It counts in a private Redis or Valkey server that it starts, unless --redis names another.
    """
    from gimel.serve import gateway, web
    from gimel.serve.store import LocalStore

    configured = options.load_config()
    if api_key is not None:
        check_key(api_key)
    with contextlib.closing(web.listen(host, port)) as listening, contextlib.ExitStack() as stack:
        web.exit_on_signals()
        if redis_url is None or api_key is None:
            data_dir = datadir.prepare(data_dir, _warn)
        store = None
        if redis_url is None:
            store = stack.enter_context(LocalStore(data_dir))
            redis: dict[str, Any] = {"unix_socket_path": str(store.socket)}
        else:
            redis = config.redis_from_url(redis_url)
            gateway.check_redis(redis)
        key = datadir.kept_key(data_dir) if api_key is None else api_key
        serving = gateway.Gateway(
            configured.wiring, key, configured.runtime_settings(redis), configured.designs()
        )
        app = gateway.application(serving, store, _warn)
        if host not in LOOPBACK and len(key) < _SHORT_KEY:
            _warn("The API key is short: whoever can reach this address can try to guess it.")
        _print_addresses(
            web.address(listening), key, datadir.key_file(data_dir) if api_key is None else None
        )
        web.run(app, listening)


def _print_addresses(base: str, key: str, key_file: Path | None) -> None:
    """Print what to do next. The key stays out of the command, which a shell keeps in a file."""
    secret = "$GIMEL_API_KEY" if key_file is None else f"$(cat {shlex.quote(str(key_file))})"
    click.echo(f"Gimel listens on {base}/ (demo page; press Ctrl-C to stop)")
    click.echo(f"Track URL  {base}/{TRACK_PATH}")
    click.echo(f"API key    {key}")
    click.echo(f'Results    curl -H "x-api-key: {secret}" {base}/experiments')
    click.echo(f"Dashboard  {base}/dashboard (asks for the key)")
    click.echo(f"\n{snippet(f'{base}/{TRACK_PATH}', DEFAULT_NAMESPACE)}")


def _warn(text: str) -> None:
    click.echo(text, err=True)

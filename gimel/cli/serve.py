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
from gimel.cli.connection import LOCAL_TRACK_URL
from gimel.cli.help import Command
from gimel.serve import addresses, datadir
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
    default=addresses.LOCAL_PORT,
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
    Once a day it records the counts, and sends the alerts of the configuration.
    """
    from gimel.alerts import receivers
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
            configured.wiring,
            key,
            configured.runtime_settings(redis),
            configured.designs(),
            snapshots=configured.document.snapshots,
            receivers=receivers.configured(configured.document.alerts.model_dump()),
        )
        app = gateway.application(serving, store, _warn)
        if host not in LOOPBACK and len(key) < _SHORT_KEY:
            _warn("The API key is short: whoever can reach this address can try to guess it.")
        base = web.address(listening)
        _print_addresses(
            base,
            web.is_everywhere(listening),
            key,
            _key_option(data_dir, api_key is not None),
            gateway.sign_in_links(serving, base),
        )
        web.run(app, listening)


def _print_addresses(
    base: str, is_everywhere: bool, key: str, options: tuple[str, ...], links: tuple[str, str]
) -> None:
    """Print what to do next, and last the links to open.

    The key stays out of every command, which a shell keeps in a file, and out of every link.
    """
    more = " and on all other addresses of this machine" if is_everywhere else ""
    track_url = f"{base}/{TRACK_PATH}"
    url = "" if track_url == LOCAL_TRACK_URL else f" --url {shlex.quote(track_url)}"
    click.echo(f"Gimel listens on {base}/{more} (press Ctrl-C to stop)")
    click.echo(f"Track URL  {track_url}")
    click.echo(f"API key    {key}")
    click.echo(f"Results    {' '.join((addresses.command('results', base), *options))}")
    click.echo(f"Snippet    gimel snippet{url} (HTML for your page)")
    click.echo("\nOpen one of these links. Each signs in one browser, once:")
    for name, link in zip(("Demo page", "Dashboard"), links, strict=True):
        click.echo(f"{name}  {link}")


def _key_option(data_dir: Path, is_given: bool) -> tuple[str, ...]:
    """Return how a command gets the key; nothing if it looks in the data directory itself."""
    if is_given:
        return ("--api-key", '"$GIMEL_API_KEY"')
    if data_dir == datadir.expand(datadir.DEFAULT):
        return ()
    return ("--api-key", f'"$(cat {shlex.quote(str(datadir.key_file(data_dir)))})"')


def _warn(text: str) -> None:
    click.echo(text, err=True)

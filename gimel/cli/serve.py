"""`gimel serve`"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gimel import config
from gimel.cli import Options
from gimel.errors import GimelError
from gimel.page.snippet import snippet

if TYPE_CHECKING:
    from gimel.serve.store import LocalStore


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--redis", "redis_url", metavar="URL", help="Count in this Redis instead of a private one."
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("~/.gimel/data"),
    show_default=True,
    help="Where the private store keeps its data.",
)
@click.option(
    "--api-key",
    metavar="KEY",
    help="Key that reading and deleting need. [default: made once, kept in the data directory]",
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

    Counts are kept in a private Redis or Valkey server that is started with it.
    """
    try:
        from gimel.serve import gateway, web
    except ImportError as missing:
        raise GimelError(
            f"`gimel serve` needs {missing.name}.", "Run `pip install 'gimel[serve]'`."
        ) from None
    configured = options.load_config()
    data_dir = data_dir.expanduser()
    with contextlib.closing(web.listen(host, port)) as listening, contextlib.ExitStack() as stack:
        web.end_on_signals()
        store: LocalStore | None = None
        if redis_url is None:
            from gimel.serve.store import LocalStore

            store = stack.enter_context(LocalStore(data_dir))
            redis: dict[str, Any] = {"unix_socket_path": str(store.socket)}
        else:
            redis = config.redis_from_url(redis_url)
            gateway.check_store(redis)
        key = api_key or _kept_key(data_dir)
        designs = configured.designs()
        serving = gateway.Gateway(
            configured.wiring, key, configured.runtime_settings(redis), designs
        )
        app = gateway.application(serving, store, lambda text: click.echo(text, err=True))
        address = listening.getsockname()
        base = f"http://{f'[{address[0]}]' if ':' in address[0] else address[0]}:{address[1]}"
        click.echo(f"Gimel listens on {base}/ (a demo page; Ctrl-C ends it)")
        click.echo(f"Track URL  {base}/track")
        click.echo(f"API key    {key}")
        click.echo(f"Results    curl -H 'x-api-key: {key}' {base}/experiments")
        click.echo(f"Dashboard  {base}/dashboard (asks for the key)")
        click.echo(f"\n{snippet(f'{base}/track', 'alephbet')}")
        web.run(app, listening)


def _kept_key(directory: Path) -> str:
    """Return the key in the data directory, made the first time."""
    path = directory / "api-key"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (
            contextlib.suppress(FileExistsError),
            os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file,
        ):
            file.write(secrets.token_urlsafe(24))
        return path.read_text("ascii").strip()
    except OSError as error:
        raise GimelError(
            f"{path} cannot be used: {error.strerror}.",
            "Choose another --data-dir, or give --api-key.",
        ) from None

"""What `gimel configure` asks before it creates a file: where the counts are kept."""

from __future__ import annotations

import textwrap
from typing import Any

import click

from gimel import config
from gimel.cli import terminal
from gimel.config.provision import VALKEY_SERVERLESS
from gimel.deploy.checks.address import is_loopback
from gimel.deploy.store_cost import describe_store_cost
from gimel.errors import GimelError

_OWN, _AWS, _HOSTED, _EDIT = "1", "2", "3", "4"


def ask_for_redis() -> dict[str, Any] | None:
    """Return the `redis` section that the user chooses, None to write it in an editor.

    A URL is not shown while it is typed or pasted, since it may contain a password.
    """
    err = terminal.asks_on_stderr()
    price = textwrap.fill(f"{describe_store_cost()}.", 75, subsequent_indent=" " * 5)
    click.echo(
        "Choose where the counts are kept:\n\n"
        f"  {_OWN}  In a Redis or Valkey that you have: paste its URL.\n"
        f"  {_AWS}  On ElastiCache, in a store that `gimel deploy` creates in your account:\n"
        f"     {price}\n"
        f"  {_HOSTED}  In a hosted Redis of another provider. Plans that are billed by the\n"
        "     command cost about $4 per million events, those with a fixed price from $5\n"
        "     to $10 a month, and small ones are often free. docs/redis.md compares them.\n"
        f"  {_EDIT}  Write the file in an editor.\n",
        err=err,
    )
    kinds = click.Choice([_OWN, _AWS, _HOSTED, _EDIT])
    choice = click.prompt("Number", type=kinds, default=_OWN, show_choices=False, err=err)
    if choice == _AWS:
        return {"provision": VALKEY_SERVERLESS}
    if choice == _EDIT:
        return None
    if choice == _HOSTED:
        click.echo("Create a database in the region of your functions, with TLS.", err=err)
    while True:
        url = click.prompt("URL, like rediss://USER:PASSWORD@HOST:PORT", hide_input=True, err=err)
        try:
            section = config.redis_from_url(url)
        except GimelError as mistake:
            click.echo(f"{mistake.message} {mistake.hint}".rstrip(), err=err)
            continue
        if "unix_socket_path" in section:
            click.echo("AWS Lambda cannot reach a Unix socket.", err=err)
        elif is_loopback(str(section["host"])):
            click.echo(
                f"AWS Lambda cannot reach {section['host']}, which is this machine.", err=err
            )
        else:
            return {"url": url}

"""`gimel alerts`"""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import click

from gimel.cli import Options
from gimel.cli.help import Command
from gimel.config.alerts import Alerts
from gimel.errors import GimelError

_HOW = "Set alerts.webhook or alerts.sns in config.json: run `gimel configure`."


@click.command(
    cls=Command,
    examples={
        "gimel alerts": "where alerts go",
        "gimel alerts --test": "send a test there",
    },
)
@click.option("--test", is_flag=True, help="Send a test to every receiver.")
@click.pass_obj
def command(options: Options, test: bool) -> None:
    """Show where alerts go, or send a test there.

    Alerts are sent by the daily snapshot of `gimel deploy` or `gimel serve`. The test is sent from
    this machine, with the AWS credentials of this machine. Exits with 1 if a receiver fails.
    """
    config = options.load_config()
    alerts = config.document.alerts
    if not alerts.is_on:
        if test:
            raise GimelError("No alerts are configured.", _HOW)
        click.echo(f"No alerts are configured. {_HOW}")
    elif test:
        _test(alerts)
    else:
        _show(alerts)


def _show(alerts: Alerts) -> None:
    """Print the receivers. The path of a webhook's URL is a secret."""
    if alerts.webhook:
        signed = "signed" if alerts.secret else "not signed"
        click.echo(f"webhook  {urlsplit(alerts.webhook).netloc} ({signed})")
    if alerts.sns:
        click.echo(f"sns      {alerts.sns}")


def _test(alerts: Alerts) -> None:
    from gimel.alerts.http import NotSent
    from gimel.alerts.messages import sample_alert
    from gimel.alerts.receivers import configured

    now = time.time()
    failed = []
    for receiver in configured(alerts.model_dump()):
        try:
            answer = receiver.send([sample_alert(now)], now)
        except NotSent as error:
            click.echo(f"{receiver.name}: failed: {error}", err=True)
            failed.append(receiver.name)
        else:
            click.echo(f"{receiver.name}: {answer}")
    if failed:
        raise click.exceptions.Exit(1)

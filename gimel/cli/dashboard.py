"""`gimel dashboard`"""

from __future__ import annotations

import contextlib
import threading
import time
import webbrowser
from pathlib import Path

import click

from gimel.analysis.experiment import analyse_all, require_experiments
from gimel.cli import Options
from gimel.cli.connection import api_options, find_api
from gimel.cli.help import Command
from gimel.config import Config
from gimel.errors import GimelError
from gimel.report import html
from gimel.serve import web
from gimel.serve.dashboard import Dashboard, application
from gimel.serve.demo import DESIGNS, Demo
from gimel.serve.demo_experiment import with_demo


@click.command(
    cls=Command,
    examples={
        "gimel dashboard": "the results of the deployed backend",
        "gimel dashboard --local": "the results of `gimel serve`",
        "gimel dashboard --demo": "made-up experiments",
        "gimel dashboard --output report.html": "a file to share",
    },
)
@click.option(
    "--port",
    default=0,
    type=click.IntRange(0, 65535),
    help="Port to listen on. [default: a free one]",
)
@click.option("--no-browser", is_flag=True, help="Print the address without opening a browser.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write everything to one HTML file, to share, instead of serving it.",
)
@click.option(
    "--demo", is_flag=True, help="Show made-up experiments, one for each verdict, without an API."
)
@api_options
@click.pass_obj
def command(
    options: Options,
    port: int,
    no_browser: bool,
    output: Path | None,
    demo: bool,
    namespace: str,
    url: str | None,
    api_key: str | None,
    local: bool,
) -> None:
    """Show the results as pages in the browser, until Ctrl-C.

    Only this machine can open them. The API key stays in this process.
    """
    dashboard = _dashboard(options.load_config(), demo, namespace, url, api_key, local)
    if output is not None:
        _write(dashboard, output)
    else:
        _serve(dashboard, port, not no_browser)


def _dashboard(
    config: Config, demo: bool, namespace: str, url: str | None, api_key: str | None, local: bool
) -> Dashboard:
    """Return the dashboard of what the options name. Raises GimelError."""
    if demo:
        caption = "made up for this demo"
        return Dashboard(Demo(time.time(), namespace), caption, namespace, DESIGNS, is_demo=True)
    api = find_api(url, api_key, local)
    designs = with_demo(config.designs()) if local else config.designs()
    return Dashboard(api, f"counted by {api.url}", namespace, designs)


def _write(dashboard: Dashboard, output: Path) -> None:
    answer = dashboard.source.experiments(dashboard.namespace, history=True)
    require_experiments(answer, dashboard.namespace)
    now = time.time()
    found = analyse_all(answer, dashboard.designs, now=now)
    choices = html.Choices(dashboard.namespace, dashboard.namespace)
    frame = html.Frame(dashboard.caption, dashboard.is_demo)
    page = html.report(found, answer.ignored, choices, frame, now)
    try:
        output.write_text(page, "utf-8", "replace")
    except OSError as error:
        raise GimelError(f"{output} cannot be written: {error.strerror}.") from None
    click.echo(f"Wrote {output}", err=True)


def _serve(dashboard: Dashboard, port: int, open_browser: bool) -> None:
    with contextlib.closing(web.listen("127.0.0.1", port)) as listening:
        web.exit_on_signals()
        address = f"{web.address(listening)}{html.BASE}"
        click.echo(f"Dashboard  {address} (press Ctrl-C to stop)")
        if open_browser:
            # The socket listens already, so the browser's request waits until the server runs.
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        web.run(application(dashboard), listening)

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
from gimel.config import Config
from gimel.errors import GimelError
from gimel.report import html
from gimel.serve import web
from gimel.serve.dashboard import Site, application
from gimel.serve.demo import Demo


@click.command()
@click.option(
    "--port",
    default=0,
    type=click.IntRange(0, 65535),
    help="Port of the page. [default: a free one]",
)
@click.option("--no-browser", is_flag=True, help="Only print the page's address.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write one HTML file that holds everything, to mail around, instead of serving.",
)
@click.option(
    "--demo", is_flag=True, help="Show made-up experiments, one for each verdict; asks no API."
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

    They are served to this machine alone, by this process, which keeps the API's key to itself.
    """
    site = _site(options.load_config(), demo, namespace, url, api_key, local)
    if output is not None:
        _write(site, output)
    else:
        _serve(site, port, not no_browser)


def _site(
    config: Config, demo: bool, namespace: str, url: str | None, api_key: str | None, local: bool
) -> Site:
    """Return the dashboard of what the options name. Raises GimelError."""
    if demo:
        return Site(Demo(time.time()), "made up for this demo", namespace, is_demo=True)
    api = find_api(url, api_key, local)
    return Site(api, f"counted by {api.url}", namespace, config.designs())


def _write(site: Site, output: Path) -> None:
    answer = site.source.experiments(site.namespace)
    require_experiments(answer, site.namespace)
    found = analyse_all(answer, site.designs)
    choices = html.Choices(site.namespace, site.namespace)
    page = html.report(
        found, answer.ignored, choices, html.Frame(site.described, site.is_demo), time.time()
    )
    try:
        output.write_text(page, "utf-8", "replace")
    except OSError as error:
        raise GimelError(f"{output} cannot be written: {error.strerror}.") from None
    click.echo(f"Wrote {output}", err=True)


def _serve(site: Site, port: int, open_browser: bool) -> None:
    with contextlib.closing(web.listen("127.0.0.1", port)) as listening:
        web.end_on_signals()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}{html.BASE}"
        click.echo(f"Dashboard  {address} (Ctrl-C ends it)")
        if open_browser:
            # It is answered as soon as the server runs: the socket listens already.
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        web.run(application(site), listening)

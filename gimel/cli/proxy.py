"""`gimel proxy`"""

from __future__ import annotations

import click

from gimel.cli import Options, terminal
from gimel.cli.help import Command
from gimel.errors import GimelError
from gimel.page import proxy
from gimel.page.filter_lists import blocked_methods
from gimel.wiring import TRACK_PATH

_WHERE = {
    "nginx": "Put this into the server block of your site. Run `nginx -t`, then reload nginx.",
    "caddy": "Put this into the site block of your Caddyfile. Run `caddy validate`, then reload.",
    "cloudfront": "Add these to Origins and CacheBehaviors of your site's distribution. No custom"
    " error response may turn an error into the status 200: gimel.js would take it for counted.",
    "vercel": "Add this to the vercel.json of your site. It must come before a rewrite of all"
    " paths.",
    "netlify": "Add this to the netlify.toml of your site. It must come before a redirect of all"
    " paths.",
}


@click.command(
    cls=Command,
    examples={
        "gimel proxy nginx": "for the deployed track URL, below /e",
        "gimel proxy caddy --path /shop/e": "below another path",
        "gimel proxy netlify --track-url https://ab.example.com/e": "without credentials",
    },
)
@click.argument("kind", type=click.Choice([*proxy.KINDS]))
@click.option(
    "--path",
    default=f"/{TRACK_PATH}",
    show_default=True,
    help="Path of your site that leads to the track URL.",
)
@click.option("--track-url", metavar="URL", help="The track URL. [default: found in AWS]")
@terminal.aws_options
@click.pass_obj
def command(
    options: Options,
    kind: str,
    path: str,
    track_url: str | None,
    profile: str | None,
    region: str | None,
) -> None:
    """Print a rewrite that serves the track URL from your own site.

    Ad blockers have lists of hosts. They do not list the path of a site.

    The rewrite keeps the method, the query, the body and the browser's User-Agent.
    """
    proxy.check_path(path)
    upstream = proxy.parse_upstream(track_url or _deployed_track_url(options, profile, region))
    click.echo(proxy.KINDS[kind](upstream, path), nl=False)
    if methods := blocked_methods(path.rstrip("/").rpartition("/")[2]):
        click.echo(
            f"Warning: ad blockers block {' and '.join(methods)} of {path} on any site. Choose"
            " another --path.",
            err=True,
        )
    site = f"https://YOUR-SITE{path}"
    click.echo(
        f"{_WHERE[kind]}\n"
        f"Check it: `curl -d '' {site}` answers with an error that names `experiment`.\n"
        f"Then send the events there: `gimel snippet --url {site}`.",
        err=True,
    )


def _deployed_track_url(options: Options, profile: str | None, region: str | None) -> str:
    """Return the track URL of the deployment in AWS. Raises GimelError."""
    from gimel.deploy.deployed import find_deployed
    from gimel.deploy.outputs import api_url

    try:
        aws = terminal.connect(profile, region, terminal.find_deployment(options))
        found = find_deployed(aws)
    except GimelError as error:
        hint = f"{error.hint} With --track-url, no credentials are needed."
        raise GimelError(error.message, hint.strip()) from None
    return f"{api_url(found.api, aws.region, aws.endpoint, aws.dns_suffix)}/{TRACK_PATH}"

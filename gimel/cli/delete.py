"""`gimel delete`"""

from __future__ import annotations

import click

from gimel.cli import Options, terminal
from gimel.errors import GimelError


@click.command()
@click.argument("experiment")
@click.option("--namespace", default="alephbet", show_default=True, help="Where the experiment is.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@terminal.aws_options
@click.pass_obj
def command(options: Options, experiment: str, namespace: str, yes: bool, profile: str | None, region: str | None) -> None:
    """Delete the counts of EXPERIMENT through the deployed API. There is no way back."""
    from urllib.parse import urlencode

    from gimel.deploy import check, observe
    from gimel.deploy.outputs import Endpoint, outputs

    config = options.load_config()
    aws = terminal.connect(profile, region)
    reached = outputs(observe.find_deployed(aws), config.wiring, aws.region, aws.endpoint)
    endpoint = reached.endpoint("gimel.delete", "DELETE")
    if endpoint is None:
        raise GimelError("The wiring has no route that deletes.", "See WIRING.md.")
    terminal.confirm(f"Delete the counts of {experiment!r} in {namespace!r}?", yes)
    query = urlencode({"namespace": namespace, "experiment": experiment})
    target = Endpoint("DELETE", f"{endpoint.url}?{query}", endpoint.handler, endpoint.api_key_required)
    answer = check.request("DELETE", target, {"x-api-key": reached.key}, None)
    if answer.status != 200 or not isinstance(answer.body, dict):
        said = answer.body.get("error") or answer.body.get("message") if isinstance(answer.body, dict) else "no reason given"
        raise GimelError(f"{experiment!r} was not deleted: {endpoint.url} answered {answer.status or 'nothing'}: {said}.")
    counters = answer.body.get("deleted", 0)
    click.echo(f"Deleted {counters} counter{'' if counters == 1 else 's'} of {experiment!r}.")

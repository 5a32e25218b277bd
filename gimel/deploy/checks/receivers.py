"""Whether alerts can leave the network of the functions, as far as the configuration shows it."""

from __future__ import annotations

from collections.abc import Iterable

from gimel.config import Config
from gimel.deploy.checks.findings import Finding, warning


def check_receivers(config: Config) -> Iterable[Finding]:
    """Warn where alerts are to be sent from inside a VPC.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html
    """
    document = config.document
    if document.aws.vpc is None or not document.alerts.is_on:
        return
    names = [name for name in ("webhook", "sns") if getattr(document.alerts, name)]
    hint = "Check that the subnets of aws.vpc have a route to a NAT gateway"
    if names == ["sns"]:
        hint += ", or that the VPC has an endpoint for SNS"
    yield warning(
        "alerts",
        "the functions run in a VPC, from which they cannot reach"
        f" {' and '.join(f'alerts.{name}' for name in names)} without a NAT gateway",
        f"{hint}. Counting and the daily snapshot do not need it.",
    )

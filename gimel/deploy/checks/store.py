"""The store that Gimel creates: whether it can be created, and whether the functions reach it.

Nothing but the functions can reach it, so a function that is live is asked.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from gimel.config import Config
from gimel.deploy.aws import Aws
from gimel.deploy.aws_errors import DENIED, Refused
from gimel.deploy.checks.findings import Finding, failed, ok, warning
from gimel.deploy.desired import desired_state
from gimel.deploy.history import UNPUBLISHED
from gimel.deploy.resources.base import Run
from gimel.deploy.resources.security_group import no_default_vpc
from gimel.deploy.resources.trials import DELETE, NAMESPACE, DoesNotWork, Trial, event_for, invoke
from gimel.errors import GimelError

_NAME = "store"
_LEAST_ZONES = 2


def check_created_store(
    aws: Aws | None, config: Config, *, before_deploy: bool = False
) -> list[Finding]:
    """Return what is found. `before_deploy` leaves it to the deploy, which tries the functions."""
    if aws is None:
        return [warning(_NAME, "not checked: only functions on AWS can reach it")]
    if before_deploy:
        return [ok(_NAME, "`gimel deploy` tries it through the functions")]
    try:
        return list(_check(aws, config))
    except Refused as refused:
        if refused.code in DENIED:
            return [warning(_NAME, f"not checked: {refused.message}", refused.hint)]
        return [failed(_NAME, refused.message, refused.hint)]
    except GimelError as error:
        return [failed(_NAME, error.message, error.hint)]


def _check(aws: Aws, config: Config) -> Iterator[Finding]:
    name = aws.identity().store
    desired = desired_state(config, b"")
    deletes = [each for each in desired.functions if each.configuration.handler == DELETE]
    for function in deletes[:1]:
        trial = Trial(function.name, function.configuration, UNPUBLISHED)
        event = event_for(trial, f"{NAMESPACE}-{secrets.token_hex(8)}")
        try:
            invoke(Run(aws, aws.identity()), trial, event)
        except Refused as refused:
            if refused.code != "ResourceNotFoundException":
                raise
            break  # not deployed yet
        except DoesNotWork as error:
            yield failed(_NAME, error.message, f"`gimel status` shows the state of {name}.")
            return
        yield ok(_NAME, f"{name} on ElastiCache answers the functions")
        return
    yield _check_network(aws, config)


def _check_network(aws: Aws, config: Config) -> Finding:
    """Return whether a store can be created in the network of the configuration."""
    vpc = config.document.aws.vpc
    if vpc is not None:
        subnets = aws.pages("ec2", "describe_subnets", SubnetIds=list(vpc.subnets))
        where = "aws.vpc"
    else:
        filters = [{"Name": "default-for-az", "Values": ["true"]}]
        subnets = aws.pages("ec2", "describe_subnets", Filters=filters)
        where = "the default VPC"
        if not subnets:
            error = no_default_vpc(aws.region)
            return failed(_NAME, error.message, error.hint)
    zones = sorted({each["AvailabilityZone"] for each in subnets})
    if len(zones) < _LEAST_ZONES:
        return failed(
            _NAME,
            f"{where} has subnets in only one availability zone, {', '.join(zones)}",
            "ElastiCache requires two: add a subnet in another zone.",
        )
    return ok(_NAME, f"not created yet; {where} has subnets in {', '.join(zones)}")

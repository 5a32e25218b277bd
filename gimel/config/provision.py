"""A store that `gimel deploy` creates: what the rest of the configuration must be like for it.

What AWS chooses, such as the address of the store, is not known here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gimel.config.kinds import NotAllowedError

if TYPE_CHECKING:
    from gimel.config.schema import Document

VALKEY_SERVERLESS = "valkey-serverless"
"""The value of redis.provision: ElastiCache Serverless for Valkey."""

# ElastiCache allows neither underscores, nor a hyphen at the end or two in a row. EC2 takes a
# security group whose name begins with "sg-" for an id.
# https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateServerlessCache.html
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
_STORE_NAME = re.compile(r"(?!sg-)[A-Za-z](-?[A-Za-z0-9])*")

MOST_SECURITY_GROUPS = 4  # of the five that a function may have, one is Gimel's


def check_provision(document: Document) -> None:
    """Raise NotAllowedError if a store is to be created that could not work."""
    if document.redis is None or document.redis.provision is None:
        return
    aws, alerts = document.aws, document.alerts
    if not _STORE_NAME.fullmatch(aws.name):
        raise NotAllowedError(
            "with redis.provision, aws.name must consist of letters, digits and single hyphens, "
            'and must not begin with "sg-": ElastiCache and EC2 allow no other names',
            "Set another aws.name, or the address of a Redis that you have.",
        )
    if aws.vpc is None and alerts.is_on:
        key = "alerts.webhook" if alerts.webhook else "alerts.sns"
        raise NotAllowedError(
            f"with redis.provision, {key} requires aws.vpc: the functions run in the default VPC, "
            "from which they cannot reach the internet",
            f"Remove {key}, or set aws.vpc to subnets with a NAT gateway.",
        )
    if aws.vpc is not None and len(aws.vpc.security_groups) > MOST_SECURITY_GROUPS:
        raise NotAllowedError(
            f"with redis.provision, aws.vpc.security_groups must have at most "
            f"{MOST_SECURITY_GROUPS} items: a function can have five, and Gimel adds one",
            "Remove one of them.",
        )

"""An AWS account in which nothing exists, as a value: no emulator, no client."""

from __future__ import annotations

from typing import Any

from gimel.deploy.aws import Aws
from gimel.deploy.identity import Identity
from gimel.deploy.plan import observe
from gimel.deploy.resources.base import Look, Observed

IDENTITY = Identity("123456789012", "eu-west-1", "arn:aws:iam::123456789012:user/operator")


class EmptyAws(Aws):
    """Every listing is empty, and nothing is found."""

    def __init__(self, identity: Identity = IDENTITY) -> None:
        self._identity = identity
        self.deployment = identity.deployment

    def find(self, service: str, operation: str, /, **parameters: Any) -> None:
        return None

    def pages(self, service: str, operation: str, /, **parameters: Any) -> list[dict[str, Any]]:
        return []


def empty_account(identity: Identity = IDENTITY) -> Observed:
    """Return what a look at the account sees."""
    return observe(Look(EmptyAws(identity)))

"""The one look at AWS that every command begins with, as the tests of it call it."""

from __future__ import annotations

from gimel.deploy.aws import Aws
from gimel.deploy.plan import observe
from gimel.deploy.resources.base import Look
from tests.support.state.names import Desired, Observed


def look(aws: Aws, wanted: Desired | None = None, *, versions: bool = False) -> Observed:
    """Return what exists, as far as a deploy of `wanted` needs to know, or without it a destroy.

    All versions of the functions are read if `versions`.
    """
    return observe(Look(aws, wanted, versions=versions))

"""The order: which resources there are, and which steps lead from what exists to what should.

Pure: the same values give the same steps. The order keeps what is live working: the role's policy
comes before the functions that need it, a version before the alias that points to it, a permission
before the deployment that relies on it. Things are deleted last, when nothing live needs them.
Whatever step an interrupted deploy performed last, planning again leads to the same end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gimel.deploy.checks.own_permissions import preflight_permissions
from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity
from gimel.deploy.policies import Policy, operator_policy
from gimel.deploy.resources.aliases import ALIASES, MoveAlias
from gimel.deploy.resources.api_key import API_KEY
from gimel.deploy.resources.base import Look, Observed, Resource, Step
from gimel.deploy.resources.concurrency import CONCURRENCY
from gimel.deploy.resources.cors_preflights import CORS_PREFLIGHTS
from gimel.deploy.resources.function_urls import FUNCTION_URLS
from gimel.deploy.resources.functions import FUNCTIONS, is_gimel_function
from gimel.deploy.resources.gateway_responses import GATEWAY_RESPONSES
from gimel.deploy.resources.log_groups import LOG_GROUPS
from gimel.deploy.resources.methods import METHODS
from gimel.deploy.resources.observed_function import ObservedFunction
from gimel.deploy.resources.permissions import PERMISSIONS
from gimel.deploy.resources.rest_api import REST_API
from gimel.deploy.resources.role import ROLE
from gimel.deploy.resources.role_policy import ROLE_POLICY
from gimel.deploy.resources.stage import STAGE_OF_API
from gimel.deploy.resources.usage_plan import USAGE_PLAN
from gimel.deploy.resources.versions import VERSIONS
from gimel.errors import GimelError

Resources = Sequence[Resource[Any]]

RESOURCES: Resources = (
    ROLE,
    ROLE_POLICY,
    LOG_GROUPS,
    FUNCTIONS,
    VERSIONS,
    ALIASES,
    CONCURRENCY,
    REST_API,
    METHODS,
    CORS_PREFLIGHTS,
    GATEWAY_RESPONSES,
    PERMISSIONS,
    STAGE_OF_API,
    API_KEY,
    USAGE_PLAN,
    FUNCTION_URLS,
)


def observe(look: Look, resources: Resources = RESOURCES) -> Observed:
    """Return what exists of all resources. Raises GimelError."""
    return Observed(look.identity, {resource: look.of(resource) for resource in resources})


def plan(
    desired: Desired, observed: Observed, resources: Resources = RESOURCES
) -> tuple[Step, ...]:
    """Return the steps of a deploy, none where everything is as it should be.

    Raises GimelError where a name belongs to somebody else.
    """
    backwards = resources[::-1]
    return (
        *(step for each in resources for step in each.provide(desired, observed)),
        *(step for each in backwards for step in each.retire(desired, observed)),
        *(step for each in backwards for step in each.tag(desired, observed)),
    )


def plan_destroy(observed: Observed, resources: Resources = RESOURCES) -> tuple[Step, ...]:
    """Return the steps that delete everything that Gimel made, the role last.

    Its policy is the record of the rest.
    """
    return tuple(step for each in resources[::-1] for step in each.remove(observed))


def required_permissions(
    identity: Identity, desired: Desired, resources: Resources = RESOURCES
) -> Policy:
    """Return the least-privilege policy of preflight, deploy, status, rollback and destroy."""
    return operator_policy(
        [
            *(needed for each in resources for needed in each.permissions(identity, desired)),
            *preflight_permissions(identity),
        ]
    )


def plan_rollback(observed: Observed, to: int | None = None) -> tuple[MoveAlias, ...]:
    """Return the steps that point every function's alias to its previous version, or to `to`.

    A function that never had another version keeps its own. Versions of Gimel 1.5.0 do not count
    once it was taken over, because the API now invokes them in another way. All functions are
    moved or none: raises GimelError where nothing can be moved, or a function has no version `to`.
    """
    functions = [each for each in observed.of(FUNCTIONS) if is_gimel_function(each)]
    if not functions:
        raise GimelError(
            f"No Gimel deployment found in {observed.identity.region}.",
            "Run `gimel deploy`, or choose another --region.",
        )
    moves = [move for each in functions if (move := _move_back(each, to))]
    if not moves and to is None:
        raise GimelError("No function has a version before the live one. Nothing was rolled back.")
    return tuple(moves)


def _move_back(function: ObservedFunction, to: int | None) -> MoveAlias | None:
    live = function.live_number
    if function.live is None or live is None:
        raise GimelError(f"No version of {function.name} is live.", "Run `gimel deploy`.")
    taken_over = function.live.configuration.settings is not None
    numbers = sorted(
        version.number
        for version in function.versions
        if version.configuration.settings is not None or not taken_over
    )
    previous = max((number for number in numbers if number < live), default=live)
    target = previous if to is None else to
    if target not in numbers:
        raise GimelError(
            f"The function {function.name} has no version {target}. Nothing was rolled back.",
            f"Its versions: {', '.join(map(str, numbers))}.",
        )
    return MoveAlias(function.name, live, target) if target != live else None

"""The role's inline policy: what the functions may do, and the record of what Gimel made.

It is widened before anything else is done and narrowed at the very end, because an interrupted
deploy must find in it everything that it has made so far.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity
from gimel.deploy.policies import Permission, Policy, allows, merge_policies
from gimel.deploy.record import (
    Record,
    other_regions,
    read_record,
    recorded_regions,
    role_policy,
)
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.functions import FUNCTIONS, retired_functions
from gimel.deploy.resources.rest_api import REST_API
from gimel.deploy.resources.role import ROLE, DeleteRole
from gimel.deploy.resources.store import STORE


class RolePolicy(Resource[Policy | None]):
    """See the module. It is observed with the role."""

    def observe(self, look: Look) -> Policy | None:
        role = look.of(ROLE)
        return role.policy if role else None

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        if observed.identity.deployment.role is not None:
            return
        interim = self._interim(desired, observed)
        if interim is not None:
            is_final = interim == self._wanted(desired, observed)
            yield PutRolePolicy(observed.identity.name, interim, interim=not is_final)

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        if observed.identity.deployment.role is not None:
            return
        wanted = self._wanted(desired, observed)
        if (self._interim(desired, observed) or observed.of(self)) != wanted:
            yield PutRolePolicy(observed.identity.name, wanted)

    def remove(self, observed: Observed) -> Iterator[Step]:
        """The role goes with its policy, unless other regions use it."""
        policy, region, name = observed.of(self), observed.identity.region, observed.identity.name
        if observed.of(ROLE) is None or is_of_1_5_0_elsewhere(observed):
            return
        elsewhere = other_regions(policy, region)
        if elsewhere is None:
            if policy is not None:
                yield DeleteRolePolicy(name)
            yield DeleteRole(name)
        elif policy != elsewhere:
            yield LeaveRole(name, elsewhere, recorded_regions(elsewhere))

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        if identity.deployment.role is not None:
            return
        actions = ("iam:DeleteRolePolicy", "iam:GetRolePolicy", "iam:PutRolePolicy")
        yield Permission("Role", actions, (identity.role,))

    def _wanted(self, desired: Desired, observed: Observed) -> Policy:
        return self._policy(_wanted_record(desired, observed), desired, observed)

    def _interim(self, desired: Desired, observed: Observed) -> Policy | None:
        """Return the policy that is needed before anything else, None where it may stay for now.

        A deployment of 1.5.0 calls its functions by this role, so what was allowed stays allowed.
        Functions that have left the wiring stay recorded until they are deleted, and those with
        reserved concurrency until it has been given back.
        """
        policy = observed.of(self)
        wanted = self._wanted(desired, observed)
        record = read_record(policy, observed.identity.region)
        retired = frozenset(each.name for each in retired_functions(desired, observed))
        target = _wanted_record(desired, observed)
        if (
            allows(policy, wanted)
            and retired <= record.functions
            and target.reserved <= record.reserved
        ):
            return None
        if allows(wanted, policy or {}) and not retired and record.reserved <= target.reserved:
            return wanted
        everything = target | Record(retired, record.reserved)
        return merge_policies(policy, self._policy(everything, desired, observed))

    def _policy(self, record: Record, desired: Desired, observed: Observed) -> Policy:
        document = desired.config.document
        return role_policy(
            observed.identity,
            record,
            # Versions that a rollback leads to may use a store that is kept.
            vpc=document.aws.vpc is not None or record.store,
            before=observed.of(self),
            topic=document.alerts.sns,
            secret=desired.config.secret,
            replaces=_replaces_secret(desired, observed),
        )


ROLE_POLICY = RolePolicy()


def is_of_1_5_0_elsewhere(observed: Observed) -> bool:
    """Return whether the role can only be that of a deployment of Gimel 1.5.0 in another region.

    1.5.0 did not record regions.
    """
    role = observed.of(ROLE)
    is_here = bool(observed.of(FUNCTIONS)) or observed.of(REST_API) is not None
    return role is not None and role.is_of_1_5_0 and not is_here


def _wanted_record(desired: Desired, observed: Observed) -> Record:
    """Return what to record. A store that is no longer used stays recorded: it is kept."""
    reserved = [each.name for each in desired.functions if each.reserved_concurrency is not None]
    store = desired.config.provisions or observed.of(STORE) is not None
    return Record(frozenset(desired.function_names), frozenset(reserved), store)


def _replaces_secret(desired: Desired, observed: Observed) -> bool:
    """Return whether a live function reads another secret than the desired ones."""
    wanted = _reference(desired.functions[0].configuration.settings)
    live = [each.live.configuration.settings for each in observed.of(FUNCTIONS) if each.live]
    return any(reference not in (None, wanted) for reference in map(_reference, live))


def _reference(settings: str | None) -> str | None:
    """Return how settings refer to a secret, None where they hold none."""
    password = json.loads(settings or "{}").get("redis", {}).get("password")
    return json.dumps(password, sort_keys=True) if isinstance(password, dict) else None


@dataclass(frozen=True)
class PutRolePolicy(Step):
    """Set the policy. An `interim` one still allows what was allowed before."""

    name: str
    policy: Policy
    interim: bool = False

    def __str__(self) -> str:
        if self.interim:
            return f"Add to the role {self.name} the permissions that the functions need"
        return f"Limit the role {self.name} to the permissions that the functions need"

    def perform(self, run: Run) -> None:
        _put(run, self.name, self.policy)


@dataclass(frozen=True)
class LeaveRole(Step):
    """Take this region out of the policy of a role that other regions use."""

    name: str
    policy: Policy
    regions: tuple[str, ...]

    def __str__(self) -> str:
        return f"Keep the role {self.name} for the deployments in {', '.join(self.regions)}"

    def perform(self, run: Run) -> None:
        _put(run, self.name, self.policy)


@dataclass(frozen=True)
class DeleteRolePolicy(Step):
    destructive = True

    name: str

    def __str__(self) -> str:
        return f"Delete the policy of the role {self.name}"

    def perform(self, run: Run) -> None:
        run.aws.find("iam", "delete_role_policy", RoleName=self.name, PolicyName=self.name)


def _put(run: Run, name: str, policy: Policy) -> None:
    which = {"RoleName": name, "PolicyName": name, "PolicyDocument": json.dumps(policy)}
    run.aws.call("iam", "put_role_policy", **which)

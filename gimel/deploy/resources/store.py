"""The store: a serverless cache of ElastiCache with the engine Valkey, over TLS, with snapshots.

What counts is kept: a deploy without `redis.provision` and a destroy leave the store as it is, and
only a destroy with its data deletes it, after a final snapshot. The statement of the role's policy
that lets the functions log in records that it exists (`gimel.deploy.record`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gimel.deploy.aws import Answer
from gimel.deploy.aws_errors import DENIED, Refused
from gimel.deploy.desired import STORE_IDS, Desired
from gimel.deploy.identity import Identity
from gimel.deploy.policies import ANY_RESOURCE, ELASTICACHE, Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.role import recorded
from gimel.deploy.resources.security_group import SECURITY_GROUP, network_permission
from gimel.deploy.resources.store_user import ENGINE, is_marked, store_permission
from gimel.deploy.resources.tag_record import tags_to_give
from gimel.deploy.resources.tags import as_pairs, marked, retag
from gimel.deploy.resources.waiting import wait_until
from gimel.errors import GimelError

MOST_GB = 1
"""The most data that a new store takes, the least limit that ElastiCache allows."""

MOST_ECPUS = 10_000
"""The most ECPUs per second of a new store: 5,000 events, or 400 that create a counter."""

SNAPSHOT_TIME, KEPT_DAYS = "01:00", 7  # UTC, after the daily snapshot of the experiments

_MOST_SUBNETS = 3  # that ElastiCache itself chooses
_UNTIL_KNOWN = 60.0  # seconds until AWS shows a new store at the latest
_PATIENCE = 30 * 60.0  # seconds; a store usually takes one or two minutes, a snapshot some more
_FAILED, _GOING, _UNKNOWN = "create-failed", "deleting", "unknown"


@dataclass(frozen=True)
class ObservedStore:
    """The store as it is. `endpoint` is its address, like "HOST:6379", None until AWS has chosen.

    `status` is AWS's word in lower case, "unknown" where this user may not ask.
    """

    status: str
    endpoint: str | None = None
    subnets: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    users: str | None = None
    kept_days: int = 0

    @property
    def is_usable(self) -> bool:
        """Whether the functions can use it, also while it is being changed."""
        return self.endpoint is not None and self.status not in (_FAILED, _GOING, "creating")


class Store(Resource[ObservedStore | None]):
    """Observed where it is wanted, recorded or asked for: other users lack the permission."""

    def observe(self, look: Look) -> ObservedStore | None:
        is_wanted = look.desired is not None and look.desired.config.provisions
        if not is_wanted and not look.store and not recorded(look).store:
            return None
        try:
            found = describe_store(look.aws, look.identity.store)
            if found is None or is_marked(look, "serverlesscache"):
                return _parse(found) if found else None
        except Refused as refused:
            if is_wanted or look.with_data or refused.code not in DENIED:
                raise
            return ObservedStore(_UNKNOWN)
        arn = look.identity.elasticache("serverlesscache", look.identity.store)
        if is_wanted or look.with_data:
            look.foreign.append(f"the ElastiCache cache {arn}")
        return None

    def ids(self, found: ObservedStore | None) -> dict[str, str]:
        return _ids(found) if found else {}

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        if not desired.config.provisions:
            return
        found, name = observed.of(self), observed.identity.store
        if found is not None and found.status in (_FAILED, _GOING):
            yield DeleteStore(name, with_snapshot=False)
            found = None
        if found is None:
            tags = marked(observed.identity.name, desired.tags)
            yield CreateStore(name, tags, _chosen_subnets(desired, observed))
        elif changes := _changes(found, observed):
            yield UpdateStore(name, changes)
        if found is None or not found.is_usable:
            yield WaitForStore(name)

    def tag(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        if observed.of(self) is not None and desired.config.provisions:
            name = observed.identity.store
            tags, before = tags_to_give(desired, observed)
            arn = {"ResourceName": observed.identity.elasticache("serverlesscache", name)}
            yield from retag(f"store {name}", "elasticache", arn, tags, before)

    def remove(self, observed: Observed) -> Iterator[Step]:
        found = observed.of(self)
        if observed.with_data and found is not None:
            with_snapshot = found.status not in (_FAILED, _GOING)
            yield DeleteStore(observed.identity.store, with_snapshot=with_snapshot)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        if not desired.config.provisions:
            return
        actions = [f"{verb}ServerlessCache" for verb in ("Create", "Delete", "Modify")]
        actions += ["CreateServerlessCacheSnapshot", "DescribeServerlessCaches"]
        yield store_permission(identity, *actions)
        # ElastiCache creates the network endpoint of a store as whoever creates the store.
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticache.html
        described = ("SecurityGroups", "Subnets", "Tags", "VpcEndpoints", "Vpcs")
        yield Permission(
            "Network", tuple(f"ec2:Describe{name}" for name in described), ANY_RESOURCE
        )
        yield network_permission(identity, "CreateVpcEndpoint", "DeleteVpcEndpoints")
        # https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/using-service-linked-roles.html
        linked = f"aws-service-role/{ELASTICACHE}/AWSServiceRoleForElastiCache"
        arn = f"arn:{identity.partition}:iam::{identity.account}:role/{linked}"
        service = {"StringEquals": {"iam:AWSServiceName": ELASTICACHE}}
        yield Permission("StoreRole", ("iam:CreateServiceLinkedRole",), (arn,), service)


STORE = Store()


def describe_stores(observed: Observed) -> Iterator[str]:
    """Yield the state of the store, if there is one."""
    found = observed.of(STORE)
    if found is None:
        return
    state = "cannot be looked at by this user" if found.status == _UNKNOWN else found.status
    yield f"{observed.identity.store} on ElastiCache: {state}"


def store_ids(look: Look) -> dict[str, str]:
    """Return what AWS chose of the desired store, as far as it exists."""
    if look.desired is None or not look.desired.config.provisions:
        return {}
    return {**STORE.ids(look.of(STORE)), **SECURITY_GROUP.ids(look.of(SECURITY_GROUP))}


def describe_store(aws: Any, name: str) -> Answer | None:
    """Return what AWS says of a store, None if it does not exist."""
    answer = aws.find("elasticache", "describe_serverless_caches", ServerlessCacheName=name)
    return next(iter(answer["ServerlessCaches"]), None) if answer else None


def _parse(store: Answer) -> ObservedStore:
    endpoint = store.get("Endpoint")
    return ObservedStore(
        status=store["Status"].lower(),
        endpoint=f"{endpoint['Address']}:{endpoint['Port']}" if endpoint else None,
        subnets=tuple(sorted(store.get("SubnetIds", []))),
        groups=tuple(sorted(store.get("SecurityGroupIds", []))),
        users=store.get("UserGroupId"),
        kept_days=store.get("SnapshotRetentionLimit", 0),
    )


def _ids(store: ObservedStore) -> dict[str, str]:
    endpoint, subnets, _ = STORE_IDS
    if not store.is_usable:
        return {}
    return {endpoint: str(store.endpoint), subnets: ",".join(store.subnets)}


def _chosen_subnets(desired: Desired, observed: Observed) -> tuple[str, ...]:
    """Return a subnet of aws.vpc in each zone, none for those that ElastiCache chooses itself."""
    network = observed.of(SECURITY_GROUP)
    zones = network.zones if network else {}
    one_per_zone = {zones[each]: each for each in sorted(zones, reverse=True)}
    return tuple(sorted(one_per_zone.values())[:_MOST_SUBNETS])


def _changes(store: ObservedStore, observed: Observed) -> dict[str, str]:
    """Return what was changed by hand so that the store is open to others, or has no snapshots.

    The limits are kept: they may have been raised.
    """
    network, changes = observed.of(SECURITY_GROUP), {}
    if network is None or store.groups != (network.group,):
        changes["security group"] = observed.identity.name
    if store.users != observed.identity.store:
        changes["user group"] = observed.identity.store
    if not store.kept_days:
        changes["snapshots"] = f"daily, kept for {KEPT_DAYS} days"
    return changes


@dataclass(frozen=True)
class CreateStore(Step):
    name: str
    tags: Mapping[str, str]
    subnets: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"Create the store {self.name}: ElastiCache Serverless for Valkey, at most "
            f"{MOST_GB} GB and {MOST_ECPUS:,} ECPUs per second"
        )

    def perform(self, run: Run) -> None:
        run.aws.create(
            "elasticache",
            "create_serverless_cache",
            lambda: describe_store(run.aws, self.name),
            ServerlessCacheName=self.name,
            Description="The counts of Gimel",
            Engine=ENGINE,
            CacheUsageLimits={
                "DataStorage": {"Maximum": MOST_GB, "Unit": "GB"},
                "ECPUPerSecond": {"Maximum": MOST_ECPUS},
            },
            SecurityGroupIds=[run.ids["security group"]],
            UserGroupId=self.name,
            SnapshotRetentionLimit=KEPT_DAYS,
            DailySnapshotTime=SNAPSHOT_TIME,
            Tags=as_pairs(self.tags),
            **({"SubnetIds": list(self.subnets)} if self.subnets else {}),
        )


@dataclass(frozen=True)
class UpdateStore(Step):
    """Restore what was changed by hand."""

    name: str
    changes: Mapping[str, str]

    def __str__(self) -> str:
        changes = ", ".join(f"{what} {value}" for what, value in self.changes.items())
        return f"Update the store {self.name}: {changes}"

    def perform(self, run: Run) -> None:
        parameters: dict[str, Any] = {}
        if "security group" in self.changes:
            parameters["SecurityGroupIds"] = [run.ids["security group"]]
        if "user group" in self.changes:
            parameters["UserGroupId"] = self.name
        if "snapshots" in self.changes:
            parameters["SnapshotRetentionLimit"] = KEPT_DAYS
            parameters["DailySnapshotTime"] = SNAPSHOT_TIME
        which = {"ServerlessCacheName": self.name}
        run.aws.call("elasticache", "modify_serverless_cache", **which, **parameters)


@dataclass(frozen=True)
class WaitForStore(Step):
    """Wait until the store is available, and learn what AWS has chosen for it."""

    name: str

    def __str__(self) -> str:
        return f"Wait until the store {self.name} is available, a few minutes"

    def perform(self, run: Run) -> None:
        """Raises GimelError if the store cannot be created, or takes too long."""
        started = run.aws.clock()
        wait_until(
            run.aws,
            lambda: self._is_available(run, run.aws.clock() - started < _UNTIL_KNOWN),
            f"the store {self.name} is not available yet",
            _PATIENCE,
            GimelError(
                f"The store {self.name} is not available after {_PATIENCE / 60:.0f} minutes."
            ),
        )

    def _is_available(self, run: Run, is_new: bool) -> bool:
        answer = describe_store(run.aws, self.name)
        if answer is None and is_new:
            return False
        if answer is None or answer["Status"].lower() == _FAILED:
            raise GimelError(
                f"AWS could not create the store {self.name}.",
                "The events of ElastiCache in the AWS console say why.",
            )
        store = _parse(answer)
        run.ids |= _ids(store)
        return store.is_usable


@dataclass(frozen=True)
class DeleteStore(Step):
    """Delete the store, and wait until it is gone: it uses the security group and the users."""

    destructive = True

    name: str
    with_snapshot: bool

    def __str__(self) -> str:
        after = ", after a final snapshot of its counts" if self.with_snapshot else ""
        return f"Delete the store {self.name}{after}"

    def perform(self, run: Run) -> None:
        error = GimelError(
            f"The store {self.name} still exists after {_PATIENCE / 60:.0f} minutes."
        )
        reason = f"the store {self.name} is being deleted"
        wait_until(run.aws, lambda: self._begin(run), reason, _PATIENCE, error)
        # AWS may show it as available for a moment after the deletion has begun.
        wait_until(run.aws, lambda: not self._exists(run), reason, _PATIENCE, error)

    def _exists(self, run: Run) -> bool:
        return describe_store(run.aws, self.name) is not None

    def _begin(self, run: Run) -> bool:
        """Begin the deletion unless it has begun. Return whether it has."""
        answer = describe_store(run.aws, self.name)
        if answer is None or answer["Status"].lower() == _GOING:
            return True
        which = {"ServerlessCacheName": self.name}
        if self.with_snapshot:
            which["FinalSnapshotName"] = final_snapshot(self.name, run)
        try:
            run.aws.find("elasticache", "delete_serverless_cache", **which)
        except Refused as refused:
            if refused.code != "DependencyViolation":  # of the network that it still sets up
                raise
            return False
        if self.with_snapshot:
            run.ids["final snapshot"] = which["FinalSnapshotName"]
        return True


def final_snapshot(name: str, run: Run) -> str:
    """Return the name of the snapshot that is taken before a store is deleted."""
    digits = "".join(each for each in run.now if each.isdigit())
    return f"{name}-final-{digits}"

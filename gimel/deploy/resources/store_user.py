"""The user that the functions log in to the store as, and the group that lets it into the store.

The user has no password: it logs in with a token that the functions sign as their role. All have
the name of the store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gimel.deploy.aws import Answer
from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity
from gimel.deploy.policies import Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.tag_record import tags_to_give
from gimel.deploy.resources.tags import MARK, as_pairs, marked, retag
from gimel.deploy.resources.waiting import wait_until
from gimel.errors import GimelError

ENGINE = "valkey"

ACCESS = "on ~* -@all +@read +@write +@connection -@dangerous"
"""Everything that counting, reading, deleting and moving counts needs. It cannot flush or list the
keys of the store, run scripts, or administer it."""

_PATIENCE = 10 * 60.0  # seconds for a deletion, which takes AWS about one minute

# The docs show how a user's access string is answered as it was given; words beside these may have
# been added by AWS.
_RULES = ("+", "-", "~", "%")


@dataclass(frozen=True)
class ObservedUsers:
    """The user and its group. None, or `members` None, stands for what does not exist."""

    access: str | None
    logs_in_by_iam: bool
    members: tuple[str, ...] | None

    @property
    def has_access(self) -> bool:
        """Whether the user may do what it should, and nothing else."""
        words = (self.access or "").split()
        rules = [word for word in words if word.startswith(_RULES)]
        return "on" in words and rules == ACCESS.split()[1:] and self.logs_in_by_iam


class StoreUser(Resource[ObservedUsers | None]):
    """Observed is None where no store is to be created or deleted."""

    def observe(self, look: Look) -> ObservedUsers | None:
        is_wanted = look.desired is not None and look.desired.config.provisions
        if not is_wanted and not look.with_data:
            return None
        user = _find(look, "user", "describe_users", "Users", "UserId")
        group = _find(look, "usergroup", "describe_user_groups", "UserGroups", "UserGroupId")
        return ObservedUsers(
            access=user["AccessString"] if user else None,
            logs_in_by_iam=user is not None and user["Authentication"].get("Type") == "iam",
            members=tuple(sorted(group.get("UserIds", []))) if group else None,
        )

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        found, name = observed.of(self), observed.identity.store
        if found is None or not desired.config.provisions:
            return
        tags = marked(observed.identity.name, desired.tags)
        if found.access is None:
            yield CreateUser(name, tags)
        elif not found.has_access:
            yield UpdateUser(name)
        if found.members is None:
            yield CreateUserGroup(name, tags)
        elif found.members != (name,):
            yield UpdateUserGroup(name, found.members)

    def tag(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        found, identity = observed.of(self), observed.identity
        if found is None or not desired.config.provisions:
            return
        tags, before = tags_to_give(desired, observed)
        existing = {"user": found.access is not None, "usergroup": found.members is not None}
        for kind, exists in existing.items():
            if exists:
                arn = {"ResourceName": identity.elasticache(kind, identity.store)}
                what = f"store's {kind.replace('group', ' group')} {identity.store}"
                yield from retag(what, "elasticache", arn, tags, before)

    def remove(self, observed: Observed) -> Iterator[Step]:
        found, name = observed.of(self), observed.identity.store
        if found is None or not observed.with_data:
            return
        if found.members is not None:
            yield DeleteUserGroup(name)
        if found.access is not None:
            yield DeleteUser(name)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        if not desired.config.provisions:
            return
        kinds = ("User", "UserGroup")
        actions = [f"{verb}{kind}" for verb in ("Create", "Delete", "Modify") for kind in kinds]
        actions += ["DescribeUsers", "DescribeUserGroups"]
        actions += ["AddTagsToResource", "ListTagsForResource", "RemoveTagsFromResource"]
        yield store_permission(identity, *actions)


STORE_USER = StoreUser()


def store_permission(identity: Identity, *actions: str) -> Permission:
    """Return the permission for actions of ElastiCache on the store, its user and its snapshots."""
    names = {
        "serverlesscache": identity.store,
        "serverlesscachesnapshot": f"{identity.store}-final-*",
        "user": identity.store,
        "usergroup": identity.store,
    }
    resources = tuple(identity.elasticache(kind, name) for kind, name in names.items())
    return Permission("Store", tuple(f"elasticache:{name}" for name in actions), resources)


def is_marked(look: Look, kind: str) -> bool:
    """Return whether something of ElastiCache that has the store's name is this deployment's."""
    arn = look.identity.elasticache(kind, look.identity.store)
    answer = look.aws.find("elasticache", "list_tags_for_resource", ResourceName=arn)
    return {"Key": MARK, "Value": look.identity.name} in (answer or {}).get("TagList", [])


def _find(look: Look, kind: str, operation: str, key: str, by: str) -> Answer | None:
    """Return Gimel's own user or group; another's is noted as foreign."""
    answer = look.aws.find("elasticache", operation, **{by: look.identity.store})
    found = next(iter(answer[key]), None) if answer else None
    if found is None or is_marked(look, kind):
        return found
    look.foreign.append(f"the {look.identity.elasticache(kind, look.identity.store)}")
    return None


@dataclass(frozen=True)
class CreateUser(Step):
    name: str
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"Create the user {self.name} of the store, which logs in by IAM"

    def perform(self, run: Run) -> None:
        def created() -> Answer | None:
            return run.aws.find("elasticache", "describe_users", UserId=self.name)

        run.aws.create(
            "elasticache",
            "create_user",
            created,
            UserId=self.name,
            UserName=self.name,  # must equal the id for a login by IAM
            Engine=ENGINE,
            AccessString=ACCESS,
            AuthenticationMode={"Type": "iam"},
            Tags=as_pairs(self.tags),
        )


@dataclass(frozen=True)
class UpdateUser(Step):
    name: str

    def __str__(self) -> str:
        return f"Limit the user {self.name} of the store to what Gimel needs"

    def perform(self, run: Run) -> None:
        run.aws.call(
            "elasticache",
            "modify_user",
            UserId=self.name,
            AccessString=ACCESS,
            AuthenticationMode={"Type": "iam"},
        )


@dataclass(frozen=True)
class CreateUserGroup(Step):
    name: str
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"Create the user group {self.name}, which admits only this user to the store"

    def perform(self, run: Run) -> None:
        def created() -> Answer | None:
            return run.aws.find("elasticache", "describe_user_groups", UserGroupId=self.name)

        run.aws.create(
            "elasticache",
            "create_user_group",
            created,
            UserGroupId=self.name,
            Engine=ENGINE,
            UserIds=[self.name],
            Tags=as_pairs(self.tags),
        )


@dataclass(frozen=True)
class UpdateUserGroup(Step):
    name: str
    members: tuple[str, ...]

    def __str__(self) -> str:
        return f"Admit only the user {self.name} to the store"

    def perform(self, run: Run) -> None:
        changes = {}
        if self.name not in self.members:
            changes["UserIdsToAdd"] = [self.name]
        if others := [each for each in self.members if each != self.name]:
            changes["UserIdsToRemove"] = others
        run.aws.call("elasticache", "modify_user_group", UserGroupId=self.name, **changes)


@dataclass(frozen=True)
class DeleteUserGroup(Step):
    destructive = True

    name: str

    def __str__(self) -> str:
        return f"Delete the user group {self.name}"

    def perform(self, run: Run) -> None:
        which = {"UserGroupId": self.name}
        _delete(run, f"user group {self.name}", "user_group", "UserGroups", which)


@dataclass(frozen=True)
class DeleteUser(Step):
    destructive = True

    name: str

    def __str__(self) -> str:
        return f"Delete the user {self.name} of the store"

    def perform(self, run: Run) -> None:
        which = {"UserId": self.name}
        _delete(run, f"user {self.name} of the store", "user", "Users", which)


def _delete(run: Run, what: str, kind: str, key: str, which: Mapping[str, str]) -> None:
    """Delete something and wait until it is gone: until then, a deploy could not create it."""

    def is_gone() -> bool:
        answer = run.aws.find("elasticache", f"describe_{kind}s", **which)
        return not (answer or {}).get(key)

    run.aws.find("elasticache", f"delete_{kind}", **which)
    error = GimelError(f"The {what} still exists after {_PATIENCE / 60:.0f} minutes.")
    wait_until(run.aws, is_gone, f"the {what} is being deleted", _PATIENCE, error)

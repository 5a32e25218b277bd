"""What every resource has, and the values that resources plan and act with.

A resource is a class with one instance. It decides with values, `Desired` and `Observed`, and
yields steps. A step meets AWS only when it is performed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, ClassVar, Generic, TypeVar, cast

from gimel.deploy.aws import Aws
from gimel.deploy.desired import Desired
from gimel.deploy.history import History
from gimel.deploy.identity import Identity
from gimel.deploy.policies import Permission

Found = TypeVar("Found")


@dataclass
class Run:
    """A plan while it is performed.

    `ids` holds what AWS chose: the ids of what existed before, and those that steps have learned
    since. A step names what it works on and looks up the id, so that a plan can be shown before
    anything exists. `now` is when it began, like "2026-11-26T12:24Z". `live` is the history of each
    function whose alias it has moved.
    """

    aws: Aws
    identity: Identity
    ids: dict[str, str] = field(default_factory=dict)
    now: str = field(default_factory=lambda: _minute(datetime.now(timezone.utc)))
    live: dict[str, History] = field(default_factory=dict)

    @property
    def by(self) -> str:
        """Who runs it: the caller's ARN without what is the same for everyone of the account."""
        return self.identity.arn.rpartition("::")[2].partition(":")[2] or "unknown"


class Step(ABC):
    """One change on AWS. Its `str` is the sentence that is shown to the user.

    `perform` makes only calls that may be repeated, or that can find out whether they were done:
    after an interruption, the next plan leads to the same end. `destructive` steps delete what
    the next deploy cannot bring back as it was.
    """

    destructive: ClassVar[bool] = False

    @abstractmethod
    def __str__(self) -> str: ...

    @abstractmethod
    def perform(self, run: Run) -> None:
        """Make the change. Raises GimelError."""


@dataclass(frozen=True)
class Observed:
    """What exists on AWS, by the resource that observed it.

    `foreign` names what has one of Gimel's names and was not created by Gimel. `with_data` says
    that a destroy is to delete the store as well.
    """

    identity: Identity
    parts: Mapping[Resource[Any], Any]
    foreign: tuple[str, ...] = ()
    with_data: bool = False

    def of(self, resource: Resource[Found]) -> Found:
        """Return what a resource observed."""
        return cast(Found, self.parts[resource])


class Look:
    """One look at AWS: each resource is observed once, when it is first asked for.

    `desired` is what will be planned, None where only what exists matters. `versions` asks for all
    versions of every function, `store` for the store even if nothing records it, and `with_data`
    for everything that a destroy with its data deletes. `domain` is a domain name that may be the
    deployment's, in addition to those that are recorded. `foreign` collects what is not Gimel's.
    """

    def __init__(
        self,
        aws: Aws,
        desired: Desired | None = None,
        *,
        versions: bool = False,
        store: bool = False,
        with_data: bool = False,
        domain: str | None = None,
    ) -> None:
        self.aws = aws
        self.identity = aws.identity()
        self.desired = desired
        self.versions = versions
        self.store = store or with_data
        self.with_data = with_data
        self.domain = domain
        self.foreign: list[str] = []
        self._parts: dict[Resource[Any], Any] = {}

    def of(self, resource: Resource[Found]) -> Found:
        """Return what a resource observes."""
        if resource not in self._parts:
            self._parts[resource] = resource.observe(self)
        return cast(Found, self._parts[resource])


class Resource(ABC, Generic[Found]):
    """One kind of AWS resource. A method that does not apply keeps its default, which does nothing.

    A deploy plans `provide` of every resource in order, then `retire` and then `tag` in reverse
    order: what is live keeps working, since nothing is deleted before its replacement works.
    A destroy plans `remove` in reverse order.
    """

    @abstractmethod
    def observe(self, look: Look) -> Found:
        """Return what exists, with as few calls as possible. Changes nothing."""

    def ids(self, found: Found) -> Mapping[str, str]:
        """Return the ids that steps need of what exists."""
        return {}

    def provide(self, desired: Desired, observed: Observed) -> Iterable[Step]:
        """Return the steps that create what is missing and update what differs."""
        return ()

    def retire(self, desired: Desired, observed: Observed) -> Iterable[Step]:
        """Return the steps that delete what the configuration no longer asks for."""
        return ()

    def tag(self, desired: Desired, observed: Observed) -> Iterable[Step]:
        """Return the steps that tag what existed before."""
        return ()

    def remove(self, observed: Observed) -> Iterable[Step]:
        """Return the steps that delete everything of this kind that Gimel made."""
        return ()

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        """Yield the permissions that all of the above needs."""
        yield from ()


OnStep = Callable[[int, Step], None]


def _minute(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%MZ")

"""What a domain name leads to: the stage of the REST API, at the root."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gimel.deploy.aws import Answer
from gimel.deploy.desired import Desired
from gimel.deploy.identity import STAGE
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.domains import (
    DOMAINS,
    can_serve,
    is_mapped,
    retired_domains,
    wanted_domain,
)
from gimel.deploy.resources.observed_domain import ROOT, ObservedDomain


class BasePathMappings(Resource[None]):
    """See the module. What exists is observed by `domains`.

    The permissions are those of the domain name.
    """

    def observe(self, look: Look) -> None:
        """See `domains`."""

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        found = wanted_domain(desired, observed)
        if found is None:
            return
        domain, there = found
        if there.regional is None:
            if can_serve(domain, there):
                yield CreateMapping(domain.name)
        elif not is_mapped(there, observed):
            is_there = ROOT in there.regional.mappings
            yield UpdateMapping(domain.name) if is_there else CreateMapping(domain.name)

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        for name in retired_domains(desired, observed):
            yield from _deletions(observed.of(DOMAINS)[name])

    def remove(self, observed: Observed) -> Iterator[Step]:
        for there in observed.of(DOMAINS).values():
            yield from _deletions(there)


BASE_PATH_MAPPINGS = BasePathMappings()


def _deletions(there: ObservedDomain) -> Iterator[Step]:
    if there.regional and ROOT in there.regional.mappings:
        yield DeleteMapping(there.name)


@dataclass(frozen=True)
class CreateMapping(Step):
    domain: str

    def __str__(self) -> str:
        return f"Serve the REST API at https://{self.domain}"

    def perform(self, run: Run) -> None:
        which = {"domainName": self.domain, "basePath": ROOT}

        def created() -> Answer | None:
            return run.aws.find("apigateway", "get_base_path_mapping", **which)

        api = {"restApiId": run.ids["api"], "stage": STAGE}
        run.aws.create("apigateway", "create_base_path_mapping", created, **which, **api)


@dataclass(frozen=True)
class UpdateMapping(Step):
    """Have the domain name lead to the REST API, and no longer to another one."""

    domain: str

    def __str__(self) -> str:
        return f"Serve the REST API at https://{self.domain}, which leads to another one"

    def perform(self, run: Run) -> None:
        values = {"/restapiId": run.ids["api"], "/stage": STAGE}
        patch = [{"op": "replace", "path": path, "value": values[path]} for path in values]
        which = {"domainName": self.domain, "basePath": ROOT}
        run.aws.call("apigateway", "update_base_path_mapping", **which, patchOperations=patch)


@dataclass(frozen=True)
class DeleteMapping(Step):
    domain: str

    def __str__(self) -> str:
        return f"No longer serve the REST API at https://{self.domain}"

    def perform(self, run: Run) -> None:
        which = {"domainName": self.domain, "basePath": ROOT}
        run.aws.find("apigateway", "delete_base_path_mapping", **which)

"""The tags of the role and the REST API, which record what everything else was tagged with.

They are given last: an interrupted deploy is to give the others again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gimel.deploy.desired import Desired
from gimel.deploy.record import other_regions
from gimel.deploy.resources.base import Look, Observed, Resource, Step
from gimel.deploy.resources.rest_api import REST_API
from gimel.deploy.resources.role import ROLE
from gimel.deploy.resources.tags import MARK, marked, record_of, recorded_tags, retag


class TagRecord(Resource[Mapping[str, str] | None]):
    """Observed are the tags of the REST API, None where it does not exist."""

    def observe(self, look: Look) -> Mapping[str, str] | None:
        api = look.of(REST_API)
        if api is None:
            return None
        arn = look.identity.rest_api(api.id)
        answer = look.aws.find("apigateway", "get_tags", resourceArn=arn)
        tags: dict[str, str] = {MARK: look.identity.name} if api.is_marked else {}
        if answer is not None:
            tags = answer.get("tags") or {}
        return {key: tags[key] for key in tags if not key.startswith("aws:")}

    def tag(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        yield from self._role(desired, observed)
        api, tags, name = observed.of(REST_API), observed.of(self), observed.identity.name
        wanted = {**marked(name, desired.tags), **record_of(desired.tags)}
        if api is None or tags is None:
            created_with = marked(name, desired.tags)
            yield from retag(f"REST API {name}", "apigateway", {}, wanted, created_with)
            return
        ours = {*tags_of_region(observed), *wanted, *record_of(tags)}
        before = {key: tags[key] for key in tags if key in ours}
        arn = {"resourceArn": observed.identity.rest_api(api.id)}
        yield from retag(f"REST API {name}", "apigateway", arn, wanted, before)

    def _role(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        """All regions share the role: only one that is alone may change or remove its tags."""
        role, name = observed.of(ROLE), observed.identity.name
        if role is None:
            return
        ours = {*tags_of_region(observed), *desired.tags} - {MARK}
        before = {key: role.tags[key] for key in role.tags if key in ours}
        if other_regions(role.policy, observed.identity.region) is not None:
            before = {key: desired.tags[key] for key in before if key in desired.tags}
        yield from retag(f"role {name}", "iam", {"RoleName": name}, desired.tags, before)


TAG_RECORD = TagRecord()


def tags_of_region(observed: Observed) -> Mapping[str, str]:
    """Return the tags that were given to everything in this region, as far as that is recorded."""
    tags = observed.of(TAG_RECORD)
    return recorded_tags(tags) if tags else {}


def tags_to_give(desired: Desired, observed: Observed) -> tuple[dict[str, str], dict[str, str]]:
    """Return the tags of something that is known to be marked: as they should be, and as given."""
    name = observed.identity.name
    return marked(name, desired.tags), {MARK: name, **tags_of_region(observed)}

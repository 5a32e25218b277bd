"""The functions' own public URLs, which cost a tenth of the REST API. Their permission is up to
`permissions`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gimel.deploy.aws import Answer, Aws
from gimel.deploy.desired import Desired
from gimel.deploy.identity import ALIAS, Identity
from gimel.deploy.policies import Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.functions import (
    FUNCTIONS,
    function_permission,
    retired_functions,
)
from gimel.deploy.resources.permissions import permissions_of


class FunctionUrls(Resource[Mapping[str, str]]):
    """Observed are the URLs by function name."""

    def observe(self, look: Look) -> Mapping[str, str]:
        """Ask only where a URL is desired, or was permitted."""
        desired = look.desired.functions if look.desired else ()
        wanted = {function.name for function in desired if function.url}
        found = {}
        for function in look.of(FUNCTIONS):
            permitted = permissions_of(look, function.name).url_statements
            url = None
            if function.name in wanted or permitted:
                url = _find_url(look.aws, function.name)
            if url is not None:
                found[function.name] = url
        return found

    def ids(self, found: Mapping[str, str]) -> dict[str, str]:
        return {_URL_OF + function: found[function] for function in found}

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        for function in desired.functions:
            if function.url and function.name not in observed.of(self):
                yield CreateUrl(function.name)

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        without = [function.name for function in desired.functions if not function.url]
        without += [function.name for function in retired_functions(desired, observed)]
        for name in without:
            if name in observed.of(self):
                yield DeleteUrl(name)

    def remove(self, observed: Observed) -> Iterator[Step]:
        for function in observed.of(FUNCTIONS):
            if function.name in observed.of(self):
                yield DeleteUrl(function.name)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        if any(function.url for function in desired.functions):
            actions = [f"{verb}FunctionUrlConfig" for verb in ("Create", "Delete", "Get")]
            yield function_permission(identity, desired, *actions)


FUNCTION_URLS = FunctionUrls()


_URL_OF = "url of "  # begins the name under which a run keeps the URL of a function


def urls_by_function(ids: Mapping[str, str]) -> dict[str, str]:
    """Return the URLs among the ids of a run, by function name."""
    return {key.removeprefix(_URL_OF): ids[key] for key in ids if key.startswith(_URL_OF)}


def _find_url(aws: Aws, function: str) -> str | None:
    which = {"FunctionName": function, "Qualifier": ALIAS}
    answer = aws.find("lambda", "get_function_url_config", **which)
    return str(answer["FunctionUrl"]) if answer else None


@dataclass(frozen=True)
class CreateUrl(Step):
    function: str

    def __str__(self) -> str:
        return f"Create a public URL for the function {self.function}"

    def perform(self, run: Run) -> None:
        def created() -> Answer | None:
            url = _find_url(run.aws, self.function)
            return {"FunctionUrl": url} if url else None

        which = {"FunctionName": self.function, "Qualifier": ALIAS}
        answer = run.aws.create(
            "lambda", "create_function_url_config", created, **which, AuthType="NONE"
        )
        run.ids[_URL_OF + self.function] = answer["FunctionUrl"]


@dataclass(frozen=True)
class DeleteUrl(Step):
    destructive = True

    function: str

    def __str__(self) -> str:
        return f"Delete the public URL of the function {self.function}"

    def perform(self, run: Run) -> None:
        run.ids.pop(_URL_OF + self.function, None)
        which = {"FunctionName": self.function, "Qualifier": ALIAS}
        run.aws.find("lambda", "delete_function_url_config", **which)

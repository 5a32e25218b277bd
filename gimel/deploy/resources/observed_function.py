"""A Lambda function as it is: its versions, and which of them is live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from gimel.deploy.aws import Answer, Aws
from gimel.deploy.aws_errors import Refused
from gimel.deploy.desired import SETTINGS_VARIABLE, DesiredFunction, FunctionConfiguration
from gimel.deploy.history import (
    NO_HISTORY,
    UNPUBLISHED,
    History,
    Publication,
    history_of_versions,
    parse_history,
    parse_publication,
)
from gimel.deploy.identity import ALIAS, Identity
from gimel.deploy.resources.base import Look


@dataclass(frozen=True)
class Version:
    """A version of a function; `number` is UNPUBLISHED for what is not published yet.

    `publication` says which deploy published it, None where that is not recorded. `published` is
    when, as AWS writes it.
    """

    number: int
    configuration: FunctionConfiguration
    publication: Publication | None = None
    published: str = ""


@dataclass(frozen=True)
class ObservedFunction:
    """A function as it is. `live` is what its alias points to, None without an alias.

    The rest is read of every function where a plan may need it, which is where any live version is
    not as desired: the published `versions`, the `latest` configuration, which may not be
    published, in `aliased` the numbers of the versions that any alias points to, and the `history`
    of its deploys.
    """

    name: str
    role: str
    live: Version | None
    versions: tuple[Version, ...] = ()
    latest: FunctionConfiguration | None = None
    aliased: frozenset[int] = frozenset()
    history: History = NO_HISTORY

    @property
    def live_number(self) -> int | None:
        """The published version that is live, None where there is none."""
        return self.live.number if self.live and self.live.number != UNPUBLISHED else None

    def is_live(self, configuration: FunctionConfiguration) -> bool:
        """Return whether a published version with this configuration is live."""
        live = self.live
        return (
            live is not None and live.number != UNPUBLISHED and live.configuration == configuration
        )

    def version_with(self, configuration: FunctionConfiguration) -> int | None:
        """Return the newest published version with this configuration, None without one."""
        numbers = [each.number for each in self.versions if each.configuration == configuration]
        return max(numbers, default=None)

    def needs_version(self, configuration: FunctionConfiguration) -> bool:
        """Return whether a version with this configuration has yet to be published."""
        return not self.is_live(configuration) and self.version_with(configuration) is None


def observe_functions(
    look: Look, names: Iterable[str], desired: Mapping[str, DesiredFunction]
) -> tuple[ObservedFunction, ...]:
    """Return the functions of these names that exist.

    Their versions are read where a plan may need them, or if the look asks for them.
    """
    found = {name: _observe_live(look, name) for name in names}
    if not look.versions and all(
        function is not None
        and function.live_number is not None
        and (name not in desired or function.is_live(desired[name].configuration))
        for name, function in found.items()
    ):
        return tuple(function for function in found.values() if function is not None)
    complete = (_with_versions(look, name, function) for name, function in found.items())
    return tuple(function for function in complete if function is not None)


def _observe_live(look: Look, name: str) -> ObservedFunction | None:
    """Return a function without its versions, None where it has no alias or does not exist."""
    live = look.aws.find("lambda", "get_function", FunctionName=name, Qualifier=ALIAS)
    if live is None:
        return None
    version = _version(live["Configuration"], look.identity)
    return ObservedFunction(name, live["Configuration"]["Role"], version)


def _with_versions(
    look: Look, name: str, function: ObservedFunction | None
) -> ObservedFunction | None:
    """Return a function with its versions and its history, None where it does not exist."""
    listed = _list_versions(look.aws, name)
    if function is None:
        if not listed:
            return None
        function = ObservedFunction(name, listed[0]["Role"], None)
    aliases = look.aws.pages("lambda", "list_aliases", FunctionName=name) if listed else []
    versions = [_version(each, look.identity) for each in listed]
    latest = [each.configuration for each in versions if each.number == UNPUBLISHED]
    function = replace(
        function,
        versions=tuple(each for each in versions if each.number != UNPUBLISHED),
        latest=next(iter(latest), None),
        aliased=frozenset(number for alias in aliases for number in _targets(alias)),
    )
    described = (each.get("Description", "") for each in aliases if each["Name"] == ALIAS)
    return replace(function, history=_history(function, next(described, "")))


def _history(function: ObservedFunction, description: str) -> History:
    """Return the history in the alias's description, or what the versions say without one.

    Versions of Gimel 1.5.0, which have no settings, cannot work after it was taken over.
    """
    if function.live is None:
        return NO_HISTORY
    if recorded := parse_history(description, function.live.number):
        return recorded
    taken_over = function.live.configuration.settings is not None
    return history_of_versions(
        {
            version.number: version.publication
            for version in function.versions
            if version.number <= function.live.number
            and (version.configuration.settings is not None) == taken_over
        }
    )


def _list_versions(aws: Aws, name: str) -> list[Answer]:
    try:
        return aws.pages("lambda", "list_versions_by_function", FunctionName=name)
    except Refused as refusal:
        if refusal.code != "ResourceNotFoundException":
            raise
        return []


def _version(answer: Answer, identity: Identity) -> Version:
    number = UNPUBLISHED if answer["Version"] == "$LATEST" else int(answer["Version"])
    publication = parse_publication(answer.get("Description", ""))
    return Version(
        number, parse_configuration(answer, identity), publication, answer.get("LastModified", "")
    )


def parse_configuration(answer: Answer, identity: Identity) -> FunctionConfiguration:
    """Return the configuration in an answer about a function or a version.

    The role that Gimel makes for the deployment is not part of it.
    """
    vpc = answer.get("VpcConfig") or {}
    variables = (answer.get("Environment") or {}).get("Variables") or {}
    return FunctionConfiguration(
        handler=answer.get("Handler", ""),
        runtime=answer.get("Runtime", ""),
        architecture=(answer.get("Architectures") or ["x86_64"])[0],
        memory=answer["MemorySize"],
        timeout=answer["Timeout"],
        subnets=tuple(sorted(vpc.get("SubnetIds") or [])),
        security_groups=tuple(sorted(vpc.get("SecurityGroupIds") or [])),
        settings=variables.get(SETTINGS_VARIABLE),
        code_sha256=answer["CodeSha256"],
        role=None if identity.deployment.owns_role(answer["Role"]) else answer["Role"],
    )


def _targets(alias: Answer) -> list[int]:
    """Return the published versions that an alias points to: it may split traffic between two."""
    weighted = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return [int(number) for number in (alias["FunctionVersion"], *weighted) if number != "$LATEST"]

"""A Lambda function as it is: its versions, and which of them is live."""

from __future__ import annotations

from dataclasses import dataclass

from gimel.deploy.aws import Answer, Aws
from gimel.deploy.aws_errors import Refused
from gimel.deploy.desired import SETTINGS_VARIABLE, DesiredFunction, FunctionConfiguration
from gimel.deploy.identity import ALIAS
from gimel.deploy.resources.base import Look

UNPUBLISHED = 0
"""Stands for $LATEST, to which an alias can be pointed by hand."""


@dataclass(frozen=True)
class Version:
    """A version of a function; `number` is UNPUBLISHED for what is not published yet."""

    number: int
    configuration: FunctionConfiguration


@dataclass(frozen=True)
class ObservedFunction:
    """A function as it is. `live` is what its alias points to, None without an alias.

    The versions are read only where a plan may need them, which is where the live one is not as
    desired: the published `versions`, the `latest` configuration, which may not be published, and
    in `aliased` the numbers of the versions that any alias points to.
    """

    name: str
    role: str
    live: Version | None
    versions: tuple[Version, ...] = ()
    latest: FunctionConfiguration | None = None
    aliased: frozenset[int] = frozenset()
    last_modified: str = ""

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


def observe_function(
    look: Look, name: str, desired: DesiredFunction | None
) -> ObservedFunction | None:
    """Return a function, None where it does not exist.

    Its versions are read where a plan may need them, or if the look asks for them.
    """
    live = look.aws.find("lambda", "get_function", FunctionName=name, Qualifier=ALIAS)
    version = _version(live["Configuration"]) if live else None
    function = ObservedFunction(name, "", version)
    is_current = desired is None or function.is_live(desired.configuration)
    listed: list[Answer] = []
    if look.versions or function.live_number is None or not is_current:
        listed = _list_versions(look.aws, name)
    any_version = live["Configuration"] if live else next(iter(listed), None)
    if any_version is None:
        return None
    aliases = look.aws.pages("lambda", "list_aliases", FunctionName=name) if listed else []
    versions = [_version(each) for each in listed]
    latest = [each.configuration for each in versions if each.number == UNPUBLISHED]
    return ObservedFunction(
        name=name,
        role=any_version["Role"],
        live=version,
        versions=tuple(each for each in versions if each.number != UNPUBLISHED),
        latest=next(iter(latest), None),
        aliased=frozenset(number for alias in aliases for number in _targets(alias)),
        last_modified=any_version.get("LastModified", ""),
    )


def _list_versions(aws: Aws, name: str) -> list[Answer]:
    try:
        return aws.pages("lambda", "list_versions_by_function", FunctionName=name)
    except Refused as refusal:
        if refusal.code != "ResourceNotFoundException":
            raise
        return []


def _version(answer: Answer) -> Version:
    number = UNPUBLISHED if answer["Version"] == "$LATEST" else int(answer["Version"])
    return Version(number, parse_configuration(answer))


def parse_configuration(answer: Answer) -> FunctionConfiguration:
    """Return the configuration in an answer about a function or a version."""
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
    )


def _targets(alias: Answer) -> list[int]:
    """Return the published versions that an alias points to: it may split traffic between two."""
    weighted = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return [int(number) for number in (alias["FunctionVersion"], *weighted) if number != "$LATEST"]

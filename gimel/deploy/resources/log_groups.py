"""The functions' log groups in CloudWatch Logs: how long logs are kept.

Lambda would create them itself, with logs that never expire.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity, log_group
from gimel.deploy.policies import ANY_RESOURCE, Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.functions import FUNCTIONS, function_names, is_gimel_function
from gimel.deploy.resources.role import recorded, recorded_tags
from gimel.deploy.resources.tags import given, retag


class LogGroups(Resource[Mapping[str, int | None]]):
    """Observed as days of retention by function name, None where logs are kept forever."""

    def observe(self, look: Look) -> Mapping[str, int | None]:
        """Ask by the longest common prefix of the names: an account may have thousands of groups.

        Without a common prefix, ask for each name.
        """
        wanted = {log_group(name): name for name in function_names(look)}
        common = os.path.commonprefix(sorted(wanted))  # noqa: RUF071 - of characters, not folders
        prefixes = [common] if len(common) > len(log_group("")) else sorted(wanted)
        found: dict[str, int | None] = {}
        for prefix in prefixes:
            for group in look.aws.pages("logs", "describe_log_groups", logGroupNamePrefix=prefix):
                if group["logGroupName"] in wanted:
                    found[wanted[group["logGroupName"]]] = group.get("retentionInDays")
        return found

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        days = desired.config.document.aws.log_retention_days
        groups = observed.of(self)
        for name in desired.function_names:
            if name not in groups:
                yield CreateLogGroup(name, days, desired.tags)
            elif groups[name] != days:
                yield SetLogRetention(name, groups[name], days)

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        for name in _made_by_gimel(observed):
            if name not in desired.function_names:
                yield DeleteLogGroup(name)

    def tag(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        for name in desired.function_names:
            if name in observed.of(self):
                arn = {"resourceArn": observed.identity.log_group(name)}
                what = f"log group {log_group(name)}"
                yield from retag(what, "logs", arn, desired.tags, recorded_tags(observed))

    def remove(self, observed: Observed) -> Iterator[Step]:
        for name in _made_by_gimel(observed):
            yield DeleteLogGroup(name)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        actions = ["CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy"]
        actions += ["TagResource", "UntagResource"] if desired.tags else []
        groups = sorted(identity.log_group(name) for name in desired.function_names)
        # Tagging takes the ARN without the final ":*", everything else with it.
        resources = [*(f"{arn}:*" for arn in groups), *groups]
        yield Permission("Logs", tuple(f"logs:{name}" for name in actions), tuple(resources))
        yield Permission("Find", ("logs:DescribeLogGroups",), ANY_RESOURCE)


LOG_GROUPS = LogGroups()


def _made_by_gimel(observed: Observed) -> list[str]:
    functions = {each.name for each in observed.of(FUNCTIONS) if is_gimel_function(each)}
    ours = functions | recorded(observed).functions
    groups = observed.of(LOG_GROUPS)
    return [name for name in sorted(groups) if name in ours]


@dataclass(frozen=True)
class CreateLogGroup(Step):
    function: str
    days: int
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"Create the log group {log_group(self.function)}, retention {self.days} days"

    def perform(self, run: Run) -> None:
        group = log_group(self.function)
        run.aws.call("logs", "create_log_group", logGroupName=group, **given(tags=dict(self.tags)))
        _set_retention(run, self.function, self.days)


@dataclass(frozen=True)
class SetLogRetention(Step):
    """Set for how many days logs are kept; `before` is None where they were kept forever."""

    function: str
    before: int | None
    days: int

    def __str__(self) -> str:
        before = f"{self.before} days" if self.before else "unlimited"
        return f"Set the retention of {log_group(self.function)}: {before} -> {self.days} days"

    def perform(self, run: Run) -> None:
        _set_retention(run, self.function, self.days)


@dataclass(frozen=True)
class DeleteLogGroup(Step):
    destructive = True

    function: str

    def __str__(self) -> str:
        return f"Delete the log group {log_group(self.function)} with its logs"

    def perform(self, run: Run) -> None:
        run.aws.find("logs", "delete_log_group", logGroupName=log_group(self.function))


def _set_retention(run: Run, function: str, days: int) -> None:
    group = log_group(function)
    run.aws.call("logs", "put_retention_policy", logGroupName=group, retentionInDays=days)

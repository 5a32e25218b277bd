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
from gimel.deploy.record import recorded_regions
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.functions import function_names, functions_by_name
from gimel.deploy.resources.role import ROLE, recorded
from gimel.deploy.resources.tag_record import TAG_RECORD, tags_of_region
from gimel.deploy.resources.tags import MARK, marked, retag


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
                if name := wanted.get(group["logGroupName"]):
                    if _is_ours(name, look):
                        found[name] = group.get("retentionInDays")
                    elif look.desired is None or name in look.desired.function_names:
                        look.foreign.append(f"the log group {look.identity.log_group(name)}")
        return found

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        days = desired.config.document.aws.log_retention_days
        tags = marked(observed.identity.name, desired.tags)
        groups = observed.of(self)
        for name in desired.function_names:
            if name not in groups:
                yield CreateLogGroup(name, days, tags)
            elif groups[name] != days:
                yield SetLogRetention(name, groups[name], days)

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        groups = observed.of(self)
        for name in sorted(groups):
            if name not in desired.function_names:
                yield DeleteLogGroup(name)

    def tag(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        tags, before = marked(observed.identity.name, desired.tags), tags_of_region(observed)
        for name in desired.function_names:
            if name in observed.of(self):
                arn = {"resourceArn": observed.identity.log_group(name)}
                yield from retag(f"log group {log_group(name)}", "logs", arn, tags, before)

    def remove(self, observed: Observed) -> Iterator[Step]:
        groups = observed.of(self)
        for name in sorted(groups):
            yield DeleteLogGroup(name)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        actions = ["CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy"]
        actions += ["ListTagsForResource", "TagResource", "UntagResource"]
        groups = sorted(identity.log_group(name) for name in desired.function_names)
        # Tagging takes the ARN without the final ":*", everything else with it.
        resources = [*(f"{arn}:*" for arn in groups), *groups]
        yield Permission("Logs", tuple(f"logs:{name}" for name in actions), tuple(resources))
        yield Permission("Find", ("logs:DescribeLogGroups",), ANY_RESOURCE)


LOG_GROUPS = LogGroups()


def _is_ours(function: str, look: Look) -> bool:
    """Return whether a log group is that of a function that Gimel made, or is marked.

    1.5.0 recorded nothing, and the function may have been deleted by hand.
    """
    if function in recorded(look).functions or function in functions_by_name(look):
        return True
    role, tags = look.of(ROLE), look.of(TAG_RECORD)
    policy = role.policy if role else None
    if (policy and not recorded_regions(policy)) or (tags is not None and MARK not in tags):
        return True
    arn = look.identity.log_group(function)
    answer = look.aws.find("logs", "list_tags_for_resource", resourceArn=arn)
    return answer is not None and answer["tags"].get(MARK) == look.identity.name


@dataclass(frozen=True)
class CreateLogGroup(Step):
    function: str
    days: int
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"Create the log group {log_group(self.function)}, retention {self.days} days"

    def perform(self, run: Run) -> None:
        group = log_group(self.function)
        run.aws.call("logs", "create_log_group", logGroupName=group, tags=dict(self.tags))
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

"""The Lambda functions: their code and configuration, as they are next to be published.

A function that has no alias yet, or whose live version differs, is changed here. `versions`
publishes the change, and `aliases` makes it live.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gimel.deploy.aws import Answer, Aws, in_progress
from gimel.deploy.desired import (
    SETTINGS_VARIABLE,
    Desired,
    DesiredFunction,
    FunctionConfiguration,
)
from gimel.deploy.identity import Identity, is_gimel_role
from gimel.deploy.policies import ANY_RESOURCE, LAMBDA, Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.methods import METHODS
from gimel.deploy.resources.observed_function import (
    ObservedFunction,
    observe_function,
    parse_configuration,
)
from gimel.deploy.resources.role import recorded, recorded_tags
from gimel.deploy.resources.tags import given, retag
from gimel.errors import GimelError

_WITH_CODE = ("architecture", "code_sha256")  # what UpdateFunctionCode changes


class Functions(Resource[tuple[ObservedFunction, ...]]):
    """Observed are all functions that are or may be Gimel's."""

    def observe(self, look: Look) -> tuple[ObservedFunction, ...]:
        """Without a record there should be no function, and one listing is enough to see that."""
        listed = None if recorded(look).functions else _list_functions(look.aws)
        desired = {each.name: each for each in look.desired.functions} if look.desired else {}
        marked = [name for name, is_marked in (listed or {}).items() if is_marked]
        names = dict.fromkeys([*_possible_names(look), *marked])
        found = [
            observe_function(look, name, desired.get(name))
            for name in names
            if listed is None or name in listed
        ]
        return tuple(function for function in found if function is not None)

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        """Raises GimelError where a function of the same name belongs to somebody else."""
        existing = functions_by_name(observed)
        for function in desired.functions:
            there = existing.get(function.name)
            if there is None:
                yield CreateFunction(function, desired.tags)
                continue
            if not is_gimel_function(there):
                raise GimelError(
                    f"A function named {function.name} already exists and was not created by "
                    f"Gimel: its role is {there.role}.",
                    "Rename or delete it, or choose another region.",
                )
            if there.latest is not None and there.needs_version(function.configuration):
                yield from _update(function, there.latest)

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        for function in retired_functions(desired, observed):
            yield DeleteFunction(function.name)

    def tag(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        for name in desired.function_names:
            if name in functions_by_name(observed):
                arn = {"Resource": observed.identity.function(name)}
                what = f"function {name}"
                yield from retag(what, "lambda", arn, desired.tags, recorded_tags(observed))

    def remove(self, observed: Observed) -> Iterator[Step]:
        for function in observed.of(self):
            if is_gimel_function(function):
                yield DeleteFunction(function.name)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        actions = ["CreateFunction", "DeleteFunction", "GetFunction", "GetFunctionConfiguration"]
        actions += ["ListAliases", "ListVersionsByFunction"]
        actions += ["UpdateFunctionCode", "UpdateFunctionConfiguration"]
        actions += ["TagResource", "UntagResource"] if desired.tags else []
        yield function_permission(identity, desired, *actions)
        passed = {"StringEquals": {"iam:PassedToService": LAMBDA}}
        yield Permission("PassRole", ("iam:PassRole",), (identity.role,), passed)
        yield Permission("Find", ("lambda:ListFunctions",), ANY_RESOURCE)
        if desired.config.document.aws.vpc:
            # Lambda needs these of whoever creates a function in a VPC.
            names = ("SecurityGroups", "Subnets", "Vpcs")
            network = [f"ec2:Describe{name}" for name in names] + ["ec2:GetSecurityGroupsForVpc"]
            yield Permission("Network", tuple(network), ANY_RESOURCE)


FUNCTIONS = Functions()


def functions_by_name(observed: Observed | Look) -> Mapping[str, ObservedFunction]:
    """Return what exists, by name."""
    return {function.name: function for function in observed.of(FUNCTIONS)}


def is_gimel_function(function: ObservedFunction) -> bool:
    """Return whether Gimel made a function, which then has its role."""
    return is_gimel_role(function.role)


def retired_functions(desired: Desired, observed: Observed) -> list[ObservedFunction]:
    """Return Gimel's functions that the configuration no longer asks for."""
    return [
        function
        for function in observed.of(FUNCTIONS)
        if function.name not in desired.function_names and is_gimel_function(function)
    ]


def function_names(look: Look) -> list[str]:
    """Return the names of all functions that are desired, exist or are recorded."""
    return list(dict.fromkeys([*_possible_names(look), *functions_by_name(look)]))


def function_permission(identity: Identity, desired: Desired, *actions: str) -> Permission:
    """Return the permission for Lambda actions on the desired functions."""
    functions = sorted(identity.function(name) for name in desired.function_names)
    resources = (*functions, *(f"{arn}:*" for arn in functions))
    return Permission("Functions", tuple(f"lambda:{name}" for name in actions), resources)


def _possible_names(look: Look) -> list[str]:
    desired = look.desired.function_names if look.desired else ()
    called = [method.calls for method in look.of(METHODS).methods if method.calls]
    return [*desired, *sorted(recorded(look).functions), *called]


def _list_functions(aws: Aws) -> Mapping[str, bool]:
    """Return the names of all functions, and whether each has Gimel's role and settings."""
    return {
        each["FunctionName"]: is_gimel_role(each["Role"])
        and parse_configuration(each).settings is not None
        for each in aws.pages("lambda", "list_functions")
    }


def _update(function: DesiredFunction, latest: FunctionConfiguration) -> Iterator[Step]:
    changed = latest.changed_fields(function.configuration)
    if set(changed) - set(_WITH_CODE):
        yield UpdateFunctionConfiguration(function, latest)
    if set(changed) & set(_WITH_CODE):
        yield UpdateFunctionCode(function, latest)


@dataclass(frozen=True)
class CreateFunction(Step):
    function: DesiredFunction
    tags: Mapping[str, str]

    def __str__(self) -> str:
        made = self.function.configuration
        size = f"{made.memory} MB, {made.timeout} s"
        return (
            f"Create the function {self.function.name}: {made.runtime}, {made.architecture}, {size}"
        )

    def perform(self, run: Run) -> None:
        name = self.function.name

        def created() -> Answer | None:
            answer = run.aws.find("lambda", "list_versions_by_function", FunctionName=name)
            return answer["Versions"][-1] if answer else None

        answer = run.aws.create(
            "lambda",
            "create_function",
            created,
            **_configuration_parameters(run, self.function),
            Code={"ZipFile": self.function.code},
            Architectures=[self.function.configuration.architecture],
            Publish=True,
            **given(Tags=dict(self.tags)),
        )
        run.ids[version_id(name)] = answer["Version"]


@dataclass(frozen=True)
class UpdateFunctionConfiguration(Step):
    function: DesiredFunction
    before: FunctionConfiguration

    def __str__(self) -> str:
        changes = [
            self.before.describe_change(name, self.function.configuration)
            for name in self.before.changed_fields(self.function.configuration)
            if name not in _WITH_CODE
        ]
        return f"Configure the function {self.function.name}: {', '.join(changes)}"

    def perform(self, run: Run) -> None:
        parameters = _configuration_parameters(run, self.function)
        answer = run.aws.call("lambda", "update_function_configuration", **parameters)
        wait_until_ready(run, self.function.name, answer)


@dataclass(frozen=True)
class UpdateFunctionCode(Step):
    function: DesiredFunction
    before: FunctionConfiguration

    def __str__(self) -> str:
        architecture = self.function.configuration.architecture
        compiled = f" for {architecture}" if architecture != self.before.architecture else ""
        return f"Upload the code of the function {self.function.name}{compiled}"

    def perform(self, run: Run) -> None:
        answer = run.aws.call(
            "lambda",
            "update_function_code",
            FunctionName=self.function.name,
            ZipFile=self.function.code,
            Architectures=[self.function.configuration.architecture],
        )
        wait_until_ready(run, self.function.name, answer)


@dataclass(frozen=True)
class DeleteFunction(Step):
    destructive = True

    function: str

    def __str__(self) -> str:
        return f"Delete the function {self.function}"

    def perform(self, run: Run) -> None:
        run.aws.find("lambda", "delete_function", FunctionName=self.function)


def version_id(function: str) -> str:
    """Return under which name a run keeps the version that it published."""
    return f"version of {function}"


def wait_until_ready(run: Run, function: str, answer: Answer, version: str | None = None) -> None:
    """Wait until a function, or a version of it, is ready, if the answer says that it is not."""
    if in_progress(answer):
        run.aws.wait_for_function(function, version)


def _configuration_parameters(run: Run, function: DesiredFunction) -> dict[str, object]:
    wanted = function.configuration
    network = {
        "SubnetIds": list(wanted.subnets),
        "SecurityGroupIds": list(wanted.security_groups),
    }
    return {
        "FunctionName": function.name,
        "Role": run.ids.get("role", run.identity.role),
        "Handler": wanted.handler,
        "Runtime": wanted.runtime,
        "MemorySize": wanted.memory,
        "Timeout": wanted.timeout,
        "VpcConfig": network,
        "Environment": {"Variables": {SETTINGS_VARIABLE: wanted.settings}},
    }

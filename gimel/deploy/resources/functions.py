"""The Lambda functions: their code and configuration, as they are next to be published.

A function that has no alias yet, or whose live version differs, is changed here. `versions`
publishes the change, and `aliases` makes it live.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gimel.deploy.aws import Answer, in_progress
from gimel.deploy.desired import (
    SETTINGS_VARIABLE,
    Desired,
    DesiredFunction,
    FunctionConfiguration,
)
from gimel.deploy.history import Deploy, Publication, next_deploy
from gimel.deploy.identity import Identity
from gimel.deploy.policies import ANY_RESOURCE, LAMBDA, Permission
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.methods import METHODS
from gimel.deploy.resources.observed_function import (
    ObservedFunction,
    observe_functions,
    parse_configuration,
)
from gimel.deploy.resources.role import ROLE, recorded
from gimel.deploy.resources.store import store_ids
from gimel.deploy.resources.tag_record import tags_of_region
from gimel.deploy.resources.tags import MARK, marked, retag
from gimel.wiring import deployed_names

_WITH_CODE = ("architecture", "code_sha256")  # what UpdateFunctionCode changes


class Functions(Resource[tuple[ObservedFunction, ...]]):
    """Observed are all functions that are or may be Gimel's."""

    def observe(self, look: Look) -> tuple[ObservedFunction, ...]:
        """Without a record there should be no function, and one listing is enough to see that."""
        listed = None if recorded(look).functions else _list_functions(look)
        asked = look.desired.reaching(store_ids(look)) if look.desired else None
        desired = {each.name: each for each in asked.functions} if asked else {}
        marked = [name for name, is_marked in (listed or {}).items() if is_marked]
        names = dict.fromkeys([*_possible_names(look), *marked])
        existing = [name for name in names if listed is None or name in listed]
        found = observe_functions(look, existing, desired)
        ours = [function for function in found if _is_ours(function, look)]
        for function in found:
            if function not in ours and (look.desired is None or function.name in desired):
                arn = look.identity.function(function.name)
                look.foreign.append(f"the function {arn}, which runs as {function.role}")
        return tuple(ours)

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        existing = functions_by_name(observed)
        tags = marked(observed.identity.name, desired.tags)
        for function in desired.functions:
            there = existing.get(function.name)
            if there is None:
                yield CreateFunction(function, tags, this_deploy(desired, observed))
            elif there.latest is not None and there.needs_version(function.configuration):
                yield from _update(function, there.latest)

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        for function in retired_functions(desired, observed):
            yield DeleteFunction(function.name)

    def tag(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        tags, before = marked(observed.identity.name, desired.tags), tags_of_region(observed)
        for name in desired.function_names:
            if name in functions_by_name(observed):
                arn = {"Resource": observed.identity.function(name)}
                yield from retag(f"function {name}", "lambda", arn, tags, before)

    def remove(self, observed: Observed) -> Iterator[Step]:
        for function in observed.of(self):
            yield DeleteFunction(function.name)

    def permissions(self, identity: Identity, desired: Desired) -> Iterator[Permission]:
        actions = ["CreateFunction", "DeleteFunction", "GetFunction", "GetFunctionConfiguration"]
        actions += ["ListAliases", "ListVersionsByFunction"]
        actions += ["UpdateFunctionCode", "UpdateFunctionConfiguration"]
        actions += ["ListTags", "TagResource", "UntagResource"]
        yield function_permission(identity, desired, *actions)
        passed = {"StringEquals": {"iam:PassedToService": LAMBDA}}
        yield Permission("PassRole", ("iam:PassRole",), (identity.role,), passed)
        yield Permission("Find", ("lambda:ListFunctions",), ANY_RESOURCE)
        if desired.config.document.aws.vpc or desired.config.provisions:
            # Lambda needs these of whoever creates a function in a VPC.
            names = ("SecurityGroups", "Subnets", "Vpcs")
            network = [f"ec2:Describe{name}" for name in names] + ["ec2:GetSecurityGroupsForVpc"]
            yield Permission("Network", tuple(network), ANY_RESOURCE)


FUNCTIONS = Functions()


def functions_by_name(observed: Observed | Look) -> Mapping[str, ObservedFunction]:
    """Return what exists, by name."""
    return {function.name: function for function in observed.of(FUNCTIONS)}


def this_deploy(desired: Desired, observed: Observed) -> Deploy:
    """Return the deploy that leads from what exists to what is desired."""
    functions = observed.of(FUNCTIONS)
    publications = [
        version.publication
        for function in functions
        for version in function.versions
        if version.publication
    ]
    histories = [function.history for function in functions]
    return next_deploy(desired.fingerprint, histories, publications)


def retired_functions(desired: Desired, observed: Observed) -> list[ObservedFunction]:
    """Return Gimel's functions that the configuration no longer asks for."""
    names = desired.function_names
    return [function for function in observed.of(FUNCTIONS) if function.name not in names]


def function_names(look: Look) -> list[str]:
    """Return the names of all functions that are desired, exist or are recorded."""
    return list(dict.fromkeys([*_possible_names(look), *functions_by_name(look)]))


def function_permission(identity: Identity, desired: Desired, *actions: str) -> Permission:
    """Return the permission for Lambda actions on the desired functions."""
    functions = sorted(identity.function(name) for name in desired.function_names)
    resources = (*functions, *(f"{arn}:*" for arn in functions))
    return Permission("Functions", tuple(f"lambda:{name}" for name in actions), resources)


def _possible_names(look: Look) -> list[str]:
    """Return the names that Gimel's functions may have.

    A destroy does not know the wiring, and neither Gimel 1.5.0 nor a deployment under a role that
    Gimel did not make has a record.
    """
    called = [method.calls for method in look.of(METHODS).methods if method.calls]
    recorded_or_called = [*sorted(recorded(look).functions), *called]
    if look.desired:
        return [*look.desired.function_names, *recorded_or_called]
    return [*recorded_or_called, *deployed_names(look.identity.name).values()]


def _list_functions(look: Look) -> Mapping[str, bool]:
    """Return the names of all functions, and whether each may be Gimel's.

    It has the deployment's role, and Gimel's settings.
    """
    return {
        each["FunctionName"]: _has_role(each["Role"], look)
        and parse_configuration(each, look.identity).settings is not None
        for each in look.aws.pages("lambda", "list_functions")
    }


def _has_role(arn: str, look: Look) -> bool:
    deployment = look.identity.deployment
    return arn == deployment.role if deployment.role else deployment.owns_role(arn)


def _is_ours(function: ObservedFunction, look: Look) -> bool:
    """Return whether Gimel made a function: it runs as the role that Gimel made, or is marked."""
    if look.of(ROLE) is not None and _has_role(function.role, look):
        return True
    arn = look.identity.function(function.name)
    answer = look.aws.find("lambda", "list_tags", Resource=arn)
    return answer is not None and answer["Tags"].get(MARK) == look.identity.name


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
    deploy: Deploy

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
            Description=Publication(self.deploy, run.by, "created").describe(),
            Tags=dict(self.tags),
        )
        run.ids[version_id(name)] = answer["Version"]


@dataclass(frozen=True)
class UpdateFunctionConfiguration(Step):
    function: DesiredFunction
    before: FunctionConfiguration

    def __str__(self) -> str:
        after = self.function.configuration
        changes = [
            self.before.describe_change(name, after)
            for name in self.before.changed_fields(after)
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
    wanted = function.configuration.reaching(run.ids)
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

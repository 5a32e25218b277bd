"""IAM policies as dicts: what the functions may do, and what the person who runs `gimel` needs.

Pure functions; who sends them to AWS is no concern of this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from gimel.deploy.models import Desired, Identity, Policy, canonical

VERSION = "2012-10-17"
LAMBDA = "lambda.amazonaws.com"

_LOG = ("logs:CreateLogStream", "logs:PutLogEvents")
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
_NETWORK = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
_LOG_RESOURCE = re.compile(r".*:log-group:/aws/lambda/([A-Za-z0-9_-]+):\*")


def trust() -> Policy:
    """Return who may take the role: Lambda alone."""
    statement = {"Effect": "Allow", "Principal": {"Service": LAMBDA}, "Action": "sts:AssumeRole"}
    return {"Version": VERSION, "Statement": [statement]}


def trusted(policy: Policy) -> frozenset[str]:
    """Return the services that a trust policy lets take the role."""
    services: set[str] = set()
    for statement in _statements(policy):
        services.update(_list(statement.get("Principal", {}).get("Service", [])))
    return frozenset(services)


def of_role(identity: Identity, functions: Iterable[str], vpc: bool) -> Policy:
    """Return what the functions may do: write to their own log groups and, in a VPC, have network interfaces."""
    log_groups = sorted(f"{identity.log_group(name)}:*" for name in functions)
    statements = [{"Sid": "Logs", "Effect": "Allow", "Action": list(_LOG), "Resource": log_groups}]
    if vpc:
        statements.append({"Sid": "Network", "Effect": "Allow", "Action": list(_NETWORK), "Resource": ["*"]})
    return {"Version": VERSION, "Statement": statements}


def functions_of(policy: Policy | None) -> tuple[str, ...]:
    """Return the functions that a role's policy was written for: the record of what deploy made."""
    resources = [resource for statement in _statements(policy or {}) for resource in _list(statement.get("Resource", []))]
    return tuple(found[1] for resource in resources if (found := _LOG_RESOURCE.fullmatch(resource)))


def same(one: Policy | None, other: Policy) -> bool:
    """Return whether two policies say the same."""
    return canonical(one) == canonical(other)


def allows(policy: Policy | None, wanted: Policy) -> bool:
    """Return whether a policy allows by name, or for every resource, all that another one does."""
    allowed = _pairs(policy or {})
    return all((action, resource) in allowed or (action, "*") in allowed for action, resource in _pairs(wanted))


def both(one: Policy | None, other: Policy) -> Policy:
    """Return a policy that allows what each of two allows."""
    first = [{**statement, "Sid": f"Before{index}"} for index, statement in enumerate(_statements(one or {}))]
    return {"Version": VERSION, "Statement": [*first, *_statements(other)]}


def of_operator(identity: Identity, desired: Desired) -> Policy:
    """Return the least that preflight, deploy, status, rollback, destroy and delete need, and no action more."""
    apigateway = f"arn:{identity.partition}:apigateway:{identity.region}::"
    functions = sorted(identity.function(function.name) for function in desired.functions)
    anything_of_functions = [*functions, *(f"{arn}:*" for arn in functions)]
    log_groups = sorted(f"{identity.log_group(function.name)}:*" for function in desired.functions)
    tags = bool(desired.tags)
    urls = any(function.url for function in desired.functions)
    reserved = any(function.reserved_concurrency is not None for function in desired.functions)
    role = [
        "CreateRole",
        "DeleteRole",
        "DeleteRolePolicy",
        "GetRole",
        "GetRolePolicy",
        "PutRolePolicy",
        "UpdateAssumeRolePolicy",
    ]
    role += ["TagRole", "UntagRole"] if tags else []
    on_functions = [
        "AddPermission",
        "CreateAlias",
        "DeleteFunction",
        "GetFunction",
        "GetFunctionConfiguration",
        "GetPolicy",
        "ListAliases",
        "ListVersionsByFunction",
        "PublishVersion",
        "RemovePermission",
        "UpdateAlias",
        "UpdateFunctionCode",
        "UpdateFunctionConfiguration",
    ]
    on_functions += ["TagResource", "UntagResource"] if tags else []
    on_functions += ["CreateFunctionUrlConfig", "DeleteFunctionUrlConfig", "GetFunctionUrlConfig"] if urls else []
    on_functions += ["DeleteFunctionConcurrency", "GetFunctionConcurrency", "PutFunctionConcurrency"] if reserved else []
    on_logs = ["CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy"]
    on_logs += ["TagResource", "UntagResource"] if tags else []
    apis, keys, plans = f"{apigateway}/restapis", f"{apigateway}/apikeys", f"{apigateway}/usageplans"
    statements = [
        _allow("Role", "iam", role, [identity.role()]),
        {
            **_allow("GiveRole", "iam", ["PassRole"], [identity.role()]),
            "Condition": {"StringEquals": {"iam:PassedToService": LAMBDA}},
        },
        # What can be created is bounded by the one role that may be given to it; not every IAM knows the name beforehand.
        _allow("NewFunctions", "lambda", ["CreateFunction", "ListFunctions"], ["*"]),
        _allow("Functions", "lambda", on_functions, anything_of_functions),
        _allow("FindLogs", "logs", ["DescribeLogGroups"], ["*"]),
        _allow("Logs", "logs", on_logs, log_groups + [arn.removesuffix(":*") for arn in log_groups]),
        _allow(
            "Api",
            "apigateway",
            ["DELETE", "GET", "PATCH", "POST", "PUT"],
            [resource for each in (apis, keys, plans) for resource in (each, f"{each}/*")]
            + ([f"{apigateway}/tags/*"] if tags else []),
        ),
    ]
    if desired.vpc:
        # Lambda asks for these on behalf of who creates a function in a VPC.
        describe = ["DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcs"]
        statements.append(_allow("Network", "ec2", describe, ["*"]))
    return {"Version": VERSION, "Statement": statements}


def actions(policy: Policy) -> list[str]:
    """Return the actions that a policy allows, sorted."""
    return sorted({action for statement in _statements(policy) for action in _list(statement["Action"])})


def resources(policy: Policy) -> set[str]:
    """Return the resources that a policy names; "*" stands for any and is left out."""
    return {resource for statement in _statements(policy) for resource in _list(statement["Resource"])} - {"*"}


def _allow(sid: str, service: str, names: Iterable[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": [f"{service}:{name}" for name in names], "Resource": resources}


def _statements(policy: Policy) -> list[Mapping[str, Any]]:
    return _list(policy.get("Statement", []))


def _pairs(policy: Policy) -> set[tuple[str, str]]:
    return {
        (action, resource)
        for statement in _statements(policy)
        if statement.get("Effect") == "Allow"
        for action in _list(statement.get("Action", []))
        for resource in _list(statement.get("Resource", []))
    }


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

"""IAM policies as dicts: what the functions may do, and what the person who runs `gimel` needs.

Pure functions; who sends them to AWS is no concern of this module.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
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
_RESERVED = "LogsOfReserved"
"""Begins the name of the statement of the functions for which Gimel reserved concurrency, the record that it has to be given
back."""
_REGIONAL = re.compile(r"(?:LogsOfReserved|Logs|Network)((?:[A-Z][a-z]*)+[0-9]+)")
"""What the role's statements are called: the role is one, and each region in which something is deployed has its own."""

UNSCOPED = ("Find", "Network")
"""Names the operator's statements about actions for which IAM knows no resource."""

_LOG_RESOURCE = re.compile(
    r"arn:[^:]*:logs:([^:]*):[^:]*:log-group:/aws/lambda/([A-Za-z0-9_-]+):\*"
)


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


def of_role(
    identity: Identity,
    functions: Iterable[str],
    reserved: Collection[str],
    vpc: bool,
    before: Policy | None = None,
) -> Policy:
    """Return what the functions may do: write to their own log groups and, in a VPC, have network interfaces.

    `reserved` names those of the functions that have a concurrency of their own. What the policy `before` says of other
    regions stays.
    """
    names = sorted(functions)
    region = _in_a_sid(identity.region)
    statements = []
    for sid, group in (
        (f"Logs{region}", [name for name in names if name not in reserved]),
        (f"{_RESERVED}{region}", [name for name in names if name in reserved]),
    ):
        if group:
            log_groups = [f"{identity.log_group(name)}:*" for name in group]
            statements.append(
                {"Sid": sid, "Effect": "Allow", "Action": list(_LOG), "Resource": log_groups}
            )
    if vpc:
        statements.append(
            {
                "Sid": f"Network{region}",
                "Effect": "Allow",
                "Action": list(_NETWORK),
                "Resource": ["*"],
            }
        )
    elsewhere = _statements(of_other_regions(before, identity.region) or {})
    return {
        "Version": VERSION,
        "Statement": sorted((*statements, *elsewhere), key=lambda each: str(each["Sid"])),
    }


def of_other_regions(policy: Policy | None, region: str) -> Policy | None:
    """Return what a role's policy says of the deployments in other regions, None where there is none."""
    statements = []
    for statement in _statements(policy or {}):
        found = _REGIONAL.fullmatch(str(statement.get("Sid", "")))
        if found and found[1] != _in_a_sid(region):
            statements.append(statement)
    return {"Version": VERSION, "Statement": statements} if statements else None


def regions_of(policy: Policy) -> tuple[str, ...]:
    """Return the regions that a role's policy was written for, sorted."""
    return tuple(sorted({region for region, _ in _functions_in(_statements(policy))}))


def functions_of(policy: Policy | None, region: str) -> tuple[str, ...]:
    """Return the functions in a region that a role's policy was written for: the record of what deploy made."""
    return tuple(
        name for where, name in _functions_in(_statements(policy or {})) if where == region
    )


def reserved_of(policy: Policy | None, region: str) -> frozenset[str]:
    """Return those functions in a region for which, as a role's policy tells, Gimel reserved concurrency."""
    sid = f"{_RESERVED}{_in_a_sid(region)}"
    return frozenset(
        name
        for _, name in _functions_in(
            each for each in _statements(policy or {}) if each.get("Sid") == sid
        )
    )


def same(one: Policy | None, other: Policy) -> bool:
    """Return whether two policies say the same."""
    return canonical(one) == canonical(other)


def allows(policy: Policy | None, wanted: Policy) -> bool:
    """Return whether a policy allows by name, or for every resource, all that another one does."""
    allowed = _pairs(policy or {})
    return all(
        (action, resource) in allowed or (action, "*") in allowed
        for action, resource in _pairs(wanted)
    )


def both(one: Policy | None, other: Policy) -> Policy:
    """Return a policy that allows what each of two allows."""
    first = [
        {**statement, "Sid": f"Before{index}"}
        for index, statement in enumerate(_statements(one or {}))
    ]
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
        "CreateFunction",
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
    on_functions += (
        ["CreateFunctionUrlConfig", "DeleteFunctionUrlConfig", "GetFunctionUrlConfig"]
        if urls
        else []
    )
    on_functions += (
        ["DeleteFunctionConcurrency", "GetFunctionConcurrency", "PutFunctionConcurrency"]
        if reserved
        else []
    )
    on_logs = ["CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy"]
    on_logs += ["TagResource", "UntagResource"] if tags else []
    apis, keys, plans = (
        f"{apigateway}/restapis",
        f"{apigateway}/apikeys",
        f"{apigateway}/usageplans",
    )
    statements = [
        _allow("Role", "iam", role, [identity.role()]),
        {
            **_allow("GiveRole", "iam", ["PassRole"], [identity.role()]),
            "Condition": {"StringEquals": {"iam:PassedToService": LAMBDA}},
        },
        _allow("Functions", "lambda", on_functions, anything_of_functions),
        _allow(
            "Logs", "logs", on_logs, log_groups + [arn.removesuffix(":*") for arn in log_groups]
        ),
        _allow(
            "Api",
            "apigateway",
            ["DELETE", "GET", "PATCH", "POST", "PUT"],
            [resource for each in (apis, keys, plans) for resource in (each, f"{each}/*")]
            + ([f"{apigateway}/tags/*"] if tags else []),
        ),
    ]
    statements.append(
        {
            "Sid": "Find",
            "Effect": "Allow",
            "Action": ["lambda:ListFunctions", "logs:DescribeLogGroups"],
            "Resource": ["*"],
        }
    )
    if desired.vpc:
        # Lambda asks for these on behalf of who creates a function in a VPC.
        network = [
            "DescribeSecurityGroups",
            "DescribeSubnets",
            "DescribeVpcs",
            "GetSecurityGroupsForVpc",
        ]
        statements.append(_allow("Network", "ec2", network, ["*"]))
    return {"Version": VERSION, "Statement": statements}


def _allow(sid: str, service: str, names: Iterable[str], resources: list[str]) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": [f"{service}:{name}" for name in names],
        "Resource": resources,
    }


def _in_a_sid(region: str) -> str:
    """Return a region as it stands in a statement's name, which takes letters and digits: "UsEast1"."""
    return "".join(part.capitalize() for part in region.split("-"))


def _functions_in(statements: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Return (region, function) of every log group."""
    resources = [
        resource for statement in statements for resource in _list(statement.get("Resource", []))
    ]
    return tuple(
        (found[1], found[2])
        for resource in resources
        if (found := _LOG_RESOURCE.fullmatch(resource))
    )


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

"""IAM policies as values: what the functions may do, and what the operator needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.support.configurations import CHANGE, OWN_FUNCTION, URL
from tests.support.state.cloud import (
    ACCOUNT,
    ALL,
    DELETE,
    FUNCTIONS,
    HERE,
    SNAPSHOT,
    TRACK,
    Place,
)
from tests.support.state.names import Policy
from tests.support.state.seen import (
    operator_policy,
    recorded_functions,
    recorded_reserved,
    role_policy,
)
from tests.support.state.settled import desired

EU = Place("eu-west-1")
CHINA = Place("cn-north-1", "aws-cn")
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
NETWORK = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}


def pairs(policy: Policy) -> set[tuple[str, str]]:
    """Return what a policy allows, as (action, resource)."""
    return {
        (action, resource)
        for statement in policy["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def actions(policy: Policy) -> set[str]:
    """Return the actions that a policy allows."""
    return {action for action, _ in pairs(policy)}


def writing(place: Place, *functions: str) -> set[tuple[str, str]]:
    """Return what writing these functions' logs takes."""
    return {(action, f"{place.log_group(name)}:*") for action in LOG for name in functions}


@pytest.mark.parametrize("place", [HERE, EU, CHINA], ids=lambda place: place.region)
@pytest.mark.parametrize("reserved", [(), (TRACK,), FUNCTIONS], ids=["none", "one", "all"])
def test_functions_may_write_their_own_logs(place: Place, reserved: tuple[str, ...]) -> None:
    """And nothing else, however many of them reserve concurrency."""
    assert pairs(role_policy(place, FUNCTIONS, reserved)) == writing(place, *FUNCTIONS)


def test_functions_in_a_vpc_may_also_have_network_interfaces() -> None:
    """AWS lists these actions for it, and they cannot be limited to a resource."""
    policy = role_policy(HERE, FUNCTIONS, vpc=True)

    assert pairs(policy) == writing(HERE, *FUNCTIONS) | {(action, "*") for action in NETWORK}


@pytest.mark.parametrize("vpc", [False, True])
@pytest.mark.parametrize("reserved", [(), (TRACK,), FUNCTIONS], ids=["none", "one", "all"])
@pytest.mark.parametrize("before", [None, role_policy(EU, [ALL], [ALL], vpc=True)])
def test_the_policy_records_what_deploy_made(
    vpc: bool, reserved: tuple[str, ...], before: Policy | None
) -> None:
    """The functions of a region and those with reserved concurrency are read back from it."""
    policy = role_policy(HERE, FUNCTIONS, reserved, vpc=vpc, before=before)

    assert recorded_functions(policy, HERE.region) == set(FUNCTIONS)
    assert recorded_reserved(policy, HERE.region) == set(reserved)
    assert recorded_functions(policy, EU.region) == ({ALL} if before else set())
    assert recorded_reserved(policy, EU.region) == ({ALL} if before else set())


@pytest.mark.parametrize(
    "policy",
    [
        None,
        {},
        {"Statement": []},
        {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}},
        {"Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": ["*"]}]},
        {"Statement": [{"Resource": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/other/x:*"}]},
    ],
    ids=["none", "empty", "no statement", "one statement", "of 1.5.0", "another log group"],
)
def test_a_policy_of_something_else_records_nothing(policy: Policy | None) -> None:
    """Whatever shape IAM allows a policy to have."""
    assert recorded_functions(policy, HERE.region) == set()
    assert recorded_reserved(policy, HERE.region) == set()


@pytest.mark.parametrize("reserved", [(), (TRACK,)], ids=["none", "one"])
@pytest.mark.parametrize("vpc", [False, True])
def test_a_region_replaces_its_own_statements_alone(reserved: tuple[str, ...], vpc: bool) -> None:
    """What it says of other regions is kept word for word; what it said of this one goes."""
    theirs = role_policy(EU, FUNCTIONS, reserved, vpc=vpc)
    both = role_policy(HERE, FUNCTIONS, FUNCTIONS, vpc=True, before=theirs)

    again = role_policy(HERE, [TRACK], before=both)

    assert pairs(again) == writing(HERE, TRACK) | pairs(theirs)
    assert role_policy(EU, FUNCTIONS, reserved, vpc=vpc, before=again) == again


def test_the_order_of_the_functions_makes_no_difference() -> None:
    """Two deploys of the same functions write the same policy, byte for byte."""
    one, other = role_policy(HERE, FUNCTIONS), role_policy(HERE, FUNCTIONS[::-1])

    assert json.dumps(one) == json.dumps(other)


def test_a_role_policy_of_ten_regions_fits_into_a_role() -> None:
    """The inline policies of a role may have 10,240 characters without spaces."""
    policy: Policy | None = None
    for number in range(1, 11):
        place = Place(f"ap-southeast-{number}")
        policy = role_policy(place, FUNCTIONS, [TRACK], vpc=True, before=policy)

    assert len(json.dumps(policy, separators=(",", ":"))) < 10_240


def needed(place: Place = HERE, **document: Any) -> Policy:
    """Return what the operator needs for a configuration."""
    return operator_policy(place, desired(**document))


BASE = needed()
EVENTS = {
    "events:DeleteRule",
    "events:DescribeRule",
    "events:ListTagsForResource",
    "events:ListTargetsByRule",
    "events:PutRule",
    "events:PutTargets",
    "events:RemoveTargets",
    "events:TagResource",
    "events:UntagResource",
}
TAGGED: Mapping[str, Any] = {"aws": {"tags": {"team": "web"}}}
BOUND: Mapping[str, Any] = {
    "aws": {"permissions_boundary": "arn:aws:iam::123456789012:policy/boundary"}
}
RESERVED: Mapping[str, Any] = {"aws": {"functions": {TRACK: {"reserved_concurrency": 0}}}}
IN_VPC: Mapping[str, Any] = {"aws": {"vpc": {"subnets": ["subnet-a"], "security_groups": ["sg-a"]}}}


@pytest.mark.parametrize(
    ("document", "more"),
    [
        (TAGGED, set()),
        (BOUND, {"iam:PutRolePermissionsBoundary"}),
        (
            {"extra_wiring": [URL]},
            {
                "lambda:CreateFunctionUrlConfig",
                "lambda:DeleteFunctionUrlConfig",
                "lambda:GetFunctionUrlConfig",
            },
        ),
        (
            RESERVED,
            {
                "lambda:DeleteFunctionConcurrency",
                "lambda:GetFunctionConcurrency",
                "lambda:PutFunctionConcurrency",
            },
        ),
        (
            IN_VPC,
            {
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
                "ec2:GetSecurityGroupsForVpc",
            },
        ),
        ({"extra_wiring": [OWN_FUNCTION]}, set()),
        ({"precision": 64, "aws": {"functions": {TRACK: {"memory": 512}}}}, set()),
    ],
    ids=["tags", "boundary", "URL", "concurrency", "VPC", "another function", "sizes and settings"],
)
def test_a_feature_adds_exactly_its_actions(document: dict[str, Any], more: set[str]) -> None:
    """Whoever does not use it does not grant it."""
    policy = needed(**document)

    assert actions(policy) - actions(BASE) == more
    assert actions(BASE) <= actions(policy)


def test_without_snapshots_no_rule_and_no_function_of_theirs_is_needed() -> None:
    """Whoever switches them off does not grant anything on EventBridge."""
    policy = needed(snapshots=False)

    assert actions(policy) == actions(BASE) - EVENTS
    assert not [resource for _, resource in pairs(policy) if SNAPSHOT in resource]


def test_the_operator_needs_these_actions_and_no_more() -> None:
    """The table for a configuration that uses no more than the defaults."""
    assert actions(BASE) == {
        *(f"apigateway:{verb}" for verb in ("DELETE", "GET", "PATCH", "POST", "PUT")),
        "cloudwatch:GetMetricData",
        *EVENTS,
        "iam:CreateRole",
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:PassRole",
        "iam:PutRolePolicy",
        "iam:SimulatePrincipalPolicy",
        "iam:TagRole",
        "iam:UntagRole",
        "iam:UpdateAssumeRolePolicy",
        "lambda:AddPermission",
        "lambda:CreateAlias",
        "lambda:CreateFunction",
        "lambda:DeleteFunction",
        "lambda:GetAccountSettings",
        "lambda:GetFunction",
        "lambda:GetFunctionConfiguration",
        "lambda:GetPolicy",
        "lambda:InvokeFunction",
        "lambda:ListAliases",
        "lambda:ListFunctions",
        "lambda:ListTags",
        "lambda:ListVersionsByFunction",
        "lambda:PublishVersion",
        "lambda:RemovePermission",
        "lambda:TagResource",
        "lambda:UntagResource",
        "lambda:UpdateAlias",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
        "logs:CreateLogGroup",
        "logs:DeleteLogGroup",
        "logs:DescribeLogGroups",
        "logs:FilterLogEvents",
        "logs:ListTagsForResource",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
        "logs:UntagResource",
    }


PREFLIGHT = {
    ("iam:GetRole", f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/*"),
    ("iam:SimulatePrincipalPolicy", f"arn:aws:iam::{ACCOUNT}:role/*"),
    ("iam:SimulatePrincipalPolicy", f"arn:aws:iam::{ACCOUNT}:user/*"),
}
LISTING = {
    "cloudwatch:GetMetricData",
    "lambda:GetAccountSettings",
    "lambda:ListFunctions",
    "logs:DescribeLogGroups",
}


@pytest.mark.parametrize("document", [{}, CHANGE, IN_VPC], ids=["nothing", "everything", "VPC"])
@pytest.mark.parametrize("place", [HERE, EU, CHINA], ids=lambda place: place.region)
def test_every_action_is_bound_to_what_gimel_makes(place: Place, document: dict[str, Any]) -> None:
    """Except listing, metrics, quotas and EC2, which cannot be limited to a resource.

    Preflight also reads the policies of whoever runs it, who may be any user or role.
    """
    policy = needed(place, **document)
    names = [each.name for each in desired(**document).functions]
    gateway = f"arn:{place.partition}:apigateway:{place.region}::"
    account = place.role.removesuffix("role/gimel")
    reading = {
        ("iam:SimulatePrincipalPolicy", f"{account}user/*"),
        ("iam:SimulatePrincipalPolicy", f"{account}role/*"),
        ("iam:GetRole", f"{account}role/aws-reserved/sso.amazonaws.com/*"),
    }
    assert reading <= pairs(policy)
    allowed = {
        "iam": [place.role],
        "lambda": [place.function(name) for name in names],
        "logs": [place.log_group(name) for name in names],
        "events": [place.rule(SNAPSHOT)],
        "apigateway": [f"{gateway}/{each}" for each in ("restapis", "apikeys", "usageplans")],
    }
    for action, resource in pairs(policy) - reading:
        service = action.split(":")[0]
        if action in LISTING or service == "ec2":
            assert resource == "*"
        elif resource != f"{gateway}/tags/*":
            assert any(resource.startswith(each) for each in allowed[service]), (action, resource)


def test_the_api_may_be_tagged() -> None:
    """It bears Gimel's mark. API Gateway's tags have a separate path."""
    tags = f"arn:aws:apigateway:{HERE.region}::/tags/*"

    assert {("apigateway:GET", tags), ("apigateway:PUT", tags)} <= pairs(BASE)


def test_under_a_given_role_only_its_use_is_needed() -> None:
    """No permission to read or change any role, and to pass this one to Lambda alone."""
    role = "arn:aws:iam::123456789012:role/theirs"

    policy = needed(replace(HERE, given_role=role), aws={"role": role})

    changes = {pair for pair in pairs(policy) if pair[0].startswith("iam:")} - PREFLIGHT
    assert changes == {("iam:PassRole", role)}


def test_another_name_needs_the_same_for_other_resources() -> None:
    """Two deployments in one account need not be run by the same people."""
    policy = needed(replace(HERE, name="shop"), aws={"name": "shop"})

    assert actions(policy) == actions(BASE)
    assert ("iam:CreateRole", "arn:aws:iam::123456789012:role/shop") in pairs(policy)
    shared = {pair for pair in pairs(policy) & pairs(BASE) if not pair[0].startswith("apigateway:")}
    assert shared - PREFLIGHT == {(action, "*") for action in LISTING}


def test_the_role_may_be_passed_to_lambda_alone() -> None:
    """The only statement that allows PassRole has the condition."""
    statements = [each for each in BASE["Statement"] if "iam:PassRole" in each["Action"]]

    assert len(statements) == 1
    assert statements[0]["Action"] == ["iam:PassRole"]
    assert statements[0]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}
    }


def test_functions_are_allowed_with_and_without_a_qualifier() -> None:
    """Most calls name the alias or a version, some the function alone."""
    for name in FUNCTIONS:
        for arn in (HERE.function(name), f"{HERE.function(name)}:*"):
            assert ("lambda:GetFunction", arn) in pairs(BASE)


def test_collections_of_api_gateway_are_allowed_as_well_as_their_items() -> None:
    """To create something is a call on the collection."""
    gateway = f"arn:aws:apigateway:{HERE.region}::"
    for each in ("restapis", "apikeys", "usageplans"):
        for path in (each, f"{each}/*"):
            assert ("apigateway:POST", f"{gateway}/{path}") in pairs(BASE)


def test_tagging_a_log_group_takes_its_name_without_the_streams() -> None:
    """AWS knows a log group by two ARNs, of which the one for tags has no ":*" at its end."""
    resources = {resource for action, resource in pairs(BASE) if action.startswith("logs:")}

    assert {HERE.log_group(DELETE), f"{HERE.log_group(DELETE)}:*"} <= resources


def test_the_policy_of_all_features_fits_into_a_managed_policy() -> None:
    """Which may have 6,144 characters without spaces."""
    alarms = {"email": "ops@example.com"}
    document = {**CHANGE, "aws": {**CHANGE["aws"], **IN_VPC["aws"]}, "alarms": alarms}

    policy = needed(Place("ap-southeast-2"), **document)

    assert len(json.dumps(policy, separators=(",", ":"))) < 6_144


def test_sids_are_letters_and_digits_and_differ() -> None:
    """IAM refuses others, and two that are equal."""
    document = {**CHANGE, "aws": {**CHANGE["aws"], **IN_VPC["aws"]}}
    role = role_policy(HERE, FUNCTIONS, [TRACK], vpc=True, before=role_policy(EU, FUNCTIONS))
    for policy in (needed(**document), role):
        sids = [statement["Sid"] for statement in policy["Statement"]]
        assert len(set(sids)) == len(sids)
        assert all(sid.isalnum() for sid in sids)

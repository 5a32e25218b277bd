"""What an error of AWS says: the clock, who denies, and what cannot be repeated into success."""

from __future__ import annotations

import botocore.session
import pytest

from gimel.deploy.aws_errors import GONE, AwsError, Refused, refusal, retry_reason

USER = "User: arn:aws:iam::123456789012:user/me is not authorized to perform:"
ROLE = "on resource: arn:aws:iam::123456789012:role/gimel"


def refuse(code: str, message: str, action: str = "lambda:CreateFunction") -> Refused:
    error = AwsError(code, message, 400)
    assert retry_reason(error) is None
    return refusal(action, error)


@pytest.mark.parametrize(
    "code", ["InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure"]
)
@pytest.mark.parametrize(
    ("message", "says"),
    [
        (
            "Signature expired: 20260115T100000Z is now earlier than 20260115T101500Z"
            " (20260115T102000Z - 5 min.)",
            "The clock of this machine is 20 minutes behind.",
        ),
        (
            "Signature not yet current: 20260115T110000Z is still later than 20260115T102500Z"
            " (20260115T102000Z + 5 min.)",
            "The clock of this machine is 40 minutes ahead.",
        ),
        (
            "Signature expired: 20250115T102000Z is now earlier than 20260115T101500Z"
            " (20260115T102000Z - 5 min.)",
            "The clock of this machine is 525,600 minutes behind.",
        ),
        ("Signature expired.", "The clock of this machine is wrong: Signature expired."),
    ],
    ids=["behind", "ahead", "a year", "without times"],
)
def test_a_wrong_clock(code: str, message: str, says: str) -> None:
    """It is not taken for expired credentials."""
    found = refuse(code, message)

    assert found.message == says
    assert "Set the clock" in found.hint


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("RequestTimeTooSkewed", "The difference between the request time and the current time."),
        ("RequestExpired", "Request has expired."),
    ],
)
def test_a_wrong_clock_in_other_words(code: str, message: str) -> None:
    """The code says it."""
    assert refuse(code, message).message == f"The clock of this machine is wrong: {message}"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ExpiredToken", "The security token included in the request is expired"),
        ("ExpiredTokenException", "The security token included in the request is expired"),
    ],
)
def test_expired_credentials(code: str, message: str) -> None:
    """They are not the clock's fault."""
    assert refuse(code, message).message == "The AWS credentials have expired."


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("with an explicit deny in a service control policy", "service control policy"),
        (
            "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/p",
            "service control policy",
        ),
        ("with an explicit deny in a permissions boundary", "permissions boundary"),
        ("with an explicit deny in an identity-based policy", "identity-based policy"),
        ("with an explicit deny in a resource-based policy", "resource-based policy"),
        ("with an explicit deny in a VPC endpoint policy", "VPC endpoint policy"),
        ("with an explicit deny", "explicit deny of a policy"),
        (
            "because no service control policy allows the iam:CreateRole action",
            "service control policy",
        ),
        (
            "because no permissions boundary allows the iam:CreateRole action",
            "permissions boundary",
        ),
        ("because no session policy allows the iam:CreateRole action", "session policy"),
    ],
)
def test_a_denial_that_more_permissions_do_not_lift(reason: str, kind: str) -> None:
    """The hint names what denies it and who decides, instead of a policy that cannot help."""
    found = refuse("AccessDenied", f"{USER} iam:CreateRole {ROLE} {reason}", "iam:CreateRole")

    assert found.permanent
    assert kind in found.hint
    assert "administrator" in found.hint
    assert "`aws.role`" in found.hint
    assert "`aws.permissions_boundary`" in found.hint
    assert "gimel iam-policy" not in found.hint


def test_a_denial_that_is_not_about_roles() -> None:
    """The settings for roles do not help."""
    message = f"{USER} lambda:CreateFunction with an explicit deny in a service control policy"

    assert "aws.role" not in refuse("AccessDeniedException", message).hint


@pytest.mark.parametrize(
    "reason", ["", "because no identity-based policy allows the iam:CreateRole action"]
)
def test_a_denial_that_more_permissions_lift(reason: str) -> None:
    """Afterwards the command can be run again."""
    found = refuse("AccessDenied", f"{USER} iam:CreateRole {ROLE} {reason}", "iam:CreateRole")

    assert not found.permanent
    assert "gimel iam-policy" in found.hint


@pytest.mark.parametrize(
    ("code", "message", "hint"),
    [
        (
            "InvalidParameterValueException",
            "Value python3.14 at 'runtime' failed to satisfy constraint: Member must satisfy enum"
            " value set: [nodejs20.x]",
            "`aws.runtime`",
        ),
        (
            "InvalidParameterValueException",
            "The runtime parameter of python3.10 is no longer supported for creating or updating"
            " AWS Lambda functions.",
            "`aws.runtime`",
        ),
        (
            "InvalidParameterValueException",
            "The architecture arm64 is not supported in this region",
            "`aws.architecture`",
        ),
        (
            "ValidationException",
            "Value '[arm64]' at 'architectures' failed to satisfy constraint",
            "`aws.architecture`",
        ),
        (
            "InvalidParameterValueException",
            "Specified ReservedConcurrentExecutions for function decreases account's"
            " UnreservedConcurrentExecution below its minimum value of [10].",
            "`reserved_concurrency`",
        ),
        ("CodeStorageExceededException", "Code storage limit exceeded.", "old versions"),
        ("LimitExceededException", "Maximum number of APIs exceeded", "APIs"),
        ("LimitExceededException", "Maximum number of REST APIs reached", "APIs"),
        ("BadRequestException", "Maximum number of Regional APIs per account exceeded", "APIs"),
        ("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", "higher quota"),
        ("LimitExceededException", "Resource limit exceeded.", "higher quota"),
        (
            "ServiceLinkedRoleNotFoundFault",
            "This action cannot be completed due to insufficient permissions.",
            "`aws iam create-service-linked-role --aws-service-name elasticache.amazonaws.com`",
        ),
    ],
)
def test_what_aws_does_not_offer_or_no_more_of(code: str, message: str, hint: str) -> None:
    """Another run does not help: first the configuration or the quota has to change."""
    found = refuse(code, message)

    assert found.permanent
    assert hint in found.hint
    assert message in found.message


@pytest.mark.parametrize(
    ("code", "message", "permanent"),
    [
        ("InvalidParameterValueException", "The subnet ID 'subnet-1' does not exist", True),
        ("ValidationException", "1 validation error detected", True),
        ("ResourceNotFoundException", "Function not found", False),
        ("ResourceConflictException", "Function already exist: f", False),
        ("ExpiredToken", "expired", False),
        ("RequestExpired", "expired", False),
    ],
)
def test_whether_another_run_can_help(code: str, message: str, permanent: bool) -> None:
    """It makes a new plan, which copes with what was created or deleted meanwhile."""
    assert refuse(code, message).permanent == permanent


def test_a_word_in_an_arn_is_no_reason() -> None:
    """A function may be called arm64."""
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:arm64-runtime"
    found = refuse("InvalidParameterValueException", f"{arn} is invalid")

    assert found.hint == ""


@pytest.mark.parametrize("code", ["PriorRequestNotComplete", "RequestInProgressException"])
def test_a_change_of_records_or_certificates_is_repeated_after_another(code: str) -> None:
    """Route 53 and Certificate Manager make one after the other."""
    assert retry_reason(AwsError(code, "Try again.", 400)) == "conflict"


@pytest.mark.parametrize(
    "operation",
    [
        "DescribeServerlessCaches",
        "DescribeUserGroups",
        "DescribeUsers",
        "DeleteServerlessCache",
        "DeleteUser",
        "DeleteUserGroup",
    ],
)
def test_all_codes_of_elasticache_for_what_does_not_exist_are_known(operation: str) -> None:
    """In an account that has never used ElastiCache, its role does not exist either."""
    model = botocore.session.get_session().get_service_model("elasticache")
    shapes = model.operation_model(operation).error_shapes
    codes = {each.metadata["error"]["code"] for each in shapes if "NotFound" in each.name}

    assert codes
    assert codes <= GONE


def test_sns_has_codes_of_its_own() -> None:
    """A denial, a limit, an invalid address, and what is worth repeating."""
    denial = refuse(
        "AuthorizationError",
        f"{USER} SNS:CreateTopic {ROLE} because no "
        "identity-based policy allows the SNS:CreateTopic action",
    )
    assert denial.message.startswith("AWS does not allow SNS:CreateTopic")
    assert "gimel iam-policy" in denial.hint
    assert "Service Quotas" in refuse("TopicLimitExceeded", "Topic limit exceeded").hint
    assert refuse("InvalidParameter", "Invalid parameter: Email address").permanent
    for code, reason in (("Throttled", "throttled"), ("ConcurrentAccess", "conflict")):
        assert retry_reason(AwsError(code, "", 400)) == reason

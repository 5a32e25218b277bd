"""What AWS's errors mean: whether repeating a call may help, and what to say where it cannot. Pure.

An error is its code, its message and its HTTP status, so that nothing here needs a client.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from gimel.errors import GimelError

_THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "SlowDown",
        "Throttled",  # SNS
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
NO_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",  # SNS
        "UnauthorizedException",
        "UnauthorizedOperation",
    }
)
GONE = frozenset(
    {
        "InvalidGroup.NotFound",
        "NoSuchEntity",
        "NoSuchHostedZone",
        "NotFound",
        "NotFoundException",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "ServerlessCacheNotFoundFault",
        # ElastiCache has no user without its role.
        "ServiceLinkedRoleNotFoundFault",
        "UserGroupNotFound",
        "UserNotFound",
    }
)
_EXISTS = frozenset(
    {
        "ConflictException",
        "EntityAlreadyExists",
        "InvalidGroup.Duplicate",
        "ResourceAlreadyExistsException",
        "ResourceConflictException",
        "ServerlessCacheAlreadyExistsFault",
        "UserAlreadyExists",
        "UserGroupAlreadyExists",
    }
)
# What ElastiCache says while a store, a user or a group of users is being changed.
_STATE = frozenset(
    {"InvalidServerlessCacheStateFault", "InvalidUserGroupState", "InvalidUserState"}
)
_CHANGING = frozenset(
    {
        "ConcurrentAccess",  # SNS
        "ConcurrentModification",
        "ConcurrentModificationException",
        "ConflictException",
        "OperationAbortedException",
        "PriorRequestNotComplete",
        "RequestInProgressException",
    }
)

# What Lambda says while a new role is not known everywhere: to itself, to EC2, to KMS.
_NEW_ROLE = re.compile(
    r"role.*(assume|does not have permission)|does not refer to a valid principal"
)

_INVALID = frozenset(
    {
        "InvalidInput",
        "InvalidParameter",  # SNS
        "InvalidParameterCombination",
        "InvalidParameterException",
        "InvalidParameterValue",
        "InvalidParameterValueException",
        "MalformedPolicyDocument",
        "OptInRequired",
        "SubscriptionRequiredException",
        "ValidationError",
        "ValidationException",
    }
)
_CLOCK = frozenset({"RequestExpired", "RequestTimeTooSkewed"})
_SKEWED = re.compile(r"signature (expired|not yet current)", re.IGNORECASE)
_TIME = re.compile(r"\b\d{8}T\d{6}Z\b")

_EXPLICIT_DENY = re.compile(
    r"explicit deny(?: in an? (?P<policy>(?:[\w-]+ )*?(?:policy|permissions boundary)))?"
)
_NOT_ALLOWED = re.compile(
    r"because no (?P<policy>(?:[\w-]+ )*?(?:policy|permissions boundary)) allows"
)

_QUOTA = "or request a higher quota in the console of Service Quotas."
_LIMITS = [
    (re.compile(pattern, re.IGNORECASE), hint)
    for pattern, hint in (
        (
            r"UnreservedConcurrentExecution|ReservedConcurrentExecutions",
            "Lower `reserved_concurrency`, or request a higher quota of concurrent executions"
            " in the console of Service Quotas.",
        ),
        (
            r"\bruntime\b.*(not supported|no longer supported|enum value|deprecated)"
            r"|unsupported runtime",
            "Set `aws.runtime` to a runtime that Lambda offers in this region.",
        ),
        (
            r"arm64|architecture",
            "Set `aws.architecture` to x86_64, or deploy to another region.",
        ),
        (
            r"CodeStorageExceeded|code storage limit",
            f"Delete functions or old versions that are no longer used, {_QUOTA}",
        ),
        (
            r"(maximum|limit|quota).*\bAPIs?\b|\bAPIs?\b.*(limit|quota) (exceeded|reached)",
            f"Delete APIs that are no longer used, {_QUOTA}",
        ),
        (
            r"QuotaForCustomerExceeded|^User(Group)?QuotaExceeded|^SecurityGroupLimitExceeded"
            r"|^(Topic|Subscription)LimitExceeded",
            f"Delete what is no longer used, {_QUOTA}",
        ),
        (
            r"^ServiceLinkedRoleNotFoundFault",
            "Have an administrator run `aws iam create-service-linked-role --aws-service-name"
            " elasticache.amazonaws.com` once per account, and repeat the command a minute later.",
        ),
        (r"^LimitExceeded", f"Delete what is no longer used, {_QUOTA}"),
    )
]
"""What to do about what AWS does not offer, or no more of, by the code and message of the error."""


class Refused(GimelError):
    """AWS answered a call with an error that repeating it does not fix. `code` is AWS's own.

    `permanent` says that running the command again does not help either: first the configuration
    or the account has to change.
    """

    def __init__(self, code: str, message: str, hint: str = "", *, permanent: bool = False) -> None:
        super().__init__(message, hint)
        self.code = code
        self.permanent = permanent


@dataclass(frozen=True)
class AwsError:
    """An error that AWS answered. `status` is that of HTTP, 0 where it is not known."""

    code: str
    message: str
    status: int = 0

    @property
    def words(self) -> str:
        """The message without its ARNs, in which any word can occur."""
        return re.sub(r"arn:\S+", "", self.message)

    @property
    def says_exists(self) -> bool:
        """Whether what was to be created exists already."""
        return self.code in _EXISTS and bool(re.search(r"\balready\b|\bexists? for\b", self.words))


def retry_reason(error: AwsError) -> str | None:
    """Return why repeating the call may help, None where it cannot.

    "throttled", "role" (too new), "busy" (being changed), "conflict" (with another change) or
    "unsure" (whether the call was done).
    """
    code, words = error.code, error.words
    if _is_throttled(code, words):
        return "throttled"
    if code == "InvalidParameterValueException" and _NEW_ROLE.search(words):
        return "role"
    if error.says_exists:
        return "unsure" if error.status >= 500 else None
    if code == "ResourceConflictException" and not re.search(r"\balias", words):
        return "busy"
    if code in _STATE:
        return "busy"
    if code in _CHANGING:
        return "conflict"
    if code == "DeleteConflict" and "progress" in words:
        return "conflict"
    if code == "BadRequestException" and "try again" in words:
        return "conflict"
    return "unsure" if error.status >= 500 else None


def is_about_login(error: AwsError) -> bool:
    """Return whether AWS did not accept who signed a call, or when."""
    return error.code in NO_CREDENTIALS or "security token" in error.message.lower()


def refusal(action: str, error: AwsError) -> Refused:
    """Return what to say about an error of an action, such as "lambda:CreateFunction"."""
    code, message = error.code, error.message
    if is_about_login(error):
        if clock := _clock_problem(error):
            return Refused(code, clock, "Set the clock of this machine.")
        hint = "Log in again, or run `aws configure`, and check --profile."
        if "expired" in f"{code} {message}".lower():
            return Refused(code, "The AWS credentials have expired.", hint)
        return Refused(code, f"AWS does not accept the credentials: {message}", hint)
    if code in DENIED:
        return _denial(_denied_action(action, message), error)
    if limit := _limit_hint(error):
        return Refused(code, f"AWS refused {action}: {message}", limit, permanent=True)
    permanent = code in _INVALID
    return Refused(code, f"AWS refused {action}: {message} ({code})", permanent=permanent)


def _clock_problem(error: AwsError) -> str:
    """Return how wrong the clock of this machine is, "" if an error is not about that."""
    message = error.message
    # "Signature expired: 20260115T100000Z is now earlier than 20260115T101500Z (20260115T102000Z -
    # 5 min.)": the first time is that of this machine, the last one that of AWS.
    times = [datetime.strptime(each, "%Y%m%dT%H%M%SZ") for each in _TIME.findall(message)]
    if len(times) > 1 and _SKEWED.search(message):
        minutes = round((times[-1] - times[0]).total_seconds() / 60)
        amount = f"{abs(minutes):,} minute{'' if abs(minutes) == 1 else 's'}"
        return f"The clock of this machine is {amount} {'behind' if minutes > 0 else 'ahead'}."
    if error.code in _CLOCK or _SKEWED.search(message):
        return f"The clock of this machine is wrong: {message}"
    return ""


def _denial(action: str, error: AwsError) -> Refused:
    """Return what to say about a denied action: who can change it depends on what denies it."""
    said = f"AWS does not allow {action}: {error.message}"
    explicit = _EXPLICIT_DENY.search(error.message)
    missing = _NOT_ALLOWED.search(error.message)
    if explicit:
        kind = explicit["policy"] or "explicit deny of a policy"
    elif missing and missing["policy"] != "identity-based policy":
        kind = missing["policy"]
    else:
        hint = "`gimel iam-policy` prints the permissions that Gimel needs."
        return Refused(error.code, said, hint)
    hint = f"The {kind} decides, whatever other policies permit. Ask the administrator who set it."
    if action.startswith("iam:"):
        hint += (
            " If roles are restricted, set `aws.role` to an existing role, or"
            " `aws.permissions_boundary` to the required boundary."
        )
    return Refused(error.code, said, hint, permanent=True)


def _limit_hint(error: AwsError) -> str:
    """Return what to do about something that AWS does not offer or no more of, "" otherwise."""
    for pattern, hint in _LIMITS:
        if pattern.search(f"{error.code}: {error.words}"):
            return hint
    return ""


def _is_throttled(code: str, words: str) -> bool:
    return (
        code in _THROTTLED
        or (code == "LimitExceededException" and "ate exceeded" in words)
        or (code == "InvalidParameterValueException" and "throttled" in words)
    )


def _denied_action(action: str, message: str) -> str:
    """Return the action that was denied, which may be another than the one that was called."""
    if named := re.search(r"perform: ([\w-]+:\w+)", message):
        return named[1]
    if named := re.search(r"denied by EC2.* permission to (\w+)", message):
        return f"ec2:{named[1]}"
    return action

"""What AWS's errors mean: whether repeating a call may help, and what to say where it cannot. Pure.

An error is its code, its message and its HTTP status, so that nothing here needs a client.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gimel.errors import GimelError

_THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "SlowDown",
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
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedException", "UnauthorizedOperation"}
)
GONE = frozenset({"NoSuchEntity", "NotFoundException", "ResourceNotFoundException"})
_EXISTS = frozenset(
    {
        "ConflictException",
        "EntityAlreadyExists",
        "ResourceAlreadyExistsException",
        "ResourceConflictException",
    }
)
_CHANGING = frozenset({"ConflictException", "ConcurrentModification", "OperationAbortedException"})

# What Lambda says while a new role is not known everywhere: to itself, to EC2, to KMS.
_NEW_ROLE = re.compile(
    r"role.*(assume|does not have permission)|does not refer to a valid principal"
)


class Refused(GimelError):
    """AWS answered a call with an error that repeating it does not fix. `code` is AWS's own."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.code = code


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
    if code in _CHANGING:
        return "conflict"
    if code == "DeleteConflict" and "progress" in words:
        return "conflict"
    if code == "BadRequestException" and "try again" in words:
        return "conflict"
    return "unsure" if error.status >= 500 else None


def refusal(action: str, error: AwsError) -> Refused:
    """Return what to say about an error of an action, such as "lambda:CreateFunction"."""
    code, message = error.code, error.message
    if code in NO_CREDENTIALS or "security token" in message.lower():
        hint = "Log in again, or run `aws configure`, and check --profile."
        if "expired" in f"{code} {message}".lower():
            return Refused(code, "The AWS credentials have expired.", hint)
        return Refused(code, f"AWS does not accept the credentials: {message}", hint)
    if code in DENIED:
        hint = "`gimel iam-policy` prints the permissions that Gimel needs."
        return Refused(
            code, f"AWS does not allow {_denied_action(action, message)}: {message}", hint
        )
    return Refused(code, f"AWS refused {action}: {message} ({code})")


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

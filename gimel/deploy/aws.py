"""AWS itself: the one module that imports boto3.

It makes one call at a time, waits and repeats within bounds where AWS asks for that, and turns its refusals into GimelError.
Which calls to make, and what their answers mean, is said in `observe` and `apply`.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import boto3
from botocore import exceptions as botocore_errors
from botocore.config import Config
from botocore.parsers import ResponseParserError

from gimel.deploy.models import Identity
from gimel.errors import GimelError

Answer: TypeAlias = dict[str, Any]
Given: TypeAlias = dict[str, Any]

SERVICES = ("sts", "iam", "logs", "lambda", "apigateway")

# What a listing's next page is asked for by, and what its answer calls that.
_CURSORS = {
    "lambda": ("Marker", "NextMarker"),
    "logs": ("nextToken", "nextToken"),
    "apigateway": ("position", "position"),
}

# Those of AWS itself; the latter two are its dual-stack endpoints.
_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn")

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 10.0
# Seconds that a call is repeated for, by the reason. A new role can take minutes, and a function in a VPC.
_PATIENCE = {
    "role": 300.0,
    "busy": 300.0,
    "throttled": 180.0,
    "conflict": 60.0,
    "unsure": 40.0,
    "unreached": 5.0,
}

_THROTTLED = frozenset(
    {
        "TooManyRequestsException",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "SlowDown",
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
_DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException"}
)
GONE = frozenset({"NoSuchEntity", "NotFoundException", "ResourceNotFoundException"})
_EXISTS = frozenset(
    {
        "EntityAlreadyExists",
        "ResourceAlreadyExistsException",
        "ConflictException",
        "ResourceConflictException",
    }
)
# What Lambda says while a new role is not known everywhere yet: to itself, to EC2, to KMS for the environment.
_NEW_ROLE = re.compile(
    r"role.*(assume|does not have permission)|does not refer to a valid principal"
)
_NEVER_SENT = (
    botocore_errors.EndpointConnectionError,
    botocore_errors.ConnectTimeoutError,
    botocore_errors.ProxyConnectionError,
)


class Refused(GimelError):
    """AWS answered a call with an error that repeating it does not mend. `code` is AWS's."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.code = code


class Aws:
    """The account and region that a profile, the environment or boto3's own configuration lead to.

    `sleep` and `clock` take and give seconds.
    """

    def __init__(
        self,
        profile: str | None = None,
        region: str | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        on_wait: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self.sleep = sleep
        self.clock = clock
        self.on_wait = on_wait
        with _credentials_explained():
            session: Any = boto3.Session(profile_name=profile, region_name=region)
            self.region: str = session.region_name or os.environ.get("AWS_REGION", "")
            if not self.region:
                raise GimelError(
                    "No AWS region is set.",
                    "Give --region, set $AWS_REGION, or run `aws configure`.",
                )
            # One attempt: what is safe to repeat is known here, and not to botocore.
            settings = Config(
                retries={"total_max_attempts": 1},
                connect_timeout=10,
                read_timeout=70,
                user_agent_extra="gimel",
            )
            self._clients: dict[str, Any] = {
                name: session.client(name, region_name=self.region, config=settings)
                for name in SERVICES
            }
        self._identity: Identity | None = None

    @property
    def endpoint(self) -> str | None:
        """The emulator's address where $AWS_ENDPOINT_URL or its likes lead to one, None on AWS."""
        url = str(self._clients["apigateway"].meta.endpoint_url)
        return None if (urlsplit(url).hostname or "").endswith(_DOMAINS) else url

    def identity(self) -> Identity:
        """Return whose account this is. Asked once."""
        if self._identity is None:
            answer = self.call("sts", "get_caller_identity")
            partition = answer["Arn"].split(":")[1]
            self._identity = Identity(answer["Account"], self.region, answer["Arn"], partition)
        return self._identity

    def call(
        self,
        service: str,
        operation: str,
        *,
        settled: Callable[[], Answer | None] | None = None,
        **given: Any,
    ) -> Answer:
        """Make a call and return its answer; wait and repeat it where AWS says that this helps.

        After an attempt whose outcome is not known (the connection broke, a 5xx), `settled` tells whether the call was done:
        it returns what the call would have, or None. Without it the call must be one that may be made twice; that what it
        deletes is gone, or what it makes is there, is then success. Raises Refused, or GimelError where patience ends.
        """
        started = self.clock()
        wait = _FIRST_WAIT
        unsure = False
        while True:
            try:
                with _credentials_explained():
                    answer: Answer = getattr(self._clients[service], operation)(**given)
                answer.pop("ResponseMetadata", None)
                return answer
            except botocore_errors.ClientError as error:
                reason = _reason(operation, error)
                code, message = _code(error), _message(error)
                if unsure and (
                    (operation.startswith(("delete", "remove")) and code in GONE) or _exists(error)
                ):
                    return (settled() if settled else None) or {}
                if reason is None:
                    raise _refused(service, operation, error) from None
            except (
                botocore_errors.HTTPClientError,
                botocore_errors.ConnectionError,
                ResponseParserError,
            ) as error:
                reason, message = (
                    "unreached" if isinstance(error, _NEVER_SENT) else "unsure",
                    str(error),
                )
            unsure = unsure or reason == "unsure"
            waited = self.clock() - started
            if reason == "unreached" and waited + wait > _PATIENCE[reason]:
                raise GimelError(
                    f"AWS cannot be reached: {message}", "Check the network, and the region's name."
                )
            if waited + wait > _PATIENCE[reason]:
                raise GimelError(
                    f"{_action(service, operation)} did not succeed for {waited:.0f} s: {message}",
                    "Try again later.",
                )
            self.on_wait(message)
            self.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)
            if unsure and settled and (found := settled()) is not None:
                return found

    def find(self, service: str, operation: str, **given: Any) -> Answer | None:
        """Make a call that reads, and return its answer, None where what it asks for is not there."""
        try:
            return self.call(service, operation, **given)
        except Refused as refusal:
            if refusal.code in GONE:
                return None
            raise

    def pages(self, service: str, operation: str, key: str, **given: Any) -> list[Answer]:
        """Return the items of all pages of a listing."""
        cursor, token = _CURSORS[service]
        items: list[Answer] = []
        while True:
            answer = self.call(service, operation, **given)
            items += answer.get(key, [])
            if not answer.get(token):
                return items
            given[cursor] = answer[token]

    def wait_for_function(self, name: str, version: str | None = None) -> None:
        """Wait until a function, or a version of it, can be used. Raises GimelError where that fails, or takes too long."""
        started, wait = self.clock(), _FIRST_WAIT
        which: Given = {"FunctionName": name, **({"Qualifier": version} if version else {})}
        while True:
            answer = self.call("lambda", "get_function_configuration", **which)
            if "Failed" in (answer.get("State"), answer.get("LastUpdateStatus")):
                why = (
                    answer.get("StateReason")
                    or answer.get("LastUpdateStatusReason")
                    or "AWS gives no reason"
                )
                raise GimelError(f"The function {name} cannot be used: {why}")
            if in_progress(answer):
                if self.clock() - started + wait > _PATIENCE["busy"]:
                    raise GimelError(
                        f"The function {name} is not ready after {_PATIENCE['busy']:.0f} s.",
                        "Try again later.",
                    )
                self.on_wait(f"{name} is not ready yet")
                self.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
                continue
            return


def in_progress(function: Answer) -> bool:
    """Return whether an answer about a function says that it is still being made or changed."""
    return function.get("State") == "Pending" or function.get("LastUpdateStatus") == "InProgress"


def _code(error: botocore_errors.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _message(error: botocore_errors.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", "")) or str(error)


def _exists(error: botocore_errors.ClientError) -> bool:
    return _code(error) in _EXISTS and bool(
        re.search(r"\balready\b|\bexists? for\b", _words(error))
    )


def _words(error: botocore_errors.ClientError) -> str:
    """Return the message without ARNs, in which any word can stand."""
    return re.sub(r"arn:\S+", "", _message(error))


def _reason(operation: str, error: botocore_errors.ClientError) -> str | None:
    """Return why repeating the call may help, None where it cannot."""
    code, message = _code(error), _words(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _THROTTLED or (code == "LimitExceededException" and "ate exceeded" in message):
        return "throttled"
    if code == "InvalidParameterValueException" and "throttled" in message:
        return "throttled"
    if code == "InvalidParameterValueException" and _NEW_ROLE.search(message):
        return "role"
    if (
        code == "ResourceConflictException"
        and not _exists(error)
        and not re.search(r"\balias", message)
    ):
        return "busy"
    if code in (
        "ConflictException",
        "OperationAbortedException",
        "ConcurrentModification",
    ) and not _exists(error):
        return "conflict"
    if (code == "DeleteConflict" and "progress" in message) or (
        code == "BadRequestException" and "try again" in message
    ):
        return "conflict"
    return "unsure" if status >= 500 else None


def _action(service: str, operation: str) -> str:
    name = "".join(part.capitalize() for part in operation.split("_"))
    return f"{service}:{name}"


def _refused(service: str, operation: str, error: botocore_errors.ClientError) -> Refused:
    code, message = _code(error), _message(error)
    if code in NO_CREDENTIALS or "security token" in message.lower():
        expired = "expired" in f"{code} {message}".lower()
        what = (
            "The AWS credentials have expired."
            if expired
            else f"AWS does not accept the credentials: {message}"
        )
        return Refused(code, what, "Log in again, or run `aws configure`, and check --profile.")
    if code in _DENIED:
        action = _action(service, operation)
        if named := re.search(r"perform: ([\w-]+:\w+)", message):
            action = named[1]
        elif named := re.search(r"denied by EC2.* permission to (\w+)", message):
            action = f"ec2:{named[1]}"
        return Refused(
            code,
            f"AWS does not allow {action}: {message}",
            "`gimel iam-policy` prints the rights that Gimel needs.",
        )
    return Refused(code, f"{_action(service, operation)} was refused: {message} ({code})")


@contextlib.contextmanager
def _credentials_explained() -> Iterator[None]:
    try:
        yield
    except (botocore_errors.NoCredentialsError, botocore_errors.PartialCredentialsError):
        raise GimelError(
            "No AWS credentials were found.", "Run `aws configure`, or give --profile."
        ) from None
    except botocore_errors.ProfileNotFound as error:
        raise GimelError(
            f"{error}.", "`aws configure list-profiles` lists those that are there."
        ) from None
    except botocore_errors.NoRegionError:
        raise GimelError(
            "No AWS region is set.", "Give --region, set $AWS_REGION, or run `aws configure`."
        ) from None
    except (
        botocore_errors.InvalidRegionError,
        botocore_errors.InvalidConfigError,
        botocore_errors.ConfigParseError,
    ) as error:
        raise GimelError(f"{error}", "Check --region and the files in ~/.aws.") from None
    except (
        botocore_errors.CredentialRetrievalError,
        botocore_errors.SSOError,
        botocore_errors.TokenRetrievalError,
        botocore_errors.UnauthorizedSSOTokenError,
    ) as error:
        raise GimelError(
            f"The AWS credentials cannot be used: {error}",
            "Log in again: `aws sso login` or `aws configure`.",
        ) from None

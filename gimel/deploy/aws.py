"""AWS itself: the one module that imports boto3.

It makes one call at a time, waits and repeats within bounds where AWS asks for that, and turns
refusals into GimelError. Which calls to make, and what their answers mean, is up to the resources.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import boto3
from botocore import exceptions as botocore_errors
from botocore.config import Config
from botocore.parsers import ResponseParserError

from gimel.deploy.aws_errors import GONE, AwsError, Refused, refusal, retry_reason
from gimel.deploy.identity import Identity
from gimel.errors import GimelError

Answer: TypeAlias = dict[str, Any]

SERVICES = ("sts", "iam", "logs", "lambda", "apigateway")

# AWS's own domains; the latter two are those of its dual-stack endpoints.
_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn")

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 10.0  # seconds
# Seconds for which a call is repeated, by reason. A new role can take minutes, and so can a
# function in a VPC.
_PATIENCE = {
    "role": 300.0,
    "busy": 300.0,
    "throttled": 180.0,
    "conflict": 60.0,
    "unsure": 40.0,
    "unreached": 5.0,
}

_NEVER_SENT = (
    botocore_errors.EndpointConnectionError,
    botocore_errors.ConnectTimeoutError,
    botocore_errors.ProxyConnectionError,
)
_BROKEN = (botocore_errors.HTTPClientError, botocore_errors.ConnectionError, ResponseParserError)


class Aws:
    """The account and region that a profile, the environment or boto3's configuration lead to.

    `sleep` takes seconds, `clock` returns them; `on_wait` is called with the reason of each wait.
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
                raise _no_region()
            settings = Config(
                # One attempt: what is safe to repeat is known here, and not to botocore.
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
        """The address of an emulator that $AWS_ENDPOINT_URL or the like names, None on AWS."""
        url = str(self._clients["apigateway"].meta.endpoint_url)
        return None if (urlsplit(url).hostname or "").endswith(_DOMAINS) else url

    def identity(self) -> Identity:
        """Return the account and the caller. Asked once."""
        if self._identity is None:
            answer = self.call("sts", "get_caller_identity")
            partition = answer["Arn"].split(":")[1]
            self._identity = Identity(answer["Account"], self.region, answer["Arn"], partition)
        return self._identity

    def call(self, service: str, operation: str, /, **parameters: Any) -> Answer:
        """Make a call that may be repeated, and return its answer.

        It is repeated where AWS says that this helps. After an attempt whose outcome is not known
        (a broken connection, a 5xx), it counts as success that what the call deletes is gone, or
        what it creates exists: the answer is then empty. Raises Refused, or GimelError where
        patience ends.
        """
        return self._call(service, operation, lambda: None, parameters)

    def create(
        self,
        service: str,
        operation: str,
        find_created: Callable[[], Answer | None],
        /,
        **parameters: Any,
    ) -> Answer:
        """Make a call that must not be done twice, and return its answer. Raises as `call` does.

        After an attempt whose outcome is not known, `find_created` finds out whether the call was
        done: it returns what the call would have returned, or None.
        """
        return self._call(service, operation, find_created, parameters)

    def find(self, service: str, operation: str, /, **parameters: Any) -> Answer | None:
        """Make a call about one thing; return its answer, None where the thing does not exist.

        That is also how to delete something that may be gone already.
        """
        try:
            return self.call(service, operation, **parameters)
        except Refused as refused:
            if refused.code in GONE:
                return None
            raise

    def pages(self, service: str, operation: str, /, **parameters: Any) -> list[Answer]:
        """Return the items of all pages of a listing, which botocore knows how to ask for."""
        paginator: Any = self._clients[service].get_paginator(operation)
        paginator._method = partial(self.call, service, operation)  # each page with our patience
        pages = paginator.paginate(**parameters)
        (key,) = pages.result_keys
        return [item for page in pages for item in key.search(page) or []]

    def wait_for_function(self, name: str, version: str | None = None) -> None:
        """Wait until a function, or a version of it, is ready.

        botocore's waiters would neither say what they wait for nor use this clock.
        Raises GimelError where the function cannot become ready, or takes too long.
        """
        started, wait = self.clock(), _FIRST_WAIT
        which = {"FunctionName": name, **({"Qualifier": version} if version else {})}
        while True:
            answer = self.call("lambda", "get_function_configuration", **which)
            if "Failed" in (answer.get("State"), answer.get("LastUpdateStatus")):
                why = answer.get("StateReason") or answer.get("LastUpdateStatusReason")
                raise GimelError(
                    f"AWS could not set up the function {name}: {why or 'no reason given'}"
                )
            if not in_progress(answer):
                return
            if self.clock() - started + wait > _PATIENCE["busy"]:
                raise GimelError(
                    f"The function {name} is not ready after {_PATIENCE['busy']:.0f} s.",
                    "Try again later.",
                )
            self.on_wait(f"{name} is not ready yet")
            self.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    def _call(
        self,
        service: str,
        operation: str,
        find_created: Callable[[], Answer | None],
        parameters: dict[str, Any],
    ) -> Answer:
        started, wait, unsure = self.clock(), _FIRST_WAIT, False
        while True:
            try:
                return self._attempt(service, operation, parameters)
            except botocore_errors.ClientError as raised:
                error = _parse(raised)
                reason, message = retry_reason(error), error.message
                if unsure and _was_done(operation, error):
                    return find_created() or {}
                if reason is None:
                    raise refusal(_action(service, operation), error) from None
            except _BROKEN as broken:
                reason = "unreached" if isinstance(broken, _NEVER_SENT) else "unsure"
                message = str(broken)
            unsure = unsure or reason == "unsure"
            waited = self.clock() - started
            if waited + wait > _PATIENCE[reason]:
                raise _gave_up(_action(service, operation), reason, waited, message)
            self.on_wait(message)
            self.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)
            if unsure and (found := find_created()) is not None:
                return found

    def _attempt(self, service: str, operation: str, parameters: dict[str, Any]) -> Answer:
        with _credentials_explained():
            answer: Answer = getattr(self._clients[service], operation)(**parameters)
        answer.pop("ResponseMetadata", None)
        return answer


def in_progress(function: Answer) -> bool:
    """Return whether an answer about a function says that it is being created or changed."""
    return function.get("State") == "Pending" or function.get("LastUpdateStatus") == "InProgress"


def _parse(error: botocore_errors.ClientError) -> AwsError:
    """Return an error as a value."""
    answered = error.response.get("Error", {})
    return AwsError(
        code=str(answered.get("Code", "")),
        message=str(answered.get("Message", "")) or str(error),
        status=error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0),
    )


def _was_done(operation: str, error: AwsError) -> bool:
    """Return whether an error shows that an earlier attempt had succeeded."""
    deletes = operation.startswith(("delete", "remove"))
    return error.says_exists or (deletes and error.code in GONE)


def _gave_up(action: str, reason: str, waited: float, message: str) -> GimelError:
    if reason == "unreached":
        return GimelError(
            f"Could not connect to AWS: {message}", "Check the network and the name of the region."
        )
    return GimelError(
        f"{action} did not succeed within {waited:.0f} s: {message}", "Try again later."
    )


def _action(service: str, operation: str) -> str:
    """Return the IAM action that an operation of boto3 usually needs."""
    return f"{service}:{''.join(part.capitalize() for part in operation.split('_'))}"


def _no_region() -> GimelError:
    return GimelError(
        "No AWS region is set.", "Give --region, set $AWS_REGION, or run `aws configure`."
    )


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
            f"{error}.", "`aws configure list-profiles` lists those that exist."
        ) from None
    except botocore_errors.NoRegionError:
        raise _no_region() from None
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

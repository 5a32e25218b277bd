"""AWS itself: the one module that imports boto3.

It makes one call at a time, waits and repeats within bounds where AWS asks for that, and turns
refusals into GimelError. Which calls to make, and what their answers mean, is up to the resources.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore import exceptions as botocore_errors
from botocore.config import Config
from botocore.loaders import create_loader
from botocore.parsers import ResponseParserError

from gimel.api import http
from gimel.deploy import aws_network, credentials, partitions
from gimel.deploy.aws_errors import GONE, AwsError, Refused, refusal, retry_reason
from gimel.deploy.identity import DEFAULT, Deployment, Identity
from gimel.deploy.partitions import Partition, Partitions
from gimel.errors import GimelError

Answer: TypeAlias = dict[str, Any]

SERVICES = ("sts", "iam", "logs", "lambda", "apigateway", "events")
"""Those that every deployment uses. The others' clients are made when they are first used."""

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

# What may happen while credentials are loaded and is not about them.
_PASSED_ON = (botocore_errors.ClientError, *_BROKEN)


class Aws:
    """The account and region that a profile, the environment or boto3's configuration lead to.

    `sleep` takes seconds, `clock` returns them; `on_wait` is called with the reason of each wait.
    """

    def __init__(
        self,
        profile: str | None = None,
        region: str | None = None,
        deployment: Deployment = DEFAULT,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        on_wait: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self.deployment = deployment
        self.sleep = sleep
        self.clock = clock
        self.on_wait = on_wait
        with credentials.explained(profile):
            core = botocore.session.get_session()
            session: Any = boto3.Session(botocore_session=core, profile_name=profile)
            region = region or session.region_name or os.environ.get("AWS_REGION")
            if region:  # also for the clients that botocore makes, to assume a role for example
                core.set_config_variable("region", region)
            self.region: str = region or ""
            self._profile: str | None = core.get_config_variable("profile")
            self.ca_bundle: str | None = core.get_config_variable("ca_bundle")
            if not self.region:
                raise credentials.no_region()
            if (bundle := self.ca_bundle or http.environment_ca_bundle()) is not None:
                http.check_ca_bundle(bundle)
            self._credentials: Any = session.get_credentials()
            settings = Config(
                # One attempt: what is safe to repeat is known here, and not to botocore.
                retries={"total_max_attempts": 1},
                connect_timeout=10,
                read_timeout=70,
                user_agent_extra="gimel",
            )
            self._make_client = partial(session.client, region_name=self.region, config=settings)
            self._clients: dict[str, Any] = {name: self._make_client(name) for name in SERVICES}
        for client in self._clients.values():
            http.proxy_for(client.meta.endpoint_url)  # raises for one that botocore cannot use
        if self.endpoint is None:
            partition_of(self.region)
        self._identity: Identity | None = None

    @property
    def endpoint(self) -> str | None:
        """The address of an emulator that $AWS_ENDPOINT_URL or the like names, None on AWS."""
        url = str(self._clients["apigateway"].meta.endpoint_url)
        return None if _partitions().includes(urlsplit(url).hostname or "") else url

    @property
    def dns_suffix(self) -> str:
        """What the names of the region's hosts end with. An emulator may have any region."""
        return partition_of(self.region).dns_suffix if self.endpoint is None else ""

    def identity(self) -> Identity:
        """Return the account and the caller. Asked once."""
        if self._identity is None:
            answer = self.call("sts", "get_caller_identity")
            partition = answer["Arn"].split(":")[1]
            self._identity = Identity(
                answer["Account"], self.region, answer["Arn"], partition, self.deployment
            )
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
        paginator: Any = self._client(service).get_paginator(operation)
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

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._make_client(service)
        return self._clients[service]

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
                message = _describe(broken, self._client(service).meta.endpoint_url)
                reason = "unreached" if isinstance(broken, _NEVER_SENT) else "unsure"
            unsure = unsure or reason == "unsure"
            waited = self.clock() - started
            if waited + wait > _PATIENCE[reason]:
                raise self._gave_up(_action(service, operation), reason, waited, message)
            self.on_wait(message)
            self.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)
            if unsure and (found := find_created()) is not None:
                return found

    def _attempt(self, service: str, operation: str, parameters: dict[str, Any]) -> Answer:
        self._refresh_credentials()
        try:
            answer: Answer = getattr(self._client(service), operation)(**parameters)
        except (*_PASSED_ON, botocore_errors.ParamValidationError):
            raise
        except botocore_errors.BotoCoreError as error:
            raise credentials.explain(error, self._profile) from None
        answer.pop("ResponseMetadata", None)
        return answer

    def _refresh_credentials(self) -> None:
        """Load or renew the credentials, so that an error of the next call is not about them."""
        if self._credentials is None:
            return
        try:
            with credentials.explained(self._profile, _PASSED_ON):
                self._credentials.get_frozen_credentials()
        except botocore_errors.ClientError as raised:
            error = _parse(raised)
            if retry_reason(error) is None:
                raise credentials.refused(raised.operation_name, error) from None
            raise

    def _gave_up(self, action: str, reason: str, waited: float, message: str) -> GimelError:
        if reason == "unreached":
            similar = _partitions().similar(self.region)
            return GimelError(
                f"Could not connect to AWS: {message}",
                f"Check the network and the name of the region. {similar}".rstrip(),
            )
        return GimelError(
            f"{action} did not succeed within {waited:.0f} s: {message}", "Try again later."
        )


def _describe(broken: Exception, url: str) -> str:
    """Return a failed connection in words. Raises GimelError if it cannot succeed."""
    cause = getattr(broken, "kwargs", {}).get("error") or broken
    at_proxy = isinstance(broken, botocore_errors.ProxyConnectionError)
    if final := aws_network.final_failure(cause, url, at_proxy=at_proxy):
        raise final from None
    return aws_network.describe(str(broken), url, at_proxy=at_proxy)


@functools.cache
def _partitions() -> Partitions:
    return partitions.parse(create_loader().load_data("partitions"))


def partition_of(region: str) -> Partition:
    """Return the partition of a region. Raises GimelError with the most similar regions."""
    return _partitions().of(region)


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


def _action(service: str, operation: str) -> str:
    """Return the IAM action that an operation of boto3 usually needs."""
    return f"{service}:{''.join(part.capitalize() for part in operation.split('_'))}"

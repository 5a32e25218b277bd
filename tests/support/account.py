"""Deploying into an emulated AWS account. Only this module uses the parts of `gimel.deploy`."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3

from gimel import config
from gimel.deploy import apply, bundle
from gimel.deploy.aws import Aws
from gimel.deploy.deployed import Deployed
from gimel.deploy.desired import desired_state
from gimel.deploy.identity import Deployment
from gimel.deploy.plan import observe, plan, plan_destroy
from gimel.deploy.resources.base import Look, Step
from gimel.deploy.rollback import plan_rollback
from tests.support import contents, kept_clients
from tests.support.clock import Time
from tests.support.emulator import Emulator
from tests.support.events import BROWSER

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

Options = dict[str, Any]
"""What `Aws` takes: by default a clock on which sleeping takes no time."""


def variables(url: str) -> dict[str, str]:
    """Return the environment of a user of this emulator who has no AWS configuration."""
    nowhere = {
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return {**nowhere, **CREDENTIALS, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": url}


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class Result:
    """What a deploy did: its steps, all AWS calls in order, and what is deployed."""

    steps: tuple[Step, ...]
    calls: list[str]
    deployed: Deployed

    @property
    def sentences(self) -> list[str]:
        return [str(step) for step in self.steps]


class Account:
    """The emulator's account; `file` is config.json, `redis` its section of that name."""

    def __init__(self, emulator: Emulator, file: Path, redis: dict[str, Any]) -> None:
        self.emulator = emulator
        self.url = emulator.url
        self.file = file
        self.redis = redis

    def configure(self, **document: Any) -> config.Config:
        """Write config.json with the Redis section and this document."""
        self.file.write_text(json.dumps({"redis": self.redis, **document}))
        return config.load(self.file)

    def prepare(self, name: str, build: Callable[[], object]) -> None:
        """Bring the account to the state that `build` makes of an empty one; see `Emulator`."""
        self.emulator.prepare(name, build)

    def aws(self, options: Options | None = None) -> Aws:
        """Return Gimel's connection to the account, for the deployment in config.json."""
        aws = config.load(self.file).document.aws
        deployment = Deployment(aws.name, aws.role)
        return Aws(deployment=deployment, **{**Time().options, **(options or {})})

    def plan(self, **document: Any) -> tuple[Step, ...]:
        """Return the steps of a dry run."""
        desired = desired_state(self.configure(**document))
        return plan(desired, observe(Look(self.aws(), desired)))

    def deploy(self, options: Options | None = None, **document: Any) -> Result:
        """Deploy this configuration."""
        before = len(kept_clients.sent)
        desired = desired_state(self.configure(**document))
        aws = self.aws(options)
        observed = observe(Look(aws, desired))
        planned = plan(desired, observed)
        deployed = apply.apply(aws, planned, observed)
        return Result(planned, kept_clients.sent[before:], deployed)

    def destroy(
        self, options: Options | None = None, *, with_data: bool = False
    ) -> tuple[Step, ...]:
        """Remove the deployment, with the store if it has one and asked. Return the steps."""
        aws = self.aws(options)
        observed = observe(Look(aws, with_data=with_data))
        planned = plan_destroy(observed)
        apply.apply(aws, planned, observed)
        return planned

    def rollback(self, options: Options | None = None, to: int | None = None) -> tuple[Step, ...]:
        """Undo the newest deploy, or all after number `to`. Return the steps."""
        aws = self.aws(options)
        observed = observe(Look(aws, versions=True))
        steps = plan_rollback(observed, to)
        apply.apply_all_or_none(apply.start(aws, observed), steps)
        return steps

    def client(self, service: str) -> Any:
        """Return a client of the emulator itself, which bypasses a proxy before it."""
        return boto3.Session().client(service, endpoint_url=self.url)  # type: ignore[call-overload]

    def api(self) -> str:
        """Return the id of the one REST API named gimel."""
        return contents.api_id(self.client)

    def listing(self) -> dict[str, Any]:
        """Return the names and ids of everything in the account."""
        return contents.listing(self.client)

    def state(self) -> Any:
        """Return every detail of the deployment that does not vary between deploys."""
        return contents.state(self.client)

    def versions(self, function: str) -> list[int]:
        """Return the published versions of a function."""
        return contents.versions(self.client, function)

    def live(self, function: str) -> int:
        """Return the version of a function that is live."""
        alias = self.client("lambda").get_alias(FunctionName=function, Name="live")
        return int(alias["FunctionVersion"])

    def ask(
        self, path: str, method: str = "GET", key: str | None = None, body: Any = None, **query: str
    ) -> Answer:
        """Send a request to the deployed API."""
        url = f"{self.url}/restapis/{self.api()}/prod/_user_request_/{path}"
        return ask(f"{url}?{urlencode(query)}" if query else url, method, key, body)

    def ask_url(self, url: str, **query: str) -> Answer:
        """Send a request to a function URL, which the emulator recognises by its host name."""
        return ask(f"{self.url}/?{urlencode(query)}", host=url.split("/")[2])


def ask(
    url: str, method: str = "GET", key: str | None = None, body: Any = None, host: str | None = None
) -> Answer:
    """Send a request as a browser does."""
    request = urllib.request.Request(
        url, method=method, data=None if body is None else json.dumps(body).encode()
    )
    request.add_header("User-Agent", BROWSER)
    if key:
        request.add_header("x-api-key", key)
    if host:
        request.add_header("Host", host)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return _answer(response.status, response.read(), response.headers)
    except urllib.error.HTTPError as error:
        return _answer(error.code, error.read(), error.headers)


def _answer(status: int, text: bytes, headers: Any) -> Answer:
    return Answer(
        status,
        json.loads(text) if text.strip() else None,
        {name.lower(): value for name, value in headers.items()},
    )


def add_theirs(account: Account) -> None:
    """Put another team's resources into the account, with names like Gimel's."""
    created = account.client("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument="{}")
    account.client("lambda").create_function(
        FunctionName="gimel-theirs",
        Role=created["Role"]["Arn"],
        Runtime="python3.13",
        Handler="gimel.track",
        Code={"ZipFile": bundle.build()},
    )
    account.client("logs").create_log_group(logGroupName="/aws/lambda/gimel-theirs")
    gateway = account.client("apigateway")
    gateway.create_rest_api(name="theirs")
    gateway.create_api_key(name="gimel-of-theirs")
    gateway.create_usage_plan(name="theirs")

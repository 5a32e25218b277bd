"""An emulated AWS account, deploying into it, and all that is in it."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3

from gimel import config
from gimel.deploy import apply, bundle
from gimel.deploy.aws import SERVICES, Aws
from gimel.deploy.deployed import Deployed
from gimel.deploy.desired import desired_state
from gimel.deploy.plan import observe, plan, plan_destroy
from gimel.deploy.resources.base import Look, Step
from tests.support.events import BROWSER

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def variables(url: str) -> dict[str, str]:
    """Return the environment of somebody who uses the emulator at this address, and no configuration of their own."""
    nowhere = {
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return {**nowhere, **CREDENTIALS, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": url}


READING = ("Get", "List", "Describe", "Simulate")


def mutating(calls: list[str]) -> list[str]:
    """Return the calls that change something."""
    return [call for call in calls if not call.startswith(READING)]


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class Result:
    """What a deploy did: its steps, the AWS calls of observing and of the whole, and what it leads to."""

    steps: tuple[Step, ...]
    calls: list[str]
    deployed: Deployed

    @property
    def sentences(self) -> list[str]:
        return [str(step) for step in self.steps]


@dataclass
class Account:
    """The account of the emulator at `url`; `file` is config.json, `redis` what it says of Redis."""

    url: str
    file: Path
    redis: dict[str, Any]

    def configure(self, **document: Any) -> config.Config:
        self.file.write_text(json.dumps({"redis": self.redis, **document}))
        return config.load(self.file)

    def aws(self, calls: list[str] | None = None, **options: Any) -> Aws:
        """Return the way to the account; the names of the calls are added to `calls` as botocore sends them."""
        aws = Aws(**options)
        for service in SERVICES:
            if calls is not None:
                events = aws._clients[service].meta.events
                events.register(
                    "before-send",
                    lambda request, event_name, **_: calls.append(event_name.rsplit(".", 1)[1]),
                )
        return aws

    def plan(self, **document: Any) -> tuple[Step, ...]:
        """Return the steps of a dry run."""
        desired = desired_state(self.configure(**document))
        return plan(desired, observe(Look(self.aws(), desired)))

    def deploy(self, options: dict[str, Any] | None = None, **document: Any) -> Result:
        """Deploy this configuration."""
        calls: list[str] = []
        desired = desired_state(self.configure(**document))
        aws = self.aws(calls, **(options or {}))
        observed = observe(Look(aws, desired))
        planned = plan(desired, observed)
        return Result(planned, calls, apply.apply(aws, planned, observed))

    def undisturbed(self, **document: Any) -> Any:
        """Deploy this configuration, and return what that leaves where nothing comes between."""
        self.deploy(**document)
        assert self.plan(**document) == ()
        return self.state()

    def destroy(self, options: dict[str, Any] | None = None) -> tuple[Step, ...]:
        """Remove all of Gimel's. Returns the steps."""
        aws = self.aws(**(options or {}))
        observed = observe(Look(aws))
        planned = plan_destroy(observed)
        apply.apply(aws, planned, observed)
        return planned

    def client(self, service: str) -> Any:
        """Return a client of the emulator itself, whatever stands between it and `aws`."""
        return boto3.client(service, endpoint_url=self.url)  # type: ignore[call-overload]

    def api(self) -> str:
        """Return the id of the one REST API of Gimel's name."""
        (api,) = [
            api
            for api in self.client("apigateway").get_rest_apis()["items"]
            if api["name"] == "gimel"
        ]
        return str(api["id"])

    def ask(
        self, path: str, method: str = "GET", key: str | None = None, body: Any = None, **query: str
    ) -> Answer:
        """Ask the deployed API over HTTP."""
        url = f"{self.url}/restapis/{self.api()}/prod/_user_request_/{path}"
        return ask(f"{url}?{urlencode(query)}" if query else url, method, key, body)

    def listing(self) -> dict[str, Any]:
        """Return all that is in the account, as far as anything of Gimel's could be, without what differs by time alone."""
        iam, logs, functions, gateway = (
            self.client(name) for name in ("iam", "logs", "lambda", "apigateway")
        )
        roles = [role["RoleName"] for role in iam.list_roles()["Roles"]]
        apis = gateway.get_rest_apis()["items"]
        return {
            "roles": {name: iam.list_role_policies(RoleName=name)["PolicyNames"] for name in roles},
            "policies": [policy["Arn"] for policy in iam.list_policies(Scope="Local")["Policies"]],
            "log groups": logs.describe_log_groups()["logGroups"],
            "functions": {
                function["FunctionName"]: (
                    [
                        version["Version"]
                        for version in functions.list_versions_by_function(
                            FunctionName=function["FunctionName"]
                        )["Versions"]
                    ],
                    functions.list_aliases(FunctionName=function["FunctionName"])["Aliases"],
                )
                for function in functions.list_functions()["Functions"]
            },
            "apis": {
                api["id"]: gateway.get_resources(restApiId=api["id"])["items"] for api in apis
            },
            "stages": {api["id"]: gateway.get_stages(restApiId=api["id"])["item"] for api in apis},
            "keys": gateway.get_api_keys(includeValues=True)["items"],
            "plans": gateway.get_usage_plans()["items"],
        }

    def state(self) -> Any:
        """Return all that a deploy makes, in full, with names in place of ids, and without times and versions' numbers."""
        iam, logs, functions, gateway = (
            self.client(name) for name in ("iam", "logs", "lambda", "apigateway")
        )
        api = self.api()
        paths = gateway.get_resources(restApiId=api, limit=500)["items"]
        stage = gateway.get_stage(restApiId=api, stageName="prod")
        deployment = gateway.get_deployment(restApiId=api, deploymentId=stage["deploymentId"])
        keys = gateway.get_api_keys(includeValues=True)["items"]
        plans = gateway.get_usage_plans()["items"]
        found = {
            "role": iam.get_role(RoleName="gimel")["Role"],
            "policy": iam.get_role_policy(RoleName="gimel", PolicyName="gimel")["PolicyDocument"],
            "log groups": logs.describe_log_groups()["logGroups"],
            "functions": [_function(functions, name) for name in sorted(names(self))],
            "paths": {path["path"]: path.get("resourceMethods") for path in paths},
            "responses": [
                answer
                for answer in gateway.get_gateway_responses(restApiId=api)["items"]
                if not answer.get("defaultResponse")
            ],
            "stage": stage,
            "deployment": deployment,
            "keys": keys,
            "plans": [
                (plan, gateway.get_usage_plan_keys(usagePlanId=plan["id"])["items"])
                for plan in plans
            ],
        }
        text = json.dumps(_without_times(found), sort_keys=True, default=str)
        known = {
            api: "api",
            deployment["id"]: "deployment",
            **{path["id"]: path["path"] for path in paths},
        }
        known |= {key[name]: f"key's {name}" for key in keys for name in ("id", "value")}
        known |= {plan["id"]: "plan" for plan in plans}
        for each, name in known.items():
            text = text.replace(each, f"<{name}>")
        return json.loads(text)


def _function(functions: Any, name: str) -> Any:
    """Return the live version of a function, and all that is set beside its versions."""
    policy = json.loads(functions.get_policy(FunctionName=name, Qualifier="live")["Policy"])
    live = functions.get_function(FunctionName=name, Qualifier="live")
    try:
        url = functions.get_function_url_config(FunctionName=name, Qualifier="live")["AuthType"]
    except functions.exceptions.ResourceNotFoundException:
        url = None
    beside = {key: live.get(key) for key in ("Concurrency", "Tags")}
    configuration = {
        key: value
        for key, value in live["Configuration"].items()
        if key not in ("FunctionArn", "Version")
    }
    return [configuration, beside, sorted(policy["Statement"], key=lambda each: each["Sid"]), url]


_TIMES = re.compile(
    r"(?i).*(date|time|modified)|storedBytes|ResponseMetadata|RoleId|RevisionId|MasterArn|State.*|LastUpdateStatus"
)


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_times(each)
            for key, each in value.items()
            if key == "Runtime" or not _TIMES.fullmatch(key)
        }
    return [_without_times(each) for each in value] if isinstance(value, list | tuple) else value


def ask(
    url: str, method: str = "GET", key: str | None = None, body: Any = None, host: str | None = None
) -> Answer:
    """Ask a URL over HTTP as a browser does."""
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
    """Put another team's things into the account, with names like Gimel's."""
    role = account.client("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument="{}")[
        "Role"
    ]["Arn"]
    account.client("lambda").create_function(
        FunctionName="gimel-theirs",
        Role=role,
        Runtime="python3.13",
        Handler="gimel.track",
        Code={"ZipFile": bundle.build()},
    )
    account.client("logs").create_log_group(logGroupName="/aws/lambda/gimel-theirs")
    gateway = account.client("apigateway")
    gateway.create_rest_api(name="theirs")
    gateway.create_api_key(name="gimel-of-theirs")
    gateway.create_usage_plan(name="theirs")
    time.sleep(0.6)  # until the emulator has the function ready


def versions(account: Account, function: str) -> list[int]:
    """Return the published versions of a function."""
    listed = account.client("lambda").list_versions_by_function(FunctionName=function)["Versions"]
    return [int(each["Version"]) for each in listed if each["Version"] != "$LATEST"]


def live(account: Account, function: str) -> int:
    """Return the version that is live."""
    return int(
        account.client("lambda").get_alias(FunctionName=function, Name="live")["FunctionVersion"]
    )


def names(account: Account) -> Iterator[str]:
    """Return the names of all functions."""
    return (
        function["FunctionName"]
        for function in account.client("lambda").list_functions()["Functions"]
    )

"""What a configuration asks for, and what deploys leave: an undisturbed one, and one of 1.5.0.

All take the keys of config.json, such as `aws={"tags": {"team": "web"}}`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gimel.config import Config, Document
from gimel.config.entries import extend
from gimel.deploy.desired import desired_state
from gimel.wiring import TRACK_PATH
from tests.support.state.after_compute import publication
from tests.support.state.cloud import (
    API,
    HERE,
    KEY,
    OUR_STAGE,
    RESPONSES,
    SNAPSHOT,
    TRACK,
    URL_STATEMENTS,
    Api,
    Function,
    LogGroup,
    Method,
    Place,
    Role,
    Rule,
    State,
    UsagePlan,
    cors_answer,
    proxy,
    url_of,
)
from tests.support.state.names import Deploy, Desired, marked, record_of
from tests.support.state.seen import deployment, role_policy

ARCHIVE = b"the zip"


def configuration(**document: Any) -> Config:
    """Return what config.json holds, with a Redis unless it says otherwise."""
    parsed = Document.model_validate({"redis": {"host": "redis.example.com"}, **document})
    wiring = extend(parsed.extra_wiring, parsed.aws.name)
    return Config(None, parsed, wiring if parsed.snapshots else wiring.unscheduled())


def desired(archive: bytes = ARCHIVE, /, **document: Any) -> Desired:
    """Return what a configuration asks for, with these bytes as the zip."""
    return desired_state(configuration(**document), archive)


def settled(place: Place = HERE, /, **document: Any) -> State:
    """Return what an undisturbed deploy into an empty account leaves."""
    config, wanted = configuration(**document), desired(**document)
    aws = config.document.aws
    place = replace(place, name=aws.name, given_role=aws.role)
    tags = marked(aws.name, aws.tags)
    deploy = Deploy(1, wanted.fingerprint)
    names = [function.name for function in wanted.functions]
    reserved = [each.name for each in wanted.functions if each.reserved_concurrency is not None]
    topic = config.document.alerts.sns
    policy = role_policy(
        place, names, reserved, vpc=aws.vpc is not None, topic=topic, secret=config.secret
    )
    called = {route.function for route in config.wiring.routes}
    functions = {
        each.name: Function(
            role=place.role,
            latest=each.configuration,
            versions={1: each.configuration},
            live=1,
            history=f"gimel 1:1 ={deploy.fingerprint}",
            described={1: publication(deploy, "created")},
            reserved=each.reserved_concurrency,
            callers=place.callers(API) if each.name in called else None,
            rule=place.rule(each.name) if each.schedule else None,
            url=url_of(each.name) if each.url else None,
            url_statements=URL_STATEMENTS if each.url else frozenset(),
            tags=tags,
        )
        for each in wanted.functions
    }
    paths = frozenset(route.path for route in config.wiring.routes)
    methods = {(each.path, each.method): proxy(each, place) for each in config.wiring.routes}
    for path in paths:
        methods[path, "OPTIONS"] = Method(answer=cors_answer(config.wiring.methods(path)))
    return State(
        place=place,
        role=None
        if aws.role
        else Role(place.role, policy=policy, tags=tags, boundary=aws.permissions_boundary),
        functions=functions,
        log_groups={name: LogGroup(aws.log_retention_days, tags) for name in names},
        rules={
            each.name: Rule(each.schedule, target=place.alias(each.name), tags=tags)
            for each in wanted.functions
            if each.schedule
        },
        api=Api(
            paths=paths,
            methods=methods,
            responses=RESPONSES,
            deployed=deployment(wanted, place),
            rate=aws.throttle.rate,
            burst=aws.throttle.burst,
            tags={**tags, **record_of(aws.tags)},
        ),
        key=True,
        plan=UsagePlan(stages=frozenset({OUR_STAGE}), keys=frozenset({KEY})),
    )


def left_by_1_5_0(**document: Any) -> State:
    """Return what a deploy of Gimel 1.5.0 leaves: its API calls the functions by their role.

    1.5.0 made no usage plan, so that its key opens nothing, and no log group, which Lambda makes.
    """
    there = settled(**document)
    functions = {
        name: _of_1_5_0(function, there.place)
        for name, function in there.functions.items()
        if name != SNAPSHOT
    }
    services = ["lambda.amazonaws.com", "apigateway.amazonaws.com"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": ["*"]},
            {
                "Effect": "Allow",
                "Action": [
                    "kinesis:PutRecord",
                    "logs:CreateLogGroup",
                    "logs:CreateLogStream",
                    "logs:PutLogEvents",
                ],
                "Resource": "*",
            },
        ],
    }
    methods = {
        which: Method(answer={"method.response.header.Access-Control-Allow-Origin": "'*'"})
        if which[1] == "OPTIONS"
        else replace(method, integration=None)
        for which, method in (there.api or Api()).methods.items()
        if which[1] != "POST" and which[0] != TRACK_PATH
    }
    paths = frozenset(path for path, _ in methods)
    return State(
        role=Role(there.place.role, frozenset(services), policy),
        functions=functions,
        log_groups={TRACK: LogGroup(None)},
        api=Api(paths=paths, methods=methods, deployed="gimel deployment"),
        key=True,
        key_is_marked=False,
    )


def _of_1_5_0(function: Function, place: Place) -> Function:
    made = replace(
        function.latest,
        runtime="python3.8",
        architecture="x86_64",
        settings=None,
        code_sha256="of 1.5.0",
    )
    return Function(place.role, made, {1: made}, live=1)

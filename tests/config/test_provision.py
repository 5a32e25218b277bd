"""`redis.provision`: a store that a deploy creates, and what the rest of the file must be like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gimel import config

VPC = {"subnets": ["subnet-1a"], "security_groups": ["sg-1a"]}
SNS = {"sns": "arn:aws:sns:eu-west-1:123456789012:alerts"}


def loaded(folder: Path, redis: dict[str, Any], **document: Any) -> config.Config:
    """Return a configuration with a store and these other keys of `redis`."""
    path = folder / "config.json"
    path.write_text(json.dumps({"redis": {"provision": "valkey-serverless", **redis}, **document}))
    return config.load(path)


def test_the_functions_log_in_by_iam_and_over_tls(tmp_path: Path) -> None:
    """The address is known later; the time-outs are those of the file."""
    read = loaded(tmp_path, {"socket_timeout": 2}, aws={"name": "My-Shop"})

    assert json.loads(read.runtime_settings())["redis"] == {
        "host": config.loading.STORE_ENDPOINT,
        "ssl": True,
        "username": "my-shop",
        "iam": "my-shop",
        "cluster": True,
        "socket_timeout": 2,
    }


@pytest.mark.parametrize(
    ("redis", "document", "message"),
    [
        ({"host": "h"}, {}, "redis must not have both provision and host."),
        ({"url": "redis://h"}, {}, "redis must not have both provision and url."),
        (
            {"password": "p", "port": 6380},
            {},
            "redis must not have both provision and password, port.",
        ),
        (
            {"provision": "valkey"},
            {},
            'redis.provision must be "valkey-serverless"; found "valkey".',
        ),
        *(
            ({}, {"aws": {"name": name}}, "aws.name must consist of letters, digits and single")
            for name in ("my_shop", "shop-", "my--shop", "sg-shop")
        ),
        ({}, {"alerts": SNS}, "alerts.sns requires aws.vpc: the functions run in the default VPC"),
        (
            {},
            {"alerts": {"webhook": "https://hooks.example.com/secret"}},
            "alerts.webhook requires aws.vpc",
        ),
        (
            {},
            {"aws": {"vpc": {**VPC, "security_groups": [f"sg-{n}" for n in range(10, 15)]}}},
            "aws.vpc.security_groups must have at most 4 items",
        ),
    ],
)
def test_what_cannot_work_is_refused(
    tmp_path: Path, redis: dict[str, Any], document: dict[str, Any], message: str
) -> None:
    """Before anything is created, and without a secret in the message."""
    with pytest.raises(config.ConfigError) as refused:
        loaded(tmp_path, redis, **document)
    assert message in refused.value.message
    assert "secret" not in f"{refused.value.message} {refused.value.hint}"


def test_alerts_are_possible_in_a_vpc_of_the_file(tmp_path: Path) -> None:
    """Its subnets may have a NAT gateway."""
    assert loaded(tmp_path, {}, aws={"vpc": VPC}, alerts=SNS).provisions


def test_a_url_cannot_ask_for_a_store(tmp_path: Path) -> None:
    """Only the key `redis.provision` can, not an option of a URL."""
    path = tmp_path / "config.json"
    path.write_text('{"redis": {"url": "redis://h?provision=valkey-serverless"}}')
    with pytest.raises(config.ConfigError, match="must not have the option 'provision'"):
        config.load(path)

"""`redis.password` as an object: where AWS keeps the password."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gimel import config
from gimel.config.secret import parse_value
from gimel.errors import GimelError

PLACE = "eu-west-1:123456789012"
SECRET_ARN = f"arn:aws:secretsmanager:{PLACE}:secret:gimel/redis-AbCdEf"
KEY = f"arn:aws:kms:{PLACE}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ONE = "redis.password must have either ssm or secretsmanager"
PARAMETER = "redis.password.ssm must be the name or the ARN of a parameter"
SECRET = "redis.password.secretsmanager must be the name of a secret, "


def loaded(folder: Path, password: Any) -> config.Config:
    path = folder / "config.json"
    path.write_text(json.dumps({"redis": {"host": "h", "password": password}}))
    return config.load(path)


@pytest.mark.parametrize(
    "password",
    [
        {"ssm": "/gimel/redis"},
        {"ssm": "redis.password_1"},
        {"ssm": f"arn:aws-us-gov:ssm:{PLACE}:parameter/gimel/redis"},
        {"ssm": "/gimel/redis", "key": "password"},
        {"secretsmanager": "gimel/redis+=.@-_1"},
        {"secretsmanager": SECRET_ARN, "key": "pass word"},
    ],
    ids=str,
)
def test_the_functions_get_what_they_need_to_read_it(password: Any, tmp_path: Path) -> None:
    """Which key of KMS encrypts it concerns the role alone."""
    for given in (password, {**password, "kms_key": KEY}):
        settings = json.loads(loaded(tmp_path, given).runtime_settings())
        assert settings == {"redis": {"host": "h", "password": password}}


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ({}, ONE),
        ({"ssm": "/p", "secretsmanager": "s"}, ONE),
        ({"key": "k"}, ONE),
        ({"ssm": "/p:3"}, PARAMETER),
        ({"ssm": "/p/"}, PARAMETER),
        ({"ssm": "hunter2!"}, PARAMETER),
        ({"ssm": "/aws/reference/secretsmanager/s"}, "must name a secret of Secrets Manager by"),
        ({"ssm": ""}, PARAMETER),
        ({"ssm": f"arn:aws:sqs:{PLACE}:parameter/p"}, PARAMETER),
        ({"secretsmanager": "hunter2 "}, SECRET),
        ({"secretsmanager": SECRET_ARN.removesuffix("-AbCdEf")}, SECRET),
        ({"secretsmanager": "s", "key": ""}, "redis.password.key must not be empty"),
        ({"ssm": "/p", "kms_key": "alias/aws/ssm"}, "redis.password.kms_key must be the ARN"),
        ({"sm": "hunter2"}, "unknown key 'redis.password.sm'. Did you mean 'ssm'?"),
    ],
    ids=str,
)
def test_a_mistake_is_named(password: Any, message: str, tmp_path: Path) -> None:
    """Without what was found: it may be the password itself."""
    with pytest.raises(GimelError) as refused:
        loaded(tmp_path, password)

    assert message in refused.value.message
    assert "hunter2" not in refused.value.message


@pytest.mark.parametrize(
    ("text", "key", "password"),
    [
        ("p", None, "p"),
        ('{"k": "p"}', None, '{"k": "p"}'),
        ('{"k": "p"}', "k", "p"),
        ('{"k": "p"}', "x", None),
        ('{"k": 5}', "k", None),
        ('["p"]', "k", None),
        ("p", "k", None),
        ("", None, None),
        (None, None, None),
        (None, "k", None),
    ],
)
def test_the_password_in_a_value(text: str | None, key: str | None, password: str | None) -> None:
    """All of it, or one value of a JSON object."""
    assert parse_value(text, key) == password

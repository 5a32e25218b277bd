"""The password that AWS keeps, as this machine's credentials see it. No finding contains it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from gimel.config.secret import Secret, parse_value
from gimel.deploy.aws_errors import DENIED, GONE, Refused
from gimel.deploy.checks.findings import Finding, failed, ok, warning
from gimel.errors import GimelError

if TYPE_CHECKING:
    from gimel.config import Config
    from gimel.deploy.aws import Aws

_NAME = "Redis password"
_UNTESTED = "Redis is not checked from this machine; `gimel deploy` tests it through a function."


def with_password(config: Config, aws: Aws | None) -> tuple[Config | None, list[Finding]]:
    """Return the configuration with the password itself, and what was found on the way.

    The configuration is None where the password cannot be read with these credentials.
    """
    redis = config.require_redis()
    secret = redis.password
    if not isinstance(secret, Secret):
        return config, []
    findings = list(_network_findings(config, secret))
    password, finding = read_secret(secret, aws)
    if password is None:
        return None, [finding, *findings]
    connection = redis.model_copy(update={"password": password})
    document = config.document.model_copy(update={"redis": connection})
    return replace(config, document=document), [finding, *findings]


def read_secret(secret: Secret, aws: Aws | None) -> tuple[str | None, Finding]:
    """Return the password, None if it cannot be read, and how that went."""
    if aws is None:
        return None, warning(_NAME, f"{secret} cannot be read without AWS", _UNTESTED)
    if secret.region not in (None, aws.region):
        return None, warning(_NAME, f"{secret} is in another region", _UNTESTED)
    try:
        if secret.ssm is not None:
            answer = aws.call("ssm", "get_parameter", Name=secret.name, WithDecryption=True)
            text = answer["Parameter"].get("Value")
        else:
            answer = aws.call("secretsmanager", "get_secret_value", SecretId=secret.name)
            text = answer.get("SecretString")
    except Refused as refused:
        if refused.code in {*GONE, "ParameterNotFound"}:
            return None, failed(_NAME, f"{secret} does not exist", "Create it first.")
        if refused.code not in DENIED:
            return None, failed(_NAME, refused.message, refused.hint)
        return None, warning(_NAME, f"you may not read {secret}", _UNTESTED)
    except GimelError as error:
        return None, warning(_NAME, error.message, _UNTESTED)
    password = parse_value(text, secret.key)
    if password is not None and password != password.strip("\r\n"):
        message = f"{secret} begins or ends with a line break"
        return None, failed(_NAME, message, "Write it again without.")
    if password is not None:
        return password, ok(_NAME, f"read from {secret}")
    if secret.key is None:
        return None, failed(_NAME, f"{secret} has no text as its value")
    hint = "Correct redis.password.key, or the secret."
    return None, failed(_NAME, f"{secret} is not JSON with the key {secret.key!r} for a text", hint)


def _network_findings(config: Config, secret: Secret) -> Iterator[Finding]:
    if config.document.aws.vpc is not None:
        yield warning(
            f"{_NAME} in a VPC",
            f"functions in a VPC reach {secret.service} only through a NAT gateway, or a VPC "
            "endpoint for it",
            "`gimel deploy` tests it through a function. See docs/secrets.md.",
        )

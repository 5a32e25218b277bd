"""A password that AWS keeps, in Parameter Store or Secrets Manager: how `redis` refers to it."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, PlainValidator, TypeAdapter, model_validator
from typing_extensions import Self

from gimel.config.kinds import NotAllowedError, RedisLogin, Section, matching

_PARAMETER = r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*"
_SECRETS_AS_PARAMETERS = "/aws/reference/secretsmanager/"  # they need the permissions of both
_PLACE = r"[a-z0-9-]+:[0-9]{12}"

ParameterName = Annotated[
    str,
    Field(max_length=1011),
    matching(
        rf"(arn:aws[a-z-]*:ssm:{_PLACE}:parameter/)?{_PARAMETER}",
        'must be the name or the ARN of a parameter without a version, like "/gimel/redis"',
    ),
]
SecretName = Annotated[
    str,
    Field(max_length=1011),
    matching(
        rf"arn:aws[a-z-]*:secretsmanager:{_PLACE}:secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{{6}}"
        r"|[A-Za-z0-9/_+=.@-]{1,512}",
        'must be the name of a secret, like "gimel/redis", or its complete ARN',
    ),
]
KeyArn = Annotated[
    str,
    matching(
        rf"arn:aws[a-z-]*:kms:{_PLACE}:key/[A-Za-z0-9-]+",
        "must be the ARN of a KMS key; an alias is not enough",
    ),
]


class Secret(Section):
    """Where AWS keeps the password; the functions read it when they start."""

    ssm: ParameterName | None = Field(
        None, description="Name of the parameter in SSM Parameter Store that holds the password"
    )
    secretsmanager: SecretName | None = Field(
        None, description="Name or ARN of the secret in Secrets Manager that holds the password"
    )
    key: Annotated[str, Field(min_length=1)] | None = Field(
        None, description='Key of the password if the value is a JSON object, like "password"'
    )
    kms_key: KeyArn | None = Field(
        None, description="ARN of the KMS key that encrypts it, unless that is the key of AWS"
    )

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.ssm is None) == (self.secretsmanager is None):
            raise NotAllowedError("must have either ssm or secretsmanager")
        if self.ssm is not None and self.ssm.startswith(_SECRETS_AS_PARAMETERS):
            raise NotAllowedError("must name a secret of Secrets Manager by secretsmanager")
        return self

    @property
    def service(self) -> str:
        """The service of AWS that keeps it."""
        return "ssm" if self.ssm is not None else "secretsmanager"

    @property
    def name(self) -> str:
        """Its name or its ARN."""
        return self.ssm or self.secretsmanager or ""

    @property
    def region(self) -> str | None:
        """The region in its ARN, None without one."""
        return self.name.split(":")[3] if self.name.startswith("arn:") else None

    def __str__(self) -> str:
        return f"the {'parameter' if self.ssm else 'secret'} {self.name}"


def parse_value(text: str | None, key: str | None) -> str | None:
    """Return the password in the value of a secret, None if it has none."""
    value: Any = text
    if key is not None:
        try:
            value = json.loads(text or "")[key]
        except (ValueError, KeyError, TypeError):
            return None
    return value if value and isinstance(value, str) else None


_TEXT: TypeAdapter[str] = TypeAdapter(RedisLogin)


def _parse(value: Any) -> str | Secret | None:
    """Return a password, or the secret that an object names. Raises a ValidationError."""
    if value is None:
        return None
    if isinstance(value, dict):
        return Secret.model_validate(value)
    return value if isinstance(value, Secret) else _TEXT.validate_python(value)


def _dump(password: str | Secret | None) -> str | dict[str, str] | None:
    """Return a password, or what the functions need to read it, as JSON holds it."""
    if not isinstance(password, Secret):
        return password
    values = {"ssm": password.ssm, "secretsmanager": password.secretsmanager, "key": password.key}
    return {name: value for name, value in values.items() if value is not None}


Password = Annotated[RedisLogin | Secret | None, PlainValidator(_parse), PlainSerializer(_dump)]

"""The `alarms` section of config.json."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from typing_extensions import Self

from gimel.config.alerts import TopicArn
from gimel.config.kinds import NotAllowedError, Section, matching

Email = Annotated[
    str,
    matching(
        r"[!-?A-~]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,63}",
        'must be an e-mail address, like "ops@example.com"',
    ),
]


class Alarms(Section):
    """Who hears of it when the deployment on AWS stops working."""

    email: Email | None = Field(
        None, description="E-mail address that gets the alarms, once its owner has agreed to that"
    )
    sns: TopicArn | None = Field(
        None, description="ARN of an SNS topic in the region of the deployment that gets the alarms"
    )

    @model_validator(mode="after")
    def _check_receiver(self) -> Self:
        if self.email is None and self.sns is None:
            raise NotAllowedError("must have email, or sns, or both")
        return self

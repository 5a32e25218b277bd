"""The `alerts` section of config.json."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import Self

from gimel.config.kinds import NotAllowedError, Section, matching

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _check_webhook(url: str) -> str:
    """Return the URL. The messages do not quote it: whoever has it can write to a channel."""
    allowed = "must be a complete https:// URL"
    if not re.fullmatch(r"[!-~]+", url):
        raise NotAllowedError(f"{allowed} of ASCII characters without spaces", "Copy it again.")
    try:
        parts = urlsplit(url)
        is_complete = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise NotAllowedError(allowed) from None
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise NotAllowedError(allowed, "http:// is allowed for localhost only.")
    if parts.scheme not in ("http", "https") or not is_complete:
        raise NotAllowedError(allowed)
    if "@" in parts.netloc or parts.fragment:
        raise NotAllowedError(f"{allowed} without a user and without a #fragment")
    return url


Webhook = Annotated[str, AfterValidator(_check_webhook)]
Secret = Annotated[str, matching(r"[!-~]{16,256}", "must be 16 to 256 ASCII characters, no spaces")]
TopicArn = Annotated[
    str,
    matching(
        r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}",
        'must be the ARN of a standard SNS topic, like "arn:aws:sns:eu-west-1:123456789012:NAME"',
    ),
]


class Alerts(Section):
    """Where the daily snapshot reports what has changed."""

    webhook: Webhook | None = Field(
        None,
        description="URL that gets the alerts as a POST request: an incoming webhook of Slack, or"
        " a receiver of JSON",
    )
    secret: Secret | None = Field(
        None, description="Key that signs the requests to the webhook, in X-Gimel-Signature"
    )
    sns: TopicArn | None = Field(None, description="ARN of the SNS topic that gets the alerts")

    @model_validator(mode="after")
    def _check_secret(self) -> Self:
        if self.secret is not None and self.webhook is None:
            raise NotAllowedError("must have a webhook, because it has a secret")
        return self

    @property
    def is_on(self) -> bool:
        """Whether alerts are sent anywhere."""
        return bool(self.webhook or self.sns)

"""The receivers of alerts: a webhook and an SNS topic. Each takes one message at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote

from gimel.alerts import messages
from gimel.alerts.http import SECONDS, NotSent, post
from gimel.alerts.messages import Alert

_ANSWER = 200  # characters of an answer that are shown
_SHORTEST_SECRET = 8  # characters


class Receiver(Protocol):
    """Whoever gets alerts. `name` is the key of config.json, and part of the field of its state."""

    @property
    def name(self) -> str: ...

    def send(self, alerts: Sequence[Alert], now: float) -> str:
        """Send one message, and return what the receiver answered. Raises NotSent."""


@dataclass(frozen=True)
class Webhook:
    """A URL that gets the alerts as a signed POST request. It may hold a secret itself."""

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    name: str = "webhook"

    def send(self, alerts: Sequence[Alert], now: float) -> str:
        """See Receiver. Any status but 2xx is a failure, also that of a redirect."""
        body = messages.body(self.url, alerts)
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": messages.message_id(alerts),
        }
        if self.secret is not None:
            headers["X-Gimel-Signature"] = messages.signature(self.secret, body, now)
        status, said = post(self.url, body, headers)
        answer = f"{status} {_one_line(self._without_secrets(said))}".strip()
        if 300 <= status < 400:
            raise NotSent(f"it answered {status}, and redirects are not followed")
        if not 200 <= status < 300:
            raise NotSent(f"it answered {answer}")
        return answer

    def _without_secrets(self, said: str) -> str:
        """Return what the receiver said without the parts of the URL: a 404 often repeats them."""
        _, _, path = self.url.partition("://")
        parts = re.split("[/?&=#]", path)[1:]
        secrets = {*parts, *map(unquote, parts), self.secret or ""}
        for secret in sorted(secrets, key=len, reverse=True):
            if len(secret) >= _SHORTEST_SECRET:
                said = said.replace(secret, "***")
        return said


@dataclass(frozen=True)
class Topic:
    """An SNS topic, which sends e-mail, for one."""

    arn: str
    name: str = "sns"

    def send(self, alerts: Sequence[Alert], now: float) -> str:
        """See Receiver."""
        answer = self._publish(
            {
                "TopicArn": self.arn,
                "Subject": messages.subject(alerts),
                "Message": messages.letter(alerts),
                "MessageAttributes": {
                    "id": {"DataType": "String", "StringValue": messages.message_id(alerts)}
                },
            }
        )
        return f"accepted as message {answer['MessageId']}"

    def _publish(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        # boto3 takes a second and 40 MB, and most deployments have no topic.
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError, ClientError
            from botocore.parsers import ResponseParserError
        except ImportError:
            raise NotSent("boto3 is not installed") from None
        once = Config(
            connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 1}
        )
        region = self.arn.split(":")[3]
        try:
            client = boto3.session.Session().client("sns", region_name=region, config=once)
            answer: Mapping[str, Any] = client.publish(**message)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "an error")
            raise NotSent(f"SNS answered {code}") from None
        except BotoCoreError as error:  # such as no credentials, or no answer
            raise NotSent(_one_line(str(error))) from None
        except ResponseParserError:
            raise NotSent("its answer is not that of SNS") from None
        return answer


def configured(alerts: Mapping[str, str]) -> tuple[Receiver, ...]:
    """Return the receivers in the `alerts` of a configuration."""
    receivers: list[Receiver] = []
    if webhook := alerts.get("webhook"):
        receivers.append(Webhook(webhook, alerts.get("secret")))
    if sns := alerts.get("sns"):
        receivers.append(Topic(sns))
    return tuple(receivers)


def _one_line(text: str) -> str:
    printable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(printable.split())[:_ANSWER]

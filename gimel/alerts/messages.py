"""Alerts in words and as JSON: the body of a request, its signature, and the text of an e-mail.

Names come from the public endpoint: anyone may have chosen them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gimel.alerts.conditions import Kind
from gimel.analysis.phrases import pluralize, quote

MOST_ALERTS = 50
"""In one message."""

_SLACK = ("hooks.slack.com", "hooks.slack-gov.com")
_LONGEST_SENTENCE = 800  # characters: SNS takes 262,144 bytes, in which names have 4 per character
_LONGEST_SUBJECT = 100  # characters, of an SNS message


@dataclass(frozen=True)
class Alert:
    """Something that is new to its receiver.

    Attributes:
        id: The same whenever this alert is sent again.
        kind: What it is about; None for a test.
        namespace: The experiment's namespace.
        experiment: The experiment's name; None if it is about the namespace.
        sentence: The condition in words, without the experiment's name.
        time: When it was found, in seconds since 1970.
        variant: The variant that it is about, if any.
        goal: The goal that it is about, if any.
    """

    id: str
    kind: Kind | None
    namespace: str
    experiment: str | None
    sentence: str
    time: int
    variant: str | None = None
    goal: str | None = None

    @property
    def line(self) -> str:
        """The alert as one line of text."""
        about = f"Namespace {quote(self.namespace)}"
        if self.experiment is not None:
            about = f"{quote(self.experiment)} in {quote(self.namespace)}"
        title = self.kind.title if self.kind else "Test"
        return f"{title}: {about}. {self.sentence}"

    @property
    def content(self) -> dict[str, Any]:
        """The alert as a JSON object."""
        named = {"variant": self.variant, "goal": self.goal}
        return {
            "id": self.id,
            "kind": self.kind.value if self.kind else "test",
            "namespace": self.namespace,
            "experiment": self.experiment,
            **{name: value for name, value in named.items() if value is not None},
            "sentence": self.sentence,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.time)),
        }


def shortened(sentence: str) -> str:
    """Return a sentence, cut where many long names make it too long for a message."""
    if len(sentence) <= _LONGEST_SENTENCE:
        return sentence
    return sentence[: _LONGEST_SENTENCE - 1] + "\u2026"


def sample_alert(now: float) -> Alert:
    """Return what `gimel alerts --test` sends."""
    sentence = "Alerts from Gimel arrive here. No experiment has changed."
    return Alert(f"test-{int(now)}", None, "test", "test", sentence, int(now))


def body(url: str, alerts: Sequence[Alert]) -> bytes:
    """Return the body of the request that takes alerts to a webhook: Slack's form, or JSON."""
    text = "\n".join(alert.line for alert in alerts)
    content: dict[str, Any] = {"text": text}
    if urlsplit(url).hostname in _SLACK:
        # https://docs.slack.dev/messaging/formatting-message-text: without these characters, no
        # name can mention everybody or become a link with another text.
        content["text"] = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    else:
        content["alerts"] = [alert.content for alert in alerts]
    # Escapes would make names in other scripts up to three times as long, and servers have limits.
    return json.dumps(content, ensure_ascii=False).encode()


def message_id(alerts: Sequence[Alert]) -> str:
    """Return the id of a message: the same for the same alerts."""
    return hashlib.sha256("\n".join(alert.id for alert in alerts).encode()).hexdigest()[:32]


def signature(secret: str, body: bytes, now: float) -> str:
    """Return the header X-Gimel-Signature: the time, and the HMAC-SHA256 of "time.body"."""
    sent = str(int(now))
    digest = hmac.new(secret.encode(), sent.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={sent},v1={digest}"


def subject(alerts: Sequence[Alert]) -> str:
    """Return the subject of an e-mail, which SNS takes in printable ASCII alone."""
    if len(alerts) > 1:
        return f"Gimel: {pluralize(len(alerts), 'alert')}"
    (alert,) = alerts
    text = f"Gimel: {alert.kind.title if alert.kind else 'Test'}: {alert.experiment or ''}"
    plain = "".join(each if " " <= each <= "~" else "?" for each in text.rstrip(": "))
    return plain[:_LONGEST_SUBJECT].strip()


def letter(alerts: Sequence[Alert]) -> str:
    """Return the text of an e-mail."""
    return "\n\n".join(alert.line for alert in alerts) + "\n"

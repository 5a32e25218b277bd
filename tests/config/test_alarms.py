"""The `alarms` section: who is told, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gimel import config
from gimel.config import ConfigError

TOPIC = "arn:aws:sns:eu-west-1:123456789012:pager"


def load(folder: Path, **document: Any) -> config.Config:
    (folder / "config.json").write_text(json.dumps({"redis": {"host": "h"}, **document}))
    return config.load(folder / "config.json")


@pytest.mark.parametrize(
    "alarms",
    [{"email": "ops+gimel@mail.example.com"}, {"sns": TOPIC}, {"email": "a@b.co", "sns": TOPIC}],
    ids=["e-mail", "topic", "both"],
)
def test_a_receiver_turns_them_on(tmp_path: Path, alarms: dict[str, str]) -> None:
    """And nothing of them reaches the functions."""
    loaded = load(tmp_path, alarms=alarms)

    assert loaded.document.alarms is not None
    assert loaded.document.alarms.model_dump(exclude_none=True) == alarms
    assert loaded.runtime_settings() == load(tmp_path).runtime_settings()
    assert loaded.snapshot_settings() == load(tmp_path).snapshot_settings()


def test_they_are_off_by_default(tmp_path: Path) -> None:
    """A file without the section has none."""
    assert load(tmp_path).document.alarms is None


@pytest.mark.parametrize(
    ("alarms", "says"),
    [
        ({}, "alarms must have email, or sns, or both"),
        ({"email": "ops"}, 'alarms.email must be an e-mail address, like "ops@example.com"'),
        ({"email": "a b@example.com"}, "alarms.email must be an e-mail address"),
        ({"sns": "pager"}, "alarms.sns must be the ARN of a standard SNS topic"),
        ({"sns": f"{TOPIC}.fifo"}, "alarms.sns must be the ARN of a standard SNS topic"),
        ({"mail": "ops@example.com"}, "Did you mean 'email'?"),
    ],
    ids=["nobody", "no address", "a space", "no ARN", "a FIFO topic", "another key"],
)
def test_another_receiver_is_refused(tmp_path: Path, alarms: dict[str, str], says: str) -> None:
    """The message says what is allowed."""
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, alarms=alarms)

    assert says in raised.value.message

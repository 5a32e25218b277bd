"""What a check found: ok, a warning or a failure, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    `message` says what was seen, `hint` what to do; neither holds a secret. `is_unreached` if the
    check failed because nothing answered this machine.
    """

    status: Status
    name: str
    message: str
    hint: str = ""
    is_unreached: bool = False


def ok(name: str, message: str) -> Finding:
    return Finding("ok", name, message)


def warning(name: str, message: str, hint: str = "") -> Finding:
    return Finding("warning", name, message, hint)


def failed(name: str, message: str, hint: str = "") -> Finding:
    return Finding("failed", name, message, hint)


def any_failed(findings: Iterable[Finding]) -> bool:
    return any(finding.status == "failed" for finding in findings)


def findings_as_json(findings: Iterable[Finding]) -> list[dict[str, str]]:
    names = ("status", "name", "message", "hint")
    return [{name: getattr(finding, name) for name in names} for finding in findings]

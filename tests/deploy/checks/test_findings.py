"""What a check found."""

from __future__ import annotations

import pytest

from gimel.deploy.checks.findings import Finding, any_failed, failed, findings_as_json, ok, warning

OK, WARNING = ok("Redis", "answers"), warning("TLS", "is off", "Turn it on.")
FAILED = failed("AWS", "is not reached", "Check the network.")


@pytest.mark.parametrize(
    ("findings", "expected"),
    [([], False), ([OK], False), ([OK, WARNING], False), ([OK, FAILED, WARNING], True)],
    ids=["none", "ok", "a warning", "a failure"],
)
def test_only_a_failure_is_a_failure(findings: list[Finding], expected: bool) -> None:
    """A warning does not stop a deploy."""
    assert any_failed(iter(findings)) is expected


def test_findings_findings_as_json() -> None:
    """For a program to read: the same keys for each, in the order of the checks."""
    assert findings_as_json([OK, WARNING, FAILED]) == [
        {"status": "ok", "name": "Redis", "message": "answers", "hint": ""},
        {"status": "warning", "name": "TLS", "message": "is off", "hint": "Turn it on."},
        {
            "status": "failed",
            "name": "AWS",
            "message": "is not reached",
            "hint": "Check the network.",
        },
    ]

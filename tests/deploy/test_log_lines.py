"""What a line of a function's log is, and how it is shown."""

from __future__ import annotations

import json
import re

import pytest

from gimel.deploy.log_lines import (
    COLD_START_PATTERN,
    ERROR_PATTERN,
    is_cold_start,
    is_error,
    is_routine,
    readable,
)

ID = "6be05739-b9ac-42c5-85b5-d98270a32702"
REPORT = (
    f"REPORT RequestId: {ID}\tDuration: 3.12 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\t"
    "Max Memory Used: 34 MB"
)

LINES = {
    "START": (f"START RequestId: {ID} Version: 3", "routine"),
    "END": (f"END RequestId: {ID}", "routine"),
    "REPORT": (f"{REPORT}\t", "routine"),
    "REPORT of a time-out": (f"{REPORT}\tStatus: timeout", "error"),
    "REPORT of an error": (f"{REPORT}\tStatus: error\tError Type: Runtime.OutOfMemory", "error"),
    "INIT_START": ("INIT_START Runtime Version: python:3.13.v9\tRuntime Version ARN: x", "routine"),
    "INIT_REPORT of a time-out": (
        "INIT_REPORT Init Duration: 9999.7 ms\tPhase: init\tStatus: timeout",
        "error",
    ),
    "time-out": (f"2026-01-15T12:00:03.001Z {ID} Task timed out after 3.00 seconds", "error"),
    "crash": (f"RequestId: {ID} Error: Runtime exited with error: signal: killed", "error"),
    "exception": (
        "[ERROR] ConnectionFailed: no connection\rTraceback (most recent call last):\r  File",
        "error",
    ),
    "one of Gimel": ('{"level": "ERROR", "error": "ConnectionFailed", "message": "m"}', "error"),
    "JSON report": ('{"type": "platform.report", "record": {"status": "success"}}', "routine"),
    "JSON time-out": ('{"type": "platform.report", "record": {"status": "timeout"}}', "error"),
    "JSON crash": (
        '{"type": "platform.report", "record": {"status": "error", "errorType": "Runtime.Exit"}}',
        "error",
    ),
    "JSON failed start": (
        '{"type": "platform.initReport", "record": {"status": "failure"}}',
        "error",
    ),
    "JSON that is no error": ('{"level": "INFO", "message": "no ERROR here"}', "text"),
    "text": ("told you so", "text"),
    "text that begins like JSON": ("{not JSON", "text"),
}


@pytest.mark.parametrize(("line", "kind"), LINES.values(), ids=LINES)
def test_a_line_is_an_error_or_routine_or_neither(line: str, kind: str) -> None:
    """Both formats of Lambda's own lines are recognized."""
    assert (is_error(line), is_routine(line)) == (kind == "error", kind == "routine")
    assert kind != "error" or passes(ERROR_PATTERN, line)


def passes(pattern: str, line: str) -> bool:
    """Return whether AWS would send a line: it contains one of the terms of the pattern."""
    return any(term.strip('"') in line for term in re.findall(r'\?("[^"]+"|\S+)', pattern))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"{REPORT}\tInit Duration: 88.1 ms\t", True),
        (REPORT, False),
        ("INIT_REPORT Init Duration: 9999.7 ms\tPhase: init\tStatus: timeout", False),
        (
            json.dumps(
                {"type": "platform.report", "record": {"metrics": {"initDurationMs": 88.1}}}
            ),
            True,
        ),
        ('{"type": "platform.report", "record": {"metrics": {}}}', False),
    ],
    ids=["cold", "warm", "init failed", "cold, JSON", "warm, JSON"],
)
def test_a_cold_start_is_recognized(line: str, expected: bool) -> None:
    """By the time that the start took."""
    assert is_cold_start(line) == expected
    assert not expected or passes(COLD_START_PATTERN, line)


READABLE = {
    "an error of Gimel": (
        '{"level": "ERROR", "error": "ConnectionFailed", "message": "no connection to h:6379"}',
        "ERROR ConnectionFailed: no connection to h:6379",
    ),
    "a defect": (
        '{"level": "ERROR", "error": "KeyError", "where": "track.py:track:33"}',
        "ERROR KeyError (track.py:track:33)",
    ),
    "a receiver": (
        '{"level": "ERROR", "error": "alerts not sent", "receiver": "sns", "message": "no"}',
        "ERROR alerts not sent: no receiver=sns",
    ),
    "Lambda's JSON": (
        json.dumps(
            {
                "timestamp": "2026-01-15T12:00:00Z",
                "level": "ERROR",
                "errorType": "KeyError",
                "errorMessage": "'a'",
                "requestId": ID,
                "stackTrace": ['  File "a.py", line 1\n'],
            }
        ),
        "ERROR KeyError: 'a'\n  File \"a.py\", line 1",
    ),
    "logging": (f"[WARNING]\t2026-01-15T12:00:00.000Z\t{ID}\tslow\n", "WARNING slow"),
    "time-out": (
        f"2026-01-15T12:00:03.001Z {ID} Task timed out after 3.00 seconds\n\n",
        "Task timed out after 3.00 seconds",
    ),
    "traceback": (
        "[ERROR] KeyError: 1\rTraceback:\r  File",
        "[ERROR] KeyError: 1\nTraceback:\n  File",
    ),
    "a sequence for the terminal": ("\x1b[2Jgone", "\\x1b[2Jgone"),
}


@pytest.mark.parametrize(("line", "shown"), READABLE.values(), ids=READABLE)
def test_a_line_is_shown_as_words(line: str, shown: str) -> None:
    """JSON and prefixes become text; control characters do nothing to a terminal."""
    assert readable(line) == shown

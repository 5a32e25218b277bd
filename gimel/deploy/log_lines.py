"""What the lines of a function's log mean, and how to show them. Pure.

Lambda writes its own lines as text, or as JSON where a function's log format was changed to that.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

ERROR_PATTERN = (
    '?ERROR ?CRITICAL ?FATAL ?Traceback ?"Task timed out" ?"Runtime exited" ?"Status: error"'
    " ?timeout ?errorType ?failure"
)
"""The filter pattern of CloudWatch Logs for at least all lines that `is_error` accepts.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

COLD_START_PATTERN = '?"Init Duration" ?initDurationMs'
"""The filter pattern for at least all lines that `is_cold_start` accepts."""

_BY_LAMBDA = re.compile(
    r"(START|END|REPORT) RequestId: |(INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT) "
    r"|(XRAY TraceId|TELEMETRY\t|EXTENSION\t)"
)
_FAILED_REPORT = re.compile(r"(REPORT|INIT_REPORT|RESTORE_REPORT) .*\bStatus: (error|timeout)\b")
_ERROR = re.compile(
    r"\b(ERROR|CRITICAL|FATAL)\b|Traceback \(most recent call last\)|Task timed out after"
    r"|Runtime exited"
)
_LOGGED = re.compile(r"\[(?P<level>[A-Z]+)\]\t\S+Z\t\S*\t(?P<text>.*)", re.DOTALL)
_TIMED_OUT = re.compile(r"\S+Z [0-9a-f-]{36} (?P<text>Task timed out after .*)", re.DOTALL)

# Fields of JSON that the line shows in another place, or that only Lambda needs.
_SHOWN = ("level", "error", "errorType", "message", "errorMessage", "where", "stackTrace")
_HIDDEN = ("timestamp", "time", "requestId", "AWSRequestId", "logger")


def is_error(text: str) -> bool:
    """Return whether a line reports that something failed or took too long."""
    if is_by_lambda(text):
        return _is_failed_report(text)
    document = _json(text)
    if document is not None:
        return document.get("level") in ("ERROR", "CRITICAL", "FATAL") or "errorType" in document
    return _ERROR.search(text) is not None


def is_by_lambda(text: str) -> bool:
    """Return whether Lambda wrote a line about the course of an invocation."""
    if _BY_LAMBDA.match(text):
        return True
    document = _json(text)
    return document is not None and str(document.get("type", "")).startswith("platform.")


def is_routine(text: str) -> bool:
    """Return whether a line says only that an invocation began or ended as usual."""
    return is_by_lambda(text) and not _is_failed_report(text)


def is_cold_start(text: str) -> bool:
    """Return whether a line ends the first invocation of a new process."""
    document = _json(text)
    if document is not None:
        record = document.get("record")
        metrics = record.get("metrics") if isinstance(record, dict) else None
        return document.get("type") == "platform.report" and "initDurationMs" in (metrics or {})
    return text.startswith("REPORT ") and "\tInit Duration: " in text


def readable(text: str) -> str:
    """Return a line without what its place on the screen says already, JSON as words.

    It may still have several lines, but holds no control characters: they could change the
    terminal.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    document = _json(text)
    if document is not None and not is_by_lambda(text):
        text = _words(document)
    elif logged := _LOGGED.fullmatch(text):
        text = f"{logged['level']} {logged['text']}"
    elif timed_out := _TIMED_OUT.fullmatch(text):
        text = timed_out["text"]
    return printable(text.replace("\t", "  ").rstrip())


def printable(text: str) -> str:
    """Return a text that may have several lines, with control characters as escapes."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)


def _is_failed_report(text: str) -> bool:
    if _FAILED_REPORT.match(text):
        return True
    document = _json(text)
    if document is None or not isinstance(document.get("record"), dict):
        return False
    is_report = str(document.get("type")).endswith(("report", "Report"))
    return is_report and document["record"].get("status") in ("error", "failure", "timeout")


def _json(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _words(document: Mapping[str, Any]) -> str:
    """Return what a JSON line says: "ERROR ConnectionFailed: no connection to host:6379"."""
    error = document.get("error") or document.get("errorType")
    message = document.get("errorMessage") or document.get("message")
    said = ": ".join(_plain(each) for each in (error, message) if each)
    parts = [_plain(document["level"])] if document.get("level") else []
    parts += [said] if said else []
    if document.get("where"):
        parts.append(f"({_plain(document['where'])})")
    parts += [
        f"{name}={_plain(value)}"
        for name, value in document.items()
        if name not in _SHOWN and name not in _HIDDEN
    ]
    trace = document.get("stackTrace")
    below = [_plain(line).rstrip("\n") for line in trace] if isinstance(trace, list) else []
    return "\n".join([" ".join(parts), *below])


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

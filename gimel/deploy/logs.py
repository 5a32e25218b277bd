"""Reading the functions' logs from CloudWatch Logs: all functions, in the order of time.

A log group that cannot be read does not hide the others. Nothing here prints.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from gimel.deploy.aws import Answer, Aws
from gimel.deploy.aws_errors import Refused
from gimel.deploy.identity import log_group
from gimel.deploy.log_lines import ERROR_PATTERN

LATE = 30
"""Seconds after which Lambda has delivered a line: most arrive within a few."""

POLL = 2.0
"""Seconds between two looks. Four functions then use 2 of the 5 or more requests per second.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
"""


@dataclass(frozen=True)
class Line:
    """One event of a log. `time` is in milliseconds since 1970; `id` is AWS's own."""

    time: int
    function: str
    text: str
    id: str


@dataclass
class Logs:
    """The logs of some functions. `pattern` limits what AWS sends, None sends all.

    Since the last look, `missing` are the functions without a log group, and `refused` holds AWS's
    answers about log groups that cannot be read.
    """

    aws: Aws
    functions: Sequence[str]
    pattern: str | None = None
    missing: set[str] = field(default_factory=set)
    refused: dict[str, Refused] = field(default_factory=dict)

    def between(self, since: int, until: int) -> Iterator[Line]:
        """Yield the lines between two times in milliseconds since 1970, the oldest first."""
        each = [self._of_function(name, since, until) for name in self.functions]
        yield from heapq.merge(*each, key=lambda line: line.time)

    def follow(
        self,
        since: int,
        now: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> Iterator[Line | None]:
        """Yield the lines since a time, and then new ones forever; None after each look.

        `now` returns seconds since 1970.
        Lines may arrive late, so that each look goes back by LATE seconds, and yields what it has
        not yielded before.
        """
        known: set[str] = set()
        while True:
            until = round(now() * 1000)
            overlap = until - LATE * 1000
            found = set()
            for line in self.between(since, until):
                if line.time >= overlap:
                    found.add(line.id)
                if line.id not in known:
                    yield line
            known = found
            since = max(since, overlap)
            yield None
            sleep(POLL)

    def _of_function(self, name: str, since: int, until: int) -> Iterator[Line]:
        self.missing.discard(name)
        self.refused.pop(name, None)
        options = {"filterPattern": self.pattern} if self.pattern else {}
        while True:
            try:
                page = self.aws.find(
                    "logs",
                    "filter_log_events",
                    logGroupName=log_group(name),
                    startTime=since,
                    endTime=until,
                    **options,
                )
            except Refused as refused:
                self.refused[name] = refused
                return
            if page is None:
                self.missing.add(name)
                return
            for event in page.get("events", ()):
                yield _line(name, event)
            if not page.get("nextToken"):
                return
            options = {**options, "nextToken": page["nextToken"]}


def _line(function: str, event: Answer) -> Line:
    moment, text = event["timestamp"], event["message"].rstrip()
    # AWS documents the id as optional.
    known_by = event.get("eventId") or f"{event.get('logStreamName')} {moment} {text}"
    return Line(moment, function, text, known_by)


def error_pattern(aws: Aws) -> str | None:
    """Return the filter pattern that lets AWS send errors alone.

    Emulators do not know the syntax: whoever reads the lines selects them again.
    """
    return ERROR_PATTERN if aws.endpoint is None else None


def short_name(function: str, deployment: str) -> str:
    """Return a function's name without that of the deployment: "track"."""
    return function.removeprefix(f"{deployment}-")

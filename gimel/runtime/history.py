"""The history of an experiment: what was counted until each earlier day, as text.

Pure: this module does not use Redis or the clock. The text is a field of the experiment's meta
hash. Its first line is JSON, `{"v":1,"since":...,"columns":[[goal,variant,precision],...]}`. Each
other line is a point: its time (seconds since 1970) and a number for each column, in base 36 and
separated by spaces, with "-" for a counter that did not exist yet. Counts are cumulative.

Whatever happens to the clock, to the counters or to the text, a day may be missing, but no point is
wrong: one that contradicts what is known otherwise is dropped.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import gt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Column: TypeAlias = tuple[str, str, str]
    """Goal, variant and precision of a part of a count; visitors are the goal "participate"."""

LARGEST = 100_000
"""How many bytes the text may have. A year of 2 variants and 3 goals takes about 20,000."""

DAY = 86_400  # seconds
_HOUR = 3600

_VERSION = 1
_LINE = re.compile(r"[0-9a-z]{1,9}(?: (?:[0-9a-z]{1,14}|-))*")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Point:
    """The time of a point, a number for each column of its history, and the line it was read of."""

    __slots__ = ("line", "numbers", "time")

    def __init__(self, time: int, numbers: Sequence[int | None], line: str) -> None:
        self.time = time
        self.numbers = numbers
        self.line = line


class History:
    """The points of one life of an experiment, in the order of their times.

    `since` is the time at which that life began, None for an experiment of 1.5.0. `is_known` is
    False for the text of a newer Gimel, which is neither read nor replaced.
    """

    def __init__(
        self,
        since: int | None,
        columns: Sequence[Column] = (),
        points: Sequence[Point] = (),
        *,
        is_known: bool = True,
    ) -> None:
        self.since = since
        self.columns = columns
        self.points = points
        self.is_known = is_known

    def with_point(self, counts: Mapping[Column, int], now: int) -> str | None:
        """Return the text with a point of these counts, None if it should stay as it is.

        It should if it has a point of the same day (UTC), if it cannot be read, if nothing was
        counted, or if the clock is wrong: it is before the experiment, or before two points. If
        it is before one point, the clock was wrong when that was written.
        """
        if not self.is_known or not counts or (self.since is not None and now < self.since):
            return None
        if any(point.time // DAY == now // DAY for point in self.points):
            return None
        points = self._until(now)
        if points and points[-1].time > now:
            return None
        points = self._valid(points, counts)
        # In a time without events the last point moves, so that such a time takes two points.
        if len(points) > 1 and all(self._counts(each) == counts for each in points[-2:]):
            points.pop()
        header, *lines = self._lines(points, counts, now)
        lines = _thinned(lines, LARGEST - len(header.encode()))
        return "\n".join([header, *lines]) if lines else None

    def ended(self, counts: Mapping[Column, int], now: int, is_complete: bool = True) -> str:
        """Return the text of a history that has ended with these counts.

        They are its last point, even if the day has one or the clock is wrong. Earlier points are
        dropped if they need too much room.
        """
        points = self._valid(self._until(now), counts, 0 if is_complete else math.inf)
        last = max([now, self.since or 0, *(point.time + 1 for point in points)])
        header, *lines = self._lines(points, counts, last)
        return "\n".join([header, *(_thinned(lines, LARGEST - len(header.encode())) or lines[-1:])])

    @property
    def ends(self) -> int:
        """The time of the last point, 0 without one."""
        return self.points[-1].time if self.points else 0

    def last(self) -> dict[Column, int]:
        """Return the counts of the last point; they are empty without one."""
        return self._counts(self.points[-1]) if self.points else {}

    def described(
        self, counts: Mapping[Column, int], now: int, is_complete: bool = True
    ) -> dict[str, Any]:
        """Return the history as the API answers it, beside these counts, which are the latest.

        They are not complete if a counter cannot be read. `columns` are lists of goal, variant and
        precision, and each of the `points` is a list of its time and the numbers of the columns,
        null where a counter did not exist yet.
        """
        past = [point for point in self.points if point.time <= now]
        points = self._valid(past, counts, 0 if is_complete else math.inf)
        return {
            "columns": [list(column) for column in self.columns],
            "points": [[point.time, *point.numbers] for point in points],
        }

    def recent(self, now: int) -> dict[Column, int] | None:
        """Return the counts of today's point if it is at most an hour old, None otherwise."""
        if self.since is None or not self.points:
            return None
        last = self.points[-1]
        if last.time // DAY != now // DAY or abs(last.time - now) > _HOUR:
            return None
        return self._counts(last)

    def _until(self, now: int) -> Sequence[Point]:
        """Return the points without one that is later than now: a wrong clock wrote it.

        If there are several, this clock is the wrong one, and all points are returned.
        """
        points = [point for point in self.points if point.time <= now + _HOUR]
        return self.points if len(self.points) - len(points) > 1 else points

    def _valid(
        self, points: Sequence[Point], counts: Mapping[Column, int], otherwise: float = 0
    ) -> list[Point]:
        """Return the points without those that the counts or a later point contradict.

        Counts only grow. If one is lower later on, its counter was deleted in between. Counts that
        are missing are taken to be `otherwise`.
        """
        valid: list[Point] = []
        later: Sequence[float] = [counts.get(column, otherwise) for column in self.columns]
        for point in reversed(points):
            if self.since is not None and point.time < self.since:
                continue
            numbers = [number or 0 for number in point.numbers]
            if any(map(gt, numbers, later)):
                continue
            valid.append(point)
            later = numbers
        valid.reverse()
        return valid

    def _lines(
        self, points: Sequence[Point], counts: Mapping[Column, int], now: int
    ) -> Iterator[str]:
        """Yield the lines of a text with these points and another one of these counts."""
        columns = sorted(counts)
        header = {"v": _VERSION, "since": self.since, "columns": columns}
        yield json.dumps(header, ensure_ascii=False, separators=(",", ":"))
        for point in points:
            if columns == self.columns:
                yield point.line
            else:
                yield _line(point.time, columns, self._counts(point))
        yield _line(now, columns, counts)

    def _counts(self, point: Point) -> dict[Column, int]:
        numbers = zip(self.columns, point.numbers, strict=True)
        return {column: number for column, number in numbers if number is not None}


def parse(text: str | None, since: int | None) -> History:
    """Return the history in a text, of the experiment that began at `since`.

    It is empty if the text is missing, damaged, or of an earlier life of the experiment. Damaged
    lines are skipped.
    """
    head, *lines = (text or "").split("\n")
    try:
        header = json.loads(head)
    except (ValueError, RecursionError):
        return History(since)
    if not isinstance(header, dict) or header.get("v", _VERSION) != _VERSION:
        return History(since, is_known=not isinstance(header, dict))
    columns = _columns(header.get("columns"))
    if columns is None or header.get("since", -1) != since:
        return History(since)
    points: list[Point] = []
    for line in lines:
        words = line.split(" ")
        if len(words) != len(columns) + 1 or not _LINE.fullmatch(line):
            continue
        time = int(words[0], 36)
        if points and time <= points[-1].time:
            continue
        numbers = [None if word == "-" else int(word, 36) for word in words[1:]]
        points.append(Point(time, numbers, line))
    return History(since, columns, points)


def _columns(found: Any) -> list[Column] | None:
    """Return the columns in a header, None if they are damaged."""
    columns: list[Column] = []
    for each in found if isinstance(found, list) else [None]:
        if not isinstance(each, list) or [*map(type, each)] != [str, str, str]:
            return None
        columns.append((each[0], each[1], each[2]))
    return columns if len({*columns}) == len(columns) else None


def _line(time: int, columns: Iterable[Column], counts: Mapping[Column, int]) -> str:
    numbers = (_base36(counts[column]) if column in counts else "-" for column in columns)
    return " ".join([_base36(time), *numbers])


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def _thinned(lines: list[str], room: int) -> list[str]:
    """Return the lines that fit into this many bytes, with line breaks: all of them, if possible.

    Otherwise every second one of the older half is dropped, if necessary again and again. None are
    returned if not even two fit.
    """
    while sum(map(len, lines)) + len(lines) > room:
        if len(lines) < 3:
            return []
        half = math.ceil(len(lines) / 2)
        lines = lines[:half:2] + lines[half:]
    return lines

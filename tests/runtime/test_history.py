"""The history of an experiment as text: a day may be missing, but no point is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis import strategies as st

from gimel.runtime.history import DAY, LARGEST, parse

if TYPE_CHECKING:
    from gimel.runtime.history import Column

SINCE = 1_749_960_000
RED, BLUE = ("participate", "red", "16"), ("participate", "blue", "16")
BUY = ("buy", "red", "16")


def day(number: float) -> int:
    """Return noon (UTC) of a day after the experiment began."""
    return int((SINCE // DAY + number + 0.5) * DAY)


def add(text: str | None, now: int, counts: dict[Column, int], since: int | None = SINCE) -> str:
    """Return the text after a run, the same if that writes nothing."""
    return parse(text, since).with_point(counts, now) or text or ""


def described(
    text: str | None, counts: dict[Column, int], now: int, since: int | None = SINCE, **other: bool
) -> list[list[int | None]]:
    """Return the points that are answered."""
    points: list[list[int | None]] = parse(text, since).described(counts, now, **other)["points"]
    return points


def text_of(*points: tuple[int, int]) -> str:
    """Return the text of points of one column, written in this order."""
    text = ""
    for time, count in points:
        text = add(text, time, {RED: count})
    return text


class TestText:
    """What is written, and read back."""

    def test_a_point_per_day(self) -> None:
        """The first line says what the columns are; numbers are in base 36."""
        text = add("", SINCE + 10, {RED: 35, BLUE: 36})
        text = add(text, day(1), {RED: 40, BLUE: 36**2, BUY: 0})
        header, *lines = text.split("\n")

        assert json.loads(header) == {
            "v": 1,
            "since": SINCE,
            "columns": [["buy", "red", "16"], ["participate", "blue", "16"], [*RED]],
        }
        assert [line.split(" ")[1:] for line in lines] == [["-", "10", "z"], ["0", "100", "14"]]
        assert [int(line.split(" ")[0], 36) for line in lines] == [SINCE + 10, day(1)]

    def test_it_is_read_back(self) -> None:
        """A counter that did not exist yet is null."""
        text = add(add("", day(0), {RED: 5}), day(1), {RED: 7, BUY: 3})

        assert parse(text, SINCE).described({RED: 9, BUY: 3}, day(2)) == {
            "columns": [["buy", "red", "16"], ["participate", "red", "16"]],
            "points": [[day(0), None, 5], [day(1), 3, 7]],
        }

    def test_names_are_not_changed(self) -> None:
        """Whatever characters they have."""
        column = ('"buy"\n, \U0001f600', "a b:%\\", "exact")
        text = add("", day(0), {column: 10**20})
        found = parse(text, SINCE).described({column: 10**20}, day(1))
        assert found == {"columns": [[*column]], "points": [[day(0), 10**20]]}
        assert "\U0001f600" in text

    @hypothesis.given(
        st.lists(st.dictionaries(st.sampled_from([RED, BLUE, BUY]), st.integers(0, 10**12)))
    )
    def test_growing_counts_are_all_kept(self, growths: list[dict[Column, int]]) -> None:
        """One point per day, each as it was counted, unless the counts stay the same."""
        text = ""
        counts: dict[Column, int] = {}
        written: dict[int, dict[Column, int]] = {}
        for number, growth in enumerate(growths):
            counts = {c: counts.get(c, 0) + growth.get(c, 0) for c in {**counts, **growth}}
            text = add(text, day(number), counts)
            written[day(number)] = counts
        found = parse(text, SINCE).described(counts, day(len(growths)))
        columns = [tuple(column) for column in found["columns"]]
        shown = {
            time: {c: n for c, n in zip(columns, numbers, strict=True) if n is not None}
            for time, *numbers in found["points"]
        }
        assert shown == {time: written[time] for time in shown}
        changes = [n for n in range(len(growths)) if n and any(growths[n].values())]
        assert {day(number) for number in changes} <= shown.keys()


class TestDoubledRuns:
    """One point per day (UTC), however often a run happens."""

    def test_a_second_run_writes_nothing(self) -> None:
        """Until the day ends."""
        text = add("", day(1), {RED: 5})
        for now in (day(1), day(1) + 1, day(1.49), day(0.51)):
            assert parse(text, SINCE).with_point({RED: 9}, now) is None
        assert parse(text, SINCE).with_point({RED: 9}, day(1.5)) is not None

    def test_missed_days_are_a_gap(self) -> None:
        """The next run continues."""
        text = text_of((day(0), 1), (day(1), 2), (day(9), 3))
        assert described(text, {RED: 4}, day(10)) == [[day(0), 1], [day(1), 2], [day(9), 3]]

    def test_days_without_events_take_two_points(self) -> None:
        """The last one moves along."""
        text = text_of(*((day(n), min(n, 3)) for n in range(1, 30)), (day(30), 4))
        assert described(text, {RED: 4}, day(31)) == [
            [day(1), 1],
            [day(2), 2],
            [day(3), 3],
            [day(29), 3],
            [day(30), 4],
        ]


class TestClock:
    """A clock that is wrong for a time."""

    def test_before_the_experiment(self) -> None:
        """Nothing is recorded."""
        assert parse("", SINCE).with_point({RED: 1}, SINCE - 1) is None
        assert parse("", SINCE).with_point({RED: 1}, SINCE) is not None

    def test_one_point_ahead_was_written_by_a_wrong_clock(self) -> None:
        """It is not shown, and the next run removes it."""
        text = text_of((day(1), 1), (day(40), 2))
        assert described(text, {RED: 3}, day(2)) == [[day(1), 1]]
        text = add(text, day(2), {RED: 3})
        assert described(text, {RED: 4}, day(50)) == [[day(1), 1], [day(2), 3]]

    def test_with_two_points_ahead_this_clock_is_wrong(self) -> None:
        """Nothing is written until it is right again."""
        text = text_of((day(1), 1), (day(2), 2), (day(3), 3), (day(4), 4))
        for now in (day(2), day(1), day(0)):
            assert parse(text, SINCE).with_point({RED: 5}, now) is None
        text = add(text, day(5), {RED: 6})
        assert described(text, {RED: 7}, day(6)) == [
            [day(n), c] for n, c in zip(range(1, 6), (1, 2, 3, 4, 6), strict=True)
        ]

    def test_back_by_less_than_a_day(self) -> None:
        """The evening before already has a point, so that nothing is written."""
        text = text_of((day(1), 1), (day(2), 2))
        assert parse(text, SINCE).with_point({RED: 3}, day(1) + 3600) is None

    def test_clocks_differ_a_little(self) -> None:
        """A point of the next day that is up to an hour ahead is right."""
        text = text_of((day(0), 1), (day(1.5) + 10, 2))
        assert parse(text, SINCE).with_point({RED: 3}, day(1.5) - 10) is None
        assert described(text, {RED: 3}, day(2)) == [[day(0), 1], [day(1.5) + 10, 2]]


class TestAnotherLife:
    """An experiment that was deleted and began again, or of which a counter was deleted."""

    def test_another_beginning(self) -> None:
        """The history of the earlier life is not shown and is replaced."""
        text = text_of((day(1), 1), (day(2), 2))
        again = day(3)
        assert described(text, {RED: 9}, day(4), again) == []
        text = add(text, day(4), {RED: 9}, again)
        assert described(text, {RED: 9}, day(5), again) == [[day(4), 9]]

    def test_of_1_5_0(self) -> None:
        """Without a time, it has a history like any other; one with a time is another life."""
        text = add(add("", day(1), {RED: 1}, None), day(2), {RED: 2}, None)
        assert described(text, {RED: 3}, day(3), None) == [[day(1), 1], [day(2), 2]]
        assert described(text, {RED: 3}, day(3), day(0)) == []

    def test_before_the_beginning(self) -> None:
        """A point with such a time is wrong."""
        header = json.dumps({"v": 1, "since": day(5), "columns": [RED]})
        lines = text_of((day(1), 1), (day(6), 2)).split("\n")[1:]
        assert described("\n".join([header, *lines]), {RED: 3}, day(7), day(5)) == [[day(6), 2]]

    def test_a_deleted_counter(self) -> None:
        """Points with more than is counted later are dropped, those with less are not."""
        text = text_of((day(1), 1), (day(2), 5), (day(3), 9))
        assert described(text, {RED: 4}, day(4)) == [[day(1), 1]]
        text = add(text, day(4), {RED: 4})
        assert described(text, {RED: 7}, day(5)) == [[day(1), 1], [day(4), 4]]
        assert described(text, {}, day(5)) == []

    def test_a_deleted_counter_that_has_grown_again(self) -> None:
        """A later point shows it, if not the counts."""
        before, after = text_of((day(1), 9)), text_of((day(2), 3), (day(3), 8))
        text = "\n".join([before, *after.split("\n")[1:]])
        assert described(text, {RED: 20}, day(4)) == [[day(2), 3], [day(3), 8]]

    def test_a_counter_that_cannot_be_read(self) -> None:
        """It says nothing about the history; the others do."""
        text = add("", day(1), {RED: 5, BLUE: 5})
        assert described(text, {RED: 5}, day(2), is_complete=False) == [[day(1), 5, 5]]
        assert described(text, {RED: 4}, day(2), is_complete=False) == []

    def test_nothing_was_counted(self) -> None:
        """An experiment without counters has no history."""
        assert parse("", SINCE).with_point({}, day(1)) is None


class TestEnd:
    """The history of a concluded experiment."""

    @pytest.mark.parametrize("now", [day(3), day(2) + 5, day(2) - 600, SINCE - 9])
    def test_the_counts_are_the_last_point(self, now: int) -> None:
        """Whatever the clock says, and even if the day has a point."""
        text = text_of((day(1), 1), (day(2), 2))
        ended = parse(parse(text, SINCE).ended({RED: 3, BLUE: 1}, now), SINCE)
        assert ended.last() == {RED: 3, BLUE: 1}
        assert described(text, {RED: 3}, day(9)) == [[day(1), 1], [day(2), 2]]
        found = ended.described(ended.last(), day(9))["points"]
        assert found == [[day(1), None, 1], [day(2), None, 2], [max(now, day(2) + 1), 1, 3]]

    def test_a_point_of_a_wrong_clock(self) -> None:
        """One point that is later is dropped; with two of them, this clock is the wrong one."""
        text = text_of((day(1), 2), (day(400), 2))
        ended = parse(parse(text, SINCE).ended({RED: 3}, day(2)), SINCE)
        assert [point.time for point in ended.points] == [day(1), day(2)]
        text = add(text, day(401), {RED: 3})
        ended = parse(parse(text, SINCE).ended({RED: 4}, day(2)), SINCE)
        assert [point.time for point in ended.points] == [day(1), day(400), day(401), day(401) + 1]

    def test_without_a_history(self) -> None:
        """There is one point, at the beginning if the clock is before it."""
        ended = parse(parse(None, SINCE).ended({RED: 3}, SINCE - 5), SINCE)
        assert ended.last() == {RED: 3}
        assert [point.time for point in ended.points] == [SINCE]
        assert parse(None, SINCE).last() == {}

    def test_counters_that_cannot_be_read(self) -> None:
        """The points before are kept."""
        text = add("", day(1), {RED: 5, BLUE: 5})
        ended = parse(parse(text, SINCE).ended({RED: 6}, day(2), is_complete=False), SINCE)
        assert [point.time for point in ended.points] == [day(1), day(2)]

    def test_names_without_room_for_points(self) -> None:
        """The last point is written, however long the text becomes."""
        long = "\U0001f600" * 200
        counts = {(long, f"{long[:190]}{n}", "16"): n for n in range(70)}
        assert parse(parse("", SINCE).ended(counts, day(1)), SINCE).last() == counts


class TestOtherTexts:
    """What this version did not write."""

    def test_a_newer_version_is_not_touched(self) -> None:
        """It is neither read nor replaced."""
        text = text_of((day(1), 1)).replace('"v":1', '"v":2')
        assert described(text, {RED: 2}, day(2)) == []
        assert parse(text, SINCE).with_point({RED: 2}, day(2)) is None

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "x",
            "[" * 100_000,
            "[]",
            "7",
            "{}",
            '{"v": 1, "since": null, "columns": [["g", "v", "1"]]}',
            f'{{"v": 1, "since": {SINCE}}}',
            f'{{"v": 1, "since": {SINCE}, "columns": "abc"}}',
            f'{{"v": 1, "since": {SINCE}, "columns": ["abc"]}}',
            f'{{"v": 1, "since": {SINCE}, "columns": [["g", "v", 1]]}}',
            f'{{"v": 1, "since": {SINCE}, "columns": [["g", "v", "1"], ["g", "v", "1"]]}}',
        ],
        ids=lambda text: str(text)[:60],
    )
    def test_a_damaged_header(self, text: str) -> None:
        """There is no history, and the next run begins one."""
        assert parse(text, SINCE).described({RED: 1}, day(1)) == {"columns": [], "points": []}
        assert described(add(text, day(1), {RED: 1}), {RED: 1}, day(1)) == [[day(1), 1]]

    @pytest.mark.parametrize(
        "line",
        ["", "x", "T ", "T", "T 1 2", "T -1", "T +1", "T A", "T 1_0", "T  1", "T \u0661", "- 1",
         "T " + "1" * 15, "1111111111 1", "S 1"],
        ids=repr,
    )  # fmt: skip
    def test_a_damaged_line(self, line: str) -> None:
        """It is skipped. T is a time between those of the others, and S the first of them."""
        first, second, third = text_of((day(1), 1), (day(2), 2)).split("\n")
        between = text_of((day(1.2), 1)).split("\n")[1].split(" ")[0]
        line = line.replace("T", between).replace("S", second.split(" ")[0])
        damaged = "\n".join([first, second, line, third])
        assert described(damaged, {RED: 2}, day(3)) == [[day(1), 1], [day(2), 2]]

    @hypothesis.given(st.integers(0, 200), st.text(max_size=5), st.integers(0, 5))
    def test_any_damage(self, place: int, inserted: str, removed: int) -> None:
        """Nothing fails, and the points that are left are in order and never too high."""
        text = text_of(*((day(n), n) for n in range(1, 6)))
        damaged = text[:place] + inserted + text[place + removed :]
        for found in (damaged, add(damaged, day(7), {RED: 9})):
            points: list[Any] = described(found, {RED: 9}, day(8))
            assert points == sorted(points)
            counts = [point[-1] or 0 for point in points if len(point) == 2]
            assert counts == sorted(counts)
            assert all(count <= 9 for count in counts)


class TestLargest:
    """A history has at most 100 KB."""

    def test_older_points_are_thinned(self) -> None:
        """The newest half is complete, the first point stays, and no point changes."""
        columns = [(f"goal {n}", "red", "16") for n in range(300)]
        text = ""
        days = 120
        for number in range(days):
            text = add(text, day(number), dict.fromkeys(columns, 10000 + number))
            assert len(text) <= LARGEST
        points: Any = described(text, dict.fromkeys(columns, 10**6), day(days))
        times = [point[0] for point in points]
        assert len(times) > 30
        assert times[0] == day(0)
        half = len(times) // 2
        assert times[-half:] == [day(number) for number in range(days - half, days)]
        for time, *counts in points:
            assert set(counts) == {10_000 + (time - day(0)) // DAY}

    def test_names_without_room_for_points(self) -> None:
        """Nothing is recorded if not even two points fit."""
        long = "\U0001f600" * 200
        columns = [(long, f"{long[:190]}{n}", "16") for n in range(70)]
        assert parse("", SINCE).with_point(dict.fromkeys(columns, 1), day(1)) is None

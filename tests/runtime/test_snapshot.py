"""Snapshots: a run adds today's point to every experiment, whatever happens at the same time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import pytest
import redis

import gimel
from gimel.runtime import process
from gimel.runtime.errors import BadRequest, ConnectionFailed, RedisError
from gimel.runtime.history import History, parse
from gimel.runtime.settings import Settings
from gimel.runtime.snapshot import FINAL, Histories, Taken, end_history, take
from tests.support.events import Configure, read, rest
from tests.support.foreign import damaged
from tests.support.redis_content import counter_id, snapshot
from tests.support.sending import send
from tests.support.servers import Store
from tests.support.turns import Killed, SteppedClient, Turns

DAY = 86_400
META = "alephbet:button:meta"


@pytest.fixture(autouse=True)
def plain(configure: Configure, store: redis.Redis) -> None:
    """One HyperLogLog per counter, so that a run has few commands."""
    configure(precision=1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], int]:
    """Set the clock to a number of days after noon (UTC) of today, and return its time."""
    noon = (int(time.time()) // DAY + 0.5) * DAY

    def clock(days: float) -> int:
        now = int(noon + days * DAY)
        monkeypatch.setattr(time, "time", lambda: now)
        return now

    clock(0)
    return clock


def run(now: int | None = None) -> dict[str, Taken]:
    """Return what a complete run takes, by experiment."""
    taken = take(process.current(), int(time.time()) if now is None else now)
    return {each.name: each for each in taken}


def answered(experiment: str = "button") -> list[list[int | None]]:
    """Return the points that the API answers, without adding one: at a time before all else."""
    (item,) = gimel.all({"scope": experiment, "history": "true"})[1:]
    points: list[list[int | None]] = item["history"]["points"]
    return points


def taken_points(now: int) -> list[list[int | None]]:
    """Return the points that a run reads."""
    points: list[list[int | None]] = run(now)["button"].described["history"]["points"]
    return points


class TestRuns:
    """Each run adds a point per experiment and day."""

    def test_every_experiment_of_every_namespace(
        self, store: redis.Redis, clock: Callable[[float], int]
    ) -> None:
        """It yields what the API answers, with the history, and the notes beside it."""
        send()
        send(namespace="shop: 1%", experiment="a:b", variant="blue")
        first = clock(0)
        run()
        clock(1)
        send(uuid="2")
        store.hset(META, "alerted:webhook", "{}")  # another module's

        by_name = run()

        assert [(each.namespace, name) for name, each in by_name.items()] == [
            ("alephbet", "button"),
            ("shop: 1%", "a:b"),
        ]
        button = by_name["button"]
        history = {"columns": [["participate", "red", "1"]], "points": [[first, 1]]}
        (item,) = gimel.all({"scope": "button"})[1:]
        assert button.described == {**item, "history": history}
        assert button.fields["alerted:webhook"] == "{}"
        assert button.fields["since"] == str(item["since"])

    def test_doubled_and_missed_runs(self, clock: Callable[[float], int]) -> None:
        """One point per day, and a gap where no run was."""
        send()
        times = []
        for number in (0, 0.1, 1, 1.2, 5):
            send(uuid=f"{number}")
            times.append(clock(number))
            run()
        assert taken_points(clock(6)) == [[times[0], 2], [times[2], 4], [times[4], 6]]

    def test_a_clock_that_jumps(self, clock: Callable[[float], int]) -> None:
        """Forth and back, it leaves no wrong point."""
        send()
        times = []
        for number in (0, 1, 30, 2, -40, 3):
            send(uuid=f"{number}")
            times.append(clock(number))
            run()
        assert taken_points(clock(60)) == [
            [times[0], 2],
            [times[1], 3],
            [times[3], 5],
            [times[5], 7],
        ]

    def test_an_experiment_of_1_5_0(
        self, store: redis.Redis, clock: Callable[[float], int]
    ) -> None:
        """It has a history without the time at which it began, and stays one of 1.5.0."""
        send()
        store.hdel(META, "since", "precision")
        now = clock(0)
        run()
        assert set(store.hgetall(META)) == {b"history"}
        send(variant="blue")
        assert taken_points(clock(1)) == [[now, 1]]
        assert set(store.hgetall(META)) == {b"history"}

    def test_a_counter_that_was_deleted(
        self, store: redis.Redis, clock: Callable[[float], int]
    ) -> None:
        """Points with more visitors than are counted now are dropped."""
        send()
        first = clock(0)
        run()
        send(uuid="2")
        clock(1)
        run()
        store.delete(counter_id("button", "participate", "red", 1))
        send(uuid="3")
        second = clock(2)
        assert taken_points(second) == [[first, 1]]
        assert taken_points(clock(3)) == [[first, 1], [second, 1]]

    def test_a_counter_that_cannot_be_read(
        self, store: redis.Redis, clock: Callable[[float], int]
    ) -> None:
        """That experiment gets no point until it is gone, the others do."""
        send()
        send(variant="blue")
        send(experiment="banner")
        first = clock(0)
        run()
        damaged(store, counter_id("button", "participate", "red", 1))
        send(experiment="banner", uuid="2")
        second = clock(1)
        assert taken_points(second) == [[first, 1, 1]]
        assert taken_points(clock(2)) == [[first, 1, 1]]
        assert answered("banner")[:2] == [[first, 1], [second, 2]]

    def test_a_meta_hash_of_another_type(
        self, store: redis.Redis, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Nothing is written, and the counts are read."""
        send()
        store.delete(META)
        store.set(META, "x")
        assert run()["button"].described["participants"][0]["trials"] == 1
        assert store.get(META) == b"x"
        assert capsys.readouterr().err == ""

    def test_a_newer_version(self, store: redis.Redis) -> None:
        """Its history is not touched."""
        send()
        store.hset(META, "history", '{"v":2,"x":1}\nabc')
        assert run()["button"].described["history"] == {"columns": [], "points": []}
        assert store.hget(META, "history") == b'{"v":2,"x":1}\nabc'

    def test_concluded_experiments_are_skipped(self, store: redis.Redis) -> None:
        """Their history has ended."""
        send()
        store.hset(META, "concluded", "{}")
        assert run() == {}
        gimel.all({"history": "true"})
        assert store.hget(META, "history") is None

    def test_a_delete_deletes_the_history(self, store: redis.Redis) -> None:
        """Nothing is left of it."""
        send()
        run()
        gimel.delete({"experiment": "button"})
        assert snapshot(store) == {}

    def test_a_run_soon_after_another_does_not_count_again(
        self, store: redis.Redis, clock: Callable[[float], int]
    ) -> None:
        """It takes the counts of today's point if that is at most an hour old."""
        clock(0)
        send()
        first = run()["button"]
        send(uuid="2")
        for days, visitors in ((0.02, 1), (0.1, 2)):
            before = store.info("commandstats").get("cmdstat_pfcount", {"calls": 0})["calls"]
            described = run(clock(days))["button"].described
            assert described["participants"][0]["trials"] == visitors
            if visitors == 1:
                assert described == {**first.described, "history": described["history"]}
                after = store.info("commandstats").get("cmdstat_pfcount", {"calls": 0})["calls"]
                assert after == before

    def test_a_long_run_dates_its_points(
        self, clock: Callable[[float], int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It reads some counts later. A second run with the same time does not count again."""
        for number in range(25):
            send(experiment=f"e{number:02}")
        monotonic, now = time.monotonic, clock(0)
        taken = take(process.current(), now)
        next(taken)
        monkeypatch.setattr(time, "monotonic", lambda: monotonic() + 300)
        list(taken)
        monkeypatch.setattr(time, "monotonic", monotonic)
        send(experiment="e24", uuid="2")
        again = run(now)
        assert again["e24"].described["participants"][0]["trials"] == 1
        later = run(now + DAY)
        ((first, _),) = later["e00"].described["history"]["points"]
        ((last, _),) = later["e24"].described["history"]["points"]
        assert first == now
        assert 300 <= last - now <= 310

    def test_midnight_is_another_day(self, clock: Callable[[float], int]) -> None:
        """The counts of yesterday's last minutes are not those of today."""
        clock(-1)
        send()
        evening = clock(0.499)
        run()
        send(uuid="2")
        morning = clock(0.501)
        run()
        assert taken_points(clock(1)) == [[evening, 1], [morning, 2]]


class TestAnswers:
    """`GET /experiments?history=true`."""

    def test_only_if_asked_for(self, store: redis.Redis) -> None:
        """Otherwise the answer has no history, and nothing is written."""
        send()
        before = store.hgetall(META)
        for parameters in ({}, {"history": ""}, {"history": "false"}):
            assert "history" not in gimel.all(parameters)[1]
        assert store.hgetall(META) == before

    def test_it_adds_todays_point(self, store: redis.Redis, clock: Callable[[float], int]) -> None:
        """So that a history grows without a schedule, whenever somebody looks."""
        send()
        send(experiment="banner")
        first = clock(0)
        assert answered() == []
        send(uuid="2")
        second = clock(1)
        assert answered() == [[first, 1]]
        before = store.info("commandstats")["cmdstat_hset"]["calls"]
        assert answered() == [[first, 1], [second, 2]]
        assert store.info("commandstats")["cmdstat_hset"]["calls"] == before
        clock(2)
        status, body = read(gimel.all(rest(query={"history": "true"}), None))
        assert status == 200
        assert [item["history"]["points"] for item in body[1:]] == [[], [[first, 1], [second, 2]]]

    def test_pages(
        self, store: redis.Redis, clock: Callable[[float], int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Every page has the histories of its experiments, and each gets one point."""
        for goal in ("participate", "buy", "leave"):
            for name in ("a", "b"):
                send(experiment=name, event=goal)
        first = clock(0)
        monkeypatch.setattr("gimel.runtime.results._PAGE", 1)
        for number in range(2):
            page, items = "", []
            while page is not None:
                meta, *some = gimel.all({"history": "true", "page": page})
                items += some
                page = meta["meta"]["next"]
            earlier = [item["history"]["points"][:number] for item in items]
            assert earlier == [[[first, 1, 1, 1]] * number] * 4
            for name in ("a", "b"):
                text = store.hget(f"alephbet:{name}:meta", "history") or b""
                assert text.count(b"\n") == number + 1
            clock(1)

    @pytest.mark.parametrize("history", ["1", "yes", 7, "True"])
    def test_malformed(self, history: object) -> None:
        """Other values are refused."""
        with pytest.raises(BadRequest, match=r"^history must be true or false$"):
            gimel.all({"history": history})

    @pytest.mark.parametrize("name", ["g", '\N{GRINNING FACE}"', "ü\\"], ids=["g", "astral", "ü"])
    @pytest.mark.parametrize("largest", [0, 35, 36, 36**2, 36**6])
    def test_their_size(self, store: redis.Redis, name: str, largest: int) -> None:
        """What a page leaves room for is at least what Lambda's answer needs."""
        counts = {(f"{name}{n}", name, "1"): n * largest // 9 for n in range(10)}
        text = ""
        for day in range(1, 20):
            some = {**counts, ("new", "red", "1"): day} if day > 10 else counts
            text = parse(text, 0).with_point(some, day * DAY) or text
        described = parse(text, 0).described({**counts, ("new", "red", "1"): 99}, 99 * DAY)
        assert described["points"]
        assert Histories(0).size(text) >= len(json.dumps(json.dumps({"history": described})))

    def test_they_take_room(self, store: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
        """An answer with histories has more pages."""
        monkeypatch.setattr("gimel.runtime.results._PAGE", 20_000)
        text = ""
        for day in range(300):
            text = parse(text, None).with_point({("g", "red", "1"): day}, day * DAY) or ""
        for name in "abcdef":
            store.sadd("alephbet:experiments", name)
            store.hset(f"alephbet:{name}:meta", "history", text)
        assert len(gimel.all({})) == 7
        page, pages = "", []
        while page is not None:
            meta, *items = gimel.all({"history": "true", "page": page})
            pages.append([item["experiment"] for item in items])
            page = meta["meta"]["next"]
        assert list(chain.from_iterable(pages)) == [*"abcdef"]
        assert len(pages) == 2


def test_a_year_in_redis(store: redis.Redis) -> None:
    """The hash of an experiment with 2 variants and 3 goals takes at most 25 KB after a year."""
    send()
    columns = [(goal, v, "16") for goal in ("participate", "buy", "sign up", "leave") for v in "ab"]
    text, now = "", int(time.time())
    for day in range(1, 366):
        counts = {column: day * (40_000 - 3_000 * n) for n, column in enumerate(columns)}
        text = parse(text, None).with_point(counts, now + day * DAY) or ""
    store.hset(META, mapping={"history": text, "alerted:webhook": "x" * 500})

    assert text.count("\n") == 365
    usage: Any = store.memory_usage(META)
    assert usage <= 25_000


class TestAtOnce:
    """What happens between two round trips of a run."""

    @pytest.fixture
    def begin(self, session_store: Store) -> Iterator[Callable[..., Turns]]:
        """Begin a run in its own process and thread; it stops before each round trip."""
        clients = []

        def begin(now: int, *, trips: bool = True) -> Turns:
            options = {"host": "127.0.0.1", "port": session_store.port, "socket_timeout": 20}
            state = process.Process(Settings({"redis": options, "precision": 1}))
            client = SteppedClient(state.settings.redis, trips=trips)
            clients.append(client)
            state.redis = client

            def handle(turns: Turns) -> list[Taken]:
                client.turns = turns
                return list(take(state, now))

            return Turns(handle)

        yield begin
        for client in clients:
            client.close()

    def everywhere(
        self,
        store: redis.Redis,
        begin: Callable[[], Turns],
        prepare: Callable[[], object],
        between: Callable[[Turns], object],
    ) -> Iterator[Turns]:
        """Let something happen before each round trip of a run. Yield after each such run."""
        place = 0
        while True:
            store.flushall()
            process.forget()
            prepare()
            turns = begin()
            for _ in range(place):
                turns.step()
            if turns.ended:
                assert place > 4
                return
            between(turns)
            while not turns.ended:
                turns.step()
            if isinstance(turns.outcome, BaseException) and not isinstance(turns.outcome, Killed):
                raise turns.outcome
            yield turns
            place += 1

    def prepare(self) -> None:
        """Count a visitor before a day with a point, and another one later."""
        send()
        run(int(time.time()) - DAY)
        send(uuid="2")

    @pytest.mark.parametrize("by", ["a run", "a look at results"])
    def test_two_runs(
        self,
        store: redis.Redis,
        clock: Callable[[float], int],
        begin: Callable[..., Turns],
        by: str,
    ) -> None:
        """There is one point for today."""
        clock(-2)
        now = clock(0)

        def other(_: Turns) -> None:
            if by == "a run":
                run(now + 1)
            else:
                gimel.all({"history": "true"})

        def prepare() -> None:
            clock(-2)
            send()
            run(clock(-1))
            clock(0)
            send(uuid="2")

        for _ in self.everywhere(store, lambda: begin(now), prepare, other):
            points = taken_points(now + DAY)
            assert points in ([[now - DAY, 1], [now, 2]], [[now - DAY, 1], [now + 1, 2]])

    def test_an_event(
        self, store: redis.Redis, clock: Callable[[float], int], begin: Callable[..., Turns]
    ) -> None:
        """It is in today's point or not; a variant that is new likewise."""
        now = clock(0)
        for _ in self.everywhere(
            store, lambda: begin(now), send, lambda _: (send(uuid="2"), send(variant="blue"))
        ):
            points = taken_points(now + DAY)
            assert points in ([[now, 1]], [[now, 2]], [[now, 1, 2]])

    def test_a_delete(
        self, store: redis.Redis, clock: Callable[[float], int], begin: Callable[..., Turns]
    ) -> None:
        """Nothing is left of the experiment, not even the point that the run was about to add."""
        now = clock(0)

        def delete(_: Turns) -> None:
            gimel.delete({"experiment": "button"})

        for _ in self.everywhere(store, lambda: begin(now, trips=False), send, delete):
            assert snapshot(store) == {}

    def test_a_conclusion_that_is_undone(
        self, store: redis.Redis, clock: Callable[[float], int], begin: Callable[..., Turns]
    ) -> None:
        """Its history is there again, with or without today's point."""
        now = clock(0)

        def prepare() -> None:
            clock(-2)
            send()
            run(clock(-1))
            clock(0)

        def conclude(_: Turns) -> None:
            gimel.delete({"conclude": "button", "record": {}})

        for _ in self.everywhere(store, lambda: begin(now, trips=False), prepare, conclude):
            gimel.delete({"reopen": "button"})
            assert taken_points(now + DAY) in ([[now - DAY, 1]], [[now - DAY, 1], [now, 1]])

    def test_a_delete_and_a_new_beginning(
        self, store: redis.Redis, clock: Callable[[float], int], begin: Callable[..., Turns]
    ) -> None:
        """The new life has no point of the old one."""
        now = clock(0)

        def prepare() -> None:
            clock(-2)
            for uuid in "123":
                send(uuid=uuid)
            run(clock(-1))

        def begin_again(_: Turns) -> None:
            clock(0)
            gimel.delete({"experiment": "button"})
            for uuid in "12345":
                send(uuid=uuid)

        for _ in self.everywhere(store, lambda: begin(now + 60), prepare, begin_again):
            assert taken_points(now + DAY) in ([], [[now + 60, 5]])
            for number in (2, 3):
                send(uuid=f"more {number}")
                run(now + number * DAY)
            points = taken_points(now + 4 * DAY)
            assert [now + 2 * DAY, 6] in points
            assert points[-1] == [now + 3 * DAY, 7]

    @pytest.mark.parametrize("how", [Turns.kill, Turns.lose_reply], ids=["killed", "reply lost"])
    def test_it_ends_at_any_command(
        self,
        store: redis.Redis,
        clock: Callable[[float], int],
        begin: Callable[..., Turns],
        how: Callable[[Turns], None],
    ) -> None:
        """The next run adds what is missing, and Redis holds nothing else."""
        now = clock(0)

        def prepare() -> None:
            clock(-2)
            send()
            send(experiment="banner")
            run(clock(-1))
            clock(0)
            send(uuid="2")

        prepare()
        run(now)
        complete = snapshot(store)
        for _ in self.everywhere(store, lambda: begin(now, trips=False), prepare, how):
            run(now)
            assert snapshot(store) == complete


def test_many_histories(store: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are written in slices of about 1 MB."""
    names = [f"e{number:02}" for number in range(16)]
    for name in names:
        send(experiment=name)
    gimel.all({"history": "true"})
    sizes = []
    in_order = process.current().redis.in_order

    def counted(first: Any, second: Any) -> Any:
        sizes.append(sum(len(command[-1]) for command in first))
        return in_order(first, second)

    monkeypatch.setattr(History, "with_point", lambda *_: "x" * 100_000)
    monkeypatch.setattr(process.current().redis, "in_order", counted)
    gimel.all({"history": "true"})
    assert sizes == [1_100_000, 500_000]
    assert all(store.hstrlen(f"alephbet:{name}:meta", "history") == 100_000 for name in names)


class TestEnd:
    """The final history of an experiment that is concluded."""

    def test_a_later_run(self, store: redis.Redis, clock: Callable[[float], int]) -> None:
        """It does not touch the final history, whose last point are the counts."""
        send()
        run(clock(1))
        send(uuid="2")
        late = take(process.current(), clock(2))
        end_history(process.current().redis, "alephbet", "button", clock(3))
        final: Any = store.hget(META, FINAL)
        send(uuid="3")
        assert [each.name for each in late] == ["button"]
        end_history(process.current().redis, "alephbet", "button", clock(4))
        assert store.hget(META, FINAL) == final
        ended = parse(final.decode(), int(store.hget(META, "since") or 0))
        assert ended.last() == {("participate", "red", "1"): 2}
        assert [point.time for point in ended.points] == [clock(1), clock(3)]

    def test_of_1_5_0_without_counters(self, store: redis.Redis) -> None:
        """It has a point without columns."""
        store.sadd("alephbet:experiments", "button")
        end_history(process.current().redis, "alephbet", "button", 9)
        final: Any = store.hget(META, FINAL)
        assert len(parse(final.decode(), None).points) == 1


class TestFailures:
    """Results do not depend on whether a point can be written."""

    def refuse(self, monkeypatch: pytest.MonkeyPatch, error: RedisError) -> None:
        def in_order(*_: object, **__: object) -> Any:
            raise error

        monkeypatch.setattr(process.current().redis, "in_order", in_order)

    def test_the_connection_is_lost(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """While the point is written: the counts are answered, and the log says why."""
        send()
        self.refuse(monkeypatch, ConnectionFailed("the connection was lost"))
        assert gimel.all({"history": "true"})[1]["participants"][0]["trials"] == 1
        assert "the connection was lost" in capsys.readouterr().err

    def test_a_run_ends_at_the_deadline(
        self, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It raises, what it has written stays, and the next run writes the rest."""
        for number in range(45):
            send(experiment=f"e{number:02}")
        now = int(time.time())
        taken = take(process.current(), now)
        seen = [next(taken).name for _ in range(25)]
        process.current().redis.deadline = time.monotonic() - 1
        with pytest.raises(RedisError, match="in time"):
            seen.extend(each.name for each in taken)
        assert len(seen) == 40
        assert store.hexists("alephbet:e39:meta", "history")
        assert not store.hexists("alephbet:e40:meta", "history")
        process.current().redis.deadline = None
        assert len(run(now)) == 45
        assert store.hexists("alephbet:e44:meta", "history")

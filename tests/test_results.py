"""`gimel.all`, `gimel.experiment` and `gimel.delete`: what they answer and what they leave, against a real store."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import redis

import gimel
from gimel.runtime.errors import BadRequest
from tests.events import EVENT, read, rest, url
from tests.layout import count, counter_id, shards, snapshot

Configure = Callable[..., None]
Gateway = Callable[..., dict[str, Any]]

in_both_gateway_forms = pytest.mark.parametrize("gateway", [rest, url], ids=["rest", "url"])
with_each_precision = pytest.mark.parametrize("precision", [1, 4, 16, 64, 256])


def send(experiment: str, goal: str, variant: str, visitors: range, namespace: str = "alephbet") -> None:
    """Track one event of each visitor."""
    names = {"experiment": experiment, "event": goal, "variant": variant, "namespace": namespace}
    events = [{**names, "uuid": f"visitor-{n}"} for n in visitors]
    for start in range(0, len(events), 100):
        answer = gimel.track(rest("POST", body=json.dumps(events[start : start + 100])), None)
        assert answer["statusCode"] == 200


def answered(name: str, **query: str) -> Any:
    """Return the body of a handler's 200."""
    method = "DELETE" if name == "delete" else "GET"
    status, body = read(getattr(gimel, name)(rest(method, query=query), None))
    assert status == 200
    return body


class TestShape:
    """What is answered, and in which order."""

    def test_everything(self, gimel_store: redis.Redis) -> None:
        """`all` answers 1.5.0's shape in the order of names, with what is new beside it."""
        send("b", "buy", "red", range(3))
        send("b", "participate", "red", range(10))
        send("b", "participate", "blue", range(8))
        send("b", "add to cart", "blue", range(2))
        send("a", "participate", "only", range(1))
        for experiment in "ab":
            gimel_store.hset(f"alephbet:{experiment}:meta", "since", 1_700_000_000)

        def figures(trials: int, successes: int | None = None) -> dict[str, Any]:
            found: dict[str, Any] = {"trials": trials, "trials_by_precision": {"16": trials}}
            if successes is not None:
                found |= {"successes": successes, "successes_by_precision": {"16": successes} if successes else {}}
            return found

        assert answered("all") == [
            {"meta": {"scope": None, "ignored": {}}},
            {
                "experiment": "a",
                "goals": [],
                "participants": [{"label": "only", **figures(1)}],
                "since": 1_700_000_000,
                "ignored": {},
                "unreadable": 0,
            },
            {
                "experiment": "b",
                "goals": [
                    {
                        "goal": "add to cart",
                        "results": [{"label": "blue", **figures(8, 2)}, {"label": "red", **figures(10, 0)}],
                    },
                    {"goal": "buy", "results": [{"label": "blue", **figures(8, 0)}, {"label": "red", **figures(10, 3)}]},
                ],
                "participants": [{"label": "blue", **figures(8)}, {"label": "red", **figures(10)}],
                "since": 1_700_000_000,
                "ignored": {},
                "unreadable": 0,
            },
        ]

    def test_order_is_stable(self, gimel_store: redis.Redis) -> None:
        """However sets are ordered in the store, the answer is ordered by name."""
        for n in (3, 1, 2, 10):
            for goal in ("participate", *"zmakqc"):
                for variant in "tbixo":
                    send(f"e{n}", goal, variant, range(1))

        _, *experiments = answered("all")

        assert [item["experiment"] for item in experiments] == ["e1", "e10", "e2", "e3"]
        for item in experiments:
            assert [goal["goal"] for goal in item["goals"]] == list("ackmqz")
            assert [[result["label"] for result in goal["results"]] for goal in item["goals"]] == [list("biotx")] * 6

    def test_nothing(self, gimel_store: redis.Redis) -> None:
        """A namespace without experiments is an empty list behind the meta, and an unknown experiment has no goals."""
        assert answered("all", namespace="nobody") == [{"meta": {"scope": None, "ignored": {}}}]
        assert answered("experiment", experiment="nothing") == []
        assert snapshot(gimel_store) == {}

    def test_goal_without_participants(self, gimel_store: redis.Redis) -> None:
        """A goal that came without anybody taking part is shown with no trials."""
        send("a", "buy", "red", range(2))

        (goal,) = answered("experiment", experiment="a")

        assert [(result["label"], result["successes"], result["trials"]) for result in goal["results"]] == [("red", 2, 0)]

    @in_both_gateway_forms
    def test_forms(self, gimel_store: redis.Redis, gateway: Gateway) -> None:
        """Gateway events and flat ones are answered alike."""
        send("a", "participate", "red", range(5), namespace="my shop")
        send("a", "buy", "red", range(2), namespace="my shop")
        query = {"namespace": "my shop", "experiment": "a"}

        assert read(gimel.all(gateway(query=query), None)) == (200, gimel.all(query, None))
        assert read(gimel.experiment(gateway(query=query), None)) == (200, gimel.experiment(query, None))
        assert gimel.experiment(query, None) == gimel.all(query, None)[1]["goals"]

    def test_names_come_back_whole(self, gimel_store: redis.Redis) -> None:
        """Names with colons, percent signs and what looks like a shard come back as they were sent."""
        names = ["a:b", "a", "100%", "%3A", "a::16", "::16", "été", "🦄 x"]
        for name in names:
            send(name, "participate", name, range(1), namespace="n:s")
            send(name, name, name, range(1), namespace="n:s")

        _, *experiments = answered("all", namespace="n:s")

        assert [item["experiment"] for item in experiments] == sorted(names)
        for item in experiments:
            name = item["experiment"]
            assert [goal["goal"] for goal in item["goals"]] == [name]
            assert [(r["label"], r["successes"], r["trials"]) for r in item["goals"][0]["results"]] == [(name, 1, 1)]


class TestScope:
    """`scope` lists the experiments wanted, divided by commas."""

    @pytest.mark.parametrize("scope", ["b", "c,a", "a,b,c", "unknown"])
    def test_listed(self, gimel_store: redis.Redis, scope: str) -> None:
        """The experiments come in the order of the scope, the unknown ones empty."""
        for name in "abc":
            send(name, "participate", "red", range(2))

        meta, *experiments = answered("all", scope=scope)

        assert meta == {"meta": {"scope": scope, "ignored": {}}}
        assert [item["experiment"] for item in experiments] == scope.split(",")
        whole = {item["experiment"]: item for item in answered("all")[1:]}
        assert [whole.get(item["experiment"], item) for item in experiments] == experiments
        assert all(item["participants"] for item in experiments) is (scope != "unknown")

    def test_empty(self, gimel_store: redis.Redis) -> None:
        """An empty scope is none."""
        send("a", "participate", "red", range(2))

        assert answered("all", scope="") == answered("all")

    @pytest.mark.parametrize("scope", [7, 10**5000, float("nan"), True, ["a"], {"a": 1}], ids=lambda value: str(type(value)))
    def test_no_text(self, gimel_store: redis.Redis, scope: object) -> None:
        """A scope that is no text is malformed, and never repeated in the answer."""
        with pytest.raises(BadRequest, match="scope must be text"):
            gimel.all({"scope": scope}, None)
        event = rest() | {"queryStringParameters": {"scope": scope}}
        assert read(gimel.all(event, None)) == (400, {"error": "scope must be text"})

    @pytest.mark.parametrize(
        ("query", "error"),
        [
            ({"scope": "a,,b"}, "scope is empty"),
            ({"scope": "x" * 201}, "scope is longer than 200 characters"),
            ({"scope": "a\x00"}, "scope holds a control character"),
            ({"namespace": ""}, "namespace is empty"),
        ],
        ids=["empty name", "long name", "control character", "namespace"],
    )
    @in_both_gateway_forms
    def test_malformed(self, gimel_store: redis.Redis, gateway: Gateway, query: dict[str, str], error: str) -> None:
        """A name in the scope is held to the rule of every name."""
        assert read(gimel.all(gateway(query=query), None)) == (400, {"error": error})

    @in_both_gateway_forms
    @pytest.mark.parametrize(("name", "method"), [("experiment", "GET"), ("delete", "DELETE")])
    def test_experiment_missing(self, gimel_store: redis.Redis, gateway: Gateway, name: str, method: str) -> None:
        """`experiment` and `delete` want a name."""
        answer = getattr(gimel, name)(gateway(method), None)

        assert read(answer) == (400, {"error": "experiment is missing"})


class TestCounts:
    """Sums over shards, their rounding undone, and what they are made of."""

    @with_each_precision
    def test_equal_the_oracle(self, gimel_store: redis.Redis, configure: Configure, precision: int) -> None:
        """Trials and successes are what redis-py counts in the shards, put together by DESIGN's formula."""
        configure(precision=precision)
        send("a", "participate", "red", range(6000))
        send("a", "buy", "red", range(700))

        ((result,),) = (goal["results"] for goal in answered("experiment", experiment="a"))

        assert result["trials"] == count(gimel_store, "a", "participate", "red", precision)
        assert result["successes"] == count(gimel_store, "a", "buy", "red", precision)
        assert result["trials_by_precision"] == {str(precision): result["trials"]}
        assert abs(result["trials"] / 6000 - 1) < 0.03

    @pytest.mark.parametrize("precision", [4, 16])
    def test_large(self, gimel_store: redis.Redis, configure: Configure, precision: int) -> None:
        """Shards beyond 2000, where nothing was rounded away, are added as they are."""
        configure(precision=precision)
        send("a", "participate", "red", range(1))
        for shard in shards(counter_id("a", "participate", "red", precision), precision):
            gimel_store.pfadd(shard, *(f"{shard}-{n}" for n in range(2500)))

        (participants,) = answered("all")[1]["participants"]

        assert participants["trials"] == count(gimel_store, "a", "participate", "red", precision)
        assert participants["trials"] == sum(
            gimel_store.pfcount(shard) for shard in shards(counter_id("a", "participate", "red", precision), precision)
        )

    @pytest.mark.parametrize("precision", [4, 16, 64, 256])
    def test_small_counts(self, gimel_store: redis.Redis, configure: Configure, precision: int) -> None:
        """A count of nought to thirty is exact, where no two of its visitors share a register."""
        configure(precision=precision)
        for visitors in range(31):
            send(f"e{visitors:02}", "participate", "red", range(visitors))
            send(f"e{visitors:02}", "participate", "other", range(1))

        found = {
            item["experiment"]: {participant["label"]: participant["trials"] for participant in item["participants"]}
            for item in answered("all")[1:]
        }

        assert found == {f"e{n:02}": {"other": 1, **({"red": n} if n else {})} for n in range(31)}

    def test_parts_by_precision(self, gimel_store: redis.Redis, configure: Configure) -> None:
        """A counter written at several precisions is the sum of its parts, which are told, integers of Lamed among them."""
        for precision, visitors in ((1, range(5)), (4, range(10, 13)), (256, range(20, 27))):
            configure(precision=precision)
            send("a", "participate", "red", visitors)
        lamed = "alephbet:counters:a:participate:blue"
        gimel_store.set(lamed, 41)
        gimel_store.sadd("alephbet:counter_keys", lamed)
        gimel_store.sadd("alephbet:a:counter_keys", lamed)
        configure(precision=1)
        send("a", "participate", "blue", range(2))

        assert answered("all")[1]["participants"] == [
            {"label": "blue", "trials": 43, "trials_by_precision": {"1": 2, "exact": 41}},
            {"label": "red", "trials": 15, "trials_by_precision": {"1": 5, "256": 7, "4": 3}},
        ]
        assert gimel_store.get(lamed) == b"41"

    @pytest.mark.parametrize("content", ["many", "", "-1", "1" * 21, "HYLL broken"], ids=repr)
    def test_unreadable(self, gimel_store: redis.Redis, content: str) -> None:
        """A counter's key that holds no count is left out and told, and the rest is answered."""
        send("a", "participate", "red", range(3))
        foreign = "alephbet:counters:a:participate:blue"
        gimel_store.set(foreign, content)
        gimel_store.sadd("alephbet:counter_keys", foreign)

        (item,) = answered("all")[1:]

        assert item["unreadable"] == 1
        assert [participant["label"] for participant in item["participants"]] == ["red"]

    def test_foreign_members(self, gimel_store: redis.Redis) -> None:
        """Members of an index that Gimel did not write are passed over."""
        send("a", "participate", "red", range(3))
        before = answered("all")
        gimel_store.sadd("alephbet:counter_keys", b"\xff\xfe", "nonsense", "other:counters:a:participate:red", "")
        gimel_store.sadd("alephbet:experiments", b"\xff\xfe")

        assert answered("all") == before

    def test_key_of_another_kind(self, gimel_store: redis.Redis, configure: Configure) -> None:
        """A name that 1.5.0 would have spelled like another's counter is answered and deleted, and the counter stays."""
        configure(precision=1)
        for variant in ("experiments", "counter_keys"):
            send("e", "g", variant, range(3), namespace="n")
        answered("all", namespace="n")  # PFCOUNT keeps its result inside the key
        before = snapshot(gimel_store)

        for namespace, experiment in (("n:counters:e:g", "e"), ("n", "counters:e:g")):
            assert answered("experiment", namespace=namespace, experiment=experiment) == []
            assert answered("delete", namespace=namespace, experiment=experiment)["deleted"] == 0
            send(experiment, "participate", "red", range(3), namespace)
            assert experiment in str(answered("all", namespace=namespace))
            assert answered("delete", namespace=namespace, experiment=experiment)["deleted"] == 1
        assert snapshot(gimel_store) == before


class TestDelete:
    """`delete` removes every key of an experiment, and nothing else."""

    @with_each_precision
    def test_every_key(self, gimel_store: redis.Redis, configure: Configure, precision: int) -> None:
        """What other experiments and namespaces hold is the same before and after."""
        configure(precision=precision)
        for namespace, experiment in (("alephbet", "other"), ("alephbet", "a:b"), ("shop", "a")):
            send(experiment, "participate", "red", range(50), namespace)
        before = snapshot(gimel_store)
        for goal in ("participate", "buy"):
            for variant in ("red", "blue"):
                send("a", goal, variant, range(600))

        assert answered("delete", experiment="a") == {"status": "ok", "deleted": 4}
        assert snapshot(gimel_store) == before

    def test_every_precision(self, gimel_store: redis.Redis, configure: Configure) -> None:
        """Counters of every precision, and Lamed's integer, go at once."""
        lamed = "alephbet:counters:a:participate:blue"
        gimel_store.set(lamed, 41)
        gimel_store.sadd("alephbet:counter_keys", lamed)
        for precision in (1, 4, 16, 64, 256):
            configure(precision=precision)
            send("a", "participate", "red", range(50))

        assert answered("delete", experiment="a")["deleted"] == 6
        assert snapshot(gimel_store) == {}

    def test_last_of_a_namespace(self, gimel_store: redis.Redis) -> None:
        """With its last experiment a namespace leaves nothing, what was ignored in it included."""
        send("a", "participate", "red", range(3), "shop")
        send("b", "participate", "red", range(3), "shop")
        gimel.track(rest(query={**EVENT, "namespace": "shop"}, User_Agent="Googlebot/2.1"), None)
        assert gimel_store.exists("shop:meta")

        answered("delete", experiment="a", namespace="shop")
        assert gimel_store.sismember("gimel:namespaces", "shop")
        answered("delete", experiment="b", namespace="shop")

        assert snapshot(gimel_store) == {}

    def test_again(self, gimel_store: redis.Redis) -> None:
        """Deleting what is not there is no error, and creates nothing."""
        for _ in range(2):
            assert answered("delete", experiment="a") == {"status": "ok", "deleted": 0}
        assert snapshot(gimel_store) == {}

    def test_half_deleted(self, gimel_store: redis.Redis) -> None:
        """A counter that only one of the two indexes lists goes too."""
        send("a", "participate", "red", range(3))
        send("a", "participate", "blue", range(3))
        gimel_store.srem("alephbet:a:counter_keys", counter_id("a", "participate", "red"))
        gimel_store.srem("alephbet:counter_keys", counter_id("a", "participate", "blue"))

        assert answered("delete", experiment="a")["deleted"] == 2
        assert snapshot(gimel_store) == {}

    @in_both_gateway_forms
    def test_forms(self, gimel_store: redis.Redis, gateway: Gateway) -> None:
        """Gateway events and flat ones delete alike."""
        send("a", "participate", "red", range(3))
        assert read(gimel.delete(gateway("DELETE", query={"experiment": "a"}), None)) == (200, {"status": "ok", "deleted": 1})
        assert snapshot(gimel_store) == {}

        send("a", "participate", "red", range(3))
        assert gimel.delete({"experiment": "a"}, None) == {"status": "ok", "deleted": 1}
        assert snapshot(gimel_store) == {}

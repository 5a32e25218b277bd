"""What is sent and noted, message by message."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gimel.alerts.conditions import Condition, Kind, Observation
from gimel.alerts.delivery import deliver
from gimel.alerts.http import NotSent
from gimel.alerts.messages import Alert
from gimel.alerts.state import State, alert_id
from gimel.alerts.watch import Watched
from tests.support.replays import Inbox, Killed, Memory, Steps

NOW = 1_700_000_000.0


def watched(*conditions: Condition, name: str = "e", unclear: Sequence[str] = ()) -> Watched:
    found = {each.key: each for each in conditions}
    return Watched("alephbet", name, "1600000000", Observation(found, frozenset(unclear)))


def many(number: int) -> list[Watched]:
    return [watched(SPLIT, name=f"e{each}") for each in range(number)]


def send(inbox: Inbox, found: Sequence[Watched], memory: Memory, seconds: float = 900.0) -> int:
    return deliver(inbox, found, memory, NOW, lambda: seconds)


SPLIT = Condition(Kind.MISMATCH, "split")
WINNER = Condition(Kind.VERDICT, "red", "red", "buy", "winner")
LOSER = Condition(Kind.VERDICT, "blue", "blue", "buy", "control-wins")


def test_alerts_of_a_run_share_messages_of_50() -> None:
    """120 alerts are three messages."""
    inbox, memory = Inbox(), Memory()
    assert send(inbox, many(120), memory) == 120
    assert [len(message) for message in inbox.messages] == [50, 50, 20]
    assert send(inbox, many(120), memory) == 0


def test_what_was_accepted_before_a_failure_is_not_sent_again() -> None:
    """The receiver fails at the second of three messages."""

    class Failing(Inbox):
        def send(self, alerts: Sequence[Alert], now: float) -> str:
            if len(self.messages) == 1:
                raise NotSent("it is down")
            return super().send(alerts, now)

    failing, memory, inbox = Failing(), Memory(), Inbox()
    with pytest.raises(NotSent):
        send(failing, many(120), memory)

    assert send(inbox, many(120), memory) == 70
    ids = {alert.id for alert in (*failing.alerts, *inbox.alerts)}
    assert len(ids) == 120


def test_a_run_killed_after_the_second_of_three_messages_repeats_that_one_alone() -> None:
    """With the same ids, by which the receiver knows them."""
    inbox, memory = Inbox(), Memory()
    inbox.step = Steps(3)  # each message has one before it is sent and one after
    with pytest.raises(Killed):
        send(inbox, many(120), memory)
    inbox.step = Steps()

    send(inbox, many(120), memory)

    first, second, again, rest = ([alert.id for alert in each] for each in inbox.messages)
    assert second == again
    assert len({*first, *second, *rest}) == 120


def test_a_condition_that_begins_again_is_another_alert() -> None:
    """Also if the receiver was down when it ended."""
    inbox, memory = Inbox(), Memory()
    send(inbox, [watched(SPLIT)], memory)
    send(inbox, [watched(unclear=[SPLIT.key])], memory)
    send(inbox, [watched(SPLIT)], memory)
    assert len(inbox.alerts) == 1
    inbox.is_down = True
    send(inbox, [watched()], memory)
    inbox.is_down = False
    send(inbox, [watched(SPLIT)], memory)
    send(inbox, [watched()], memory)
    send(inbox, [watched(SPLIT)], memory)

    assert [alert.sentence for alert in inbox.alerts] == ["split"] * 3
    assert len({alert.id for alert in inbox.alerts}) == 3


def test_another_verdict_is_sent_and_the_same_one_is_not() -> None:
    """A verdict that was hidden in between is not new."""
    inbox, memory = Inbox(), Memory()
    for conditions in ([WINNER], [SPLIT], [WINNER], [LOSER], [WINNER]):
        send(inbox, [watched(*conditions)], memory)
    assert [alert.sentence for alert in inbox.alerts] == ["red", "split", "blue"]


def test_receivers_have_states_of_their_own() -> None:
    """One that is added later gets the conditions that hold then."""
    memory, first, second = Memory(), Inbox(), Inbox(name="sns")
    send(first, [watched(SPLIT)], memory)
    send(second, [watched(SPLIT, WINNER)], memory)
    assert [alert.id for alert in second.alerts][:1] == [alert.id for alert in first.alerts]
    assert len(second.alerts) == 2


def test_of_an_experiment_that_was_deleted_meanwhile_nothing_is_sent() -> None:
    """The others are notified."""
    inbox, memory = Inbox(), Memory(gone={"e1"})
    assert send(inbox, many(3), memory) == 2
    assert [alert.experiment for alert in inbox.alerts] == ["e0", "e2"]


def test_without_time_left_nothing_is_begun() -> None:
    """AWS would end the run between the message and its note."""
    inbox, memory = Inbox(), Memory()
    with pytest.raises(NotSent, match="the time is up"):
        send(inbox, many(1), memory, seconds=5)
    assert inbox.messages == []


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (None, True),
        ("", True),
        ("{", True),
        ("[]", True),
        ('{"active": 5}', True),
        ('{"v": 2, "told": []}', False),
        ('{"v": 1, "active": {"split-mismatch": 1}, "ended": {}}', True),
    ],
)
def test_a_state_that_cannot_be_read_is_none_and_that_of_a_newer_gimel_is_kept(
    text: str | None, known: bool
) -> None:
    """After a rollback, what the newer one has written is neither lost nor sent again."""
    inbox, memory = Inbox(), Memory()
    if text is not None:
        memory.texts["webhook", "e"] = text
    send(inbox, [watched(SPLIT)], memory)

    is_new = known and "split" not in (text or "")
    assert len(inbox.alerts) == is_new
    if not known:
        assert memory.texts["webhook", "e"] == text


def test_a_state_is_read_as_it_was_written() -> None:
    """Whatever the names in its keys."""
    state = State({'a":ü\n': 3}, {"b": 1})
    assert State.parse(state.text) == state


def test_the_id_depends_on_the_condition_alone() -> None:
    """The same for a repeated alert; another for each experiment, life and repetition."""
    names = [
        ("n", "e", "1", "split", 1),
        ("m", "e", "1", "split", 1),
        ("n", "f", "1", "split", 1),
        ("n", "e", "2", "split", 1),
        ("n", "e", None, "split", 1),
        ("n", None, None, "split", 1),
        ("n", "e", "1", "other", 1),
        ("n", "e", "1", "split", 2),
    ]
    assert len({alert_id(*each) for each in names}) == len(names)
    assert alert_id(*names[0]) == "611773d9c446e75608d0549447a11d60"

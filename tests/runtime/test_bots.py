"""Which user agents are refused, measured on public lists: crawlers on the one side, people's browsers on the other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gimel.runtime.bots import is_bot
from tests.support.npm import package

IN_APP_BROWSERS = {
    "Instagram": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22B83 "
    "Instagram 358.0.0.26.90 (iPhone15,2; iOS 18_1; en_US; en; scale=3.00; 1179x2556; 656549010)",
    "Facebook on iOS": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/22B83 [FBAN/FBIOS;FBAV/490.0.0.38.107;FBBV/663000000;FBDV/iPhone15,2;FBMD/iPhone;FBSN/iOS;FBSV/18.1;FBLC/en]",
    "Facebook on Android": "Mozilla/5.0 (Linux; Android 14; SM-S918B; wv) AppleWebKit/537.36 (KHTML, like "
    "Gecko) Version/4.0 Chrome/130.0.6723.107 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/489.0.0.50.84;IABMV/1;]",
    "TikTok": "Mozilla/5.0 (Linux; Android 13; SM-A536B Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/129.0.6668.100 Mobile Safari/537.36 musical_ly_2023605030 BytedanceWebview/d8a21c6",
    "Pinterest": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/22B83 [Pinterest/iOS]",
    "LinkedIn": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/22B83 [LinkedInApp]/9.30.2178",
    "WeChat": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/22B83 MicroMessenger/8.0.54(0x18003633) NetType/WIFI Language/zh_CN",
    "Google app": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "GSA/343.0.695551749 Mobile/15E148 Safari/604.1",
    "Cubot phone": "Mozilla/5.0 (Linux; Android 13; CUBOT P80) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile "
    "Safari/537.36",
    "none": "",
}

HEADLESS = {
    "Chrome": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Safari/537.36",
    "PhantomJS": "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1",
    "Lighthouse": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
    "Safari/537.36 Chrome-Lighthouse",
}


@pytest.fixture(scope="session")
def crawlers() -> list[str]:
    """Agents of crawlers that pretend to be a browser, as those that run a page's JavaScript do."""
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
    """Agents that people's browsers sent."""
    sampled = json.loads(
        (package("user-agents", "2.1.198") / "dist/user-agents.json").read_text("utf-8")
    )
    most_common = json.loads(
        (package("top-user-agents", "2.1.138") / "src/index.json").read_text("utf-8")
    )
    return {visit["userAgent"] for visit in sampled} | set(most_common)


def test_no_person_is_refused(browsers: set[str]) -> None:
    """Not one browser of 10,000 sampled visits (981 distinct agents) is taken for a crawler."""
    assert len(browsers) > 900
    assert [agent for agent in browsers if is_bot(agent)] == []


def test_nine_crawlers_of_ten_are_refused(crawlers: list[str]) -> None:
    """0.904 of 1014 listed crawlers that call themselves Mozilla are refused: 917."""
    assert len(crawlers) == 1014
    assert sum(map(is_bot, crawlers)) >= 917


def test_in_app_browsers_listed_as_crawlers(crawlers: list[str]) -> None:
    """The list counts browsers inside Instagram and Facebook as crawlers; people hold them in their hands."""
    in_apps = [agent for agent in crawlers if " Instagram " in agent or "MetaIAB" in agent]

    assert len(in_apps) >= 2
    assert [agent for agent in in_apps if is_bot(agent)] == []


@pytest.mark.parametrize("agent", IN_APP_BROWSERS.values(), ids=IN_APP_BROWSERS)
def test_people(agent: str) -> None:
    """Browsers inside apps, a phone whose name holds `bot`, and no agent at all pass."""
    assert not is_bot(agent)


@pytest.mark.parametrize("agent", HEADLESS.values(), ids=HEADLESS)
def test_headless(agent: str) -> None:
    """Headless browsers are refused, in any case of letters."""
    assert is_bot(agent)
    assert is_bot(agent.upper())


def test_interrupted_fetch(tmp_path: Path) -> None:
    """What an interrupted fetch left behind is not used, and a second call fetches nothing."""
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

"""What Gimel knows about the lists of ad blockers is what their engine does with the lists."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from gimel.page import filter_lists
from gimel.page.filter_lists import blocked_methods, blocked_part
from gimel.wiring import TRACK_PATH
from tests.page.filter_engine import Request, blocked

WORDS = Path(__file__).with_name("path_words.txt").read_text().split()
FACTS = filter_lists._WITH_QUERY | filter_lists._WITHOUT_QUERY | filter_lists._ALWAYS
REST = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/prod"
BACKENDS = (REST, "https://ab.shop.com", "https://ab.shop.example")
ELSEWHERE = "https://www.elsewhere.example/"
EVENT = "?experiment=button&uuid=1-2&variant=red&event=participate&namespace=alephbet"
QUERIES = {"GET": EVENT, "POST": ""}

SIZES = (
    *("120x60", "120x240", "120x600", "160x600", "200x200", "250x250", "300x100", "300x250"),
    *(
        "300x600",
        "320x50",
        "320x100",
        "320x480",
        "336x280",
        "468x60",
        "728x90",
        "970x90",
        "970x250",
    ),
)
NAMES = (
    *(f"hero{separator}{size}{separator}new" for size in SIZES for separator in "-_"),
    *(
        "buy button colour",
        "checkout_2026_11_new",
        "cookie-consent-text",
        "hero 300x250 new",
        "new-banner-text",
        "new-consent-banner-text",
        "new-cookie-banner-text",
        "new-cookie-consent-text",
        "new-cookie-notice-text",
        "new-gdpr-cookie-text",
        "New-Cookie-Notice-Text",
        "new_cookie_consent_text",
        "old_reklama_new",
        "show-banner-ads-below",
        "sticky_ads_test",
    ),
)


def test_hosts_are_blocked_that_others_have_used() -> None:
    """As docs/proxy.md says; a path of the page's own site is not."""
    hosts = {
        "https://9w2zed1szg.execute-api.us-east-1.amazonaws.com/prod/e": ("fetch", True),
        "https://abc.lambda-url.eu-west-1.on.aws/": ("ping", True),
        "https://www.elsewhere.example/e": ("fetch", False),
    }
    requests = [Request(url, ELSEWHERE, type_) for url, (type_, _) in hosts.items()]

    assert blocked(requests) == [is_blocked for _, is_blocked in hosts.values()]


def test_paths_are_blocked_as_the_engine_blocks_them() -> None:
    """On at least one host: hundreds of words, among them all those that Gimel knows."""
    words = sorted({*WORDS, *FACTS, TRACK_PATH, "Track"})
    tried = list(product(words, QUERIES, BACKENDS))
    requests = [
        Request(f"{backend}/{word}{QUERIES[method]}", ELSEWHERE) for word, method, backend in tried
    ]

    outcomes = zip(tried, blocked(requests), strict=True)
    found = {(word, method) for (word, method, _), is_blocked in outcomes if is_blocked}

    assert found == {(word, method) for word in words for method in blocked_methods(word)}
    assert len(words) > 600


def test_names_are_blocked_as_the_engine_blocks_them() -> None:
    """In the query of AlephBet's GET, where a space is a plus sign."""
    requests = [
        Request(f"{REST}/e?experiment={name.replace(' ', '+')}&event=participate", ELSEWHERE)
        for name in NAMES
    ]

    found = {name for name, is_blocked in zip(NAMES, blocked(requests), strict=True) if is_blocked}

    assert found == {name for name in NAMES if blocked_part(name)}


def test_the_part_that_is_blocked_is_shown() -> None:
    """So that the user knows what to change."""
    assert blocked_part("new-cookie-consent-text") == "-cookie-consent-"
    assert blocked_part("Hero_728X90_new") == "_728X90_"
    assert blocked_part("hero") is None


def test_beacons_to_other_sites_are_blocked() -> None:
    """Whatever their path, which is why gimel.js sends by fetch."""
    beacons = [Request(f"{REST}/e", page, "ping") for page in (f"{REST}/", ELSEWHERE)]

    assert blocked(beacons) == [False, True]

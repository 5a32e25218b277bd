"""Recognizes crawlers and headless browsers by their user agent: their events are not visits.

Refusing a visitor by mistake costs more than counting a crawler, so there are few signs, and none
of them occurs in a browser that people use. Crawlers that run no JavaScript never send an event
and need no sign. HTTP libraries (curl, python-requests) pass: whoever calls the URL with one does
so deliberately. tests/runtime/test_bots.py measures both kinds of error on public lists.
"""

from functools import lru_cache

_SIGNS = (
    "bot",
    "crawl",
    "spider",
    "slurp",
    "headless",
    "phantomjs",
    "playwright",
    "selenium",
    "://",  # a contact address: "+https://example.com/crawler"
    "lighthouse",
    "pagespeed",
    "gtmetrix",
    "dareboost",
    "ptst/",
    "pingdom",
    "uptime",
    "synthetics",
    "monitor",
    "facebookexternalhit",
    "meta-external",
    "google-",
    "googleagent",
    "mediapartners",
    "bingpreview",
    "ia_archiver",
    "archive.org",
    "scrape",
    "validator",
    "checker",
    "fetcher",
    "-user/",  # assistants that browse for someone: ChatGPT-User/1.0
    "whatsapp/",
)


@lru_cache(maxsize=500)
def is_bot(user_agent: str) -> bool:
    """Return whether a User-Agent header names a known crawler or a headless browser.

    An empty header proves nothing, so it returns False.
    """
    text = user_agent.lower().replace("cubot", "")  # Cubot is a brand of phones
    for sign in _SIGNS:  # noqa: SIM110 - runs for every event, and any() is slower
        if sign in text:
            return True
    return False

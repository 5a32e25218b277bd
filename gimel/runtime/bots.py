"""Which user agents are crawlers and headless browsers, that is nobody's visit.

A visitor wrongly refused costs more than a crawler wrongly counted, so the signs are few and none occurs in a browser that
people use; crawlers that run no JavaScript never send an event and need no sign. HTTP libraries (curl, python-requests) pass:
who calls the URL with one means to count. tests/test_bots.py measures both errors on public lists.
"""

_SIGNS = (
    "bot",
    "crawl",
    "spider",
    "slurp",
    "headless",
    "phantomjs",
    "playwright",
    "selenium",
    "://",  # an address to complain to: "+https://example.com/crawler"
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


def is_bot(user_agent: str) -> bool:
    """Tell whether a User-Agent header names a known crawler or a headless browser. An empty one tells nothing: False."""
    text = user_agent.lower().replace("cubot", "")  # Cubot makes phones
    for sign in _SIGNS:  # noqa: SIM110 - every event waits for it, and any() takes longer
        if sign in text:
            return True
    return False

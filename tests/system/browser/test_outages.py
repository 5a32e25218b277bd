"""Visitors in a real browser while Redis is away."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.support.browser import Site, Visitors, queue, wait_until_sent
from tests.support.served import serving
from tests.support.servers import DURABLE, running_store, start_store
from tests.support.shop import buy, shop, variant


def test_nothing_is_lost_while_redis_is_down(
    tmp_path: Path, site: Site, visitors: Visitors
) -> None:
    """Events answered 503 stay in the browsers and are counted with the next page afterwards."""
    (tmp_path / "store").mkdir()
    with (
        running_store(tmp_path / "store", *DURABLE) as store,
        serving(tmp_path / "gimel", "--redis", store.url) as gimel,
    ):
        site.pages["/shop"] = shop(gimel, "outage")
        pages = [visitors.page() for _ in range(6)]
        for page in pages[:3]:
            page.goto(f"{site.origin}/shop")
            wait_until_sent(page)

        store.kill()
        for page in pages[:3]:
            with page.expect_response(lambda answer: answer.status == 503):
                buy(page)
        for page in pages[3:]:
            with page.expect_response(lambda answer: answer.status == 503):
                page.goto(f"{site.origin}/shop")
            with page.expect_response(lambda answer: answer.status == 503):
                buy(page)
        kept = [sorted(event["event"] for event in queue(page)) for page in pages]
        again = start_store(tmp_path / "store", *DURABLE, port=store.port)
        try:
            again.client().ping()
            for page in pages:
                page.reload()
                wait_until_sent(page)
            counts = gimel.counts("outage")
        finally:
            again.kill()

    everybody = Counter(variant(page) for page in pages)
    assert kept == [["bought"]] * 3 + [["bought", "participate"]] * 3
    assert counts == {"participate": everybody, "bought": everybody}

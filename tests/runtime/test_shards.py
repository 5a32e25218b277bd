"""Every visitor is in exactly one shard.

fakeredis counts exactly where a real store estimates, so that a single lost visitor would show.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import fakeredis
import pytest
import redis

import gimel
from tests.support.events import EVENT, Configure, read, rest
from tests.support.redis_content import counter_id, shards
from tests.support.servers import free_port

VISITORS = 2000
RESENT = 500


@pytest.fixture
def exact_store() -> Iterator[redis.Redis]:
    """A store that counts without error, over TCP."""
    port = free_port()
    server = fakeredis.TcpFakeServer(("127.0.0.1", port), server_type="valkey")
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    with redis.Redis(port=port) as client:
        yield client
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("precision", [1, 4, 16, 64, 256])
def test_every_visitor_is_in_one_shard(
    precision: int, exact_store: redis.Redis, configure: Configure
) -> None:
    """The exact counts of the shards add up to the visitors, although some events are resent."""
    port = exact_store.connection_pool.connection_kwargs["port"]
    configure(redis={"host": "127.0.0.1", "port": port}, precision=precision)
    events = [{**EVENT, "uuid": f"visitor {number}"} for number in range(VISITORS)]
    events += events[:RESENT]
    for start in range(0, len(events), 100):
        batch = json.dumps(events[start : start + 100])
        assert read(gimel.track(rest("POST", body=batch), None))[0] == 200

    counter = counter_id(EVENT["experiment"], EVENT["event"], EVENT["variant"], precision)
    counts = [exact_store.pfcount(key) for key in shards(counter, precision)]

    assert sum(counts) == VISITORS
    assert min(counts) > 0

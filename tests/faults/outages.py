"""What can go wrong between `gimel.track` and its store, one class per outage.

An outage knows how to begin and how to end. It knows nothing about events.
"""

from __future__ import annotations

import contextlib
import itertools
import select
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import redis

from tests.faults.traffic import LIMITS
from tests.support.servers import Listener, Store, start_store, wait_until

LATE = 2.0
"""How many seconds late a late reply is."""


class StoreProxy(Listener):
    """A proxy in front of the store, which an outage can spoil."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.treat: Callable[[socket.socket], None] | None = None
        """What happens to a connection instead of being forwarded."""
        self.reply: Callable[[socket.socket, bytes], None] = socket.socket.sendall
        """Passes a reply on to the client. An OSError closes the connection."""
        super().__init__(self._forward)

    def _forward(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.treat:
            self.treat(client)
            return
        with socket.create_connection(("127.0.0.1", self.target)) as server:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                ready, _, _ = select.select([client, server], [], [])
                data = ready[0].recv(65536)
                if not data:
                    return
                if ready[0] is client:
                    server.sendall(data)
                else:
                    self.reply(client, data)


class Stage:
    """The store of one drill, and a proxy in front of it."""

    def __init__(self, directory: Path, outage: Outage) -> None:
        self.password = ""
        self.directory = directory
        self._options = outage.options
        self.store = start_store(directory, *self._options)
        self.others: list[Store] = []
        """Stores that run as well, and are ended with this one."""
        self.proxy = StoreProxy(self.store.port)
        self._port = self.proxy.port if outage.proxied else self.store.port

    @property
    def settings(self) -> dict[str, Any]:
        """What `gimel deploy` would put into GIMEL_SETTINGS now."""
        redis = {"host": "127.0.0.1", "port": self._port, "password": self.password}
        return {"redis": redis, "limits": LIMITS}

    def admin(self) -> redis.Redis:
        return self.store.client(password=self.password or None)

    def set_password(self, password: str) -> None:
        """Change the password of the store. Connections that are logged in stay so."""
        with self.admin() as admin:
            admin.config_set("requirepass", password)
        self.password = password

    def start_again(self) -> None:
        """Start the store at its port and in its directory. Return when it has read its data."""
        self.store = start_store(self.directory, *self._options, port=self.store.port)
        with self.admin() as admin:
            wait_until(lambda: not admin.info("persistence")["loading"])


@contextlib.contextmanager
def stage(directory: Path, outage: Outage) -> Iterator[Stage]:
    """Run the store and the proxy for an outage during a with block."""
    built = Stage(directory, outage)
    try:
        with built.proxy:
            yield built
    finally:
        for store in (built.store, *built.others):
            store.kill()


class Outage:
    """Something that goes wrong for some seconds."""

    name = ""
    options: tuple[str, ...] = ()
    """Options of the store."""
    proxied = False
    """Whether the containers reach the store through the proxy."""
    seconds = 0.5
    """How long it lasts at least. It also lasts until every client that sends has noticed it."""

    def prepare(self, stage: Stage) -> None:
        """Change the store before the first event is sent."""

    def begin(self, stage: Stage) -> None:
        raise NotImplementedError

    def end(self, stage: Stage) -> None:
        """Return when the store can count again."""
        raise NotImplementedError


class Stopped(Outage):
    name = "store stopped and started again"
    options = ("--save", "3600 1")  # so that it saves its data when it is stopped

    def begin(self, stage: Stage) -> None:
        stage.store.process.terminate()
        stage.store.process.wait()

    def end(self, stage: Stage) -> None:
        stage.start_again()


class Killed(Outage):
    name = "store killed, and started again from its append-only file"
    options = ("--appendonly", "yes", "--appendfsync", "always")

    def begin(self, stage: Stage) -> None:
        stage.store.kill()

    def end(self, stage: Stage) -> None:
        stage.start_again()


class Frozen(Outage):
    name = "store frozen for 2 s (SIGSTOP)"
    seconds = 2.0

    def begin(self, stage: Stage) -> None:
        stage.store.process.send_signal(signal.SIGSTOP)

    def end(self, stage: Stage) -> None:
        stage.store.process.send_signal(signal.SIGCONT)


class ReadOnly(Outage):
    name = "store made a read-only replica and promoted again"

    def begin(self, stage: Stage) -> None:
        with stage.admin() as admin:
            admin.replicaof("127.0.0.1", "1")

    def end(self, stage: Stage) -> None:
        with stage.admin() as admin:
            admin.replicaof("NO", "ONE")


class OutOfMemory(Outage):
    name = "store out of memory (`noeviction`)"

    def begin(self, stage: Stage) -> None:
        with stage.admin() as admin:
            admin.config_set("maxmemory", 1)

    def end(self, stage: Stage) -> None:
        with stage.admin() as admin:
            admin.config_set("maxmemory", 0)


class Rotated(Outage):
    """The connections are closed as well, because the store would serve them indefinitely."""

    name = "password rotated, the new one deployed later"

    def prepare(self, stage: Stage) -> None:
        stage.set_password("correct horse battery staple")

    def begin(self, stage: Stage) -> None:
        stage.set_password("another password")
        with stage.admin() as admin:
            admin.client_kill_filter(_type="normal", skipme=True)

    def end(self, stage: Stage) -> None:
        """Nothing to do: the new settings have the new password."""


class Proxied(Outage):
    proxied = True

    def end(self, stage: Stage) -> None:
        stage.proxy.treat = None
        stage.proxy.reply = socket.socket.sendall


class FailedOver(Proxied):
    """As a managed Redis does it: the address moves, the old primary keeps its connections."""

    name = "replica promoted, the old primary read-only"
    options = ("--repl-diskless-sync-delay", "0")

    def prepare(self, stage: Stage) -> None:
        directory = stage.directory / "replica"
        directory.mkdir()
        replica = start_store(directory, "--replicaof", "127.0.0.1", str(stage.store.port))
        stage.others.append(replica)
        with replica.client() as admin:
            wait_until(lambda: admin.info("replication")["master_link_status"] == "up")

    def begin(self, stage: Stage) -> None:
        with stage.admin() as admin:
            admin.execute_command("FAILOVER")  # loses nothing: it waits for the replica
            wait_until(lambda: admin.info("replication")["role"] == "slave")

    def end(self, stage: Stage) -> None:
        (replica,) = stage.others
        stage.others = [stage.store]
        stage.store = replica
        stage.proxy.target = replica.port


class Reset(Proxied):
    name = "connection reset in the middle of a reply"

    def begin(self, stage: Stage) -> None:
        calls = itertools.count()

        def reset(client: socket.socket, data: bytes) -> None:
            client.sendall(data[: 1 + next(calls) % max(1, len(data) - 1)])
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise ConnectionResetError  # closing sends RST

        stage.proxy.reply = reset


class Late(Proxied):
    """Soon after the first late replies, the store refuses all writes.

    If a reply of an earlier call were taken for the current one's, a refused event would get a 200.
    """

    name = "replies 2 s late, the first good, the later ones errors"
    seconds = LATE + 1.0

    def begin(self, stage: Stage) -> None:
        def send(client: socket.socket, data: bytes) -> None:
            with contextlib.suppress(OSError):
                client.sendall(data)

        def delay(client: socket.socket, data: bytes) -> None:
            timer = threading.Timer(LATE, send, (client, data))
            timer.daemon = True
            timer.start()

        stage.proxy.reply = delay
        time.sleep(0.2)
        OutOfMemory().begin(stage)

    def end(self, stage: Stage) -> None:
        OutOfMemory().end(stage)
        super().end(stage)


class Trickling(Proxied):
    """Each byte arrives within the time-out. Only the deadline of the call ends the wait."""

    name = "replies a byte at a time, every 0.6 s"

    def begin(self, stage: Stage) -> None:
        def trickle(client: socket.socket, data: bytes) -> None:
            for byte in data:
                client.sendall(bytes([byte]))
                time.sleep(0.6)

        stage.proxy.reply = trickle


class Page(Proxied):
    name = "proxy that answers an HTML page"

    def begin(self, stage: Stage) -> None:
        def answer(client: socket.socket) -> None:
            client.recv(65536)
            body = b"<!doctype html><title>Sign in</title><h1>Sign in to use this network</h1>"
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}"
            client.sendall(head.encode() + b"\r\n\r\n" + body)

        stage.proxy.treat = answer
        stage.proxy.hang_up()


class Closing(Proxied):
    name = "proxy that closes every connection at once"

    def begin(self, stage: Stage) -> None:
        stage.proxy.treat = lambda _: None
        stage.proxy.hang_up()


OUTAGES: tuple[Outage, ...] = (
    Stopped(),
    Killed(),
    Frozen(),
    ReadOnly(),
    OutOfMemory(),
    FailedOver(),
    Rotated(),
    Reset(),
    Late(),
    Trickling(),
    Page(),
    Closing(),
)

"""An HTTP proxy as companies have them: it opens tunnels with CONNECT, and may require a login."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading

from tests.support.servers import Listener


class ConnectProxy(Listener):
    """Connects every tunnel to the port `target` on loopback, whichever host was asked for.

    `login` is the "user:password" that it requires. With `refusal`, such as "403 Forbidden", it
    connects nowhere. `asked` are the hosts and ports asked for, `logins` what came with them.
    """

    def __init__(
        self,
        target: int,
        login: str = "",
        refusal: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.target = target
        self.refusal = refusal
        self.asked: list[str] = []
        self.logins: list[str] = []
        self._required = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""
        self._tls = tls
        super().__init__(self._serve_client)
        self.address = f"127.0.0.1:{self.port}"

    def _serve_client(self, connection: socket.socket) -> None:
        client = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
        with client, client.makefile("rb") as incoming:
            lines = []
            while (line := incoming.readline()) not in (b"", b"\r\n"):
                lines.append(line.decode("latin-1").strip())
            if not lines:
                return
            headers = dict(line.split(": ", 1) for line in lines[1:])
            given = headers.get("Proxy-Authorization", "")
            self.asked.append(lines[0].split()[1])
            self.logins.append(base64.b64decode(given.removeprefix("Basic ")).decode())
            if given != self._required:
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            elif self.refusal:
                client.sendall(f"HTTP/1.1 {self.refusal}\r\n\r\n".encode())
            else:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._tunnel(client)

    def _tunnel(self, client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self.target)) as server:
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            _copy(client, server)
            back.join(1)


def _copy(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)

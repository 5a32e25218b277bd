"""HTTP servers with answers that a real Gimel does not give on request."""

from __future__ import annotations

import contextlib
import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Stub:
    """A real HTTP server that gives every request one answer, and records the requests.

    With `later` it answers 200 and this from the third request on.
    """

    status: int = 200
    body: str = "[]"
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    sent: list[dict[str, str]] = field(default_factory=list)
    url: str = ""
    later: object = None


@contextlib.contextmanager
def answering(
    status: int = 200,
    body: object = "",
    tls: ssl.SSLContext | None = None,
    later: object = None,
    **headers: str,
) -> Iterator[Stub]:
    stub = Stub(status, body if isinstance(body, str) else json.dumps(body), headers, later=later)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            stub.asked.append((self.command, self.path))
            stub.sent.append({name.lower(): value for name, value in self.headers.items()})
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if stub.later and len(stub.asked) == 3:
                stub.status, stub.body = 200, json.dumps(stub.later)
            self.send_response(stub.status)
            for name, value in {
                **stub.headers,
                "Content-Length": str(len(stub.body.encode())),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(stub.body.encode())

        do_POST = do_DELETE = do_GET  # noqa: N815 - names that http.server calls

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        stub.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield stub
        finally:
            server.shutdown()
            thread.join()

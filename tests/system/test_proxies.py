"""nginx and Caddy with the printed configuration, in front of `gimel serve`."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from gimel.page.proxy import KINDS, parse_upstream
from tests.support.events import BROWSER, GOOGLEBOT
from tests.support.programs import program
from tests.support.served import Served, serving
from tests.support.servers import Proxy, free_port, wait_until

PATH = "/shop/e"
PUBLIC_DNS = "1.1.1.1 8.8.8.8"
SYSTEM_CA = "/etc/ssl/certs/ca-certificates.crt"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("home")) as served:
        yield served


@contextlib.contextmanager
def name_server() -> Iterator[int]:
    """Answer every question for an IPv4 address with 127.0.0.1. Yields the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    asked, client = listening.recvfrom(512)
                    question = asked[12 : asked.index(0, 12) + 5]
                    found = question[-3] == 1  # an A record, not an AAAA record
                    head = asked[:2] + b"\x81\x80\0\1" + bytes([0, found]) + bytes(4)
                    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton("127.0.0.1")
                    listening.sendto(head + question + record * found, client)

        threading.Thread(target=answer, daemon=True).start()
        yield listening.getsockname()[1]


@contextlib.contextmanager
def running(command: list[str], home: Path, port: int, **variables: str) -> Iterator[httpx.Client]:
    """Run a web server until the block ends. Yields a client of its port."""
    environment = {**os.environ, "HOME": str(home), **variables}
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: process.poll() is not None or is_listening(port))
        assert process.poll() is None, (home / "log").read_text()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            yield client
    finally:
        process.terminate()
        process.wait(20)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def nginx(configuration: str, home: Path, ca: Path) -> Iterator[httpx.Client]:
    port = free_port()
    with name_server() as dns:
        for printed, ours in ((PUBLIC_DNS, f"127.0.0.1:{dns}"), (SYSTEM_CA, str(ca))):
            configuration = configuration.replace(printed, ours)
        (home / "nginx.conf").write_text(
            "daemon off; master_process off; pid nginx.pid; error_log stderr; events {}\n"
            "http {\naccess_log off; client_body_temp_path body; proxy_temp_path proxy;\n"
            "fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;\n"
            # As many sites have it: the printed lines must prevail.
            "proxy_set_header Host $host; proxy_set_header User-Agent nginx;\n"
            "proxy_intercept_errors on; error_page 400 =200 /index.html;\n"
            f"server {{\nlisten 127.0.0.1:{port};\n{configuration}}}\n}}\n"
        )
        command = [program("nginx"), "-p", str(home), "-c", "nginx.conf", "-e", "stderr"]
        with running(command, home, port) as client:
            yield client


@contextlib.contextmanager
def caddy(configuration: str, home: Path, ca: Path) -> Iterator[httpx.Client]:
    port = free_port()
    # As a single-page application has it.
    site = f"root * {home}\nfile_server\ntry_files {{path}} /index.html\n{configuration}"
    (home / "Caddyfile").write_text(f"{{\nadmin off\n}}\nhttp://127.0.0.1:{port} {{\n{site}}}\n")
    command = [program("caddy"), "run", "--config", "Caddyfile"]
    with running(command, home, port, SSL_CERT_FILE=str(ca), XDG_DATA_HOME=str(home)) as client:
        yield client


def certified(home: Path) -> tuple[ssl.SSLContext, Path]:
    """Return what a server named localhost needs, and the file with its authority."""
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    authority.cert_pem.write_to_path(home / "ca.pem")
    return tls, home / "ca.pem"


SERVERS: dict[str, Callable[..., contextlib.AbstractContextManager[httpx.Client]]] = {
    "nginx": nginx,
    "caddy": caddy,
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("kind", SERVERS)
def test_events_of_browsers_are_counted(
    kind: str, scheme: str, served: Served, tmp_path: Path
) -> None:
    """By GET and POST, those of a crawler are not, and the site's cookies stay with the site."""
    (tmp_path / "index.html").write_text("A page of the site.")
    names: list[str | None] = []
    tls, ca = certified(tmp_path)
    tls.sni_callback = lambda _, name, __: names.append(name)
    port = int(served.url.rpartition(":")[2])
    namespace = f"{kind} {scheme}"

    with Proxy(port, tls if scheme == "https" else None) as upstream:
        track_url = f"{scheme}://localhost:{upstream.port}/e"
        configuration = KINDS[kind](parse_upstream(track_url), PATH)
        with SERVERS[kind](configuration, tmp_path, ca) as site:
            for user_agent, uuids in ((BROWSER, "12"), (GOOGLEBOT, "34")):
                headers = {
                    "User-Agent": user_agent,
                    "Origin": "https://shop.example",
                    "Cookie": "session=secret",
                    "Authorization": "Basic c2VjcmV0",
                }
                event = {"namespace": namespace, "experiment": "b & c", "variant": "a%2Fb"}
                by_get, by_post = ({**event, "event": "participate", "uuid": u} for u in uuids)
                answers = [
                    site.get(PATH, params=by_get, headers=headers),
                    # As gimel.js sends it.
                    site.post(
                        PATH,
                        content=json.dumps([by_post]),
                        headers={**headers, "Content-Type": "text/plain;charset=UTF-8"},
                    ),
                ]
                assert [each.status_code for each in answers] == [200, 200]
                assert "no-store" in answers[0].headers["Cache-Control"]
            refused = site.post(PATH)
            assert (refused.status_code, refused.json()["error"]) == (400, "experiment is missing")
            site.get(f"{PATH}xperiments")

    assert served.counts(namespace) == {"participate": {"a%2Fb": 2}}
    received = upstream.received.decode()
    assert f"Host: localhost:{upstream.port}\r\n" in received
    assert received.count(" HTTP/1.1\r\n") == 5  # no other path is forwarded
    assert received.count("Origin: https://shop.example\r\n") == 4
    assert "secret" not in received
    assert "c2VjcmV0" not in received
    assert set(names) == ({"localhost"} if scheme == "https" else set())


@pytest.mark.parametrize("kind", SERVERS)
def test_events_go_to_no_other_server(kind: str, served: Served, tmp_path: Path) -> None:
    """Whose certificate another authority has signed."""
    tls, ca = certified(tmp_path)
    trustme.CA().cert_pem.write_to_path(ca)
    with Proxy(int(served.url.rpartition(":")[2]), tls) as upstream:
        track_url = f"https://localhost:{upstream.port}/e"
        configuration = KINDS[kind](parse_upstream(track_url), PATH)
        with SERVERS[kind](configuration, tmp_path, ca) as site:
            assert site.post(PATH, content="[]").status_code == 502

    assert upstream.received == b""

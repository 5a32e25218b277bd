"""`gimel serve`: what it prints, and why it does not start."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gimel.serve import web
from tests.support.command import gimel_here
from tests.support.servers import Store, free_port, running_store

KEY = "k" * 32


@pytest.fixture
def not_run(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Ends `gimel serve` where it would begin to answer; the applications that were to run."""
    applications: list[Any] = []
    monkeypatch.setattr(web, "run", lambda app, _: applications.append(app))
    return applications


def failed(home: Path, *options: str, **variables: str) -> str:
    done = gimel_here("serve", *options, home=home, **variables)
    assert (done.returncode, done.stdout) == (1, ""), done
    return done.stderr


def printed(home: Path, *options: str) -> list[str]:
    """Return the lines that `gimel serve` prints before it serves, into something else than a
    terminal.
    """
    done = gimel_here("serve", *options, home=home)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_it_prints_what_to_do_next(
    tmp_path: Path, session_store: Store, not_run: list[Any]
) -> None:
    """Few lines, no HTML, the key once; last the links to open, which do not contain it."""
    lines = printed(tmp_path, "--port", "0", "--redis", session_store.url)
    assert len(not_run) == 1
    base = lines[0].split()[3].rstrip("/")
    key = (tmp_path / ".gimel" / "data" / "api-key").read_text()
    ticket = r"ticket=[\w-]{22}"
    assert lines[:7] == [
        f"Gimel listens on {base}/ (press Ctrl-C to stop)",
        f"Track URL  {base}/e",
        f"API key    {key}",
        f"Results    gimel results --local --url {base}",
        f"Snippet    gimel snippet --url {base}/e (HTML for your page)",
        "",
        "Open one of these links. Each signs in one browser, once:",
    ]
    assert re.fullmatch(rf"Demo page  {base}/\?{ticket}", lines[7])
    assert re.fullmatch(rf"Dashboard  {base}/dashboard/sign-in\?{ticket}", lines[8])
    assert len(lines) == 9
    assert "\n".join(lines).count(key) == 1


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


IPV6 = [
    ("::1", "http://[::1]", ""),
    ("::", "http://[::1]", " and on all other addresses of this machine"),
]


@pytest.mark.parametrize(
    ("host", "base", "more"),
    [
        ("localhost", "http://127.0.0.1", ""),
        ("0.0.0.0", "http://127.0.0.1", " and on all other addresses of this machine"),
        *(IPV6 if has_ipv6() else []),
    ],
)
def test_it_prints_addresses_that_a_browser_opens(
    host: str, base: str, more: str, tmp_path: Path, session_store: Store, not_run: list[Any]
) -> None:
    """Not the one that stands for all addresses; an IPv6 address is in brackets."""
    lines = printed(tmp_path, "--port", "0", "--host", host, "--redis", session_store.url)
    assert re.fullmatch(
        rf"Gimel listens on {re.escape(base)}:\d+/{more} \(press Ctrl-C to stop\)", lines[0]
    )
    address = lines[0].split()[3]
    assert all(address in lines[index] for index in (1, 4, 7, 8))
    assert address.rstrip("/") in lines[3]


def test_at_the_usual_address_the_commands_are_short(
    tmp_path: Path,
    session_store: Store,
    not_run: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They find the address and the key themselves."""
    monkeypatch.setattr(web, "address", lambda _: "http://127.0.0.1:8000")
    lines = printed(tmp_path, "--port", "0", "--redis", session_store.url)
    assert lines[3:5] == [
        "Results    gimel results --local",
        "Snippet    gimel snippet (HTML for your page)",
    ]


def test_the_printed_command_works(
    tmp_path: Path, session_store: Store, not_run: list[Any]
) -> None:
    """The shell passes the key of another data directory."""
    data = tmp_path / "my data"
    lines = printed(tmp_path, "--port", "0", "--redis", session_store.url, "--data-dir", str(data))
    program = tmp_path / "bin" / "gimel"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    program.chmod(0o755)
    shown = subprocess.run(
        ["/bin/sh", "-c", lines[3].removeprefix("Results    ")],
        env={"PATH": f"{program.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    key = (data / "api-key").read_text()
    base = lines[0].split()[3].rstrip("/")
    assert shown.stdout == f"results|--local|--url|{base}|--api-key|{key}|"


def test_a_given_key_is_used_and_nothing_is_kept(
    tmp_path: Path, session_store: Store, not_run: list[Any]
) -> None:
    """The printed command reads it from the environment."""
    lines = printed(tmp_path, "--port", "0", "--redis", session_store.url, "--api-key", KEY)
    assert lines[2] == f"API key    {KEY}"
    assert lines[3].endswith(' --api-key "$GIMEL_API_KEY"')
    assert "\n".join(lines).count(KEY) == 1
    assert not (tmp_path / ".gimel").exists()


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_a_short_key_is_reported_where_others_can_guess_it(
    host: str, warned: bool, tmp_path: Path, session_store: Store, not_run: list[Any]
) -> None:
    """Only if the machine is reachable."""
    done = gimel_here(
        *("serve", "--port", "0", "--host", host),
        *("--redis", session_store.url, "--api-key", "short"),
        home=tmp_path,
    )
    assert done.returncode == 0
    assert ("The API key is short" in done.stderr) == warned


@pytest.mark.parametrize("key", ["", " ", "two words", "schlüssel"], ids=repr)
def test_an_invalid_key_is_an_error(key: str, tmp_path: Path) -> None:
    """Before anything is served or created."""
    message = failed(tmp_path, "--port", "0", "--api-key", key)
    assert "The API key is empty or contains invalid characters." in message
    assert not (tmp_path / ".gimel").exists()


@pytest.mark.parametrize("content", ["", " \n", "two words"], ids=repr)
@pytest.mark.parametrize("private", [False, True], ids=["--redis", "private Redis"])
def test_a_broken_key_file_is_an_error(
    private: bool, content: str, tmp_path: Path, session_store: Store
) -> None:
    """An empty one would open the API to everybody."""
    (tmp_path / "d").mkdir(mode=0o700)
    (tmp_path / "d" / "api-key").write_text(content)
    redis = () if private else ("--redis", session_store.url)
    message = failed(tmp_path, "--port", "0", "--data-dir", str(tmp_path / "d"), *redis)
    assert "api-key does not contain a valid API key." in message
    assert "Delete the file" in message


def test_an_open_data_directory_is_reported(
    tmp_path: Path, session_store: Store, not_run: list[Any]
) -> None:
    """On stderr, and it serves."""
    (tmp_path / "d").mkdir(mode=0o755)
    data = str(tmp_path / "d")
    done = gimel_here(
        *("serve", "--port", "0", "--redis", session_store.url, "--data-dir", data), home=tmp_path
    )
    assert "Other users can open the data directory" in done.stderr
    assert f"chmod 700 {data}" in done.stderr
    assert len(not_run) == 1


def test_a_port_in_use_is_an_error(tmp_path: Path) -> None:
    """That says which, and what to do; nothing is created."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        message = failed(tmp_path, "--port", port)
    assert f"Port {port} of 127.0.0.1 is already in use." in message
    assert "--port" in message
    assert not (tmp_path / ".gimel").exists()


def test_an_address_of_another_machine_is_an_error(tmp_path: Path) -> None:
    """With the system's reason."""
    message = failed(tmp_path, "--host", "192.0.2.1", "--port", "0")
    assert "Cannot listen on port 0 of 192.0.2.1: " in message


def test_a_redis_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    """Before anything is served, and without the password."""
    url = f"redis://:hunter2@127.0.0.1:{free_port()}"
    message = failed(tmp_path, "--port", "0", "--redis", url)
    assert "Redis cannot be used: " in message
    assert "127.0.0.1:" in message
    assert "hunter2" not in message


def test_a_wrong_password_is_an_error(tmp_path: Path) -> None:
    """In the words of Redis, without the password."""
    with running_store(tmp_path, "--requirepass", "right") as store:
        url = f"redis://:hunter2@127.0.0.1:{store.port}"
        message = failed(tmp_path, "--port", "0", "--redis", url)
    assert "WRONGPASS" in message
    assert "hunter2" not in message


def test_a_broken_configuration_is_an_error(tmp_path: Path) -> None:
    """To serve with other settings than those in the file would mislead."""
    (tmp_path / "config.json").write_text('{"precision": 3}')
    assert "precision must be 1, 4, 16, 64 or 256" in failed(tmp_path, "--port", "0")


def test_an_unknown_home_directory_is_an_error(tmp_path: Path) -> None:
    """As in a container whose user has neither $HOME nor a passwd entry."""
    message = failed(tmp_path, "--port", "0", "--data-dir", "~nobody-has-this-name/data")
    assert "~nobody-has-this-name/data cannot be found: the home directory is unknown." in message
    assert "Set $HOME, or choose a --data-dir." in message


def test_without_a_directory_to_keep_no_home_is_needed(
    tmp_path: Path, session_store: Store, not_run: list[Any]
) -> None:
    """With --redis and --api-key nothing is kept."""
    done = gimel_here(
        *("serve", "--port", "0", "--redis", session_store.url, "--api-key", KEY),
        *("--data-dir", "~nobody-has-this-name/data"),
        home=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")

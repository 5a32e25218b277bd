"""The data directory of `gimel serve`: private to its user, with a key that is whole or absent."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gimel.errors import GimelError
from gimel.serve import datadir
from tests.support.command import environment


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A prepared directory."""
    return datadir.prepare(tmp_path / "data", pytest.fail)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_is_created_once(directory: Path) -> None:
    """It is long, stays the same, and only its owner can read it."""
    key = datadir.kept_key(directory)
    assert len(key) >= 32
    assert datadir.kept_key(directory) == key
    assert datadir.key_file(directory).read_text() == key
    assert mode(datadir.key_file(directory)) == 0o600
    assert [path.name for path in directory.iterdir()] == ["api-key"]


def test_two_processes_that_start_together_share_one_key(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that starts while the other writes neither reads an empty key nor replaces the file."""
    new = secrets.token_urlsafe
    others: list[str] = []

    def interrupted(size: int) -> str:
        monkeypatch.setattr(secrets, "token_urlsafe", new)
        others.append(datadir.kept_key(directory))
        return new(size)

    monkeypatch.setattr(secrets, "token_urlsafe", interrupted)
    assert [datadir.kept_key(directory)] == others
    assert others != [""]


def test_many_threads_that_start_together_share_one_key(directory: Path) -> None:
    """Whatever the order of their steps."""
    barrier = threading.Barrier(8)
    keys: list[str] = []

    def start() -> None:
        barrier.wait()
        keys.append(datadir.kept_key(directory))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert keys[0]


@pytest.mark.parametrize("step", ["token_urlsafe", "fsync", "link"])
def test_a_full_disk_leaves_no_key_file(
    step: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it stops: the next start creates a key as if nothing had happened."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as broken:
        broken.setattr(secrets if step == "token_urlsafe" else os, step, full)
        with pytest.raises(GimelError, match=r"cannot be written to .*No space left") as failure:
            datadir.kept_key(directory)
    assert "--data-dir" in failure.value.hint
    assert list(directory.iterdir()) == []
    assert datadir.kept_key(directory)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b" \t\n", b"two words", b"caf\xc3\xa9", b"\xff", b"a\x00b"], ids=repr
)
def test_a_broken_key_file_is_an_error(content: bytes, directory: Path) -> None:
    """That says what to do, instead of an API that needs no key."""
    datadir.key_file(directory).write_bytes(content)
    with pytest.raises(GimelError, match="api-key does not contain a valid API key") as failure:
        datadir.kept_key(directory)
    assert "Delete the file" in failure.value.hint
    assert datadir.key_file(directory).read_bytes() == content


def test_a_key_file_may_end_with_a_newline(directory: Path) -> None:
    """As an editor leaves it."""
    datadir.key_file(directory).write_text("edited-by-hand\n")
    assert datadir.kept_key(directory) == "edited-by-hand"


def test_a_new_directory_is_private(tmp_path: Path) -> None:
    """Whatever the umask; without a warning."""
    umask = os.umask(0)
    try:
        directory = datadir.prepare(tmp_path / "new" / "data", pytest.fail)
    finally:
        os.umask(umask)
    assert mode(directory) == 0o700


def test_an_open_directory_is_reported_and_left_alone(tmp_path: Path) -> None:
    """It could be any directory, so its mode is the user's business."""
    tmp_path.chmod(0o755)
    warnings: list[str] = []
    datadir.prepare(tmp_path, warnings.append)
    assert warnings == [
        f"Other users can open the data directory {tmp_path} (mode 755)."
        f" Run `chmod 700 {tmp_path}` to make it private."
    ]
    assert mode(tmp_path) == 0o755


def test_a_directory_that_everybody_can_write_to_is_refused(tmp_path: Path) -> None:
    """Another user could plant a key, or a server that pretends to be Redis."""
    tmp_path.chmod(0o1777)
    with pytest.raises(GimelError, match="can write to the data directory") as failure:
        datadir.prepare(tmp_path, pytest.fail)
    assert f"chmod 700 {tmp_path}" in failure.value.hint


def test_windows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modes protect nothing there. The directory is not created."""
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(GimelError, match="`gimel serve` needs Linux or macOS") as failure:
        datadir.prepare(tmp_path / "data", pytest.fail)
    assert "WSL" in failure.value.hint
    assert not (tmp_path / "data").exists()


def test_windows_gets_as_far_as_that(tmp_path: Path) -> None:
    """What `gimel serve` imports needs no module that Windows lacks."""
    script = (
        "import sys\nfor name in ('fcntl', 'pwd', 'grp', 'termios'): sys.modules[name] = None\n"
        "import gimel.cli.serve, gimel.serve.gateway, gimel.serve.store"
    )
    subprocess.run([sys.executable, "-c", script], env=environment(tmp_path), check=True)


def test_files_of_an_earlier_run_become_private(tmp_path: Path) -> None:
    """Those that Gimel and Redis wrote; anything else in the directory keeps its mode."""
    (tmp_path / "appendonlydir").mkdir(mode=0o755)
    written = [
        tmp_path / name
        for name in ("api-key", "lock", "store.log", "appendonlydir/appendonly.aof.1.incr.aof")
    ]
    foreign = tmp_path / "notes.txt"
    for path in (*written, foreign):
        path.touch()
        path.chmod(0o644)
    tmp_path.chmod(0o700)
    datadir.prepare(tmp_path, pytest.fail)
    assert {mode(path) for path in written} == {0o600}
    assert mode(tmp_path / "appendonlydir") == 0o700
    assert mode(foreign) == 0o644


def test_a_file_of_another_user_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mounted secret, for example, can be read but not changed."""
    tmp_path.chmod(0o700)
    (tmp_path / "api-key").write_text("mounted")
    (tmp_path / "api-key").chmod(0o444)

    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "chmod", refused)
    warnings: list[str] = []
    datadir.prepare(tmp_path, warnings.append)
    assert warnings == [f"Other users can open {tmp_path / 'api-key'} (mode 444)."]
    assert datadir.kept_key(tmp_path) == "mounted"


def test_a_directory_that_cannot_be_created_is_an_error(tmp_path: Path) -> None:
    """With the system's reason."""
    (tmp_path / "file").touch()
    with pytest.raises(GimelError, match="cannot be used: Not a directory") as failure:
        datadir.prepare(tmp_path / "file" / "data", pytest.fail)
    assert "--data-dir" in failure.value.hint


def test_an_unknown_home_directory_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose user has neither $HOME nor a passwd entry."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 54_321)
    with pytest.raises(GimelError, match="the home directory is unknown") as failure:
        datadir.expand(datadir.DEFAULT)
    assert failure.value.hint == "Set $HOME, or choose a --data-dir."
    assert datadir.expand(Path("/data")) == Path("/data")

"""The data directory of `gimel serve`: where it is, who can read it, and the API key in it.

Redis keeps its own files in the directory; `store` starts it. Nothing here listens or imports a
web server, so that other commands can read the key.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from gimel import paths
from gimel.api.client import check_key
from gimel.errors import GimelError

DEFAULT = Path("~/.gimel/data")

_KEY_FILE = "api-key"
_GROUP_AND_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def expand(directory: Path, otherwise: str = "choose a --data-dir") -> Path:
    """Return the absolute path. Raises GimelError if it needs a home directory that is unknown."""
    return paths.expand(directory, otherwise).absolute()


def prepare(directory: Path, warn: Callable[[str], None]) -> Path:
    """Return the absolute path of the directory, created if it does not exist.

    Files that an earlier run left readable to others are made private. The mode of an existing
    directory is not changed, because it could be anything, such as /tmp: if others can read it,
    `warn` is called; if everybody can write to it, GimelError is raised. So it is if the directory
    cannot be used, and on Windows, where modes protect nothing.
    """
    if sys.platform == "win32":
        raise GimelError(
            "`gimel serve` needs Linux or macOS.", "Run it in WSL (Windows Subsystem for Linux)."
        )
    directory = expand(directory)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = stat.S_IMODE(directory.stat().st_mode)
        if mode & stat.S_IWOTH:
            raise GimelError(
                f"Every user of this machine can write to the data directory {directory}.",
                f"Run `chmod 700 {directory}`, or choose another --data-dir.",
            )
        if mode & _GROUP_AND_OTHERS:
            warn(
                f"Other users can open the data directory {directory} (mode {mode:o})."
                f" Run `chmod 700 {directory}` to make it private."
            )
        for path in _files(directory):
            _make_private(path, warn)
    except OSError as error:
        raise GimelError(
            f"The data directory {directory} cannot be used: {error.strerror}.",
            "Choose another --data-dir.",
        ) from None
    return directory


def key_file(directory: Path) -> Path:
    """Return the path of the file that holds the API key."""
    return directory / _KEY_FILE


def read_key(path: Path) -> str:
    """Return the key in a file. Raises FileNotFoundError, and GimelError if it is not valid."""
    try:
        key = path.read_text("ascii").strip()
        check_key(key)
    except FileNotFoundError:
        raise
    except (UnicodeDecodeError, GimelError):
        raise GimelError(
            f"{path} does not contain a valid API key.",
            "Delete the file; `gimel serve` creates a new key when it starts.",
        ) from None
    except OSError as error:
        raise GimelError(
            f"{path} cannot be read: {error.strerror}.", "Pass the key with --api-key."
        ) from None
    return key


def kept_key(directory: Path) -> str:
    """Return the API key kept in a prepared directory, created the first time. Raises GimelError.

    The file appears with its content or not at all, and never replaces another one. A crash, a full
    disk or a second process that starts at the same moment can therefore not lead to an empty key
    or to two keys.
    """
    path = key_file(directory)
    try:
        return read_key(path)
    except FileNotFoundError:
        pass
    try:
        with _written_aside(directory, secrets.token_urlsafe(24)) as new:
            with contextlib.suppress(FileExistsError):
                os.link(new, path)
            return read_key(path)
    except OSError as error:
        raise GimelError(
            f"The API key cannot be written to {path}: {error.strerror}.",
            "Choose another --data-dir, or pass a key with --api-key.",
        ) from None


@contextlib.contextmanager
def _written_aside(directory: Path, text: str) -> Iterator[Path]:
    """Write a temporary file with mode 0600, which is on the disk when the block begins."""
    descriptor, name = tempfile.mkstemp(prefix=f".{_KEY_FILE}-", dir=directory)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        yield Path(name)
    finally:
        Path(name).unlink()


def _make_private(path: Path, warn: Callable[[str], None]) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _GROUP_AND_OTHERS:
        try:
            path.chmod(mode & ~_GROUP_AND_OTHERS)
        except PermissionError:  # the file of another user, such as a mounted secret
            warn(f"Other users can open {path} (mode {mode:o}).")


def _files(directory: Path) -> Iterator[Path]:
    """Yield the files of Gimel and Redis in the directory that exist, and no others."""
    for pattern in (_KEY_FILE, "lock", "store.log", "appendonlydir", "appendonlydir/*"):
        for path in directory.glob(pattern):
            if not path.is_symlink():
                yield path

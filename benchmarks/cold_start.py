"""The whole start of a Lambda function up to the first answer of `track`, against 1.5.0.

Both versions run as on AWS: AWS's runtime client (awslambdaric) imports the handler from the
unpacked zip, takes one event from the Runtime API and posts the answer. The versions have no
bytecode, because Lambda's file system is read-only; the standard library and the runtime client
have theirs. The interpreter is that of the runtime client's environment. 1.5.0 gets the zip that
its `deploy` would build, with redis-py 3.5.3, and the event that its mapping template would make.

    python -m benchmarks.cold_start [ROUNDS]

measures instead what it adds to a start if AWS keeps the password of Redis (docs/secrets.md), with
Redis over TLS and AWS on the other core of this machine.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import socket
import ssl
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import trustme

from benchmarks.competitors import (
    OLD,
    THIS,
    Row,
    Setup,
    empty_store,
    in_words,
    oracle_packages,
    pin,
    ratio,
    setups,
)
from benchmarks.event_path import EVENTS
from gimel import config
from gimel.deploy.desired import DesiredFunction, desired_state
from tests.support.sandbox import running
from tests.support.servers import Listener, Proxy, Store

NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}

PASSWORDS: dict[str, object] = {
    "in the settings": "s3cret",
    "in Parameter Store": {"ssm": "/gimel/redis"},
    "in Secrets Manager": {"secretsmanager": "gimel/redis", "key": "password"},
}


def rows(setup: Setup, rounds: int) -> list[Row]:
    """Measure one start of each version per round."""
    walls: dict[str, list[float]] = {THIS: [], OLD: []}
    cpus: dict[str, list[float]] = {THIS: [], OLD: []}
    with empty_store() as store:
        os.sched_setaffinity(0, {setup.store})  # this process serves the Runtime API
        pin(store.process.pid, setup.store)
        functions = {
            THIS: this_function(host="127.0.0.1", port=store.port),
            OLD: old_function(store),
        }
        for name, function in functions.items():  # let Python write the bytecode of its modules
            start(name, function, setup, {})
        for turn in range(rounds):
            print(f"start: round {turn + 1} of {rounds}", file=sys.stderr)
            for name, function in functions.items():
                wall, cpu = start(name, function, setup, NO_BYTECODE)
                walls[name].append(wall)
                cpus[name].append(cpu)
    os.sched_setaffinity(0, {setup.client, setup.store})
    return [_compare("CPU time", cpus), _compare("time", walls)]


def start(
    name: str, function: DesiredFunction, setup: Setup, variables: Mapping[str, str]
) -> tuple[float, float]:
    """Start the function. Return the time and the CPU time up to its first answer, in seconds."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(function, Path(folder), HOME=folder, **variables) as sandbox,
    ):
        pin(sandbox.process_id, setup.client)
        report = sandbox.invoke(EVENTS[name])
        cpu = cpu_seconds(sandbox.process_id)
    if report.kind != "response" or (name == THIS and report.value["statusCode"] != 200):
        sys.exit(f"{name} answered {report.value}")
    return report.arrived - sandbox.started, cpu


def cpu_seconds(process: int) -> float:
    """Return the CPU time that all threads of a process have used.

    https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat
    """
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def secret_rows(setup: Setup, rounds: int) -> list[Row]:
    """Measure one start per round for each place of the password, with Redis over TLS."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    walls: dict[str, list[float]] = {name: [] for name in PASSWORDS}
    cpus: dict[str, list[float]] = {name: [] for name in PASSWORDS}
    with (
        empty_store() as store,
        Proxy(store.port, context) as tls,
        Listener(lambda connection: _keep_secrets(connection, context)) as aws,
        tempfile.TemporaryDirectory() as folder,
    ):
        os.sched_setaffinity(0, {setup.store})
        pin(store.process.pid, setup.store)
        with store.client() as admin:
            admin.config_set("requirepass", "s3cret")
        bundle = Path(folder) / "ca.pem"
        trusted = Path(ssl.get_default_verify_paths().cafile or "").read_bytes()
        bundle.write_bytes(trusted + authority.cert_pem.bytes())
        variables = {
            "SSL_CERT_FILE": str(bundle),
            "AWS_ENDPOINT_URL": f"https://localhost:{aws.port}",
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "key",
            "AWS_SESSION_TOKEN": "token" * 200,
        }
        functions = {
            name: this_function(host="localhost", port=tls.port, ssl=True, password=password)
            for name, password in PASSWORDS.items()
        }
        for function in functions.values():
            start(THIS, function, setup, variables)
        for turn in range(rounds):
            print(f"secrets: round {turn + 1} of {rounds}", file=sys.stderr)
            for name, function in functions.items():
                wall, cpu = start(THIS, function, setup, {**variables, **NO_BYTECODE})
                walls[name].append(wall)
                cpus[name].append(cpu)
    return [
        Row(f"password {name}: {figure}", _more(seconds, name), in_words(median(seconds[name])))
        for figure, seconds in (("CPU time", cpus), ("time", walls))
        for name in PASSWORDS
    ]


def _keep_secrets(connection: socket.socket, context: ssl.SSLContext) -> None:
    """Answer a request as AWS does."""
    with context.wrap_socket(connection, server_side=True) as client:
        request = client.recv(65536)
        secret: dict[str, object] = {"SecretString": json.dumps({"password": "s3cret"})}
        if b"GetParameter" in request:
            secret = {"Parameter": {"Value": "s3cret"}}
        body = json.dumps(secret)
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall((head + body).encode())


def _more(seconds: Mapping[str, Sequence[float]], name: str) -> str:
    first = next(iter(PASSWORDS))
    pairs = zip(seconds[name], seconds[first], strict=True)
    return f"+{1000 * median(mine - usual for mine, usual in pairs):.1f} ms"


def this_function(**redis: object) -> DesiredFunction:
    """Return `track` as `gimel deploy` would upload it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.json"
        file.write_text(json.dumps({"redis": redis}))
        functions = desired_state(config.load(file)).functions
    (track,) = [each for each in functions if each.configuration.handler == "gimel.track"]
    return track


def old_function(store: Store) -> DesiredFunction:
    """Return `track` as 1.5.0's `deploy` would upload it."""
    packages = oracle_packages()
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        redis = {"host": "127.0.0.1", "port": store.port}
        archive.writestr("config.json", json.dumps({"redis": redis}))
        for name in ("config.py", "gimel.py", "logger.py"):
            archive.write(packages / "gimel" / name, name)
        for path in (packages / "redis").rglob("*.py"):
            archive.write(path, Path("vendor") / path.relative_to(packages))
    this = this_function(host="127.0.0.1", port=store.port)
    without_settings = dataclasses.replace(this.configuration, settings=None)
    return dataclasses.replace(this, code=code.getvalue(), configuration=without_settings)


def _compare(figure: str, seconds: Mapping[str, list[float]]) -> Row:
    return Row(
        f"start under awslambdaric to the first answer of `track`: {figure} against 1.5.0",
        f"{ratio(seconds[THIS], seconds[OLD]):.2f}",
        f"{in_words(median(seconds[THIS]))}; 1.5.0: {in_words(median(seconds[OLD]))}",
    )


if __name__ == "__main__":
    for row in secret_rows(setups()[1], int(sys.argv[1]) if len(sys.argv) > 1 else 25):
        print(f"{row.measured}: {row.result} ({row.figures})")

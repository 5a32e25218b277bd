"""A Lambda function as AWS runs it: AWS's own runtime client calls the handler in the unpacked zip.

The client is the real one, in an environment that contains nothing else. It gets its events from,
and sends the answers to, the Runtime API, which this module implements:
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import contextlib
import http.server
import io
import json
import queue
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gimel.deploy.desired import SETTINGS_VARIABLE, DesiredFunction
from tests.support.environments import python_with

REQUIREMENT = "awslambdaric==4.2.2"

_API = "/2018-06-01/runtime/"
_NEXT = f"{_API}invocation/next"
_ARN = "arn:aws:lambda:eu-central-1:123456789012:function:gimel:live"
_TRACE_ID = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1"
_PATIENCE = 20  # seconds that a busy machine may take beyond the function's time-out


@dataclass(frozen=True)
class Report:
    """What the client reported.

    `kind` is response, error (the handler raised) or init/error (there is no handler). `arrived` is
    the time at which the report arrived (time.perf_counter).
    """

    kind: str
    value: Any
    arrived: float


@dataclass
class Sandbox:
    """A running function. It processes one event at a time.

    `started` is the time just before its process was started (time.perf_counter).
    """

    timeout: int
    log_file: Path
    process_id: int = 0
    started: float = 0.0
    _events: queue.Queue[Any] = field(default_factory=queue.Queue)
    _reports: queue.Queue[Report] = field(default_factory=queue.Queue)
    _invocations: int = 0

    def invoke(self, event: Any) -> Report:
        """Pass an event to the function and wait for the report."""
        self._invocations += 1
        self._events.put(event)
        try:
            return self._reports.get(timeout=self.timeout + _PATIENCE)
        except queue.Empty:
            raise AssertionError(f"no answer; the log is: {self.log}") from None

    def answer(self, event: Any) -> tuple[int, Any]:
        """Pass a gateway's event to the function. Return the status and body of its answer."""
        report = self.invoke(event)
        assert report.kind == "response", report
        return report.value["statusCode"], json.loads(report.value["body"])

    @property
    def log(self) -> str:
        """What the function has logged until now."""
        return self.log_file.read_text("utf-8")


@contextlib.contextmanager
def running(function: DesiredFunction, folder: Path, **variables: str) -> Iterator[Sandbox]:
    """Run a function during a with block, with its files in the folder.

    `variables` are added to its environment.
    """
    python = python_with(REQUIREMENT)
    wanted = function.configuration
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    task = folder / "task"
    zipfile.ZipFile(io.BytesIO(function.code)).extractall(task)
    sandbox = Sandbox(wanted.timeout, folder / "log")
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), _runtime_api(sandbox)) as api,
        sandbox.log_file.open("wb") as log,
    ):
        environment = {
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{version}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(wanted.memory),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
            "LAMBDA_TASK_ROOT": str(task),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": wanted.handler,
            **({} if wanted.settings is None else {SETTINGS_VARIABLE: wanted.settings}),
            **variables,
        }
        serving = threading.Thread(target=api.serve_forever, args=(0.01,))
        serving.start()
        sandbox.started = time.perf_counter()
        process = subprocess.Popen(
            [python, "-m", "awslambdaric", wanted.handler],
            cwd=task,
            env=environment,
            stdout=log,
            stderr=log,
        )
        sandbox.process_id = process.pid
        try:
            yield sandbox
        finally:
            process.kill()
            process.wait()
            sandbox._events.put(None)  # for the thread that still waits for an event
            api.shutdown()
            serving.join()


def _runtime_api(sandbox: Sandbox) -> type[http.server.BaseHTTPRequestHandler]:
    class RuntimeApi(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # otherwise a body waits 40 ms for its headers' receipt

        def handle(self) -> None:
            with contextlib.suppress(OSError):  # the client was killed
                super().handle()

        def do_GET(self) -> None:
            assert self.path == _NEXT, self.path
            event = sandbox._events.get()
            headers = {
                "Lambda-Runtime-Aws-Request-Id": str(sandbox._invocations),
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + sandbox.timeout) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": _ARN,
                "Lambda-Runtime-Trace-Id": _TRACE_ID,
            }
            self._send(200, event, **headers)

        def do_POST(self) -> None:
            value = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            arrived = time.perf_counter()
            self._send(202, {"status": "OK"})
            kind = self.path.removeprefix(_API).removeprefix(f"invocation/{sandbox._invocations}/")
            sandbox._reports.put(Report(kind, value, arrived))

        def _send(self, status: int, value: Any, **headers: str) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            for name, text in {
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                **headers,
            }.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return RuntimeApi

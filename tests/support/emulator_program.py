"""ministack with snapshots.

ministack's own Python runs this file, which imports neither Gimel nor other tests.

What differs from plain ministack:

- `PUT /_snapshot/NAME` saves a copy of everything that the emulator holds, and
  `POST /_snapshot/NAME` restores it. `GET` returns the process id only.
- It ends when its stdin does, and so with the process that started it, however that ends.
- A function that was created or changed is pending in that answer and ready for the next call,
  not half a second later. A deploy then always makes the same calls. `test_timing` tests waiting.
- A certificate is pending until its record is in a public hosted zone, or until `POST
  /_certificates/`, which is the record at another DNS provider. Domain names and their mappings can
  be changed.
- A cold start does not import botocore, which Gimel's handlers do not use.
- A process that runs a function also runs every other one with the same code and settings, even
  after a reset: a cold start takes most of the time of a deploy here.
- A serverless cache of ElastiCache needs no Docker: it is the server of `tests.support.cache`, and
  is available with the request after the one that creates it. Its user has the access that its
  access string gives, and may log in with any password. A final snapshot is only accepted.
- It returns the metrics of an alarm that is based on an expression.
"""

from __future__ import annotations

import contextvars
import functools
import hashlib
import json
import os
import pickle
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import unquote

from ministack import app as ministack  # type: ignore[import-not-found]
from ministack.core import lambda_runtime  # type: ignore[import-not-found]
from ministack.core.responses import (  # type: ignore[import-not-found]
    AccountRegionScopedDict,
    AccountScopedDict,
)
from ministack.services import (  # type: ignore[import-not-found]
    acm,
    apigateway_v1,
    cloudwatch,
    lambda_svc,
    route53,
)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PATH = "/_snapshot/"
CERTIFICATES = "/_certificates/"
MOST_IDLE_WORKERS = 10

_serve = ministack.app
_snapshots: dict[str, bytes] = {}
_pending: list[Callable[[], None]] = []


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer requests about snapshots; pass everything else to ministack."""
    if scope["type"] == "http":
        while _pending:
            _pending.pop()()
        if scope["path"].startswith(PATH):
            await _answer(send, _snapshot(scope["method"], scope["path"].removeprefix(PATH)))
            return
        if scope["path"] == CERTIFICATES:
            for certificate in acm._certificates._data.values():
                certificate["Status"] = "ISSUED"
            await _answer(send, 200)
            return
    await _serve(scope, receive, send)


def _snapshot(method: str, name: str) -> int:
    """Keep or restore a snapshot; return the HTTP status."""
    if method == "PUT":
        held = {where: container._data for where, container in _containers()}
        _snapshots[name] = pickle.dumps(held)
        return 200
    if method == "GET":
        return 200
    if name not in _snapshots:
        return 404
    ministack._reset_all_state()
    held = pickle.loads(_snapshots[name])
    for where, container in _containers():
        container._data.clear()
        container._data.update(held.get(where, {}))
    return 200


def _containers() -> Iterator[tuple[tuple[str, str], Any]]:
    """Yield each container of the state of the imported services, by module and name."""
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("ministack.services."):
            for name, value in vars(module).items():
                if isinstance(value, AccountScopedDict | AccountRegionScopedDict):
                    yield (module_name, name), value


async def _answer(send: Send, status: int) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"pid": os.getpid()}).encode()})


def _ready_with_the_next_request(function: str, _delay: float) -> None:
    context = contextvars.copy_context()  # which says whose function it is, and in which region
    _pending.append(functools.partial(context.run, _make_ready, function))


def _make_ready(name: str) -> None:
    function = lambda_svc._functions.get(name)
    if function is not None:
        for each in (function, *function.get("versions", {}).values()):
            each["config"].update(State="Active", LastUpdateStatus="Successful")


def _key_of_worker(function: str, config: dict[str, Any], qualifier: str) -> str:
    """Return what decides how a function answers, without its name and version."""
    names = ("CodeSha256", "Handler", "Runtime", "Timeout", "Environment")
    _, region = lambda_runtime._account_region_from_function_config(config)
    content = json.dumps([region, *(config.get(name) for name in names)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _acquire_worker(acquire: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Lease a process; end those that were used longest ago, beyond some."""
    leased = acquire(*arguments, **options)
    with lambda_runtime._lock:
        idle = [
            (entries[0].last_used, key)
            for key, entries in lambda_runtime._workers.items()
            if not any(worker.in_use for worker in entries)
        ]
        ended = [lambda_runtime._workers.pop(key) for _, key in sorted(idle)[:-MOST_IDLE_WORKERS]]
    lambda_runtime.kill_workers(worker for entries in ended for worker in entries)
    return leased


def _use_cache(tls_port: int, port: int) -> None:
    """Let serverless caches be a server that takes TLS on one port, and plain text on another."""
    from ministack.services import ec2, elasticache

    def provision(record: dict[str, Any], _replaced: str | None = None) -> None:
        record["Status"] = "creating"
        if not record["SubnetIds"]:
            ec2._init_defaults()
            record["SubnetIds"] = [each["SubnetId"] for each in ec2._subnets.values()][:3]
        group = elasticache._user_groups[record["UserGroupId"]]
        for user in (elasticache._users[each] for each in group["UserIds"]):
            _send(port, "ACL", "SETUSER", user["UserName"], "reset", "nopass")
            _send(port, "ACL", "SETUSER", user["UserName"], *user["AccessString"].split())
        _pending.append(functools.partial(make_available, record))

    def make_available(record: dict[str, Any]) -> None:
        record["Endpoint"] = record["ReaderEndpoint"] = {"Address": "localhost", "Port": tls_port}
        record["Status"] = "available"

    def create_user(p: dict[str, Any], create: Callable[..., Any]) -> Any:
        answer = create(p)
        if elasticache._p(p, "AuthenticationMode.Type") == "iam" and answer[0] == 200:
            user = elasticache._users[elasticache._p(p, "UserId")]
            user["Authentication"] = {"Type": "iam", "PasswordCount": 0}
            return 200, answer[1], answer[2].replace(b"no-password", b"iam")
        return answer

    def delete_cache(p: dict[str, Any], delete: Callable[..., Any]) -> Any:
        return delete({name: value for name, value in p.items() if name != "FinalSnapshotName"})

    elasticache._get_docker = object
    elasticache._teardown_containers = lambda docker, ids: None
    elasticache._provision_in_background = provision
    elasticache._create_user = functools.partial(create_user, create=elasticache._create_user)
    elasticache._delete_serverless_cache = functools.partial(
        delete_cache, delete=elasticache._delete_serverless_cache
    )


def _send(port: int, *command: str) -> None:
    """Send a command to a server on loopback that answers OK."""
    parts = [part.encode() for part in command]
    payload = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(b"*%d\r\n%s" % (len(parts), payload))
        answer = connection.recv(1024)
    assert answer == b"+OK\r\n", answer


def _request_certificate(request: Callable[..., Any], data: dict[str, Any]) -> Any:
    answer = request(data)
    acm._certificates[json.loads(answer[2])["CertificateArn"]]["Status"] = "PENDING_VALIDATION"
    return answer


def _describe_certificate(describe: Callable[..., Any], data: dict[str, Any]) -> Any:
    certificate = acm._certificates.get(data["CertificateArn"])
    if certificate and certificate["Status"] == "PENDING_VALIDATION":
        wanted = certificate["DomainValidationOptions"][0]["ResourceRecord"]["Name"]
        public = [each["id"] for each in route53._zones.values() if not each["private"]]
        names = [each["Name"] for zone in public for each in route53._records.get(zone, [])]
        certificate["Status"] = "ISSUED" if wanted in names else certificate["Status"]
    return describe(data)


async def _change_domain(
    serve: Callable[..., Awaitable[Any]],
    method: str,
    path: str,
    headers: Any,
    body: bytes,
    query: Any,
) -> Any:
    """Change a domain name or a mapping, which ministack cannot; pass everything else on."""
    parts = path.strip("/").split("/")
    if method != "PATCH" or parts[0] != "domainnames":
        return await serve(method, path, headers, body, query)
    found = apigateway_v1._domain_names[parts[1]]
    if len(parts) > 2:
        found = apigateway_v1._base_path_mappings[parts[1]][unquote(parts[3])]
    for each in json.loads(body)["patchOperations"]:
        key = {"/restapiId": "restApiId"}.get(each["path"], each["path"].removeprefix("/"))
        found[key] = each["value"]
    return 200, {"Content-Type": "application/json"}, json.dumps(found).encode()


def _put_metric_alarm(
    put: Callable[..., Any], params: Any, body: dict[str, Any], *options: Any
) -> Any:
    """Keep what ministack drops of an alarm. It then describes the alarm as AWS does."""
    answer = put(params, body, *options)
    if (alarm := cloudwatch._alarms.get(body.get("AlarmName"))) is not None and "Metrics" in body:
        alarm["Metrics"] = body["Metrics"]
    return answer


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    acm._request_certificate = functools.partial(_request_certificate, acm._request_certificate)
    acm._describe_certificate = functools.partial(_describe_certificate, acm._describe_certificate)
    apigateway_v1.handle_request = functools.partial(_change_domain, apigateway_v1.handle_request)
    lambda_svc._schedule_state_transition = _ready_with_the_next_request
    instrumented = "import botocore.handlers"
    assert instrumented in lambda_runtime._PYTHON_WORKER_SCRIPT
    lambda_runtime._PYTHON_WORKER_SCRIPT = lambda_runtime._PYTHON_WORKER_SCRIPT.replace(
        instrumented, "raise ImportError"
    )
    lambda_runtime._worker_key = _key_of_worker
    lambda_svc.acquire_worker = functools.partial(_acquire_worker, lambda_svc.acquire_worker)
    lambda_runtime.reset = lambda: None
    if ports := os.environ.get("SERVERLESS_CACHE"):
        _use_cache(*map(int, ports.split()))
    put = cloudwatch._put_metric_alarm
    cloudwatch._put_metric_alarm = functools.partial(_put_metric_alarm, put)
    ministack.app = app
    ministack.main()

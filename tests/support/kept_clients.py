"""boto3 sessions and clients that are created once per environment.

To create the five of a deploy takes as long as 25 calls.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.loaders import JSONFileLoader

sent: list[str] = []
"""The operations that the kept clients have sent, in order."""


@contextlib.contextmanager
def kept_clients() -> Iterator[None]:
    """Have boto3 keep its sessions and clients for the length of a with block.

    They are reused only with the same AWS variables in the environment.
    """
    make_core, make_session = botocore.session.get_session, boto3.Session
    cores: dict[object, Any] = {}
    sessions: dict[object, Any] = {}

    def core() -> Any:
        environment = _environment()
        if environment not in cores:
            cores[environment] = make_core()
        return cores[environment]

    def session(**options: Any) -> Any:
        key = _environment(), str(options)
        if key not in sessions:
            sessions[key] = _keep_clients(make_session(**options))
        return sessions[key]

    with pytest.MonkeyPatch.context() as patch:
        read_service_models_once(patch.setattr)
        patch.setattr(botocore.session, "get_session", core)
        patch.setattr(boto3, "Session", session)
        yield


def read_service_models_once(set_: Callable[[Any, str, Any], None] = setattr) -> None:
    """Have botocore parse each of its JSON files once: megabytes per session."""
    set_(JSONFileLoader, "load_file", lambda _, path: _read(path))


_read = functools.cache(JSONFileLoader().load_file)


def _keep_clients(session: Any) -> Any:
    make_client = session.client
    clients: dict[str, Any] = {}

    def client(service: str, *, config: Config | None = None, **options: Any) -> Any:
        key = str([service, vars(config) if config else None, options])
        if key not in clients:
            clients[key] = made = make_client(service, config=config, **options)
            made.meta.events.register("before-send", _note)
        return clients[key]

    session.client = client
    return session


def _note(event_name: str, **_: Any) -> None:
    sent.append(event_name.rsplit(".", 1)[1])


def _environment() -> tuple[Any, ...]:
    return tuple(sorted(each for each in os.environ.items() if each[0].startswith("AWS_")))

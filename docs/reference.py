"""The parts of the documentation that are generated from the code. Cog writes them, CI checks them.

Each function returns Markdown. Nothing in the package imports this module.
"""

from __future__ import annotations

import json
import math
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import click
from costs_page import counter_bytes

import gimel
from gimel import config
from gimel.analysis.counts import relative_variance
from gimel.cli import main
from gimel.config.kinds import Section, section_of
from gimel.deploy.checks import redis_permissions
from gimel.deploy.resources.rules import describe_schedule
from gimel.runtime.fields import DEFAULT_NAMESPACE
from gimel.runtime.keys import NAMESPACES, PRECISIONS
from gimel.runtime.settings import DEFAULTS, REDIS_DEFAULTS
from gimel.wiring import HANDLERS, METHODS, PUBLIC_HANDLERS, WIRING


def configuration_table(prefix: str = "") -> str:
    """Return a table of the keys of config.json that have a prefix, with defaults and meaning."""
    defaults = {
        **config.Document().model_dump(),
        **DEFAULTS,
        "redis": {**REDIS_DEFAULTS, "host": None},
    }
    lines = ["| key | default | meaning |", "| --- | --- | --- |"]
    for key, default, meaning in _keys(config.Document, defaults):
        if key.startswith(prefix):
            shown = "" if default is None else f"`{json.dumps(default)}`"
            lines.append(f"| `{key}` | {shown} | {meaning} |")
    return "\n".join(lines) + "\n"


def redis_user() -> str:
    """Return the Redis command that creates a user with just the permissions of the runtime."""
    commands = {
        redis_permissions.ON_CLUSTERS,
        *redis_permissions.READS,
        *redis_permissions.WRITES,
        *redis_permissions.DELETES,
        *redis_permissions.RECORDS,
    }
    permitted = " ".join(f"+{command.lower()}" for command in sorted(commands))
    return (
        "```text\n"
        f"ACL SETUSER gimel on >PASSWORD ~{DEFAULT_NAMESPACE}:* ~{NAMESPACES} {permitted}\n"
        "```\n"
    )


def precision_table() -> str:
    """Return a table of the precisions: the largest counting error and memory."""
    rows = ["| `precision` | standard error | memory of a counter |", "| ---: | ---: | ---: |"]
    for precision in PRECISIONS:
        error = math.sqrt(relative_variance(1e12, precision))
        memory = round(counter_bytes(precision) / 1000)
        rows.append(f"| {precision} | {error:.2%} | {memory:,} KB |")
    return "\n".join(rows) + "\n"


def wiring_table() -> str:
    """Return a table of the routes and schedules in WIRING, with their functions."""
    lines = [
        "| route or schedule | API key | function | handler | memory | timeout |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for route in WIRING.routes:
        function = WIRING.function(route.function)
        key = "required" if route.api_key_required else ""
        lines.append(
            f"| `{route.method} /{route.path}` | {key} | `{function.name}` | `{function.handler}` "
            f"| {function.memory} MB | {function.timeout} s |"
        )
    for function in WIRING.functions:
        if function.schedule is not None:
            lines.append(
                f"| {describe_schedule(function.schedule)} |  | `{function.name}` "
                f"| `{function.handler}` | {function.memory} MB | {function.timeout} s |"
            )
    return "\n".join(lines) + "\n"


def entry_tables() -> str:
    """Return what an entry of `extra_wiring` may hold: handlers and methods."""
    lines = ["| `Handler` | purpose | `function_url` |", "| --- | --- | --- |"]
    for handler in HANDLERS:
        function = getattr(gimel, handler.removeprefix("gimel."))
        purpose = (function.__doc__ or "").strip().splitlines()[0]
        url = "allowed" if handler in PUBLIC_HANDLERS else "no: it requires the API key"
        lines.append(f"| `{handler}` | {purpose} | {url} |")
    methods = ", ".join(f"`{method}`" for method in METHODS)
    return "\n".join(lines) + f"\n\n`httpMethod` is one of {methods}.\n"


def command_reference() -> str:
    """Return the --help of the group and of each command, under a heading each."""
    context = click.Context(main, info_name="gimel", terminal_width=100, **main.context_settings)
    return "\n".join(_helps(main, context))


def _helps(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield the --help of a command, and of each command in a group."""
    yield _help(command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None  # noqa: S101
            below = click.Context(inner, info_name=name, parent=context, terminal_width=100)
            yield from _helps(inner, below)


def _help(command: click.Command, context: click.Context) -> str:
    return f"### {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"


def _keys(
    section: type[Section], defaults: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, str]]:
    """Yield each key below a section with its default, None if it has none, and its description."""
    for key, field in section.keys().items():
        inner, kind = section_of(field.annotation), typing.get_origin(field.annotation)
        others = {each for each in typing.get_args(field.annotation) if not section_of(each)}
        is_choice = kind not in (dict, list) and bool(others - {type(None)})  # text or a section
        if inner is None or kind is list or is_choice:
            yield f"{prefix}{key}", defaults.get(key), field.description or ""
        if inner is not None and kind is not list:  # WIRING.md describes those of extra_wiring
            name = "NAME." if kind is dict else ""
            known = inner().model_dump() if kind is dict else defaults.get(key) or {}
            yield from _keys(inner, known, f"{prefix}{key}.{name}")

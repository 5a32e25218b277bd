"""The parts of README.md and WIRING.md that are made from the code. Cog writes them; CI checks them."""

from __future__ import annotations

import importlib
import json
import typing
from collections.abc import Iterator
from typing import Any

import click

from gimel import _MODULE_OF_HANDLER, config
from gimel.cli import main
from gimel.runtime.settings import DEFAULTS, REDIS_DEFAULTS
from gimel.wiring import HANDLERS, METHODS, PUBLIC_HANDLERS, wire

_NO_DEFAULT = object()


def configuration_table() -> str:
    """Return a Markdown table of every key of config.json, with its default and meaning."""
    lines = ["| key | default | meaning |", "| --- | --- | --- |"]
    for key, default, meaning in _keys(
        config.Document, {**DEFAULTS, "redis": {**REDIS_DEFAULTS, "host": None}}
    ):
        shown = "" if default is _NO_DEFAULT or default is None else f"`{json.dumps(default)}`"
        lines.append(f"| `{key}` | {shown} | {meaning} |")
    return "\n".join(lines) + "\n"


def wiring_table() -> str:
    """Return a Markdown table of WIRING's routes, with their functions."""
    wiring = wire()
    lines = [
        "| route | API key | function | handler | memory | timeout |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for route in wiring.routes:
        function = wiring.function(route.function)
        key = "needed" if route.api_key_required else ""
        lines.append(
            f"| `{route.method} /{route.path}` | {key} | `{function.name}` | `{function.handler}` "
            f"| {function.memory} MB | {function.timeout} s |"
        )
    return "\n".join(lines) + "\n"


def entry_tables() -> str:
    """Return what is allowed where in an entry of the wiring: handlers and methods."""
    lines = ["| `Handler` | does | `function_url` |", "| --- | --- | --- |"]
    for handler in HANDLERS:
        module = importlib.import_module(_MODULE_OF_HANDLER[handler.removeprefix("gimel.")])
        does = (
            (getattr(module, handler.removeprefix("gimel.")).__doc__ or "").strip().splitlines()[0]
        )
        lines.append(
            f"| `{handler}` | {does} | {'may have one' if handler in PUBLIC_HANDLERS else 'no: it needs the API key'} |"
        )
    methods = ", ".join(f"`{method}`" for method in METHODS)
    return "\n".join(lines) + f"\n\n`httpMethod` is one of {methods}.\n"


def command_reference() -> str:
    """Return each command's --help, under a heading of its own."""
    context = click.Context(main, info_name="gimel", terminal_width=100, **main.context_settings)
    parts = [_help(main, context)]
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        if command is not None:
            parts.append(
                _help(
                    command,
                    click.Context(command, info_name=name, parent=context, terminal_width=100),
                )
            )
    return "\n".join(parts)


def _help(command: click.Command, context: click.Context) -> str:
    return f"### {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"


def _keys(model: Any, defaults: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any, str]]:
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        kinds = (field.annotation, *typing.get_args(field.annotation))
        section = next((kind for kind in kinds if hasattr(kind, "model_fields")), None)
        default = defaults.get(name, _NO_DEFAULT if field.is_required() else field.default)
        if section is not None:
            inner = default.model_dump() if hasattr(default, "model_dump") else default
            named = (
                f"{prefix}{name}.NAME."
                if typing.get_origin(field.annotation) is dict
                else f"{prefix}{name}."
            )
            yield from _keys(section, inner if isinstance(inner, dict) else {}, named)
        else:
            yield f"{prefix}{name}", default, field.description

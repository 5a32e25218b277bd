"""Sentences about mistakes in config.json: which key, what is allowed there and what was found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gimel.config.kinds import NotAllowedError, Section, section_of
from gimel.config.schema import Document
from gimel.errors import GimelError, suggest

_SECRETS = ("password", "ssl_ca_data", "secret", "webhook")
_SECTIONS_WITH_SECRETS = ("redis", "alerts")

_ALLOWED = {
    "bool_type": "must be true or false",
    "dict_type": "must be an object",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "literal_error": "must be {expected}",
    "model_type": "must be an object",
    "string_too_short": "must not be empty",
    "string_type": "must be text",
    "too_long": "must have at most {max_length} items",
    "too_short": "must not be empty",
}


class ConfigError(GimelError):
    """A mistake in the configuration.

    `advice` belongs to this mistake and may be empty. `hint` also names the command that opens the
    file; `gimel configure`, which has just closed it, shows the advice alone.
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message, f"{advice} Run `gimel configure` to fix it.".strip())
        self.advice = advice


def explain(where: str, error: ValidationError, document: Mapping[str, Any]) -> str:
    """Return `where` and one sentence per mistake in a document; several get a line each."""
    mistakes = dict.fromkeys(_explain(each, document) for each in error.errors(include_url=False))
    if len(mistakes) == 1:
        return f"{where}: {next(iter(mistakes))}"
    return "\n  ".join([f"{where}:", *mistakes])


def _explain(mistake: ErrorDetails, document: Mapping[str, Any]) -> str:
    location, kind = mistake["loc"], mistake["type"]
    if kind == "extra_forbidden":
        return f"unknown key {_path(location)!r}. {_suggest_key(location)}"
    if kind == "missing":
        return f"{_path(location)} is missing."
    context = {name: _plain(value) for name, value in mistake.get("ctx", {}).items()}
    cause = context.get("error")
    if isinstance(cause, NotAllowedError):
        allowed, hint = cause.allowed, cause.hint
    else:
        template = _ALLOWED.get(kind)
        allowed = (template or "is not valid").format(**context).replace("'", '"')
        hint = ""
    if location[-1] == "[key]":  # the mistake is in the name of a key, such as a tag's
        sentence = f"{_path(location[:-2])}: the key {_show(location[-2])} {allowed}."
    else:
        found = _found(document, location)
        sentence = f"{_path(location)} {allowed}"
        # What breaks a rule about several keys is too long to show.
        spans_keys = cause is not None and isinstance(found, dict)
        sentence += "." if spans_keys else f"; found {_show_safely(found, location)}."
    return f"{sentence} {hint}".strip()


def _plain(value: Any) -> Any:
    """Return a limit of a number as people write it: 0 for 0.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _path(location: Sequence[int | str]) -> str:
    """Return a location as a user writes it: `extra_wiring[0].lambda.Timeout`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")


def _suggest_key(location: Sequence[int | str]) -> str:
    """Return a hint with the keys of the section that holds an unknown one."""
    section: type[Section] = Document
    for part in location[:-1]:
        field = section.keys().get(str(part))
        if field is not None:
            section = section_of(field.annotation) or section
    return suggest(str(location[-1]), section.keys())


def _found(document: Any, location: Sequence[int | str]) -> Any:
    for part in location:
        document = document[part]
    return document


def _show_safely(found: Any, location: Sequence[int | str]) -> str:
    """Return what was found, but no password, and nothing that may contain one."""
    if location[-1] in _SECRETS:
        return "a secret"
    if location[0] in _SECTIONS_WITH_SECRETS and isinstance(found, dict | list):
        return "an object" if isinstance(found, dict) else "a list"
    if "password" in location[:-1]:  # the password itself in place of the name of a secret
        return "text" if isinstance(found, str) else _show(found)
    if isinstance(found, str) and _may_be_url(location, found):  # which may hold a password
        return "text"
    return _show(found)


def _may_be_url(location: Sequence[int | str], found: str) -> bool:
    if location in (("redis",), ("redis", "url"), ("alerts",)):
        return True
    return location == ("redis", "host") and ("@" in found or "://" in found)


def _show(value: Any) -> str:
    """Return a value as JSON, cut at 60 characters."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."

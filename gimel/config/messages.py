"""Sentences about mistakes in config.json: which key, what is allowed there and what was found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import ValidationError

from gimel.config.schema import Document, Section
from gimel.errors import suggest

_SECRETS = ("password", "ssl_ca_data")

_ALLOWED = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "model_type": "must be an object",
    "string_pattern_mismatch": 'must be "*" or like "https://example.com", without a path',
    "string_too_long": "must be shorter",
    "string_too_short": "must not be empty",
    "string_type": "must be text",
    "too_short": "must not be empty",
}


def explain(error: ValidationError, document: Mapping[str, Any]) -> str:
    """Return one sentence a mistake: the key, what is allowed there and what was found."""
    sentences = []
    for mistake in error.errors(include_url=False):
        location = [
            part
            for part in mistake["loc"]
            if isinstance(part, int) or not part.startswith("function-")
        ]
        key = ".".join(map(str, location))
        if mistake["type"] == "extra_forbidden":
            sentences.append(f"there is no key {key!r}. {_near(location)}")
            continue
        if mistake["type"] == "missing":
            sentences.append(f"{key} is missing.")
            continue
        found = _found(document, location)
        shown = "a secret" if location[-1] in _SECRETS else show(found)
        allowed = _ALLOWED.get(mistake["type"]) or mistake["msg"].removeprefix(
            "Value error, "
        ).removeprefix("Input ").replace("should", "must", 1)
        sentences.append(f"{key} {allowed}; found {shown}.")
    return " ".join(dict.fromkeys(sentences))


def _near(location: list[int | str]) -> str:
    model: type[Section] = Document
    for part in location[:-1]:
        if part in model.model_fields:
            model = _section(model.model_fields[str(part)].annotation) or model
    keys = [name for name, field in model.model_fields.items() if not field.exclude]
    return suggest(str(location[-1]), keys)


def _section(annotation: Any) -> type[Section] | None:
    """Return the section that an annotation names, alone, as `X | None` or as a dict's values."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((section for part in get_args(annotation) if (section := _section(part))), None)


def _found(document: Any, location: list[int | str]) -> Any:
    for part in location:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            break
    return document


def show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."

"""The parameters that callers send: which of their values may become part of a key."""

from gimel.runtime.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

DEFAULT_NAMESPACE = "alephbet"
"""The namespace of an event that names none: 1.5.0's default."""

MAX_LENGTH = 200
"""How many characters a value may have."""


def text(fields: "Mapping[str, Any]", name: str) -> str:
    """Return a field's value, 1 to 200 printable characters. Raises BadRequest.

    A whole number is accepted as its digits.
    """
    value = fields.get(name)
    if not isinstance(value, str):
        value = _digits(value, name)
    if not value:
        raise BadRequest(f"{name} is empty")
    if len(value) > MAX_LENGTH:
        raise BadRequest(f"{name} is longer than {MAX_LENGTH} characters")
    if not value.isprintable():
        _check_characters(value, name)
    return value


def namespace(fields: "Mapping[str, Any]") -> str:
    """Return the namespace, DEFAULT_NAMESPACE if it is missing or null. Raises BadRequest."""
    return text(fields, "namespace") if fields.get("namespace") is not None else DEFAULT_NAMESPACE


def _digits(value: object, name: str) -> str:
    if value is None:
        raise BadRequest(f"{name} is missing")
    # Python refuses to write out an integer of more than 4300 digits.
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 10**MAX_LENGTH:
        raise BadRequest(f"{name} must be text")
    return str(value)


def _check_characters(value: str, name: str) -> None:
    """Raise BadRequest for control characters and surrogates.

    Control characters are Unicode's category Cc. Surrogates fit into JSON, but not into UTF-8.
    Other characters that Python does not print, such as U+2028, are allowed.
    """
    for character in value:
        if character < " " or "\x7f" <= character <= "\x9f":
            raise BadRequest(f"{name} contains a control character")
        if "\ud800" <= character <= "\udfff":
            raise BadRequest(f"{name} is not valid Unicode")

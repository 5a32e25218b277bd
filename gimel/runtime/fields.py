"""The parameters that callers send: which are text that may become part of a key, and which are not."""

import re

from gimel.runtime.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

DEFAULT_NAMESPACE = "alephbet"
LONGEST = 200

# Control characters (Unicode category Cc), and surrogates, which JSON can carry and UTF-8 cannot.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def text(fields: "Mapping[str, Any]", name: str) -> str:
    """Return a field's value, 1 to 200 printable characters; a whole number counts as its digits. Raises BadRequest."""
    value = fields.get(name)
    if not isinstance(value, str):
        if value is None:
            raise BadRequest(f"{name} is missing")
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 10**LONGEST:
            raise BadRequest(f"{name} must be text")
        value = str(value)
    if not value:
        raise BadRequest(f"{name} is empty")
    if len(value) > LONGEST:
        raise BadRequest(f"{name} is longer than {LONGEST} characters")
    if _UNPRINTABLE.search(value):
        raise BadRequest(f"{name} holds a control character")
    return value


def namespace(fields: "Mapping[str, Any]") -> str:
    """Return the namespace, `alephbet` where none is given. Raises BadRequest."""
    return text(fields, "namespace") if fields.get("namespace") is not None else DEFAULT_NAMESPACE

"""Bodies of `multipart/form-data` (RFC 7578), as a page sends a FormData."""

import re

from gimel.runtime.errors import BadRequest

MAX_FIELDS = 100
_ENCODINGS = ("7bit", "8bit", "binary")


def parse(text: str, content_type: str) -> "dict[str, str]":
    """Return the fields of a form, without its files. Raises BadRequest."""
    delimiter = text.partition("\r\n")[0]
    _, *parts, end = f"\r\n{text}".split(f"\r\n{delimiter}", MAX_FIELDS + 1)
    if end != "--" or f"boundary={delimiter[2:]}" not in content_type.replace('"', ""):
        raise BadRequest("the body must be valid multipart/form-data, at most 100 fields")
    return dict(field for part in parts if (field := _field(part)))


def _field(part: str) -> "tuple[str, str] | None":
    """Return a part's name and value, None if it is a file."""
    head, _, value = part.partition("\r\n\r\n")
    headers = {
        name.lower(): text for name, text in re.findall(r"\r\n([^:\r\n]+): *([^\r\n]*)", head)
    }
    found = re.match(
        r'form-data; *name=("[^"]*"|[^\s";]+)(; *filename)?', headers.get("content-disposition", "")
    )
    if not found or headers.get("content-transfer-encoding", "8bit").lower() not in _ENCODINGS:
        raise BadRequest("the body has a part that is not a valid form field")
    return None if found[2] else (found[1].strip('"'), value)

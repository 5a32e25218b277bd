"""The kinds of values that config.json holds, and the base of its sections.

Types are strict: `"off"` is not a boolean and `true` is not a number. The exceptions are for files
of Gimel 1.5.0, which passed its `redis` section to redis-py 3 unchanged.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable
from typing import Annotated, Any, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.fields import FieldInfo

from gimel.analysis.failed import FAILED_EVENT
from gimel.errors import did_you_mean
from gimel.runtime import fields
from gimel.runtime.errors import BadRequest
from gimel.runtime.event import PARTICIPATE

Choice = TypeVar("Choice", str, int)

MAX_INT32 = 2**31 - 1

LEAST_LIFT, LARGEST_LIFT = 0.0001, 10.0  # a smaller one takes more visitors than exist


class Section(BaseModel):
    """A JSON object that has these keys and no others."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    @classmethod
    def keys(cls) -> dict[str, FieldInfo]:
        """Return the fields by their key in the file, without those that change nothing."""
        return {
            field.alias or name: field
            for name, field in cls.model_fields.items()
            if not field.exclude
        }


def section_of(annotation: Any) -> type[Section] | None:
    """Return the section in an annotation: alone, optional, or as the values of a dict or list."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for part in get_args(annotation) if (found := section_of(part))), None)


class NotAllowedError(ValueError):
    """A refused value: `allowed` says what is allowed ("must be ..."), `hint` may be empty."""

    def __init__(self, allowed: str, hint: str = "") -> None:
        super().__init__(allowed)
        self.allowed = allowed
        self.hint = hint


def matching(pattern: str, allowed: str) -> AfterValidator:
    """Return a validator that refuses text which does not match a regular expression."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise NotAllowedError(allowed)
        return text

    return AfterValidator(check)


def one_of(choices: Iterable[Choice]) -> AfterValidator:
    """Return a validator that refuses any value but these."""
    allowed = list(choices)
    *most, last = map(json.dumps, allowed)

    def check(value: Choice) -> Choice:
        if value not in allowed:
            names = [each for each in allowed if isinstance(each, str)]
            similar = did_you_mean(value, names) if isinstance(value, str) else ""
            raise NotAllowedError(f"must be {', '.join(most)} or {last}", similar)
        return value

    return AfterValidator(check)


def _check_name(name: str) -> str:
    try:
        return fields.text({"name": name}, "name")
    except BadRequest:  # the runtime refuses such a name in every event
        raise NotAllowedError("must be 1 to 200 characters without control characters") from None


def _refuse_reserved(goal: str) -> str:
    if goal == PARTICIPATE:
        raise NotAllowedError(f'must not be "{PARTICIPATE}", the event that counts the visitors')
    if goal == FAILED_EVENT:
        raise NotAllowedError(
            f'must not be "{FAILED_EVENT}", the event of visitors for whom a variant failed'
        )
    return goal


def _refuse_repeated(names: list[str]) -> list[str]:
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise NotAllowedError(f"must not list {json.dumps(repeated, ensure_ascii=False)} twice")
    return names


_MOST_TAGS = 45  # AWS takes 50 on each resource; some are for Gimel's own

_ORIGIN = re.compile(r"(https?)://([a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?/?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def _normalize_origin(text: str) -> str:
    """Return an origin as browsers send it: in lower case, without a slash or a default port.

    The runtime compares it with the Origin header character by character.
    Source: https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin
    """
    if text == "*":
        return text
    match = _ORIGIN.fullmatch(text.lower())
    if match is None:
        raise _not_an_origin()
    scheme, host, port = match[1], match[2], int(match[3] or _DEFAULT_PORTS[match[1]])
    try:
        if host.startswith("["):
            host = f"[{ipaddress.IPv6Address(host[1:-1]).compressed}]"
        elif host.rpartition(".")[2].isdigit():  # browsers parse it as IPv4
            ipaddress.IPv4Address(host)
    except ValueError:
        raise _not_an_origin() from None
    if "" in host.removesuffix(".").split(".") or port > 65_535:
        raise _not_an_origin()
    return f"{scheme}://{host}" + ("" if port == _DEFAULT_PORTS[scheme] else f":{port}")


def _not_an_origin() -> NotAllowedError:
    return NotAllowedError(
        'must be "*" or an origin without a path or a wildcard, like "https://example.com"',
        "Copy what `location.origin` shows in the browser's console.",
    )


def _check_tags(tags: dict[str, str]) -> dict[str, str]:
    if len(tags) > _MOST_TAGS:
        raise NotAllowedError(f"must have at most {_MOST_TAGS} tags")
    if len({key.lower() for key in tags}) < len(tags):  # IAM, which tags the role, ignores case
        raise NotAllowedError("must have keys that differ in more than upper and lower case")
    return tags


def _check_weights(weights: dict[str, float]) -> dict[str, float]:
    if weights and not any(weights.values()):
        raise NotAllowedError("must give a variant a weight above 0")
    return weights


def check_lift(lift: float) -> float:
    """Return a lift worth detecting. Raises NotAllowedError if it is out of range."""
    if not LEAST_LIFT <= lift <= LARGEST_LIFT:
        raise NotAllowedError(
            f"must be between {LEAST_LIFT:g} and {LARGEST_LIFT:g}", "Write 0.1 for a lift of 10%."
        )
    return lift


def _refuse_boolean(value: Any) -> Any:
    if isinstance(value, bool):  # which Python treats as 0 or 1
        raise NotAllowedError("must be a whole number")
    return value


def _refuse_line_breaks(text: str) -> str:
    if text != text.strip("\r\n\t"):  # the end of a line that was pasted
        raise NotAllowedError("must not begin or end with a line break or a tab", "Remove it.")
    return text


def _read_redis_flag(value: Any) -> Any:
    """Return the meaning that a flag had for redis-py 3, which treated any text as true.

    "false" is not converted, and therefore refused: it used to enable what it says to disable.
    """
    if isinstance(value, str) and value.lower() in ("true", "yes", "on", "1"):
        return True
    return bool(value) if isinstance(value, int) and value in (0, 1) else value


def _read_certificate_check(value: Any) -> Any:
    """Return the name for null or a number of Python's ssl module, which redis-py accepts."""
    if isinstance(value, str):
        return value.removeprefix("CERT_").lower()
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return {None: "none", 0: "none", 1: "optional", 2: "required"}.get(value, value)
    return value


Name = Annotated[str, AfterValidator(_check_name)]
Origin = Annotated[str, AfterValidator(_normalize_origin)]
Limit = Annotated[int, Field(ge=1)]
Weights = Annotated[
    dict[Name, Annotated[float, Field(ge=0, le=1_000_000)]], AfterValidator(_check_weights)
]
Goal = Annotated[Name, AfterValidator(_refuse_reserved)]
Goals = Annotated[list[Goal], AfterValidator(_refuse_repeated)]
Lift = Annotated[float, AfterValidator(check_lift)]
Days = Annotated[int, Field(ge=0, le=365)]
Seconds = Annotated[float, Field(gt=0, le=900)]

Memory = Annotated[int, Field(ge=128, le=10_240)]
Timeout = Annotated[int, Field(ge=1, le=900)]
FunctionName = Annotated[
    str,
    matching(
        r"[A-Za-z0-9_-]{1,64}", "must be a valid function name: 1 to 64 letters, digits, - and _"
    ),
]
SubnetId = Annotated[str, matching(r"subnet-[0-9a-z]+", 'must be like "subnet-0a1b2c3d"')]
SecurityGroupId = Annotated[str, matching(r"sg-[0-9a-zA-Z]+", 'must be like "sg-0a1b2c3d"')]
_TAG_CHARACTERS = "letters, digits, spaces and . : / = + @ _ -"
TagKey = Annotated[
    str,
    matching(
        r"(?i:(?!aws:|gimel$|gimel:))[\w .:/=+@-]{1,128}",
        f'must be 1 to 128 {_TAG_CHARACTERS}, and must not start with "aws:", which is AWS\'s, or'
        ' be "gimel" or start with "gimel:", which are Gimel\'s',
    ),
]
TagValue = Annotated[
    str, matching(r"[\w .:/=+@-]{0,256}", f"must be at most 256 {_TAG_CHARACTERS}")
]
Tags = Annotated[dict[TagKey, TagValue], AfterValidator(_check_tags)]

# redis-py 3 also accepted numbers as text, text as numbers, and 1 for true.
RedisPort = Annotated[int, Field(ge=1, le=65_535, strict=False), BeforeValidator(_refuse_boolean)]
RedisDatabase = Annotated[int, Field(ge=0, strict=False), BeforeValidator(_refuse_boolean)]
RedisLogin = Annotated[
    str,
    Field(strict=False, coerce_numbers_to_str=True),
    AfterValidator(_refuse_line_breaks),
]
RedisFlag = Annotated[bool, BeforeValidator(_read_redis_flag)]
RedisCertificateCheck = Annotated[
    Annotated[str, one_of(("required", "optional", "none"))] | None,
    BeforeValidator(_read_certificate_check),
]

"""What config.json accepts, and what it refuses because it could never work."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from gimel.analysis.counts import Arm, Count
from gimel.analysis.duration import decision_range
from gimel.config import Document
from gimel.runtime.keys import PRECISIONS


def parsed(document: dict[str, Any]) -> dict[str, Any]:
    """Return what is set in a document once it has been parsed."""
    return Document.model_validate(document).model_dump(exclude_unset=True, by_alias=True)


def nested(path: str, value: Any) -> dict[str, Any]:
    """Return a document with one key set, such as `redis.port`."""
    for key in reversed(path.split(".")):
        value = {key: value}
    assert isinstance(value, dict)
    return value


INFINITY, NAN = float("inf"), float("nan")

NUMBERS = [
    "aws.throttle.rate",
    "experiments.e.weights.a",
    "experiments.e.lift",
    "redis.socket_timeout",
    "redis.socket_connect_timeout",
]


@pytest.mark.parametrize("number", [INFINITY, -INFINITY, NAN], ids=str)
@pytest.mark.parametrize("path", NUMBERS)
def test_numbers_are_finite(path: str, number: float) -> None:
    """1e999 in a file is infinity in Python, and neither AWS nor a timeout takes it."""
    with pytest.raises(ValidationError):
        parsed(nested(path, number))


WHOLE_NUMBERS = [
    "precision",
    "limits.namespaces",
    "limits.experiments",
    "limits.counters",
    "limits.counters_per_experiment",
    "experiments.e.minimum_days",
    "experiments.e.visitors",
    "aws.throttle.burst",
    "aws.log_retention_days",
    "aws.functions.gimel-track.memory",
    "aws.functions.gimel-track.timeout",
    "aws.functions.gimel-track.reserved_concurrency",
]


@pytest.mark.parametrize("value", [True, "16", 16.0], ids=repr)
@pytest.mark.parametrize("path", WHOLE_NUMBERS)
def test_whole_numbers_are_written_as_such(path: str, value: Any) -> None:
    """Python treats true as 1, a precision of the lowest accuracy."""
    with pytest.raises(ValidationError, match=r"must be a whole number|valid integer"):
        parsed(nested(path, value))


@pytest.mark.parametrize("value", ["off", "on", "yes", "no", "false", "true", "0", 0, 1], ids=repr)
def test_a_switch_is_true_or_false(value: Any) -> None:
    """Guessing would turn the filter on or off against the author's will."""
    with pytest.raises(ValidationError, match="valid boolean"):
        parsed({"bot_filter": value})


@pytest.mark.parametrize("value", [2024, 1.5, True], ids=repr)
@pytest.mark.parametrize(
    "path", ["experiments.e.control", "experiments.e.goal", "aws.tags.team", "redis.host"]
)
def test_text_is_written_in_quotes(path: str, value: Any) -> None:
    """1.50 without quotes would become the name 1.5."""
    with pytest.raises(ValidationError, match="valid string"):
        parsed(nested(path, value))


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("*", "*"),
        ("https://shop.example", "https://shop.example"),
        ("https://Shop.Example", "https://shop.example"),
        ("HTTPS://shop.example", "https://shop.example"),
        ("https://shop.example/", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("http://shop.example:443", "http://shop.example:443"),
        ("https://shop.example:08443", "https://shop.example:8443"),
        ("https://xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://[::0:1]:3000", "http://[::1]:3000"),
    ],
)
def test_an_origin_is_what_a_browser_sends(given: str, sent: str) -> None:
    """The runtime compares it with the Origin header character by character."""
    assert parsed({"allowed_origins": [given]}) == {"allowed_origins": [sent]}


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "example.com",
        "https://",
        "https://shop.example/path",
        "https://shop.example?q",
        "https://user@shop.example",
        "https://*.shop.example",
        "https://shop..example",
        "https://münchen.example",
        "https://shop.example:99999",
        "https://127.1",
        "http://[::g]",
        "file:///page.html",
        " https://shop.example",
    ],
)
def test_what_no_browser_sends_as_an_origin_is_refused(origin: str) -> None:
    """It could never match."""
    with pytest.raises(ValidationError, match="or an origin without a path or a wildcard"):
        parsed({"allowed_origins": [origin]})


@pytest.mark.parametrize(
    "days",
    [
        *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
        *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
    ],
)
def test_logs_are_kept_as_long_as_aws_can(days: int) -> None:
    """All the retention periods of CloudWatch Logs."""
    assert parsed(nested("aws.log_retention_days", days))


@pytest.mark.parametrize("name", ["n" * 200, "größe: 50% → 大", " "], ids=["long", "text", "space"])
def test_a_name_may_be_whatever_the_runtime_accepts(name: str) -> None:
    """A name belongs to an experiment, a variant, a goal or a namespace."""
    design = {"control": name, "weights": {name: 1}, "goal": name, "decrease": [name]}
    document = {"allowed_experiments": [name], "experiments": {name: design}}
    assert parsed(document) == document


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_precision_of_the_runtime_can_be_chosen(precision: int) -> None:
    """The list is the runtime's own."""
    assert parsed({"precision": precision}) == {"precision": precision}


ROLE = "arn:aws:iam::123456789012:role/team/eu/gimel"
BOUNDARY = "arn:aws:iam::123456789012:policy/limit"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("aws.name", "s"),
        ("aws.name", "Shop_2-" + "n" * 33),
        ("aws.role", ROLE),
        ("aws.role", "arn:aws-us-gov:iam::123456789012:role/" + "n" * 64),
        ("aws.role", "arn:aws-cn:iam::123456789012:role/service-role/a+b=c,d.e@f_g"),
        ("aws.permissions_boundary", BOUNDARY),
        ("aws.permissions_boundary", "arn:aws-eusc:iam::aws:policy/PowerUserAccess"),
    ],
)
def test_a_deployment_has_a_name_and_perhaps_a_role(path: str, value: str) -> None:
    """ARNs of every partition, with a path, and policies that AWS itself manages."""
    assert parsed(nested(path, value)) == nested(path, value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("precision", 3),
        ("aws.log_retention_days", 2),
        ("aws.log_retention_days", 3654),
        ("aws.throttle.rate", 0),
        ("aws.throttle.rate", 1e300),
        ("aws.throttle.burst", 2**31),
        ("aws.vpc", {"subnets": ["sg-1"], "security_groups": ["sg-1"]}),
        ("aws.vpc", {"subnets": ["subnet-1"], "security_groups": ["subnet-1"]}),
        ("aws.vpc", {"subnets": [], "security_groups": ["sg-1"]}),
        ("aws.vpc", {"subnets": ["subnet-1"] * 17, "security_groups": ["sg-1"]}),
        ("aws.vpc", {"subnets": ["subnet-1"], "security_groups": ["sg-1"] * 6}),
        ("aws.name", ""),
        ("aws.name", "1shop"),
        ("aws.name", "-shop"),
        ("aws.name", "shop.eu"),
        ("aws.name", "größe"),
        ("aws.name", "shop\n"),
        ("aws.name", "n" * 41),
        ("aws.role", "gimel"),
        ("aws.role", "arn:aws:iam::123456789012:policy/gimel"),
        ("aws.role", "arn:aws:iam::12345:role/gimel"),
        ("aws.role", "arn:aws:iam::123456789012:role/"),
        ("aws.role", "arn:aws:iam::123456789012:role/team/"),
        ("aws.role", "arn:aws:iam::123456789012:role//gimel"),
        ("aws.role", "arn:aws:iam::123456789012:role/" + "n" * 65),
        ("aws.role", " arn:aws:iam::123456789012:role/gimel"),
        ("aws.permissions_boundary", "arn:aws:iam::123456789012:role/gimel"),
        ("aws.permissions_boundary", "arn:aws:iam:::policy/limit"),
        ("aws", {"role": ROLE, "permissions_boundary": BOUNDARY}),
        ("aws.tags", {"aws:team": "web"}),
        ("aws.tags", {"AWS:team": "web"}),
        ("aws.tags", {"gimel": "web"}),
        ("aws.tags", {"Gimel:tags": "web"}),
        ("aws.tags", {"": "web"}),
        ("aws.tags", {"team": "web*"}),
        ("aws.tags", {"t" * 129: "web"}),
        ("aws.tags", {"team": "w" * 257}),
        ("aws.tags", {"team": "web", "Team": "shop"}),
        ("aws.tags", {str(number): "" for number in range(46)}),
        ("experiments", {"": {}}),
        ("experiments", {"a\nb": {}}),
        ("experiments.e.control", "c" * 201),
        ("experiments.e.weights", {"a": -1}),
        ("experiments.e.weights", {"a": 0, "b": 0}),
        ("experiments.e.goal", ""),
        ("experiments.e.goal", "participate"),
        ("experiments.e.goal", "gimel:error"),
        ("experiments.e", {"goal": "a", "guardrails": ["participate"]}),
        ("experiments.e", {"goal": "a", "guardrails": ["b", "c", "b"]}),
        ("experiments.e", {"goal": "a", "guardrails": ["a\nb"]}),
        ("experiments.e", {"goal": "a", "guardrails": ["b", "a"]}),
        ("experiments.e", {"guardrails": ["b"]}),
        ("experiments.e", {"control": "a", "weights": {"b": 1}}),
        ("experiments.e", {"control": "a", "weights": {"a": 0, "b": 1}}),
        ("experiments.e.guardrails", "buy"),
        ("experiments.e.decrease", ["participate"]),
        ("experiments.e.decrease", ["gimel:error"]),
        ("experiments.e.decrease", ["b", "b"]),
        ("experiments.e.lift", 0),
        ("experiments.e.lift", -0.1),
        ("experiments.e.lift", 1e-5),
        ("experiments.e.lift", 10.01),
        ("experiments.e.lift", True),
        ("experiments.e.lift", "10%"),
        ("experiments.e.minimum_days", -1),
        ("experiments.e.minimum_days", 366),
        ("experiments.e.visitors", 0),
        ("experiments.e.visitors", 10**12 + 1),
        ("allowed_origins", []),
        ("allowed_namespaces", []),
        ("allowed_experiments", []),
        ("allowed_experiments", ["a\x7f"]),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value)[:40],
)
def test_what_can_never_work_is_refused(path: str, value: Any) -> None:
    """AWS, the runtime or the statistics would refuse it, or silently skip a check."""
    with pytest.raises(ValidationError):
        parsed(nested(path, value))


@pytest.mark.parametrize(
    "design",
    [
        {},
        {"weights": {}, "guardrails": [], "decrease": []},
        {"control": "a", "weights": {}},
        {"control": "a", "weights": {"a": 1, "b": 0}},
        {"goal": "a", "guardrails": ["b"], "decrease": ["a", "b", "c"]},
        {"lift": 0.0001, "minimum_days": 0, "visitors": 1},
        {"lift": 10, "minimum_days": 365, "visitors": 10**12},
    ],
    ids=["empty", "empty lists", "no split", "unused variant", "goals", "least", "most"],
)
def test_a_design_may_go_to_the_limits(design: dict[str, Any]) -> None:
    """Any goal may be one to decrease, and zero days mean that the first day may decide."""
    assert parsed({"experiments": {"e": design}}) == {"experiments": {"e": design}}


@pytest.mark.parametrize("lift", [0.0001, 10])
@pytest.mark.parametrize(
    ("visitors", "conversions"),
    [(10, 0), (10, 10), (1_000_000, 5000), (1_000_000, 999_000)],
    ids=["none", "all", "few", "most"],
)
def test_any_lift_that_is_allowed_can_be_calculated_with(
    lift: float, visitors: int, conversions: int
) -> None:
    """A lift of 1e-300 would divide by zero."""
    arm = Arm("a", Count(visitors), Count(conversions))
    other = Arm("b", Count(visitors), Count(conversions * 0.99))
    found = decision_range(arm, other, lift, 0.05)
    assert found.rule_out is not None
    assert 0 <= found.rule_out < math.inf


def test_no_tag_is_lost_at_the_limits() -> None:
    """AWS takes keys of 128 and values of 256 characters, letters of every script.

    It takes 50 tags, five of which are left to Gimel's own.
    """
    tags = {f"{number:02}" + "é" * 126: "w" * 256 for number in range(45)}
    assert parsed(nested("aws.tags", tags)) == nested("aws.tags", tags)

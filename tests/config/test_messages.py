"""What an error says: the file, the key, what is allowed there and what was found."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gimel import config
from gimel.errors import GimelError


def refused(tmp_path: Path, content: Any) -> config.ConfigError:
    """Return the error about a file with this content: text, or anything else as JSON."""
    path = tmp_path / "config.json"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(config.ConfigError) as caught:
        config.load(path)
    assert caught.value.message.startswith(str(path))
    return caught.value


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{\n  "redis": {"host": "h",}\n}', "not valid JSON: "),
        ("", ", line 1, column 1: not valid JSON: Expecting value."),
        ("[]", " must hold a JSON object."),
        ('{"redis": {}, "redis": {}}', ": the key 'redis' is given twice. Remove one of them."),
        ("\xff", " is not a JSON file in UTF-8."),
        ("[" * 100_000, " is not a JSON file in UTF-8."),
        ('{"precision": NaN}', ": NaN is not valid JSON."),
        ('{"precision": %s}' % ("9" * 5000), " holds a number that is too long."),
        (
            r'{"allowed_experiments": ["\ud83d"]}',
            r" holds half of a surrogate pair, such as \ud83d.",
        ),
    ],
    ids=["comma", "empty", "list", "twice", "latin-1", "deep", "NaN", "digits", "surrogate"],
)
def test_what_is_not_json_is_explained(content: str, message: str, tmp_path: Path) -> None:
    """Python's json module would accept some of it, with another value than the one written."""
    assert message in refused(tmp_path, content).message


def test_a_mistake_in_the_json_is_found_by_its_line(tmp_path: Path) -> None:
    """So that an editor can go there."""
    error = refused(tmp_path, '{\n  "redis": {"host": }\n}')
    assert re.search(r", line 2, column 2\d: not valid JSON: ", error.message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"experiments": {"e": {"contrl": "a"}}},
            "unknown key 'experiments.e.contrl'. Did you mean 'control'?",
        ),
        ({"redsi": {}}, "unknown key 'redsi'. Did you mean 'redis'?"),
        ({"redis": {"hots": "h"}}, "unknown key 'redis.hots'. Did you mean 'host'?"),
        ({"limits": {"counter": 1}}, "unknown key 'limits.counter'. Did you mean 'counters'?"),
        (
            {
                "extra_wiring": [
                    {"lambda": {"FunctionName": "f", "Handler": "gimel.all", "Timout": 1}}
                ]
            },
            "unknown key 'extra_wiring[0].lambda.Timout'. Did you mean 'Timeout'?",
        ),
        (
            {"experiments": {"e": {"weights": {"a": -1}}}},
            "experiments.e.weights.a must be at least 0; found -1.",
        ),
        (
            {"experiments": {"e": {"weights": ["a"]}}},
            'experiments.e.weights must be an object; found ["a"].',
        ),
        (
            {"experiments": {"e": {"guardrail": ["a"]}}},
            "unknown key 'experiments.e.guardrail'. Did you mean 'guardrails'?",
        ),
        (
            {"experiments": {"e": {"minimum_day": 7}}},
            "unknown key 'experiments.e.minimum_day'. Did you mean 'minimum_days'?",
        ),
        (
            {"experiments": {"e": {"min": 7}}},
            "unknown key 'experiments.e.min'. Available: 'control', 'weights', 'goal', "
            "'guardrails', 'decrease', 'lift', 'minimum_days', 'visitors'.",
        ),
        (
            {"experiments": {"e": {"guardrails": ["refund"]}}},
            "experiments.e must have a goal, because it has guardrails.",
        ),
        (
            {"experiments": {"e": {"goal": "buy", "guardrails": ["refund", "buy"]}}},
            'experiments.e must not list its goal "buy" in guardrails.',
        ),
        (
            {"experiments": {"e": {"decrease": ["größe", "größe"]}}},
            'experiments.e.decrease must not list "größe" twice; found ["größe", "größe"].',
        ),
        (
            {"experiments": {"e": {"control": "bleu", "weights": {"blue": 1, "red": 1}}}},
            "experiments.e must give its control \"bleu\" a weight above 0. Did you mean 'blue'?",
        ),
        (
            {"experiments": {"e": {"control": "c", "weights": {"blue": 1, "red": 0}}}},
            "experiments.e must give its control \"c\" a weight above 0. Available: 'blue'.",
        ),
        (
            {"experiments": {"e": {"goal": "participate"}}},
            'experiments.e.goal must not be "participate", the event that counts the visitors; '
            'found "participate".',
        ),
        (
            {"experiments": {"e": {"goal": "buy", "guardrails": ["gimel:error"]}}},
            'experiments.e.guardrails[0] must not be "gimel:error", the event of visitors for whom '
            'a variant failed; found "gimel:error".',
        ),
        (
            {"experiments": {"e": {"lift": 15}}},
            "experiments.e.lift must be between 0.0001 and 10; found 15. "
            "Write 0.1 for a lift of 10%.",
        ),
        (
            {"experiments": {"e": {"minimum_days": 400}}},
            "experiments.e.minimum_days must be at most 365; found 400.",
        ),
        (
            {"experiments": {"e": {"visitors": 0}}},
            "experiments.e.visitors must be at least 1; found 0.",
        ),
        ({"redis": []}, "redis must be an object; found a list."),
        ({"redis": {"port": "x"}}, 'redis.port must be a whole number; found "x".'),
        ({"redis": {"port": 6379.5}}, "redis.port must be a whole number; found 6379.5."),
        ({"redis": {"port": 70000}}, "redis.port must be at most 65535; found 70000."),
        ({"redis": {"ssl": "perhaps"}}, 'redis.ssl must be true or false; found "perhaps".'),
        ({"redis": {"host": ""}}, 'redis.host must not be empty; found "".'),
        (
            {"redis": {"url": "redis://h", "host": "h", "port": 6379}},
            "redis must not have both url and host, port. The URL holds the whole address. ",
        ),
        (
            {"redis": {"url": "redis://h?socket_timeout=1", "socket_timeout": 2}},
            "redis must not have both url and socket_timeout. ",
        ),
        (
            {"redis": {"url": "h:6379"}},
            'redis.url must be like "redis://[user:password@]host[:port][/db]"; found text. '
            "rediss:// connects over TLS.",
        ),
        (
            {"redis": {"url": "unix:///tmp/s"}},
            "redis.url must not lead to a Unix socket, which AWS Lambda cannot reach;",
        ),
        ({"redis": {"socket_timeout": 0}}, "redis.socket_timeout must be greater than 0; found 0."),
        ({"bot_filter": "off"}, 'bot_filter must be true or false; found "off".'),
        ({"precision": 3}, "precision must be 1, 4, 16, 64 or 256; found 3."),
        ({"precision": True}, "precision must be a whole number; found true."),
        ({"limits": {"counters": 0}}, "limits.counters must be at least 1; found 0."),
        ('{"aws": {"throttle": {"rate": 1e999}}}', "aws.throttle.rate must be a finite number;"),
        ({"aws": {"throttle": {"rate": "1"}}}, 'aws.throttle.rate must be a number; found "1".'),
        (
            {"aws": {"architecture": "arm"}},
            'aws.architecture must be "arm64" or "x86_64"; found "arm".',
        ),
        (
            {"aws": {"vpc": {"subnets": ["subnet-1"] * 17, "security_groups": ["sg-1"]}}},
            "aws.vpc.subnets must have at most 16 items;",
        ),
        (
            {"aws": {"tags": {"aws:x": ""}}},
            'aws.tags: the key "aws:x" must be 1 to 128 letters, ',
        ),
        (
            {"aws": {"functions": {"gimel-trakc": {}}}},
            "aws.functions: unknown function 'gimel-trakc'.",
        ),
        (
            {"aws": {"name": "shop", "functions": {"gimel-track": {}}}},
            "aws.functions: unknown function 'gimel-track'. Did you mean 'shop-track'?",
        ),
        (
            {"aws": {"name": "7shop"}},
            "aws.name must be 1 to 40 letters, digits, - and _, and begin with a letter; "
            'found "7shop".',
        ),
        (
            {"aws": {"role": "gimel"}},
            'aws.role must be the ARN of a role, like "arn:aws:iam::123456789012:role/NAME"; '
            'found "gimel".',
        ),
        (
            {
                "aws": {
                    "role": "arn:aws:iam::123456789012:role/r",
                    "permissions_boundary": "arn:aws:iam::123456789012:policy/p",
                }
            },
            "aws must not have both role and permissions_boundary: the boundary is for a role "
            "that Gimel creates. Remove one of them.",
        ),
        (
            {"allowed_origins": ["example.com"]},
            'allowed_origins[0] must be "*" or an origin without a path or a wildcard, '
            'like "https://example.com"; found "example.com". Copy what `location.origin` shows',
        ),
        ({"allowed_origins": []}, "allowed_origins must not be empty; found []."),
        (
            {"allowed_experiments": ["e", ""]},
            "allowed_experiments[1] must be 1 to 200 characters without control characters;",
        ),
        ({"extra_wiring": {}}, "extra_wiring must be a list; found {}."),
        ({"extra_wiring": [{}]}, "extra_wiring[0].lambda is missing."),
    ],
    ids=lambda value: (value if isinstance(value, str) else json.dumps(value))[:40],
)
def test_a_mistake_is_named_with_its_key(content: Any, message: str, tmp_path: Path) -> None:
    """One sentence: the key, what is allowed and what was found; a hint if there is one."""
    assert f": {message}" in str(refused(tmp_path, content))


def test_several_mistakes_get_a_line_each(tmp_path: Path) -> None:
    """All of them are shown at once, so that one edit fixes them all."""
    error = refused(tmp_path, {"redis": {"port": 0}, "bot_filter": 1, "precison": 4})
    assert error.message.splitlines() == [
        f"{tmp_path / 'config.json'}:",
        "  redis.port must be at least 1; found 0.",
        "  bot_filter must be true or false; found 1.",
        "  unknown key 'precison'. Did you mean 'precision'?",
    ]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"redis": {"host": "h", "password": ["hunter2"]}}, "redis.password must be text; found a"),
        ({"redis": {"ssl_ca_data": {"a": "hunter2"}}}, "redis.ssl_ca_data must be text; found a"),
        ({"redis": "redis://:hunter2@h"}, "redis must be an object; found text."),
        ({"redis": [{"password": "hunter2"}]}, "redis must be an object; found a list."),
        ({"redis": {"host": {"password": "hunter2"}}}, "redis.host must be text; found an object."),
        ({"redis": {"host": "redis://:hunter2@h"}}, "not a URL; found text. Move the URL to"),
        ({"redis": {"host": "me:hunter2@h"}}, "without a user; found text. Set redis.username"),
        ({"redis": {"url": "redis://:hunter2/x@h"}}, "redis.url must be like "),
        ({"redis": {"url": "redis://:hunter2@h?x=1"}}, "redis.url must not have the option 'x'"),
        ({"redis": {"url": "hunter2"}}, "redis.url must be like "),
        ({"redis": {"url": "redis://:hunter2@h", "host": "h"}}, "must not have both url and host."),
        ({"redis": {"password": "hunter2\n"}}, "redis.password must not begin or end with a line"),
        ([{"redis": {"password": "hunter2"}}], "must hold a JSON object."),
        ({"redis": {"pasword": "hunter2"}}, "unknown key 'redis.pasword'."),
        ({"password": "hunter2"}, "unknown key 'password'."),
    ],
    ids=[
        *("list", "CA", "URL", "list of sections", "inside the host"),
        *("URL as host", "user at host", "URL with a slash", "URL with an option", "no URL"),
        *("URL and host", "line break", "list of files"),
        *("misspelled", "misplaced"),
    ],
)
def test_no_error_shows_a_password(content: Any, found: str, tmp_path: Path) -> None:
    """Not even if it was written in the wrong place."""
    error = refused(tmp_path, content)
    assert found in str(error)
    assert "hunter2" not in str(error)


def test_the_command_that_fixes_it_belongs_to_the_hint(tmp_path: Path) -> None:
    """`gimel configure` shows the message and the advice, everyone else message and hint."""
    error = refused(tmp_path, {"aws": {"functions": {"gimel-trakc": {}}}})
    assert error.advice == "Did you mean 'gimel-track'?"
    assert error.hint == f"{error.advice} Run `gimel configure` to fix it."
    assert isinstance(error, GimelError)

"""Sections of config.json that differ from the defaults."""

from __future__ import annotations

from typing import Any

TRACK = {"FunctionName": "gimel-track", "Handler": "gimel.track"}

# Entries of extra_wiring.
SECOND_PATH = {"lambda": TRACK, "api_gateway": {"pathPart": "t", "method": {"httpMethod": "GET"}}}
OWN_FUNCTION = {
    "lambda": {
        "FunctionName": "our-experiment",
        "Handler": "gimel.experiment",
        "MemorySize": 256,
        "Timeout": 10,
    },
    "api_gateway": {
        "pathPart": "experiment",
        "method": {"httpMethod": "GET", "apiKeyRequired": True},
    },
}
URL = {"lambda": TRACK, "function_url": True}
LINKED = {"lambda": {"FunctionName": "linked", "Handler": "gimel.track"}, "function_url": True}
ROUTED = {
    "lambda": {"FunctionName": "linked", "Handler": "gimel.track"},
    "api_gateway": {"pathPart": "linked", "method": {"httpMethod": "GET"}},
}

WITH_ROUTES = ("gimel-track", "gimel-all-experiments", "gimel-delete-experiment")
FUNCTIONS = (*WITH_ROUTES, "gimel-snapshot")


def memory(megabytes: int, *functions: str) -> dict[str, Any]:
    """Return an `aws` section that gives functions this much memory, by default gimel-track."""
    return {"functions": {name: {"memory": megabytes} for name in functions or FUNCTIONS[:1]}}


# Differs from the default configuration in a bit of everything.
CHANGE: dict[str, Any] = {
    "aws": {
        "functions": {"gimel-track": {"memory": 256, "reserved_concurrency": 5}},
        "architecture": "x86_64",
        "tags": {"team": "web"},
    },
    "extra_wiring": [SECOND_PATH, URL],
}

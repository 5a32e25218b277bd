"""What exists of a domain name in a `DomainAccount`, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

NAME = "ab.example.com"
ZONE = "Z0EXAMPLE"
ACCOUNT = "123456789012"

VALIDATION = {"_x.ab.example.com": "_y.acm-validations.aws"}
"""The record for the certificate of NAME, as `State.elsewhere` has it."""

EMPTY: Any = ([], [], {}, {ZONE: []})
UP: Any = (
    ["gimel"],
    [(NAME, "ISSUED")],
    {NAME: ["(none)"]},
    {
        ZONE: [
            ("_x.ab.example.com.", "CNAME"),
            ("ab.example.com.", "A"),
            ("ab.example.com.", "AAAA"),
        ]
    },
)
"""What `State.plain` returns before and after a deploy of NAME."""


@dataclass
class State:
    """What exists: certificates by ARN, the rest by name or id, records by zone."""

    apis: dict[str, dict[str, Any]] = field(default_factory=dict)
    certificates: dict[str, dict[str, Any]] = field(default_factory=dict)
    domains: dict[str, dict[str, Any]] = field(default_factory=dict)
    mappings: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    zones: dict[str, dict[str, Any]] = field(default_factory=dict)
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    """CNAME records at another DNS provider, by name."""

    def plain(self) -> Any:
        """Return what does not vary between runs: names instead of ids."""
        return (
            sorted(api["name"] for api in self.apis.values()),
            sorted((each["DomainName"], each["Status"]) for each in self.certificates.values()),
            {name: sorted(self.mappings[name]) for name in self.domains},
            {
                zone: sorted((each["Name"], each["Type"]) for each in records)
                for zone, records in self.records.items()
            },
        )

"""The key `aws.domain`: what is one domain name, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gimel.config import Document

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0e527822-2ad6-4730-a08d-8822c16495bb"


def domain(**section: Any) -> dict[str, Any]:
    """Return the section as it is parsed."""
    parsed = Document.model_validate({"aws": {"domain": section}}).aws.domain
    assert parsed is not None
    return parsed.model_dump(exclude_none=True)


@pytest.mark.parametrize(
    "section",
    [
        {"name": "ab.example.com"},
        {"name": "example.com"},
        {"name": "xn--bcher-kva.example"},
        {"name": "a.b-c.1.example.co.uk", "zone": "Z0123456789ABCDEFGHIJ"},
        {"name": f"{'a' * 52}.example.com", "certificate": CERTIFICATE},
        {"name": "a.cn", "certificate": CERTIFICATE.replace("aws", "aws-cn", 1)},
    ],
    ids=lambda section: section["name"],
)
def test_a_domain_name(section: dict[str, str]) -> None:
    """What is accepted comes out as it was written."""
    assert domain(**section) == section


def test_its_name_is_in_lower_case() -> None:
    """DNS does not distinguish, and AWS's answers are compared with it."""
    assert domain(name="AB.Example.com") == {"name": "ab.example.com"}


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({}, "Field required"),
        ({"name": "localhost"}, "must be a domain name"),
        ({"name": ""}, "must be a domain name"),
        ({"name": "https://ab.example.com"}, "must be a domain name"),
        ({"name": "ab.example.com/e"}, "must be a domain name"),
        ({"name": "ab.example.com."}, "must be a domain name"),
        ({"name": "*.example.com"}, "must be a domain name"),
        ({"name": "a_b.example.com"}, "must be a domain name"),
        ({"name": "-a.example.com"}, "must be a domain name"),
        ({"name": "192.0.2.1"}, "must be a domain name"),
        ({"name": "bücher.example"}, "must be a domain name"),
        ({"name": f"{'a' * 53}.example.com"}, "must have at most 64 characters"),
        ({"name": "ab.example.com", "zone": "example.com"}, "must be the ID of a hosted zone"),
        ({"name": "ab.example.com", "certificate": "0e527822"}, "must be the ARN of a certificate"),
        ({"name": "ab.example.com", "path": "/e"}, "Extra inputs are not permitted"),
    ],
)
def test_what_is_not_one_is_refused(section: dict[str, str], said: str) -> None:
    """Before AWS is asked for anything."""
    with pytest.raises(ValidationError, match=said):
        domain(**section)

"""The `domain` of the `aws` section: the address under which pages reach the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from gimel.config.kinds import NotAllowedError, Section, matching

_MOST_CHARACTERS = 64
"""A certificate's common name has no more.

https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
"""

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_ALLOWED = 'must be a domain name, like "ab.example.com"'


def _normalize(text: str) -> str:
    """Return the name in lower case. Raises NotAllowedError for what is not a single name."""
    name = text.lower()
    if "://" in name or "/" in name:
        raise NotAllowedError(_ALLOWED, "Omit the scheme and the path.")
    if name.startswith("*."):
        raise NotAllowedError(_ALLOWED, "Name one host: a wildcard is only for certificates.")
    if not name.isascii():
        raise NotAllowedError(_ALLOWED, "Write an international name in its ASCII form, xn--...")
    if len(name) > _MOST_CHARACTERS:
        raise NotAllowedError(f"must have at most {_MOST_CHARACTERS} characters")
    return name


DomainName = Annotated[
    str,
    AfterValidator(_normalize),
    matching(rf"({_LABEL}\.)+(?!\d+$){_LABEL}", _ALLOWED),
]
HostedZoneId = Annotated[
    str, matching(r"Z[A-Z0-9]{1,31}", 'must be the ID of a hosted zone, like "Z0123456789ABC"')
]
CertificateArn = Annotated[
    str,
    matching(
        r"arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+",
        'must be the ARN of a certificate, like "arn:aws:acm:REGION:123456789012:certificate/ID"',
    ),
]


class Domain(Section):
    """The domain name of the API, beside the address that AWS gives it."""

    name: DomainName = Field(description="Domain name of the API, like ab.example.com")
    zone: HostedZoneId | None = Field(
        None,
        description="ID of the Route 53 hosted zone for its records; by default the public zone "
        "with the longest matching name",
    )
    certificate: CertificateArn | None = Field(
        None,
        description="ARN of an existing ACM certificate of the region; by default Gimel requests "
        "one",
    )

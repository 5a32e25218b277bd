"""The partitions of AWS, as botocore lists them."""

from __future__ import annotations

import pytest
from botocore.loaders import create_loader

from gimel.deploy.aws import partition_of
from gimel.deploy.partitions import parse
from gimel.errors import GimelError

PARTITIONS = parse(create_loader().load_data("partitions"))


@pytest.mark.parametrize(
    ("region", "name", "suffix"),
    [
        ("us-east-1", "aws", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
        ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ("us-east-9", "aws", "amazonaws.com"),
        ("eusc-de-west-1", "aws-eusc", "amazonaws.eu"),
    ],
)
def test_the_partition_of_a_region(region: str, name: str, suffix: str) -> None:
    """Also of a region that is newer than botocore."""
    found = partition_of(region)

    assert (found.name, found.dns_suffix) == (name, suffix)


@pytest.mark.parametrize(
    ("region", "similar"),
    [
        ("us-est-1", "'us-east-1'"),
        ("eu-wst-1", "'eu-west-1'"),
        ("EU-WEST-1", "'eu-west-1'"),
        ("eusc-de-est-1", "'eusc-de-east-1'"),
        ("eu-west-1a", "'eu-west-1'"),
        ("frankfurt", "Available: 'af-south-1'"),
        ("aws-global", "Available"),
    ],
)
def test_a_region_that_does_not_exist(region: str, similar: str) -> None:
    """An error with the most similar names."""
    with pytest.raises(GimelError, match=f"There is no AWS region {region!r}") as found:
        partition_of(region)

    assert similar in found.value.hint


@pytest.mark.parametrize(
    ("host", "included"),
    [
        ("apigateway.us-east-1.amazonaws.com", True),
        ("apigateway.cn-north-1.amazonaws.com.cn", True),
        ("apigateway.eusc-de-east-1.amazonaws.eu", True),
        ("apigateway.eusc-de-east-1.api.amazonwebservices.eu", True),
        ("apigateway.us-east-1.api.aws", True),
        ("apigateway.us-iso-east-1.c2s.ic.gov", True),
        ("amazonaws.com.example.org", False),
        ("notamazonaws.com", False),
        ("127.0.0.1", False),
        ("", False),
    ],
)
def test_which_hosts_are_those_of_aws(host: str, included: bool) -> None:
    """All others are those of an emulator."""
    assert PARTITIONS.includes(host) == included

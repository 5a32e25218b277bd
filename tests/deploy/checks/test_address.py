"""Which addresses of Redis AWS Lambda cannot reach."""

from __future__ import annotations

import pytest

from gimel.deploy.checks.address import check_address, is_loopback, resolve

PUBLIC = ("52.1.2.3", "2600:1f18::1", "11.0.0.1", "172.32.0.1", "100.128.0.1")
PRIVATE = ("10.1.2.3", "172.31.0.1", "192.168.1.2", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1")
LOCAL = ("127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "169.254.1.2", "fe80::1%eth0")
MAPPED = "::ffff:127.0.0.1"


@pytest.mark.parametrize("vpc", [True, False], ids=["VPC", "no VPC"])
@pytest.mark.parametrize(
    ("addresses", "reached"),
    [
        *(([each], (True, True)) for each in PUBLIC),
        *(([each], (True, False)) for each in PRIVATE),
        *(([each], (False, False)) for each in (*LOCAL, MAPPED)),
        (["10.0.0.1", "10.0.0.2"], (True, False)),
        (["10.0.0.1", "52.1.2.3"], (True, True)),
        (["127.0.0.1", "10.0.0.1"], (True, False)),
        (["127.0.0.1", "::1"], (False, False)),
        ([], (True, True)),
    ],
    ids=str,
)
def test_an_address_is_reached_or_not(
    addresses: list[str], reached: tuple[bool, bool], vpc: bool
) -> None:
    """One address that can be reached is enough; an unknown name does not fail."""
    found = check_address("redis.example.com", vpc=vpc, resolve=lambda host: addresses)
    in_vpc, without = reached
    assert (found is None) == (in_vpc if vpc else without)
    if found is not None:
        assert (found.name, found.status) == ("Redis address", "failed")
        assert f"redis.example.com ({', '.join(addresses)})" in found.message
        assert "aws.vpc" in found.hint


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "redis.localhost"])
def test_localhost_is_never_resolved(host: str) -> None:
    """Whatever a machine says: to AWS Lambda it is the function itself."""
    found = check_address(host, vpc=True, resolve=lambda host: ["52.1.2.3"])
    assert found is not None
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "10.0.0.1"])
def test_a_number_is_its_own_address(host: str) -> None:
    """It needs no name server, and is shown once."""
    found = check_address(host, vpc=False, resolve=resolve)
    assert found is not None
    assert f" {host}: the address is " in found.message


def test_a_name_that_does_not_exist_has_no_address() -> None:
    """The connection itself reports it."""
    assert resolve("no-such-name.invalid") == []
    assert resolve("a" * 64) == []

"""The partitions of AWS: how ARNs begin and host names end in each. Pure.

They are read from the data of botocore, which lists new partitions and regions before users do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gimel.errors import GimelError, did_you_mean, suggest


@dataclass(frozen=True)
class Partition:
    """A separate part of AWS, such as China's.

    Attributes:
        name: The beginning of its ARNs, after "arn:".
        dns_suffix: The end of the host names of its services.
        domains: The ends of all its host names, the dual-stack ones included.
        regions: The regions that botocore knows.
        pattern: A regular expression for the names of all its regions, also new ones.
    """

    name: str
    dns_suffix: str
    domains: frozenset[str]
    regions: tuple[str, ...]
    pattern: str


@dataclass(frozen=True)
class Partitions:
    """All partitions, the most used one first."""

    all: Sequence[Partition]

    def of(self, region: str) -> Partition:
        """Return the partition of a region. Raises GimelError with the most similar regions.

        A region that is newer than botocore is accepted if its name has the form of the others,
        and a direction that one of them has: us-east-9, but not us-est-1.
        """
        for partition in self.all:
            if region in partition.regions:
                return partition
        directions = {each.split("-")[-2] for each in self.regions}
        for partition in self.all:
            if re.fullmatch(partition.pattern, region) and region.split("-")[-2] in directions:
                return partition
        raise GimelError(f"There is no AWS region {region!r}.", suggest(region, self.regions))

    @property
    def regions(self) -> list[str]:
        """The names of all regions that botocore knows."""
        return [region for partition in self.all for region in partition.regions]

    def similar(self, region: str) -> str:
        """Return a hint with similar regions for one that botocore does not know, else ""."""
        return "" if region in self.regions else did_you_mean(region, self.regions)

    def includes(self, host: str) -> bool:
        """Return whether a host is one of AWS's own."""
        return any(
            host.endswith(f".{domain}") for partition in self.all for domain in partition.domains
        )


def parse(data: Mapping[str, Any]) -> Partitions:
    """Return the partitions in botocore's data of that name."""
    return Partitions([_parse(each) for each in data["partitions"]])


def _parse(data: Mapping[str, Any]) -> Partition:
    outputs = data["outputs"]
    suffix = outputs["dnsSuffix"]
    return Partition(
        data["id"],
        suffix,
        frozenset({suffix, outputs.get("dualStackDnsSuffix", suffix)}),
        tuple(each for each in data["regions"] if not each.endswith("-global")),
        data["regionRegex"],
    )

"""The permissions that `gimel logs` and `gimel status` need to read logs and metrics.

A deploy works without them.
"""

from __future__ import annotations

from collections.abc import Iterator

from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity
from gimel.deploy.policies import ANY_RESOURCE, Permission

WATCH_SIDS = frozenset({"WatchLogs", "WatchMetrics"})
"""The statements that `watch_permissions` adds to the policy."""


def watch_permissions(identity: Identity, desired: Desired) -> Iterator[Permission]:
    """Yield the permissions to read logs and metrics. Metrics cannot be limited to a resource."""
    groups = tuple(f"{identity.log_group(name)}:*" for name in desired.function_names)
    yield Permission("WatchLogs", ("logs:FilterLogEvents",), groups)
    yield Permission("WatchMetrics", ("cloudwatch:GetMetricData",), ANY_RESOURCE)

"""Gimel: A/B tests on your own AWS account.

AWS Lambda imports this module. It ships to Lambda together with `gimel.runtime` and imports nothing
else. The handlers `gimel.track`, `gimel.all`, `gimel.experiment` and `gimel.delete` are loaded on
first use, so that a cold start loads only the handler that it needs. So are `gimel.snapshot`, which
ships to another function, together with the alerts, and `gimel.assign`, which does not ship.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__version__ = "2.0.0"

_MODULES = {
    "track": "gimel.runtime.track",
    "all": "gimel.runtime.results",
    "experiment": "gimel.runtime.results",
    "delete": "gimel.runtime.delete",
    "snapshot": "gimel.alerts.handler",
    "assign": "gimel.page.assignment",
}


def __getattr__(name: str) -> "Any":
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module 'gimel' has no attribute {name!r}")
    from importlib import import_module

    function = getattr(import_module(module), name)
    globals()[name] = function
    return function

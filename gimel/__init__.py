"""Gimel: A/B tests on your own AWS account.

AWS Lambda imports this module. It ships to Lambda together with `gimel.runtime` and imports nothing
else. The handlers `gimel.track`, `gimel.all`, `gimel.experiment` and `gimel.delete` are loaded on
first use, so that a cold start loads only the handler that it needs.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__version__ = "2.0.0"

_MODULE_OF_HANDLER = {
    "track": "gimel.runtime.track",
    "all": "gimel.runtime.results",
    "experiment": "gimel.runtime.results",
    "delete": "gimel.runtime.delete",
}


def __getattr__(name: str) -> "Any":
    module = _MODULE_OF_HANDLER.get(name)
    if module is None:
        raise AttributeError(f"module 'gimel' has no attribute {name!r}")
    from importlib import import_module

    handler = getattr(import_module(module), name)
    globals()[name] = handler
    return handler

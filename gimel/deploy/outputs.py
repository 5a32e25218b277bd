"""How a deployment is reached: its public URLs, from the ids that AWS chose. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from gimel.deploy.deployed import Deployed, deployed_from_ids
from gimel.deploy.identity import STAGE
from gimel.deploy.resources.base import Observed
from gimel.deploy.resources.functions import FUNCTIONS
from gimel.deploy.resources.methods import METHODS
from gimel.page.filter_lists import blocked_methods
from gimel.wiring import Wiring


@dataclass(frozen=True)
class Endpoint:
    """A method of a public URL, and the handler behind it.

    `via` is the address of the emulator that answers for the URL, None on AWS.
    """

    method: str
    url: str
    handler: str
    api_key_required: bool
    via: str | None = None

    @property
    def is_blocked(self) -> bool:
        """Whether ad blockers block the events of pages that use the URL with this method."""
        blocked = blocked_methods(urlsplit(self.url).path.rsplit("/", 1)[-1])
        return self.handler == "gimel.track" and (
            self.method in blocked or (self.method == "ANY" and bool(blocked))
        )


@dataclass(frozen=True)
class Outputs:
    """Everything that a user of the deployment needs."""

    endpoints: tuple[Endpoint, ...]
    key: str = field(repr=False)

    def endpoint(self, handler: str, method: str | None = None) -> Endpoint | None:
        """Return the first endpoint of a handler and, if given, a method; the API's come first."""
        for each in self.endpoints:
            if each.handler == handler and method in (None, each.method):
                return each
        return None

    @property
    def track(self) -> Endpoint | None:
        """The URL for the events of new pages: the first one that takes GET."""
        return self.endpoint("gimel.track", "GET")

    def at_domain(self, name: str, base: str, emulator: str | None) -> Outputs:
        """Return the same with the URLs of the API at a domain name before all others.

        `base` is the address of the API's stage.
        """
        added = (
            replace(each, url=f"https://{name}{each.url.removeprefix(base)}", via=emulator)
            for each in self.endpoints
            if each.url.startswith(f"{base}/")
        )
        return replace(self, endpoints=(*added, *self.endpoints))


def outputs(
    deployed: Deployed, wiring: Wiring, region: str, emulator: str | None, dns_suffix: str
) -> Outputs:
    """Return the URLs of a deployment as they are on AWS, or at the address of an emulator.

    `dns_suffix` is that of the region's partition.
    """
    base = api_url(deployed.api, region, emulator, dns_suffix)
    endpoints = [
        Endpoint(
            route.method,
            f"{base}/{route.path}",
            wiring.function(route.function).handler,
            route.api_key_required,
        )
        for route in wiring.routes
    ]
    for function in wiring.functions:
        if url := deployed.urls.get(function.name):
            endpoints.append(Endpoint("GET", url, function.handler, False, via=emulator))
    return Outputs(tuple(endpoints), deployed.key)


def api_url(api: str, region: str, emulator: str | None, dns_suffix: str) -> str:
    """Return the address of an API's stage, without a slash at its end."""
    if emulator:
        return f"{emulator.rstrip('/')}/restapis/{api}/{STAGE}/_user_request_"
    return f"https://{api}.execute-api.{region}.{dns_suffix}/{STAGE}"


def observed_outputs(
    observed: Observed, run_ids: Mapping[str, str], base: str, emulator: str | None = None
) -> Outputs:
    """Return the URLs that exist, whatever the configuration asks for.

    `base` is the address of the API's stage, `run_ids` what `apply.start` found, `emulator` the
    address of one.
    """
    handlers = {
        function.name: function.live.configuration.handler
        for function in observed.of(FUNCTIONS)
        if function.live
    }
    deployed = deployed_from_ids(run_ids)
    endpoints = [
        Endpoint(each.method, f"{base}/{each.path}", handlers[each.calls], each.api_key_required)
        for each in observed.of(METHODS).methods
        if each.calls in handlers
    ]
    for name, url in deployed.urls.items():
        if name in handlers:
            endpoints.append(Endpoint("GET", url, handlers[name], False, via=emulator))
    return Outputs(tuple(endpoints), deployed.key)

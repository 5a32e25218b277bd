"""API Gateway's own error responses, such as 403 and 429: headers that let pages read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gimel.deploy.desired import Desired
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.rest_api import PAGE, REST_API

# 403 and 429 inherit from the first, every 5xx from the second.
KINDS = ("DEFAULT_4XX", "DEFAULT_5XX")
HEADERS = {
    "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
    "gatewayresponse.header.Cache-Control": "'no-cache, no-store, must-revalidate'",
}


class GatewayResponses(Resource[Mapping[str, Mapping[str, str]]]):
    """Observed as headers by kind of response, where they are not API Gateway's own."""

    def observe(self, look: Look) -> Mapping[str, Mapping[str, str]]:
        api = look.of(REST_API)
        if api is None:
            return {}
        which = {"restApiId": api.id, "limit": PAGE}
        return {
            each["responseType"]: each.get("responseParameters") or {}
            for each in look.aws.pages("apigateway", "get_gateway_responses", **which)
            if not each.get("defaultResponse")
        }

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        for kind in KINDS:
            if observed.of(self).get(kind) != HEADERS:
                yield PutGatewayResponse(kind)


GATEWAY_RESPONSES = GatewayResponses()


@dataclass(frozen=True)
class PutGatewayResponse(Step):
    kind: str

    def __str__(self) -> str:
        return f"Add CORS headers to API Gateway's own {self.kind.removeprefix('DEFAULT_')} errors"

    def perform(self, run: Run) -> None:
        run.aws.call(
            "apigateway",
            "put_gateway_response",
            restApiId=run.ids["api"],
            responseType=self.kind,
            responseParameters=HEADERS,
        )

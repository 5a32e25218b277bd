"""The CORS preflight answers, which API Gateway gives itself: OPTIONS of each path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gimel.deploy.desired import Desired
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.methods import METHODS, put_method
from gimel.runtime.http import preflight_headers


@dataclass(frozen=True)
class CorsPreflight:
    """The answer to a CORS preflight request for a path, which allows the methods it has."""

    path: str
    methods: tuple[str, ...]
    origin: str = "*"

    def response_parameters(self) -> dict[str, str]:
        """Return the headers as API Gateway maps them."""
        headers = {
            **preflight_headers(self.methods),
            "Access-Control-Allow-Origin": self.origin,
        }
        return {f"method.response.header.{name}": f"'{headers[name]}'" for name in headers}


class CorsPreflights(Resource[None]):
    """See the module. They are observed with the methods."""

    def observe(self, look: Look) -> None:
        return None

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        for preflight in cors_preflights(desired):
            method = observed.of(METHODS).find(preflight.path, "OPTIONS")
            if method is None or method.preflight != preflight.response_parameters():
                yield PutCorsPreflight(preflight, replace=method is not None)


CORS_PREFLIGHTS = CorsPreflights()


def cors_preflights(desired: Desired) -> list[CorsPreflight]:
    """Return the CORS preflight answer of each path.

    API Gateway cannot choose among several origins. It then allows any,
    and the answer to the request that follows names the origin or not.
    """
    origins = desired.config.document.allowed_origins or ["*"]
    origin = origins[0] if len(origins) == 1 else "*"
    wiring = desired.config.wiring
    paths = dict.fromkeys(route.path for route in wiring.routes)
    return [CorsPreflight(path, wiring.methods(path), origin) for path in paths]


@dataclass(frozen=True)
class PutCorsPreflight(Step):
    preflight: CorsPreflight
    replace: bool

    def __str__(self) -> str:
        verb = "Update" if self.replace else "Create"
        methods = ", ".join(self.preflight.methods)
        return f"{verb} the CORS preflight of /{self.preflight.path} ({methods})"

    def perform(self, run: Run) -> None:
        call = run.aws.call
        method = put_method(run, self.preflight.path, "OPTIONS", self.replace, apiKeyRequired=False)
        headers = self.preflight.response_parameters()
        template = {"application/json": '{"statusCode": 200}'}
        call("apigateway", "put_integration", **method, type="MOCK", requestTemplates=template)
        answer = {**method, "statusCode": "200"}
        names = dict.fromkeys(headers, False)
        call("apigateway", "put_method_response", **answer, responseParameters=names)
        call("apigateway", "put_integration_response", **answer, responseParameters=headers)

"""What a deployment is reached by: the ids and secrets that AWS chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gimel.deploy.aws import Aws
from gimel.deploy.resources.api_key import find_key
from gimel.deploy.resources.function_urls import urls_by_function
from gimel.deploy.resources.rest_api import find_api
from gimel.errors import GimelError


@dataclass(frozen=True)
class Deployed:
    """`api` is the id of the REST API, `key` the value of the API key.

    `urls` are the functions' own URLs, by function name.
    """

    api: str
    key: str = field(repr=False)
    urls: Mapping[str, str]


def deployed_from_ids(ids: Mapping[str, str]) -> Deployed:
    """Return what the ids of a run lead to."""
    return Deployed(ids.get("api", ""), ids.get("key value", ""), urls_by_function(ids))


def find_deployed(aws: Aws) -> Deployed:
    """Return what a deployment is reached by, in two calls, without the functions' own URLs.

    Raises GimelError where there is no deployment.
    """
    api = find_api(aws)
    key = find_key(aws, api) if api else None
    if api is None or key is None:
        raise GimelError(
            aws.deployment.describe_absence(aws.region),
            "Run `gimel deploy`, or choose another --region or --profile.",
        )
    return Deployed(api.id, key.value, {})

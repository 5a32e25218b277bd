"""The public URLs of a deployment, from its ids."""

from __future__ import annotations

import pytest

from gimel.deploy.outputs import Endpoint, Outputs, api_url, outputs
from tests.support.configurations import OWN_FUNCTION, SECOND_PATH, URL
from tests.support.state.cloud import API, KEY_VALUE, TRACK, url_of
from tests.support.state.names import Deployed
from tests.support.state.settled import configuration

PING = {"api_gateway": {"pathPart": "ping", "method": {"httpMethod": "GET"}}}
EMULATOR = "http://127.0.0.1:4566"
AWS = "amazonaws.com"
REACHED = outputs(Deployed(API, KEY_VALUE, {}), configuration().wiring, "eu-west-1", None, AWS)


@pytest.mark.parametrize(
    ("region", "emulator", "suffix", "expected"),
    [
        ("eu-west-1", None, AWS, f"https://{API}.execute-api.eu-west-1.amazonaws.com/prod"),
        (
            "eusc-de-east-1",
            None,
            "amazonaws.eu",
            f"https://{API}.execute-api.eusc-de-east-1.amazonaws.eu/prod",
        ),
        ("eu-west-1", EMULATOR, "", f"{EMULATOR}/restapis/{API}/prod/_user_request_"),
        ("eu-west-1", f"{EMULATOR}/", "", f"{EMULATOR}/restapis/{API}/prod/_user_request_"),
    ],
    ids=["AWS", "European Sovereign Cloud", "emulator", "emulator with a slash"],
)
def test_the_url_of_the_stage(
    region: str, emulator: str | None, suffix: str, expected: str
) -> None:
    """With the domain of the partition, or at the address of an emulator."""
    assert api_url(API, region, emulator, suffix) == expected


def test_each_route_is_an_endpoint() -> None:
    """In the order of the wiring, with its method, handler and whether it needs the key."""
    base = f"https://{API}.execute-api.eu-west-1.amazonaws.com/prod"

    assert REACHED.key == KEY_VALUE
    assert REACHED.endpoints == (
        Endpoint("GET", f"{base}/e", "gimel.track", api_key_required=False),
        Endpoint("POST", f"{base}/e", "gimel.track", api_key_required=False),
        Endpoint("GET", f"{base}/track", "gimel.track", api_key_required=False),
        Endpoint("POST", f"{base}/track", "gimel.track", api_key_required=False),
        Endpoint("GET", f"{base}/experiments", "gimel.all", api_key_required=True),
        Endpoint("DELETE", f"{base}/delete", "gimel.delete", api_key_required=True),
    )


def test_what_ad_blockers_block_is_known() -> None:
    """AlephBet's GET to 1.5.0's path is blocked by default; results are not for pages."""
    any_method = {"api_gateway": {"pathPart": "hitcount", "method": {"httpMethod": "ANY"}}}
    added = [URL, *({**SECOND_PATH, **route} for route in (PING, any_method))]
    wiring = configuration(extra_wiring=added).wiring
    deployed = Deployed(API, KEY_VALUE, {TRACK: url_of(TRACK)})

    found = outputs(deployed, wiring, "eu-west-1", None, AWS).endpoints

    blocked = [f"{each.method} {each.url.rsplit('/', 1)[1]}" for each in found if each.is_blocked]
    assert blocked == ["GET track", "GET ping", "ANY hitcount"]
    assert not Endpoint("GET", f"https://{API}/ping", "gimel.all", True).is_blocked


def test_extra_wiring_adds_endpoints() -> None:
    """A path onto an existing function, and one onto a function of the user's own."""
    wiring = configuration(extra_wiring=[SECOND_PATH, OWN_FUNCTION]).wiring

    found = outputs(Deployed(API, KEY_VALUE, {}), wiring, "eu-west-1", None, AWS).endpoints

    added = [
        (each.method, each.url.rsplit("/", 1)[1], each.handler)
        for each in found[len(REACHED.endpoints) :]
    ]
    assert added == [("GET", "t", "gimel.track"), ("GET", "experiment", "gimel.experiment")]


@pytest.mark.parametrize("emulator", [None, EMULATOR])
def test_a_function_url_is_an_endpoint_without_a_key(emulator: str | None) -> None:
    """Its host is the function's own; an emulator answers for it at its own address."""
    wiring = configuration(extra_wiring=[URL]).wiring
    deployed = Deployed(API, KEY_VALUE, {TRACK: url_of(TRACK)})

    last = outputs(deployed, wiring, "us-east-1", emulator, AWS).endpoints[-1]

    assert last == Endpoint("GET", url_of(TRACK), "gimel.track", False, via=emulator)


def test_the_url_of_a_function_that_left_the_wiring_is_no_endpoint() -> None:
    """What AWS still has of it is about to be removed."""
    deployed = Deployed(API, KEY_VALUE, {"old": url_of("old")})

    assert outputs(deployed, configuration().wiring, "eu-west-1", None, AWS).endpoints == (
        REACHED.endpoints
    )


@pytest.mark.parametrize(
    ("handler", "method", "expected"),
    [
        ("gimel.track", None, 0),
        ("gimel.track", "GET", 0),
        ("gimel.track", "POST", 1),
        ("gimel.all", "GET", 4),
        ("gimel.all", "POST", None),
        ("gimel.experiment", None, None),
    ],
)
def test_an_endpoint_is_found_by_handler_and_method(
    handler: str, method: str | None, expected: int | None
) -> None:
    """The first one of the handler where no method is given, None where there is none."""
    found = REACHED.endpoint(handler, method)

    assert found == (None if expected is None else REACHED.endpoints[expected])


def test_a_url_of_the_api_comes_before_the_functions_own() -> None:
    """The snippet on the page names the first one, whose answers a browser may read."""
    wiring = configuration(extra_wiring=[URL]).wiring
    deployed = Deployed(API, KEY_VALUE, {TRACK: url_of(TRACK)})

    found = outputs(deployed, wiring, "us-east-1", None, AWS).track

    assert found is not None
    assert API in found.url


def test_new_pages_send_events_to_the_first_url_that_takes_get() -> None:
    """To /e, unless extra_wiring gives its GET another handler."""
    taken = {**OWN_FUNCTION, "api_gateway": {"pathPart": "e", "method": {"httpMethod": "GET"}}}
    wiring = configuration(extra_wiring=[taken]).wiring

    found = outputs(Deployed(API, KEY_VALUE, {}), wiring, "eu-west-1", None, AWS).track

    assert REACHED.track is not None
    assert REACHED.track.url.endswith("/prod/e")
    assert found is not None
    assert found.url.endswith("/prod/track")


def test_the_key_is_not_shown_by_accident() -> None:
    """A trace or a log line that shows the outputs does not show the key."""
    assert KEY_VALUE not in repr(REACHED)
    assert KEY_VALUE not in repr(Outputs((), KEY_VALUE))
    assert KEY_VALUE not in repr(Deployed(API, KEY_VALUE, {}))

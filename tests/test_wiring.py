"""WIRING: the routes of 1.5.0, and those that came later."""

from __future__ import annotations

import pytest

from gimel.wiring import (
    HANDLERS,
    METHODS,
    WIRING,
    Function,
    Route,
    Wiring,
    deployed_names,
    scheduled_functions,
)


def test_the_routes_are_those_of_1_5_0_and_more_for_events() -> None:
    """1.5.0's paths, methods, names and keys stay, so that its snippets keep working."""
    routes = {
        (route.method, route.path): (route.function, route.api_key_required)
        for route in WIRING.routes
    }
    assert routes == {
        ("GET", "e"): ("gimel-track", False),
        ("POST", "e"): ("gimel-track", False),
        ("GET", "track"): ("gimel-track", False),
        ("POST", "track"): ("gimel-track", False),
        ("GET", "experiments"): ("gimel-all-experiments", True),
        ("DELETE", "delete"): ("gimel-delete-experiment", True),
    }


def test_every_route_leads_to_a_function() -> None:
    """The functions are those that the routes name, each once, and one for a schedule."""
    names = [function.name for function in WIRING.unscheduled().functions]
    assert names == list(dict.fromkeys(route.function for route in WIRING.routes))
    assert WIRING.function("gimel-track") == Function("gimel-track", "gimel.track", 128, 3)


def test_a_schedule_calls_one_function_once_a_day() -> None:
    """It may take as long as Lambda allows. No route leads to it."""
    (function,) = set(WIRING.functions) - set(WIRING.unscheduled().functions)
    assert function == Function(
        "gimel-snapshot", "gimel.snapshot", 512, 900, schedule="cron(5 0 * * ? *)"
    )
    assert function.handler not in HANDLERS
    assert scheduled_functions("shop") == ("shop-snapshot",)


@pytest.mark.parametrize(
    ("wired", "answered"),
    [
        (("GET",), ("GET",)),
        (("GET", "POST"), ("GET", "POST")),
        (("ANY",), METHODS[:-1]),
        ((), ()),
    ],
    ids=["one", "several", "ANY", "none"],
)
def test_a_path_answers_its_methods(wired: tuple[str, ...], answered: tuple[str, ...]) -> None:
    """They are what OPTIONS lists, where ANY is spelled out."""
    routes = tuple(Route("mine", method, False, "gimel-track") for method in wired)
    other = Route("other", "PUT", False, "gimel-track")
    assert Wiring(WIRING.functions, (*routes, other)).methods("mine") == answered


def test_a_deployment_has_functions_of_its_name() -> None:
    """The routes follow, and the default name changes nothing."""
    wiring = WIRING.renamed(deployed_names("shop"))
    assert [function.name for function in wiring.functions] == [
        "shop-track",
        "shop-all-experiments",
        "shop-delete-experiment",
        "shop-snapshot",
    ]
    assert {(route.path, route.function) for route in wiring.routes} == {
        ("e", "shop-track"),
        ("track", "shop-track"),
        ("experiments", "shop-all-experiments"),
        ("delete", "shop-delete-experiment"),
    }
    assert WIRING.renamed(deployed_names("gimel")) == WIRING

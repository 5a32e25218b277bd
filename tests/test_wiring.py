"""The wiring: 1.5.0's routes, what a configuration adds, and errors that name the entry."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from gimel.errors import GimelError
from gimel.wiring import WIRING, Function, Route, wire


def entry(path: str = "mine", method: str = "GET", **function: Any) -> dict[str, Any]:
    return {
        "lambda": {
            "FunctionName": "gimel-track",
            "Handler": "gimel.track",
            "MemorySize": 128,
            "Timeout": 3,
            **function,
        },
        "api_gateway": {
            "pathPart": path,
            "method": {"httpMethod": method, "apiKeyRequired": False},
        },
    }


def test_the_routes_of_1_5_0_are_there_and_post_on_track() -> None:
    """Paths, methods, names and keys are those that 1.5.0 deployed, so that its snippets go on working."""
    routes = {
        (route.method, route.path): (route.function, route.api_key_required)
        for route in wire().routes
    }
    assert routes == {
        ("GET", "track"): ("gimel-track", False),
        ("POST", "track"): ("gimel-track", False),
        ("GET", "experiments"): ("gimel-all-experiments", True),
        ("DELETE", "delete"): ("gimel-delete-experiment", True),
    }


def test_a_second_path_leads_to_the_same_function() -> None:
    """The example of 1.5.0's README: another path onto gimel-track, which stays one function."""
    wiring = wire([entry("kcart")])
    assert [function.name for function in wiring.functions].count("gimel-track") == 1
    assert Route("kcart", "GET", False, "gimel-track") in wiring.routes


def test_several_methods_may_share_a_path() -> None:
    """A path answers each method that is wired to it, and OPTIONS tells them."""
    assert wire([entry(method="GET"), entry(method="POST")]).methods("mine") == ("GET", "POST")


def test_any_stands_for_all_methods() -> None:
    """ANY is spelled out for the preflight answer."""
    assert wire([entry(method="ANY")]).methods("mine") == (
        "GET",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "HEAD",
    )


def test_an_extra_entry_may_resize_a_function() -> None:
    """As in 1.5.0 the last word on a function's memory and time is the configuration's."""
    wiring = wire([entry(MemorySize=256, Timeout=5)])
    assert wiring.function("gimel-track") == Function("gimel-track", "gimel.track", 256, 5)


def test_an_extra_entry_may_take_over_a_route() -> None:
    """As in 1.5.0 the last word on a route is the configuration's."""
    wiring = wire([entry("track", FunctionName="mine")])
    assert [
        route.function for route in wiring.routes if (route.method, route.path) == ("GET", "track")
    ] == ["mine"]


def test_sizes_left_out_are_those_of_the_handlers_own_function() -> None:
    """A function of the user's own is as large and patient as Gimel's with that handler."""
    given = {
        "lambda": {"FunctionName": "mine", "Handler": "gimel.all"},
        "api_gateway": {"pathPart": "mine", "method": {"httpMethod": "GET"}},
    }
    assert wire([given]).function("mine") == Function("mine", "gimel.all", 128, 60)


def test_a_function_may_have_a_url_of_its_own() -> None:
    """function_url stands beside api_gateway or instead of it."""
    alone = {
        "lambda": {"FunctionName": "gimel-track", "Handler": "gimel.track"},
        "function_url": True,
    }
    wiring = wire([alone])
    assert wiring.function("gimel-track").url
    assert wiring.routes == wire().routes


def broken(change: str, value: Any) -> dict[str, Any]:
    """An entry with one value changed; the place is named as `lambda.Timeout`, a value of `del` removes it."""
    given = copy.deepcopy(entry())
    *parents, key = change.split(".")
    place: Any = given
    for parent in parents:
        place = place[parent]
    if value == "del":
        del place[key]
    else:
        place[key] = value
    return given


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (5, r"extra_wiring\[0\]: expected an object, found 5"),
        (broken("lambda", "del"), r"extra_wiring\[0\]: 'lambda' is missing"),
        (
            broken("lamda", {}),
            r"extra_wiring\[0\]: there is no key 'lamda'. Did you mean 'lambda'\?",
        ),
        (
            broken("lambda.Handler", "gimel.trakc"),
            r"extra_wiring\[0\].lambda.Handler: .*Did you mean 'gimel.track'\?",
        ),
        (broken("lambda.Handler", "del"), r"extra_wiring\[0\].lambda: 'Handler' is missing"),
        (broken("lambda.FunctionName", "my function"), r"FunctionName: 'my function' is no name"),
        (
            broken("lambda.MemorySize", "128"),
            r"lambda.MemorySize: expected a whole number, found '128'",
        ),
        (
            broken("lambda.MemorySize", True),
            r"lambda.MemorySize: expected a whole number, found True",
        ),
        (broken("lambda.MemorySize", 64), r"lambda.MemorySize: 64 MB is not between 128 and 10240"),
        (broken("lambda.Timeout", 901), r"lambda.Timeout: 901 s is not between 1 and 900"),
        (broken("lambda.Runtime", "python3.8"), r"lambda: there is no key 'Runtime'"),
        (broken("api_gateway", "del"), r"nothing leads to gimel-track. Add \"api_gateway\""),
        (
            broken("api_gateway.pathPart", "/a/b"),
            r"pathPart: '/a/b' is not one part of a path.*Leave slashes out",
        ),
        (broken("api_gateway.pathPart", ""), r"pathPart: '' is not one part of a path"),
        (
            broken("api_gateway.method.httpMethod", "OPTIONS"),
            r"httpMethod: 'OPTIONS' cannot be wired. Gimel answers it",
        ),
        (broken("api_gateway.method.httpMethod", "get"), r"httpMethod: 'get' cannot be wired"),
        (
            broken("api_gateway.method.apiKeyRequired", "no"),
            r"apiKeyRequired: expected true or false, found 'no'",
        ),
        (
            broken("api_gateway.method.requestParameters", {"q": False}),
            r"requestParameters: 'q': False is no parameter",
        ),
        (broken("function_url", 1), r"function_url: expected true or false, found 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_named_with_its_entry_and_key(given: Any, message: str) -> None:
    """Whatever is wrong with an entry, the error says where and what is allowed."""
    with pytest.raises(GimelError, match=message):
        wire([given])


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            [entry(Handler="gimel.all")],
            r"extra_wiring\[0\]: the function gimel-track already has the handler gimel.track",
        ),
        (
            [entry("a"), entry("b", Timeout=9)],
            r"extra_wiring\[1\]: extra_wiring\[0\] gives the function gimel-track another",
        ),
        ([entry("a"), entry("a")], r"extra_wiring\[1\]: extra_wiring\[0\] already wires GET /a"),
    ],
    ids=["handler", "size", "route"],
)
def test_entries_that_contradict_each_other_are_refused(entries: list[Any], message: str) -> None:
    """Two entries that cannot both hold are an error, not a matter of their order."""
    with pytest.raises(GimelError, match=message):
        wire(entries)


@pytest.mark.parametrize("handler", ["gimel.all", "gimel.experiment", "gimel.delete"])
def test_what_needs_a_key_gets_no_public_url(handler: str) -> None:
    """A function URL knows no API key, so results and deletion may not have one."""
    with pytest.raises(GimelError, match="needs an API key"):
        wire([{"lambda": {"FunctionName": "mine", "Handler": handler}, "function_url": True}])


def test_wire_leaves_the_literal_alone() -> None:
    """WIRING is the same after wiring as before."""
    before = copy.deepcopy(WIRING)
    wire([entry(MemorySize=512)])
    assert before == WIRING

"""`extra_wiring`: what an entry may hold, and how entries extend the wiring."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from gimel import config
from gimel.config.schema import Document
from gimel.errors import GimelError
from gimel.wiring import WIRING, Function, Route, Wiring


def entry(path: str = "mine", method: str = "GET", **function: Any) -> dict[str, Any]:
    """Return an entry as Gimel 1.5.0 wanted it, complete."""
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


@pytest.fixture
def wire(tmp_path: Path) -> Any:
    """Return the wiring of a file with these entries."""

    def wire(*entries: Any, **aws: Any) -> Wiring:
        path = tmp_path / "config.json"
        path.write_text(json.dumps({"extra_wiring": entries, "aws": aws}))
        return config.load(path).wiring

    return wire


def test_no_entries_leave_the_wiring_as_it_is(wire: Any) -> None:
    """The wiring of an empty list is WIRING."""
    assert wire() == WIRING


def test_a_second_path_leads_to_the_same_function(wire: Any) -> None:
    """The example of 1.5.0's README: another path to gimel-track, which stays one function."""
    wiring = wire(entry("kcart"))
    assert [function.name for function in wiring.functions].count("gimel-track") == 1
    assert Route("kcart", "GET", False, "gimel-track") in wiring.routes


def test_everything_that_1_5_0_could_say_arrives(wire: Any) -> None:
    """Its own entry for /experiments, under another path and name."""
    given = entry("all", FunctionName="mine", Handler="gimel.all", MemorySize=256, Timeout=60)
    given["api_gateway"]["method"] |= {
        "apiKeyRequired": True,
        "requestParameters": {
            "method.request.querystring.namespace": False,
            "method.request.header.X-Shop": True,
        },
    }
    wiring = wire(given)
    assert wiring.function("mine") == Function("mine", "gimel.all", 256, 60)
    parameters = (
        ("method.request.querystring.namespace", False),
        ("method.request.header.X-Shop", True),
    )
    assert wiring.routes[-1] == Route("all", "GET", True, "mine", parameters)


def test_several_methods_may_share_a_path(wire: Any) -> None:
    """A path answers each method that is wired to it."""
    wiring = wire(entry(method="GET"), entry(method="POST"))
    assert wiring.methods("mine") == ("GET", "POST")


def test_an_entry_may_resize_a_function(wire: Any) -> None:
    """As in 1.5.0, the configuration overrides the memory and the timeout."""
    wiring = wire(entry(MemorySize=256, Timeout=5))
    assert wiring.function("gimel-track") == Function("gimel-track", "gimel.track", 256, 5)


def test_an_entry_may_take_over_a_route(wire: Any) -> None:
    """As in 1.5.0, the configuration overrides a route."""
    wiring = wire(entry("track", FunctionName="mine"))
    assert [
        route.function for route in wiring.routes if (route.method, route.path) == ("GET", "track")
    ] == ["mine"]


def test_omitted_sizes_are_those_of_the_handlers_own_function(wire: Any) -> None:
    """A user's function has the memory and timeout of Gimel's function with that handler."""
    given = {
        "lambda": {"FunctionName": "mine", "Handler": "gimel.all"},
        "api_gateway": {"pathPart": "mine", "method": {"httpMethod": "GET"}},
    }
    assert wire(given).function("mine") == Function("mine", "gimel.all", 256, 29)


@pytest.mark.parametrize("name", ["gimel-track", "shop-track"])
def test_an_entry_names_gimels_own_function_with_either_name(name: str, wire: Any) -> None:
    """As WIRING calls it, or as it is deployed."""
    wiring = wire(entry("kcart", FunctionName=name, MemorySize=256), name="shop")
    assert [function.name for function in wiring.functions] == [
        "shop-track",
        "shop-all-experiments",
        "shop-delete-experiment",
        "shop-snapshot",
    ]
    assert wiring.function("shop-track").memory == 256
    assert {route.function for route in wiring.routes if route.path in ("track", "kcart")} == {
        "shop-track"
    }


@pytest.mark.parametrize("name", ["mine", "gimel-mine"])
def test_a_function_of_the_users_keeps_its_name(name: str, wire: Any) -> None:
    """Only Gimel's own functions follow the name of the deployment."""
    wiring = wire(entry("kcart", FunctionName=name), name="shop")
    assert wiring.functions[-1].name == wiring.routes[-1].function == name


def test_options_belong_to_functions_as_they_are_deployed(wire: Any) -> None:
    """So that the names are those that AWS shows."""
    wiring = wire(name="shop", functions={"shop-track": {"memory": 256}})
    assert wiring.function("shop-track")


URL = {"lambda": {"FunctionName": "gimel-track", "Handler": "gimel.track"}, "function_url": True}


@pytest.mark.parametrize(
    "entries", [[URL], [{**entry("track"), "function_url": True}], [URL, entry("track")]]
)
def test_a_function_may_have_a_url(entries: list[Any], wire: Any) -> None:
    """Instead of a route, beside it, or in an entry before another one of the same function."""
    wiring = wire(*entries)
    assert wiring.function("gimel-track").url
    assert {(route.path, route.method) for route in wiring.routes} == {
        (route.path, route.method) for route in WIRING.routes
    }


def test_a_null_stands_for_an_omitted_key(wire: Any) -> None:
    """As everywhere in config.json."""
    given = entry("mine", MemorySize=None, Timeout=None)
    assert wire(given).function("gimel-track") == WIRING.function("gimel-track")


def broken(change: str, value: Any) -> dict[str, Any]:
    """Return an entry with one value changed, such as `lambda.Timeout`; "del" removes the key."""
    given = copy.deepcopy(entry())
    *parents, key = change.split(".")
    inner = given
    for parent in parents:
        inner = inner[parent]
    if value == "del":
        del inner[key]
    else:
        inner[key] = value
    return given


METHODS = '"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD" or "ANY"'
PATH = "pathPart must be one part of a path without slashes: letters, digits and . _ ~ : -; "


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("GET /a", ' must be an object; found "GET /a".'),
        (broken("lambda", "del"), ".lambda is missing."),
        (broken("lambda", []), ".lambda must be an object; found []."),
        (broken("lamda", {}), "unknown key 'extra_wiring[0].lamda'. Did you mean 'lambda'?"),
        (
            broken("lambda.Handler", "gimel.trakc"),
            '.lambda.Handler must be "gimel.track", "gimel.all", "gimel.experiment" or '
            '"gimel.delete"; found "gimel.trakc". Did you mean \'gimel.track\'?',
        ),
        (
            broken("lambda.Handler", "gimel.snapshot"),
            '.lambda.Handler must be "gimel.track", "gimel.all", "gimel.experiment" or '
            '"gimel.delete"; found "gimel.snapshot".',
        ),
        (broken("lambda.Handler", "del"), ".lambda.Handler is missing."),
        (
            broken("lambda.FunctionName", "my function"),
            ".lambda.FunctionName must be a valid function name: 1 to 64 letters, digits, - and _; "
            'found "my function".',
        ),
        (broken("lambda.FunctionName", "f" * 65), ".lambda.FunctionName must be a valid function"),
        (broken("lambda.FunctionName", 1), ".lambda.FunctionName must be text; found 1."),
        (
            broken("lambda.MemorySize", "128"),
            '.lambda.MemorySize must be a whole number; found "128".',
        ),
        (
            broken("lambda.MemorySize", True),
            ".lambda.MemorySize must be a whole number; found true.",
        ),
        (broken("lambda.MemorySize", 64), ".lambda.MemorySize must be at least 128; found 64."),
        (broken("lambda.MemorySize", 10_241), ".lambda.MemorySize must be at most 10240; found"),
        (broken("lambda.Timeout", 901), ".lambda.Timeout must be at most 900; found 901."),
        (broken("lambda.Timeout", 0), ".lambda.Timeout must be at least 1; found 0."),
        (
            broken("lambda.Runtime", "python3.8"),
            "unknown key 'extra_wiring[0].lambda.Runtime'. Available: 'FunctionName', 'Handler'",
        ),
        (
            broken("api_gateway", "del"),
            ' must have "api_gateway" or "function_url": true, else nothing calls gimel-track.',
        ),
        (broken("api_gateway.pathPart", "/a/b"), f'.api_gateway.{PATH}found "/a/b".'),
        (broken("api_gateway.pathPart", ""), f'.api_gateway.{PATH}found "".'),
        (broken("api_gateway.pathPart", ".."), f'.api_gateway.{PATH}found "..".'),
        (
            broken("api_gateway.method.httpMethod", "OPTIONS"),
            ".api_gateway.method.httpMethod must not be OPTIONS, which Gimel answers itself",
        ),
        (
            broken("api_gateway.method.httpMethod", "get"),
            f".api_gateway.method.httpMethod must be {METHODS}; found \"get\". Did you mean 'GET'?",
        ),
        (
            broken("api_gateway.method.apiKeyRequired", "no"),
            '.api_gateway.method.apiKeyRequired must be true or false; found "no".',
        ),
        (
            broken("api_gateway.method.requestParameters", {"q": False}),
            '.api_gateway.method.requestParameters: the key "q" must be like '
            '"method.request.querystring.NAME".',
        ),
        (
            broken(
                "api_gateway.method.requestParameters", {"method.request.querystring.a": "true"}
            ),
            ".api_gateway.method.requestParameters.method.request.querystring.a must be true or ",
        ),
        (broken("function_url", 1), ".function_url must be true or false; found 1."),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)
def test_a_mistake_is_named_with_its_entry_and_key(given: Any, message: str, wire: Any) -> None:
    """In the sentences that all of config.json has."""
    with pytest.raises(GimelError) as caught:
        wire(given)
    expected = message if message.startswith("unknown") else f"extra_wiring[0]{message}"
    assert f"config.json: {expected}" in str(caught.value)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            [entry(Handler="gimel.all")],
            'extra_wiring[0].lambda.Handler must be "gimel.track", the handler of gimel-track. '
            "Choose another FunctionName.",
        ),
        (
            [entry(FunctionName="gimel-snapshot", Handler="gimel.all")],
            "extra_wiring[0].lambda.FunctionName must not be gimel-snapshot, which only its "
            "schedule calls. Choose another name. aws.functions.gimel-snapshot sets its memory and "
            "timeout.",
        ),
        (
            [entry("a"), entry("b", Timeout=9)],
            "extra_wiring[1].lambda must have the MemorySize and Timeout of extra_wiring[0].lambda:"
            " both are the function gimel-track.",
        ),
        (
            [entry("a"), entry("a")],
            "extra_wiring[1].api_gateway must differ from extra_wiring[0].api_gateway:"
            " both wire GET /a.",
        ),
    ],
    ids=["handler", "schedule", "size", "route"],
)
def test_entries_that_contradict_each_other_are_refused(
    entries: list[Any], message: str, wire: Any
) -> None:
    """Their order decides nothing."""
    with pytest.raises(GimelError) as caught:
        wire(*entries)
    assert f"config.json: {message}" in str(caught.value)


@pytest.mark.parametrize("handler", ["gimel.all", "gimel.experiment", "gimel.delete"])
def test_what_requires_the_key_gets_no_public_url(handler: str, wire: Any) -> None:
    """A function URL cannot check the API key, so results and deletion may not have one."""
    with pytest.raises(GimelError, match=f"must not have a function_url: {handler} requires the"):
        wire({"lambda": {"FunctionName": "mine", "Handler": handler}, "function_url": True})


def test_every_key_of_an_entry_is_the_one_of_1_5_0() -> None:
    """The names are boto3's, which 1.5.0 passed on."""
    parsed = Document.model_validate({"extra_wiring": [entry()]})
    assert parsed.model_dump(by_alias=True, exclude_unset=True)["extra_wiring"] == [entry()]

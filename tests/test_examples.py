"""The examples are valid, can be deployed, and hold the snippet as it is printed today."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from gimel import config
from gimel.deploy.desired import desired_state
from gimel.deploy.plan import plan
from gimel.page.snippet import snippet
from tests.support.empty_account import empty_account

EXAMPLES = Path(__file__).parents[1] / "examples"
CONFIGURATIONS = sorted(path.parent.name for path in EXAMPLES.glob("*/config.json"))
TRACK_URL = "https://abc123.execute-api.eu-west-1.amazonaws.com/prod/e"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the examples, with the CA file that a user of Redis Cloud downloads."""
    copy = Path(shutil.copytree(EXAMPLES, tmp_path / "examples"))
    (copy / "redis-cloud" / "redis_ca.pem").write_text("a certificate")
    return copy


def steps_into_an_empty_account(path: Path) -> list[str]:
    return [str(step) for step in plan(desired_state(config.load(path)), empty_account())]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_can_be_deployed(name: str, folder: Path) -> None:
    """It is valid, its settings fit, and a plan creates the API and each of its functions."""
    path = folder / name / "config.json"
    steps = steps_into_an_empty_account(path)
    for function in config.load(path).wiring.functions:
        assert any(f"Create the function {function.name}" in step for step in steps)
    assert "Create the REST API gimel" in steps


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_asks_for_its_values_to_be_replaced(name: str) -> None:
    """The password says that it is a placeholder, so that no one takes it for a real one."""
    password = config.load(EXAMPLES / name / "config.json").require_redis().password
    assert isinstance(password, str)
    assert password.startswith("REPLACE")


def test_the_configuration_of_a_vpc_lets_the_functions_into_it(folder: Path) -> None:
    """Each function gets the subnets and the security group."""
    desired = desired_state(config.load(folder / "elasticache-vpc" / "config.json"))
    assert all(len(each.configuration.subnets) == 2 for each in desired.functions)


def test_the_routes_are_those_that_the_page_describes() -> None:
    """One more path for events, one experiment behind the key, and a URL of the function itself."""
    wiring = config.load(EXAMPLES / "routes" / "config.json").wiring
    assert [(each.method, each.path, each.api_key_required) for each in wiring.routes[-2:]] == [
        ("POST", "t", False),
        ("GET", "experiment", True),
    ]
    assert [each.name for each in wiring.functions if each.url] == ["gimel-track"]


def test_the_page_has_the_snippet_as_it_is_printed() -> None:
    """What a copied page runs is what `gimel snippet` prints now."""
    page = (EXAMPLES / "page" / "index.html").read_text("utf-8")
    command = f"gimel snippet --url {TRACK_URL} --file gimel.js"
    assert snippet(TRACK_URL, file="gimel.js") in page, f"Insert `{command}`."


def test_the_page_has_what_its_snippet_looks_for() -> None:
    """The button that is the goal, and a style for each variant."""
    page = (EXAMPLES / "page" / "index.html").read_text("utf-8")
    (button,) = re.findall(r'bought: "\.([\w-]+)"', page)
    assert f'class="{button}"' in page
    variants = re.findall(r'setAttribute\("data-buy-button", "(\w+)"\)', page)
    assert variants == ["blue", "red"]
    for variant in variants:
        assert f'[data-buy-button="{variant}"] .{button}' in page


def test_each_example_is_described() -> None:
    """The README of the examples has a paragraph for each folder."""
    described = re.findall(r"^## \[([\w-]+)\]", (EXAMPLES / "README.md").read_text(), re.MULTILINE)
    assert sorted(described) == sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())

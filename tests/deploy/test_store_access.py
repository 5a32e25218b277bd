"""Asking the function of the snapshots, where only that reaches the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from gimel import config
from gimel.deploy.store_access import asking
from gimel.errors import GimelError
from tests.support.aws import Refusal, lambda_answer, scripted

EVENT = {"transfer": {"commands": [], "idempotent": True}}
CONFIG = config.load(None)


def answer(value: Any, **more: Any) -> Any:
    """Return what the function answered to EVENT, or raise what came of it."""

    def invoked(_: Mapping[str, Any]) -> Any:
        return value if isinstance(value, Refusal) else lambda_answer(value, **more)

    with scripted() as script:
        script.answers = {"Invoke": invoked}
        said = asking(script.aws(), CONFIG)(EVENT)
        (given,) = script.given
        assert (given["FunctionName"], given["Qualifier"]) == ("gimel-snapshot", "live")
        assert json.loads(given["Payload"]) == EVENT
        return said


@pytest.mark.parametrize("value", [{"replies": [1]}, {"failed": "why"}, {"too_long": True}])
def test_what_is_live_is_asked(value: dict[str, Any]) -> None:
    """Its answer is returned."""
    assert answer(value) == value


@pytest.mark.parametrize(
    ("value", "more", "message"),
    [
        ({"status": "ok", "experiments": 1}, {}, "is of another version"),
        (None, {}, "is of another version"),
        (
            {"errorMessage": "No module named 'gimel.transfer'"},
            {"FunctionError": "Unhandled"},
            "failed: No module named 'gimel.transfer'. Run `gimel deploy`",
        ),
        (Refusal("ResourceNotFoundException"), {}, "does not exist. Run `gimel deploy` first"),
        (Refusal("AccessDeniedException"), {}, "AWS does not allow lambda:Invoke"),
    ],
)
def test_what_cannot_be_used_is_named(value: Any, more: dict[str, Any], message: str) -> None:
    """With what to do."""
    with pytest.raises(GimelError) as error:
        answer(value, **more)
    assert message in str(error.value)


def test_without_snapshots_no_function_reaches_the_store() -> None:
    """The message says what to turn on."""
    silent = replace(CONFIG, wiring=CONFIG.wiring.unscheduled())
    with scripted() as script, pytest.raises(GimelError, match="snapshots are off"):
        asking(script.aws(), silent)

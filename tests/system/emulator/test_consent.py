"""What `gimel deploy` does without a terminal: it deletes nothing unasked, and shows no secret."""

from __future__ import annotations

import json

import pytest

from tests.support.account import Account, variables
from tests.support.configurations import SECOND_PATH
from tests.support.warm_process import Commands


def test_a_plan_that_deletes_something_needs_consent(account: Account, commands: Commands) -> None:
    """Without --yes nothing is changed and the deletions are named; with it, they are made."""
    account.deploy(extra_wiring=[SECOND_PATH])
    account.configure()
    before = account.listing()

    refused = commands.run(
        "deploy", "--no-preflight", home=account.file.parent, **variables(account.url)
    )

    assert refused.returncode == 1
    assert "Delete the path /t, which is not in the wiring" in refused.stderr
    assert "Pass --yes to apply it." in refused.stderr
    assert account.listing() == before
    done = commands.run(
        "deploy", "--no-preflight", "--yes", home=account.file.parent, **variables(account.url)
    )
    assert done.returncode == 0, done.stderr
    assert account.ask("t").status == 403


@pytest.mark.parametrize(
    "command",
    [
        ("deploy", "--no-preflight"),
        ("deploy", "--no-preflight", "--json"),
        ("status",),
        ("status", "--json"),
    ],
    ids=" ".join,
)
def test_the_api_key_is_printed_only_on_request(
    deployed: Account, commands: Commands, command: tuple[str, ...]
) -> None:
    """Output that is not a terminal may become a public log: it needs --show-key."""
    (found,) = deployed.client("apigateway").get_api_keys(includeValues=True)["items"]
    key, home, where = found["value"], deployed.file.parent, variables(deployed.url)

    hidden = commands.run(*command, home=home, **where)
    shown = commands.run(*command, "--show-key", home=home, **where)

    assert hidden.returncode == shown.returncode == 0, hidden.stderr
    assert key not in hidden.stdout + hidden.stderr
    assert key in shown.stdout
    if "--json" in command:
        assert json.loads(hidden.stdout)["api_key"] is None

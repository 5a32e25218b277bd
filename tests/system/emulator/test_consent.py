"""What `gimel deploy` does without a terminal: it deletes nothing unasked, and shows no secret."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.account import Account, variables
from tests.support.command import gimel
from tests.support.configurations import SECOND_PATH


def test_a_plan_that_deletes_something_needs_consent(account: Account, tmp_path: Path) -> None:
    """Without --yes nothing is changed and the deletions are named; with it, they are made."""
    account.deploy(extra_wiring=[SECOND_PATH])
    account.configure()
    before = account.listing()

    refused = gimel("deploy", "--no-preflight", home=tmp_path, **variables(account.url))

    assert refused.returncode == 1
    assert "Delete the path /t, which is not in the wiring" in refused.stderr
    assert "Pass --yes to apply it." in refused.stderr
    assert account.listing() == before
    done = gimel("deploy", "--no-preflight", "--yes", home=tmp_path, **variables(account.url))
    assert done.returncode == 0, done.stderr
    assert account.ask("t").status == 403


def test_the_api_key_is_printed_only_on_request(account: Account, tmp_path: Path) -> None:
    """In the output of deploy and status, as text and as JSON, which may become a public log."""
    key = account.deploy().deployed.key
    where = variables(account.url)
    commands = [["deploy", "--no-preflight"], ["deploy", "--no-preflight", "--json"], ["status"]]
    for command in [*commands, ["status", "--json"]]:
        hidden = gimel(*command, home=tmp_path, **where)
        shown = gimel(*command, "--show-key", home=tmp_path, **where)
        assert hidden.returncode == shown.returncode == 0, hidden.stderr
        assert key not in hidden.stdout + hidden.stderr
        assert key in shown.stdout
        if "--json" in command:
            assert json.loads(hidden.stdout)["api_key"] is None

"""docs/aws.md shows what the commands print."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.account import Account
from tests.support.warm_process import Commands

sys.path.append(str(Path(__file__).parents[3] / "docs"))

from aws_page import PAGE, outputs, page


def test_the_page_is_what_the_commands_print(account: Account, commands: Commands) -> None:
    """`python docs/aws_page.py` writes it."""
    assert page(outputs(account, commands)) == PAGE.read_text()

"""`gimel delete`: what it asks, deletes and prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import gimel_here
from tests.support.stubs import answering

KEY = "the-key-of-these-tests"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"status": "ok", "deleted": 4}, "Deleted 4 counters of 'button'.\n"),
        ({"status": "ok", "deleted": 1}, "Deleted 1 counter of 'button'.\n"),
        (
            {"status": "ok", "deleted": 0},
            "Nothing to delete: 'shop' has no experiment 'button'.\n",
        ),
        ({"status": "ok"}, "Deleted 'button'.\n"),
    ],
    ids=["some", "one", "none", "of Gimel 1.5.0"],
)
def test_what_was_deleted_is_printed(
    answer: dict[str, object], message: str, tmp_path: Path
) -> None:
    """An experiment that does not exist is not a failure."""
    with answering(body=answer) as stub:
        done = gimel_here(
            *("delete", "button", "--yes", "--namespace", "shop", "--url", stub.url),
            home=tmp_path,
            GIMEL_API_KEY=KEY,
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, message, "")
    assert stub.asked == [("DELETE", "/delete?namespace=shop&experiment=button")]


def test_without_a_terminal_nothing_is_deleted(tmp_path: Path) -> None:
    """Unless --yes confirms it."""
    with answering(body={"status": "ok"}) as stub:
        done = gimel_here("delete", "button", "--url", stub.url, home=tmp_path, GIMEL_API_KEY=KEY)
    assert (done.returncode, done.stdout) == (1, "")
    assert "--yes" in done.stderr
    assert stub.asked == []

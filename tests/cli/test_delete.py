"""`gimel delete` deletes an experiment of the API that is asked for."""

from __future__ import annotations

from pathlib import Path

from tests.support.runner import invoke
from tests.support.served import serving


def test_deleting_reports_what_was_deleted(tmp_path: Path) -> None:
    """The number of counters, and the second time that there is no such experiment."""
    with serving(tmp_path) as served:
        for variant in ("red", "blue"):
            for event in ("participate", "conversion"):
                parameters = {"experiment": "e", "variant": variant, "event": event, "uuid": "1"}
                served.http.get("/track", params=parameters).raise_for_status()
        command = ("delete", "e", "--yes", "--local", "--url", served.url)
        first, second = invoke(*command, home=tmp_path), invoke(*command, home=tmp_path)

    assert (first.exit_code, first.stdout) == (0, "Deleted 4 counters of 'e'.\n")
    assert (second.exit_code, second.stdout.split(" in ")[0]) == (0, "There is no experiment 'e'")

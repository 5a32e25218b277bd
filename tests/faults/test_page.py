"""docs/reliability.md has the table that `python -m benchmarks.reliability` writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.marked_tables import fill, markdown
from benchmarks.reliability import PAGE
from tests.faults.outages import OUTAGES


def test_the_table_has_a_row_for_every_outage() -> None:
    """The program was run after an outage was added or renamed."""
    table = PAGE.read_text("utf-8").partition("<!-- table outages -->")[2]

    rows = [line for line in table.partition("<!-- end")[0].splitlines() if line.startswith("| ")]

    names = [row.split(" | ")[0].removeprefix("| ") for row in rows[2:]]
    assert names == [outage.name for outage in OUTAGES]


def test_only_the_named_table_is_written(tmp_path: Path) -> None:
    """The text around a table and the other tables of a page stay as they are."""
    page = tmp_path / "page.md"
    before = "Text\n<!-- table {0} -->\n{1}<!-- end of table {0} -->\n"
    page.write_text(before.format("a", "| old |\n") + before.format("b", "| kept |\n"), "utf-8")

    fill(page, "a", markdown(["name", "count"], [["x", "1"]]))

    written = "| name | count |\n| --- | ---: |\n| x | 1 |\n"
    assert page.read_text("utf-8") == before.format("a", written) + before.format("b", "| kept |\n")


def test_a_table_without_a_place_is_an_error(tmp_path: Path) -> None:
    """A misspelled name writes nothing and says so."""
    page = tmp_path / "page.md"
    page.write_text("Text\n", "utf-8")

    with pytest.raises(LookupError, match="has 0 tables with the name other"):
        fill(page, "other", "")

"""docs/comparison.md: its table of clients is current, and its facts have dates and sources."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.comparison import CLIENTS, TABLE, described, gimel_row

PAGE = (Path(__file__).parents[1] / "docs" / "comparison.md").read_text("utf-8")


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its two first lines."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_client_has_the_size_shown() -> None:
    """If this fails, run `python -m benchmarks.comparison`."""
    assert rows("What a page loads")[0] == list(gimel_row())


def test_the_other_clients_are_those_that_were_measured() -> None:
    """The table has a row of the program's for each client, in its order and version."""
    assert PAGE.count(f"table {TABLE} -->") == 2
    shown = rows("What a page loads")[1:]
    assert [(row[0], row[3]) for row in shown] == [
        (client.project, described(client)) for client in CLIENTS
    ]
    assert all(int(row[1].replace(",", "")) < int(row[2].replace(",", "")) for row in shown)


def test_facts_about_others_have_a_source() -> None:
    """Each row about another project links to its documentation, source or npm package."""
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    for heading in headings:
        for row in rows(heading):
            assert row[0] == "Gimel" or "](https://" in "".join(row), f"{heading}: {row[0]}"


def test_links_to_source_name_a_version() -> None:
    """A branch changes, so a link to it would prove nothing."""
    links = re.findall(r"https://github\.com/\S+?/blob/([^/]+)/", PAGE)
    assert links
    assert [link for link in links if not re.fullmatch(r"[0-9a-f]{40}", link)] == []


def test_the_page_is_short_and_dated() -> None:
    """A thousand words at most, without the addresses of its links."""
    text = re.sub(r"\]\([^)]*\)", "]", re.sub(r"<!--.*?-->", "", PAGE, flags=re.DOTALL))
    assert len([word for word in text.split() if re.search(r"\w", word)]) < 1000
    assert "Checked in 2026-11" in text

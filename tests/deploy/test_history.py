"""The history of deploys as a value: written in descriptions, read back, and how it grows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gimel.deploy.history import (
    KEPT_VERSIONS,
    MAX_DESCRIPTION,
    NO_HISTORY,
    UNPUBLISHED,
    Deploy,
    Entry,
    History,
    Publication,
    history_of_versions,
    next_deploy,
    parse_history,
    parse_publication,
)

NOW = "2026-11-26T12:24Z"
LARGE = 10**9

fingerprints = st.text("0123456789abcdef", min_size=8, max_size=8)
numbers = st.integers(1, LARGE)
entries = st.builds(Entry, st.integers(0, LARGE), numbers, st.sampled_from(["", NOW]))
histories = st.builds(
    History,
    st.lists(entries, min_size=1, max_size=KEPT_VERSIONS).map(tuple),
    fingerprints | st.just(""),
    st.booleans(),
)
publications = st.builds(
    Publication,
    st.builds(Deploy, numbers, fingerprints),
    st.from_regex(r"[a-z-]{1,8}/[A-Za-z0-9+=,.@_-]{1,60}", fullmatch=True),
    st.text(max_size=80),
)


@given(histories)
@settings(max_examples=100)
def test_a_history_is_read_back_as_it_was_written(history: History) -> None:
    """Whatever deploys and versions are in it; it fits into the description of an alias."""
    described = history.describe()

    assert parse_history(described, history.entries[0].version) == history
    assert len(described) <= MAX_DESCRIPTION


@given(publications)
@settings(max_examples=100)
def test_a_publication_is_read_back_as_it_was_written(publication: Publication) -> None:
    """Who ran the deploy, and what it changed."""
    assert parse_publication(publication.describe()) == publication


@pytest.mark.parametrize("length", [200, 256, 1000, 5000])
def test_a_long_description_of_a_version_is_shortened(length: int) -> None:
    """AWS takes 256 characters. What identifies the deploy comes first, and is kept."""
    deploy = Deploy(LARGE, "0123abcd")

    described = Publication(deploy, "assumed-role/admin/me@example.com", "x" * length).describe()

    assert len(described) == MAX_DESCRIPTION
    assert described.endswith("xxx...")
    read = parse_publication(described)
    assert read is not None
    assert (read.deploy, read.by) == (deploy, "assumed-role/admin/me@example.com")


@pytest.mark.parametrize(
    "described",
    [
        "",
        "live",
        "gimel",
        "gimel 1",
        "gimel 1:",
        "gimel one:two",
        "my gimel 1:1",
        "gimel 1:1 and more",
        "gimel 1:1 =",
        "Gimel 1:1",
        "gimel deploy 1 =0123abcd by me",
    ],
)
def test_a_description_by_somebody_else_is_no_history(described: str) -> None:
    """A team may describe the alias in its own words: then only the versions are known."""
    assert parse_history(described, 1) is None


@pytest.mark.parametrize(
    "described", ["", "v2", "gimel deploy", "gimel deploy 1 by me", "gimel 1:1"]
)
def test_a_description_by_somebody_else_is_no_publication(described: str) -> None:
    """Somebody may publish a version by hand."""
    assert parse_publication(described) is None


def test_what_is_written() -> None:
    """This is read by later versions of Gimel: it must not change."""
    history = History((Entry(7, 4, NOW), Entry(5, 3)), "0123abcd", is_cut=True)
    publication = Publication(Deploy(7, "0123abcd"), "user/me", "memory 128 -> 256 MB")

    assert history.describe() == "gimel 7:4@2026-11-26T12:24Z 5:3 ... =0123abcd"
    assert publication.describe() == "gimel deploy 7 =0123abcd by user/me: memory 128 -> 256 MB"


def test_an_alias_that_was_moved_by_hand_is_believed() -> None:
    """What is live counts, and the record continues from there."""
    history = parse_history("gimel 3:3@2026-11-26T12:24Z 2:2 =0123abcd", 1)

    assert history == History((Entry(3, 1), Entry(2, 2)), "0123abcd")
    assert parse_history("gimel 3:3 2:2", UNPUBLISHED) == History(
        (Entry(3, UNPUBLISHED), Entry(2, 2))
    )


def test_unpublished_code_is_nothing_to_go_back_to() -> None:
    """It can be anything by then."""
    by_hand = History((Entry(3, UNPUBLISHED), Entry(2, 2)))

    assert by_hand.after(Deploy(4, "f"), 3, NOW).entries == (Entry(4, 3, NOW), Entry(2, 2))


@given(histories, st.integers(1, 5), numbers)
@settings(max_examples=100)
def test_a_deploy_comes_first(history: History, more: int, version: int) -> None:
    """Before a bounded number of earlier ones, which it does not change."""
    deploy = Deploy(history.newest + more + LARGE, "0123abcd")

    after = history.after(deploy, version, NOW)

    assert after.entries[0] == Entry(deploy.number, version, NOW)
    assert after.entries[1:] == history.entries[: KEPT_VERSIONS - 1]
    assert after.fingerprint == "0123abcd"
    assert after.is_cut == (history.is_cut or len(history.entries) == KEPT_VERSIONS)


def test_a_deploy_that_is_continued_has_one_entry() -> None:
    """Also a function that it had moved to another version before it was interrupted."""
    history = History((Entry(2, 2), Entry(1, 1)), "0123abcd")

    again = history.after(Deploy(2, "0123abcd"), 3, "")

    assert again.entries == (Entry(2, 3), Entry(1, 1))


@pytest.mark.parametrize(
    ("undone", "left"),
    [
        (9, (Entry(7, 4), Entry(5, 3), Entry(2, 1))),
        (7, (Entry(5, 3), Entry(2, 1))),
        (6, (Entry(5, 3), Entry(2, 1))),
        (5, (Entry(2, 1),)),
        (3, (Entry(2, 1),)),
        (2, (Entry(0, 1),)),
        (1, (Entry(0, 1),)),
    ],
)
def test_what_was_live_before_a_deploy(undone: int, left: tuple[Entry, ...]) -> None:
    """A function that this or a later deploy created stays, and belongs to no deploy."""
    history = History((Entry(7, 4), Entry(5, 3), Entry(2, 1)), "0123abcd")

    assert history.before(undone) == History(left)


def test_the_versions_of_a_deployment_without_a_record_are_its_history() -> None:
    """1.5.0 published every function with each deploy, so that the numbers are comparable."""
    versions = dict.fromkeys([1, 3, 2])

    assert history_of_versions(versions).entries == (Entry(3, 3), Entry(2, 2), Entry(1, 1))
    assert history_of_versions({}) == NO_HISTORY


def test_versions_that_are_described_belong_to_the_deploys_that_published_them() -> None:
    """Unless one of them does not say so: numbers of deploys and versions cannot be compared."""
    versions = {1: published(1, "a"), 2: published(4, "b")}

    assert history_of_versions(versions).entries == (Entry(4, 2), Entry(1, 1))
    assert history_of_versions({**versions, 3: None}).entries[:2] == (Entry(3, 3), Entry(2, 2))


def first(*entries: tuple[int, int], by: str = "") -> History:
    """Return a history of these deploys and versions."""
    return History(tuple(Entry(*each) for each in entries), by)


def published(number: int, fingerprint: str) -> Publication:
    """Return what a version says of the deploy that published it."""
    return Publication(Deploy(number, fingerprint), "user/me")


@pytest.mark.parametrize(
    ("histories", "publications", "number"),
    [
        ([], [], 1),
        ([NO_HISTORY], [], 1),
        ([first((1, 1), by="b")], [], 2),
        ([first((1, 1), by="a")], [], 1),
        ([first((2, 2), (1, 1), by="b"), first((1, 1), by="a")], [], 3),
        ([first((2, 2), (1, 1), by="a"), first((1, 1), by="b")], [], 2),
        ([first((1, 1), by="b")], [published(1, "b"), published(2, "a")], 2),
        ([first((1, 1))], [published(1, "b"), published(2, "b")], 3),
        ([first((1, 1))], [published(1, "b"), published(2, "a")], 2),
        ([first((0, 1))], [], 1),
        ([first((4, 4), (3, 3))], [], 5),
    ],
    ids=[
        "the first",
        "functions without an alias",
        "another configuration",
        "the same, which did not end",
        "back to an earlier one",
        "moved in part",
        "published only",
        "another one after a rollback",
        "the same one after a rollback",
        "a function that a rollback left",
        "not recorded",
    ],
)
def test_the_number_of_a_deploy(
    histories: list[History], publications: list[Publication], number: int
) -> None:
    """The next one, or the same one again where it continues what was begun."""
    assert next_deploy("a", histories, publications) == Deploy(number, "a")

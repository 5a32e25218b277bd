"""What is said about an experiment in the terminal and on pages alike."""

from __future__ import annotations

from typing import Any

import pytest

from gimel.analysis.design import Design
from gimel.analysis.verdict import NO_DATA, Kind, Verdict
from gimel.report import wording
from gimel.report.wording import Mark
from tests.support.answers import analysed, row, two

NOW = 1_700_000_000 + 21 * 86400.0
STRAYS = row("e", {"a": (900, {}), "b": (901, {}), "x": (3, {}), "\x07": (1, {})})


@pytest.mark.parametrize(
    ("kind", "is_doubtful", "mark"),
    [
        (Kind.WINNER, False, Mark.DECIDED),
        (Kind.CONTROL_WINS, False, Mark.DECIDED),
        (Kind.NO_DIFFERENCE, False, Mark.DECIDED),
        (Kind.TOO_EARLY, False, Mark.UNDECIDED),
        (Kind.NO_DATA, False, Mark.UNDECIDED),
        (Kind.SPLIT_MISMATCH, False, Mark.DOUBT),
        (Kind.NOT_A_CONVERSION, False, Mark.DOUBT),
        (Kind.NOT_HARMED, False, Mark.DECIDED),
        (Kind.AHEAD, False, Mark.UNDECIDED),
        (Kind.SMALL_DIFFERENCE, False, Mark.UNDECIDED),
        (Kind.TOO_NOISY, False, Mark.UNDECIDED),
        (Kind.NO_VERDICT, False, Mark.INFO),
        (Kind.HARMED, False, Mark.DOUBT),
        (Kind.CONFLICT, False, Mark.DOUBT),
        (Kind.WINNER, True, Mark.DOUBT),
        (Kind.NOT_HARMED, True, Mark.DOUBT),
    ],
)
def test_the_mark_of_a_verdict(kind: Kind, is_doubtful: bool, mark: Mark) -> None:
    """A doubt outranks a decision, and so does harm."""
    assert wording.choose_mark(Verdict(kind, ""), is_doubtful) is mark


@pytest.mark.parametrize("kind", [Kind.WINNER, Kind.NO_DIFFERENCE, Kind.TOO_EARLY])
def test_a_verdict_with_which_later_data_disagrees_is_in_doubt(kind: Kind) -> None:
    """Waiting may not decide it. A secondary goal has no verdict that could be in doubt."""
    assert wording.choose_mark(Verdict(kind, "", disagrees=("red",))) is Mark.DOUBT

    secondary = Verdict(Kind.NO_VERDICT, "", disagrees=("red",))
    assert wording.choose_mark(secondary) is Mark.INFO


@pytest.mark.parametrize(
    ("item", "design", "facts"),
    [
        pytest.param(
            two("e", (20_034, 1001), (20_101, 1260)),
            None,
            "started 2023-11-14, 21 days ago; 40,135 visitors; control: blue (assumed)",
            id="two variants",
        ),
        pytest.param(
            two("e", (20_034, 1001), (20_101, 1260)),
            Design(control="red"),
            "started 2023-11-14, 21 days ago; 40,135 visitors; control: red",
            id="a designed control",
        ),
        pytest.param(
            two("e", (20_034, 1001), (20_101, 1260)),
            Design(control="red", visitors=60_000),
            "started 2023-11-14, 21 days ago; 40,135 of 60,000 planned visitors; control: red",
            id="planned visitors",
        ),
        pytest.param(
            row("e", {"a": (1, {})}),
            None,
            "started 2023-11-14, 21 days ago; 1 visitor",
            id="one visitor of one variant",
        ),
        pytest.param(row("e", {}, (), since=None), None, "0 visitors", id="nothing counted"),
        pytest.param(
            row("e", {"\x1b": (1, {}), "z": (1, {})}, since=None),
            None,
            "2 visitors; control: \\u001b (assumed)",
            id="a name with a control character",
        ),
    ],
)
def test_the_facts_of_an_experiment(
    item: dict[str, Any], design: Design | None, facts: str
) -> None:
    """Start, visitors and control, as far as they are known; what was planned, if it was."""
    assert wording.facts(analysed(item, design), NOW) == facts


@pytest.mark.parametrize(
    ("item", "design", "notes"),
    [
        pytest.param(
            two("e", (20_034, 1001), (20_101, 1260), ignored={"bot": 1203, "limit reached": 2}),
            None,
            [
                "Traffic split as expected.",
                "Ignored events: 1,203 (bot), 2 (limit reached).",
            ],
            id="all",
        ),
        pytest.param(two("e", (900, 1), (2, 1)), None, [], id="a wrong split"),
        pytest.param(row("e", {"a": (9, {})}, ()), None, [], id="one variant"),
        pytest.param(
            STRAYS,
            Design(weights={"a": 1, "b": 1}),
            [
                "Traffic split as expected.",
                "Without a weight in config.json, and so without a verdict: “\\u0007” and “x”.",
            ],
            id="variants without a weight",
        ),
        pytest.param(
            two(ignored={"\u202e": 1}),
            None,
            ["Traffic split as expected.", "Ignored events: 1 (\\u202e)."],
            id="a hostile reason",
        ),
    ],
)
def test_the_notes_on_an_experiment(
    item: dict[str, Any], design: Design | None, notes: list[str]
) -> None:
    """The split check, stray variants and the ignored events, each if there is something."""
    assert list(wording.notes(analysed(item, design))) == notes


@pytest.mark.parametrize(
    ("item", "notes"),
    [
        (
            two("e", (20_034, 1001), (20_101, 1260)),
            [
                "Counted with precision 16.",
                "Counting noise widens the intervals by at most 0.26%.",
            ],
        ),
        (two(precision="exact"), []),
    ],
    ids=["counted", "exact"],
)
def test_the_notes_on_the_counting(item: dict[str, Any], notes: list[str]) -> None:
    """How exactly the visitors were counted; nothing of exact counts."""
    assert list(wording.counting_notes(analysed(item))) == notes


@pytest.mark.parametrize(
    ("ignored", "sentence"),
    [
        ({}, ""),
        (
            {"bot": 12},
            "Ignored events from unknown experiments: 12 (bot). Nothing needs to be done: bots are"
            " never counted.",
        ),
        (
            {"bot": 1, "experiment not allowed": 1234},
            "Ignored events from unknown experiments: 1 (bot), 1,234 (experiment not allowed).",
        ),
    ],
    ids=len,
)
def test_ignored_events_of_unknown_experiments(ignored: dict[str, int], sentence: str) -> None:
    """They may have a name that the configuration does not allow."""
    assert wording.unknown_events(ignored) == sentence


@pytest.mark.parametrize(
    ("known", "unknown", "beginning"),
    [
        ({}, {}, ""),
        ({"bot": 1}, {"experiment not allowed": 2}, ""),
        ({"limit reached": 1}, {}, "A limit was reached: 1 event was not counted. "),
        ({}, {"limit reached": 1234}, "A limit was reached: 1,234 events were not counted. "),
        ({"limit reached": 2}, {"limit reached": 3}, "A limit was reached: 5 events were not "),
    ],
    ids=["nothing ignored", "other reasons", "of an experiment", "of unknown ones", "of both"],
)
def test_a_reached_limit(known: dict[str, int], unknown: dict[str, int], beginning: str) -> None:
    """The warning says how many events are missing, and every way to have them counted."""
    warning = wording.limit_warning([analysed(two(ignored=known))], unknown)

    assert warning.startswith(beginning)
    assert bool(warning) == bool(beginning)
    for way in ("`experiments`", "`limits`", "`gimel deploy`", "`gimel delete`"):
        assert (way in warning) == bool(beginning)


def test_a_reached_limit_names_the_experiments() -> None:
    """Those that lost most come first. Deleting, which loses more, is the last way out."""
    experiments = [
        analysed(two(f"e{number}", ignored={"limit reached": number})) for number in range(1, 8)
    ]

    one = wording.limit_warning([*experiments[:1], analysed(two("complete"))], {})
    alone = wording.limit_warning(experiments[:1], {})
    many = wording.limit_warning(experiments, {"limit reached": 1234})

    assert "1 event was not counted. Affected: “e1” (1). List your" in one
    assert (
        "Affected: experiments that do not exist yet (1,234), “e7” (7), “e6” (6), “e5” (5), “e4”"
        " (4) and 3 more. " in many
    )
    assert "Affected" not in alone
    assert one.endswith("which makes room by deleting what was counted.")


@pytest.mark.parametrize(
    ("item", "note"),
    [
        ({**two(), "precision": 4}, "Counted with precision 4."),
        (two(), "Counted with precision 16."),
        (two(precision="1"), "Counted with precision 1."),
        (two(precision="exact"), ""),
        ({**row("e", {}, ()), "precision": 64}, "Counted with precision 64."),
    ],
    ids=["of the API", "of the counts", "of 1.5.0", "exact", "nothing counted"],
)
def test_the_precision_of_an_experiment(item: dict[str, Any], note: str) -> None:
    """An API that does not state it shows it by its counts."""
    notes = [each for each in wording.counting_notes(analysed(item)) if "precision" in each]

    assert notes == ([note] if note else [])


def test_below_the_doubts_a_mismatch_has_no_figures() -> None:
    """The doubts have them already."""
    experiment = analysed(two(red=(9000, 450)))

    assert wording.short_sentence(experiment.headline) == (
        "Do not trust this: the traffic is not split as expected."
    )


def test_any_other_sentence_stays_whole() -> None:
    """Names in it cannot affect the text around them."""
    verdict = Verdict(Kind.SINGLE_VARIANT, "Nothing to compare: only \x07 has visitors.")

    assert wording.short_sentence(NO_DATA) == "No visitors counted yet."
    assert wording.short_sentence(verdict) == "Nothing to compare: only \\u0007 has visitors."

"""A reason to distrust the data, or too little of it, comes before any verdict."""

from __future__ import annotations

import pytest

from gimel.analysis.counts import Arm, Count
from gimel.analysis.design import Design
from gimel.analysis.refusals import refuse
from gimel.analysis.verdict import Kind
from tests.support.experiments import experiment


def arm(
    name: str, visitors: float, conversions: float, precision: str = "16", weight: float = 1.0
) -> Arm:
    return Arm(
        name,
        Count.from_parts({precision: visitors}),
        Count.from_parts({precision: conversions}),
        weight,
    )


REFUSED = {
    "nothing counted": (
        [arm("blue", 0, 0), arm("red", 0, 0)],
        Kind.NO_DATA,
        "No visitors counted yet.",
    ),
    "wrong split": (
        [arm("blue", 10_420, 900), arm("red", 9_580, 1_100)],
        Kind.SPLIT_MISMATCH,
        "Do not trust this: visitors are split 52/48, expected 50/50 (p < 0.000001).",
    ),
    "slightly wrong split": (
        [arm("blue", 501_200, 25_000, "exact"), arm("red", 497_000, 25_000, "exact")],
        Kind.SPLIT_MISMATCH,
        "Do not trust this: visitors are split 50.2/49.8, expected 50.0/50.0 (p = 0.009).",
    ),
    "wrong split of many": (
        [arm("blue", 100, 5), *(arm(name, 300, 15) for name in ("red", "green", "grey", "pink"))],
        Kind.SPLIT_MISMATCH,
        "Do not trust this: “blue” has 8% of visitors, expected 20% (p < 0.000001).",
    ),
    "a variant without visitors": (
        [arm("blue", 1000, 50), arm("red", 0, 0)],
        Kind.SPLIT_MISMATCH,
        "Do not trust this: no visitors were counted for “red”. Check that the page and config.json"
        " use the same names (counted: “blue”).",
    ),
    "not unique": (
        [arm("blue", 1000, 1800), arm("red", 1010, 1500)],
        Kind.NOT_A_CONVERSION,
        "Not a conversion: more goals than visitors (“blue”: 1,800 goals, 1,000 visitors).",
    ),
    "one goal and one visitor are singular": (
        [arm("blue", 1, 20), arm("red", 1, 1)],
        Kind.NOT_A_CONVERSION,
        "Not a conversion: more goals than visitors (“blue”: 20 goals, 1 visitor).",
    ),
    "goals without visitors": (
        [arm("blue", 0, 5), arm("red", 0, 0)],
        Kind.NOT_A_CONVERSION,
        "Not a conversion: more goals than visitors (“blue”: 5 goals, 0 visitors).",
    ),
    "one variant": (
        [arm("blue", 1000, 50)],
        Kind.SINGLE_VARIANT,
        "Nothing to compare: only “blue” has visitors.",
    ),
    "no visitors of the control": (
        [arm("blue", 0, 0), arm("red", 3, 1), arm("green", 3, 1)],
        Kind.SINGLE_VARIANT,
        "Nothing to compare with: “blue”, the control, has no visitors.",
    ),
    "no weights but that of the control": (
        [arm("blue", 1000, 50), arm("stray", 3, 1, weight=0)],
        Kind.SINGLE_VARIANT,
        "Nothing to compare: only the control has both visitors and a weight.",
    ),
    "no conversions": (
        [arm("blue", 1000, 0), arm("red", 1000, 0)],
        Kind.NO_CONVERSIONS,
        "No conversions yet among 2,000 visitors.",
    ),
}


@pytest.mark.parametrize(("arms", "kind", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_says_why(arms: list[Arm], kind: Kind, sentence: str) -> None:
    """And what to check, if the cause is likely."""
    found = refuse(arms)

    assert found is not None
    assert (found.kind, found.sentence) == (kind, sentence)
    assert not found.safe_to_stop


def test_sound_counts_are_not_refused() -> None:
    """Two variants with visitors, of which some convert."""
    assert refuse([arm("blue", 1000, 0), arm("red", 1000, 1)]) is None


def test_a_planned_variant_that_nobody_saw_points_to_the_wrong_name() -> None:
    """The page says gray where the design says grey: a split of 0/50/50 would hide that."""
    variants = {name: (1000, {"buy": 50}) for name in ("blue", "red", "gray")}
    design = Design(weights={"blue": 1, "red": 1, "grey": 1})

    found = experiment(variants, design).headline

    assert (found.kind, found.variant) == (Kind.SPLIT_MISMATCH, "grey")
    assert found.sentence == (
        "Do not trust this: no visitors were counted for “grey”. Check that the page and"
        " config.json use the same names (counted: “blue”, “gray” and “red”)."
    )


def test_a_planned_variant_may_be_late() -> None:
    """The first few visitors may all have been shown the others."""
    variants = {name: (4, {"buy": 2}) for name in ("blue", "red")}

    found = experiment(variants, Design(weights={"blue": 1, "red": 1, "grey": 1})).headline

    assert found.kind is Kind.TOO_EARLY

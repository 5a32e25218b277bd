"""Made-up answers of `GET /experiments`, and what the analysis makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gimel.analysis.design import Design
from gimel.analysis.experiment import Experiment, analyse
from gimel.api import answers

SINCE = 1_700_000_000
"""The first event of every experiment, in seconds since 1970."""

Conversions = Mapping[str, int]


def row(
    name: str,
    variants: Mapping[str, tuple[int, Conversions]],
    goals: tuple[str, ...] = ("buy",),
    precision: str = "16",
    **more: Any,
) -> dict[str, Any]:
    """Return an experiment: for each variant its visitors and its conversions by goal."""

    def figure(kind: str, number: int) -> dict[str, Any]:
        return {kind: number, f"{kind}_by_precision": {precision: number} if number else {}}

    participants = [
        {"label": variant, **figure("trials", visitors)}
        for variant, (visitors, _) in sorted(variants.items())
    ]
    return {
        "experiment": name,
        "goals": [
            {
                "goal": goal,
                "results": [
                    {**each, **figure("successes", variants[each["label"]][1].get(goal, 0))}
                    for each in participants
                ],
            }
            for goal in goals
        ],
        "participants": participants,
        "since": SINCE,
        "ignored": {},
        "unreadable": 0,
        **more,
    }


def two(
    name: str = "e",
    blue: tuple[int, int] = (10_000, 500),
    red: tuple[int, int] = (10_000, 520),
    **more: Any,
) -> dict[str, Any]:
    """Return an experiment of two variants with one goal: visitors and conversions of each."""
    return row(
        name, {"blue": (blue[0], {"buy": blue[1]}), "red": (red[0], {"buy": red[1]})}, **more
    )


def answer(*rows: Mapping[str, Any], **ignored: int) -> list[Any]:
    """Return a whole answer; `ignored` are events of experiments that do not exist."""
    return [{"meta": {"scope": None, "ignored": ignored}}, *rows]


def pages(*rows_of_pages: list[Mapping[str, Any]]) -> dict[str | None, list[Any]]:
    """Return an answer of several pages by their names: None, "page 2", "page 3"..."""
    names = [None, *(f"page {number + 2}" for number in range(len(rows_of_pages) - 1))]
    return {
        name: [{"meta": {"scope": None, "ignored": {}, "next": following}}, *rows]
        for name, following, rows in zip(names, [*names[1:], None], rows_of_pages, strict=True)
    }


def analysed(
    item: Mapping[str, Any],
    design: Design | None = None,
    control: str | None = None,
    days: float = 30,
) -> Experiment:
    """Return one experiment of an answer with its statistics, some days after its first event."""
    (counts,) = answers.parse(answer(item)).experiments
    return analyse(counts, design, now=SINCE + days * 86_400, control=control)

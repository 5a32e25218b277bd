"""Made-up experiments in any number: of every state, with names and counts of all lengths."""

from __future__ import annotations

from typing import Any

from gimel.analysis.design import Design
from gimel.analysis.failed import FAILED_EVENT
from tests.support.answers import SINCE, row

DESIGNS = {
    "button colour": Design(
        control="blue", goal="sign-up", guardrails=("refund",), decrease=("refund",)
    ),
    "checkout in one step, with the address first": Design(goal="purchase"),
}

_FIVE = (
    row(
        "button colour",
        {
            "blue": (40_112, {"sign-up": 2006, "refund": 4010}),
            "red": (39_874, {"sign-up": 2408, "refund": 4025, FAILED_EVENT: 60}),
        },
        ("sign-up", "refund", FAILED_EVENT),
        ignored={"bot": 1204},
    ),
    row(
        "checkout in one step, with the address first",
        {
            "original": (90_210, {"purchase": 6030}),
            "one page": (89_870, {"purchase": 5410, FAILED_EVENT: 54_100}),
            "three pages": (90_035, {"purchase": 4790}),
        },
        ("purchase", FAILED_EVENT),
    ),
    row("見出し", {"control": (10_420, {"buy": 900}), "質問": (9580, {"buy": 1100})}),
    row("menu", {"control": (1_000_000, {"buy": 50_000}), "icons": (1_001_200, {"buy": 50_400})}),
    row("pricing table", {"yearly first": (1, {})}, ("sign-up",), since=SINCE + 20 * 86_400),
)


def many(number: int) -> list[dict[str, Any]]:
    """Return experiments, up to five of them written by hand; the others follow a pattern."""
    return [*_FIVE[:number], *(_experiment(each) for each in range(5, number))]


def _experiment(number: int) -> dict[str, Any]:
    visitors = 300 + 977 * number * number % 60_000
    rate = 0.02 + 0.003 * (number % 17)
    lift = (0.0, 0.02, 0.3, -0.2, 0.08)[number % 5]
    excess = 1.2 if number % 23 == 0 else 1.0
    goals = ("purchase", "newsletter") if number % 7 == 0 else ("purchase",)

    def counted(size: float, share: float) -> tuple[int, dict[str, int]]:
        return round(size), {goal: round(size * share) for goal in goals}

    return row(
        f"shop {number % 3}, {'with a name that is long, ' * (number % 4 == 0)}test {number}",
        {
            "control": counted(visitors * excess, rate),
            f"variant {number % 9}": counted(visitors, rate * (1 + lift)),
        },
        goals,
        since=SINCE + number % 20 * 86_400,
    )

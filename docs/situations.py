"""Experiments in about seventy situations, from nothing counted to a plan that was not enough.

Data only. `verdict_page.py` shows them in verdicts.md with what Gimel says about each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gimel.analysis.design import Design
from gimel.analysis.failed import FAILED_EVENT

BLUE = Design(control="blue")
Variants = Mapping[str, tuple[float, Mapping[str, float]]]


@dataclass(frozen=True)
class Situation:
    """An experiment at some point.

    Attributes:
        title: What is special about it.
        variants: For each variant its visitors, and its conversions by goal.
        design: How it was designed.
        days: Days since the first event; None if unknown.
        precision: HyperLogLogs per counter, or "exact".
    """

    title: str
    variants: Variants
    design: Design = BLUE
    days: float | None = 14
    precision: str = "16"


def two(
    blue: tuple[float, float], red: tuple[float, float], goal: str = "buy", **more: tuple[int, int]
) -> Variants:
    """Return variants with one goal: visitors and conversions of each."""
    found = {"blue": blue, "red": red, **more}
    return {name: (visitors, {goal: reached}) for name, (visitors, reached) in found.items()}


def goals(visitors: float, **variants: Mapping[str, float]) -> Variants:
    """Return variants with equally many visitors and several goals."""
    return {name: (visitors, conversions) for name, conversions in variants.items()}


SHOP = Design(control="blue", goal="signup", guardrails=("buy", "refund"), decrease=("refund",))
REFUND = Design(control="blue", decrease=("refund",))

FEW, MANY = {FAILED_EVENT: 40}, {FAILED_EVENT: 12_030}

SITUATIONS: Mapping[str, tuple[Situation, ...]] = {
    "Nothing to compare yet": (
        Situation("Nobody came", {}),
        Situation("One variant was seen", {"blue": (1200, {"buy": 60})}),
        Situation("Nobody converted", two((1200, 0), (1180, 0))),
        Situation("No goal was sent", {"blue": (1200, {}), "red": (1180, {})}),
        Situation("The control was not seen", two((0, 0), (4, 1), green=(3, 1))),
        Situation(
            "The primary goal was not reached",
            two((5000, 250), (5000, 260)),
            Design(control="blue", goal="signup"),
        ),
    ),
    "Data not to be trusted": (
        Situation("The split is wrong", two((10_420, 900), (9580, 1100))),
        Situation(
            "The split of a million visitors is slightly wrong",
            two((501_200, 25_000), (497_000, 25_000)),
            precision="exact",
        ),
        Situation(
            "One of five variants lost visitors",
            two((3000, 150), (3020, 150), green=(2100, 110), grey=(2990, 150), pink=(3010, 149)),
        ),
        Situation(
            "A planned variant was never seen",
            two((1000, 50), (1010, 60), gray=(990, 55)),
            Design(control="blue", weights={"blue": 1, "red": 1, "grey": 1}),
        ),
        Situation(
            "88 to 12 instead of 90 to 10",
            two((8800, 440), (1200, 60)),
            Design(control="blue", weights={"blue": 9, "red": 1}),
        ),
        Situation("Goals are counted more than once", two((1000, 1800), (1010, 1500))),
    ),
    "A variant failed": (
        Situation(
            "It wins all the same",
            {"blue": (20_000, {"buy": 1000}), "red": (20_000, {"buy": 1250, **MANY})},
        ),
        Situation(
            "It loses", {"blue": (20_000, {"buy": 1000}), "red": (20_000, {"buy": 750, **MANY})}
        ),
        Situation(
            "There is no difference",
            {"blue": (200_000, {"buy": 20_000}), "red": (200_000, {"buy": 20_100, **MANY})},
        ),
        Situation(
            "It is not decided",
            {"blue": (5000, {"buy": 250}), "red": (5000, {"buy": 260, FAILED_EVENT: 5000})},
        ),
        Situation(
            "For a few visitors",
            {"blue": (20_000, {"buy": 1000}), "red": (20_000, {"buy": 1250, **FEW})},
        ),
        Situation(
            "The control",
            {"blue": (20_000, {"buy": 1000, **MANY}), "red": (20_000, {"buy": 1250})},
        ),
        Situation(
            "One of several",
            {
                "blue": (20_000, {"buy": 1000, **FEW}),
                "green": (20_000, {"buy": 1010, **MANY}),
                "red": (20_000, {"buy": 1250}),
            },
        ),
        Situation(
            "Its visitors were not counted",
            {"blue": (0, {}), "red": (0, {FAILED_EVENT: 30})},
        ),
    ),
    "Not decided": (
        Situation("The first visitors", two((1, 0), (1, 1)), days=1),
        Situation("Few conversions", two((5000, 3), (5000, 4))),
        Situation("About the same so far", two((5000, 250), (5000, 260))),
        Situation("Promising", two((5000, 250), (5000, 300))),
        Situation("Promising, with many visitors", two((60_000, 2400), (60_000, 2560))),
        Situation("Nearly decided", two((20_000, 1000), (20_000, 1136))),
        Situation("Nearly decided on day 3", two((20_000, 1000), (20_000, 1130)), days=3),
        Situation("Slow", two((220, 11), (210, 12)), days=60),
    ),
    "Ahead": (
        Situation("After ten minutes", two((600, 60), (600, 150)), days=10 / 1440),
        Situation("On day 3", two((20_000, 1000), (20_000, 1250)), days=3),
        Situation("The control, on the last day", two((9000, 560), (9000, 430)), days=6.5),
        Situation("No difference so far", two((200_000, 20_000), (200_000, 20_100)), days=2),
    ),
    "A variant wins": (
        Situation("By a quarter", two((20_000, 1000), (20_000, 1250))),
        Situation("By little, with many visitors", two((10**6, 200_000), (10**6, 203_500))),
        Situation("Twelve times as good", two((5000, 25), (5000, 300))),
        Situation("The control never converts", two((1000, 0), (1000, 100))),
    ),
    "The control wins": (
        Situation(
            "By a quarter",
            {"old": (9000, {"buy": 800}), "new": (9000, {"buy": 600})},
            Design(),
        ),
        Situation(
            "It is called control",
            {"control": (20_000, {"buy": 1250}), "red": (20_000, {"buy": 1000})},
            Design(),
        ),
        Situation("The variant never converts", two((1000, 100), (1000, 0))),
    ),
    "No difference": (
        Situation("None of 10%", two((200_000, 20_000), (200_000, 20_100))),
        Situation(
            "None of 3%",
            two((10**6, 200_000), (10**6, 200_300)),
            Design(control="blue", lift=0.03),
            precision="exact",
        ),
    ),
    "A small difference": (
        Situation("p = 0.003 at a single look", two((200_000, 10_000), (200_000, 10_420))),
        Situation(
            "Cookie Cats: gate 30 against gate 40",
            {"gate_30": (44_700, {"retained": 8502}), "gate_40": (45_489, {"retained": 8279})},
            Design(control="gate_30"),
            precision="exact",
        ),
        Situation(
            "The same, with 5% worth detecting",
            {"gate_30": (44_700, {"retained": 8502}), "gate_40": (45_489, {"retained": 8279})},
            Design(control="gate_30", lift=0.05),
            precision="exact",
        ),
    ),
    "Several variants": (
        Situation(
            "Two win, one loses",
            two((9000, 900), (9000, 1200), green=(9000, 1190), grey=(9000, 700), pink=(9000, 905)),
        ),
        Situation(
            "The control beats all", two((90_000, 6000), (90_000, 5000), green=(90_000, 4800))
        ),
        Situation("One loses", two((40_000, 2000), (40_000, 2050), green=(40_000, 1500))),
        Situation(
            "No difference but for one",
            two((90_000, 9000), (90_000, 9040), green=(90_000, 9010), grey=(90_000, 7500)),
        ),
        Situation("None decided", two((9000, 450), (9000, 480), green=(9000, 500))),
    ),
    "Several goals without a design": (
        Situation(
            "One goal up, one goal down",
            goals(40_000, blue={"signup": 2000, "buy": 1000}, red={"signup": 2400, "buy": 700}),
        ),
        Situation(
            "One goal up, two undecided",
            goals(
                40_000,
                blue={"signup": 2000, "buy": 1000, "share": 90},
                red={"signup": 2400, "buy": 1010, "share": 95},
            ),
        ),
        Situation(
            "Each goal is better in another variant",
            goals(
                40_000,
                blue={"signup": 2000, "buy": 2000},
                red={"signup": 2500, "buy": 1500},
                green={"signup": 2400, "buy": 2010},
            ),
        ),
        Situation(
            "One goal is not a conversion",
            goals(40_000, blue={"buy": 1000, "view": 90_000}, red={"buy": 1010, "view": 91_000}),
        ),
        Situation(
            "All goals down",
            goals(40_000, blue={"signup": 2000, "buy": 1000}, red={"signup": 1600, "buy": 700}),
        ),
    ),
    "A primary goal, guardrails and other goals": (
        Situation(
            "A winner that harms nothing",
            goals(
                90_000,
                blue={"signup": 9000, "buy": 9000, "refund": 300, "view": 45_000, "share": 90},
                red={"signup": 10_500, "buy": 9040, "refund": 305, "view": 48_000, "share": 95},
            ),
            SHOP,
        ),
        Situation(
            "A winner that harms a guardrail",
            goals(40_000, blue={"signup": 2000, "buy": 1000}, red={"signup": 2400, "buy": 700}),
            SHOP,
        ),
        Situation(
            "One of two winners harms a guardrail",
            goals(
                40_000,
                blue={"signup": 2000, "refund": 1000},
                red={"signup": 2500, "refund": 1400},
                green={"signup": 2400, "refund": 990},
            ),
            SHOP,
        ),
        Situation(
            "Harm on day 2",
            goals(9000, blue={"signup": 500, "refund": 100}, red={"signup": 510, "refund": 210}),
            SHOP,
            days=2,
        ),
        Situation(
            "Harm without a gain",
            goals(90_000, blue={"signup": 9000, "buy": 900}, red={"signup": 9010, "buy": 600}),
            SHOP,
        ),
        Situation(
            "Everything is worse",
            goals(40_000, blue={"signup": 2000, "buy": 1000}, red={"signup": 1600, "buy": 700}),
            SHOP,
        ),
        Situation(
            "The guardrail is open",
            goals(9000, blue={"signup": 500, "buy": 90}, red={"signup": 520, "buy": 88}),
            SHOP,
        ),
    ),
    "Lower is better": (
        Situation("Refunds rise", two((20_000, 1000), (20_000, 1340), "refund"), REFUND),
        Situation("Refunds fall", two((20_000, 1340), (20_000, 1000), "refund"), REFUND),
        Situation("Refunds lean down", two((90_000, 9000), (90_000, 8650), "refund"), REFUND),
    ),
    "Rates above 50%": (
        Situation("A variant wins", two((30_000, 27_000), (30_000, 27_500))),
        Situation("A variant may win", two((3000, 2850), (3000, 2895))),
        Situation("No difference", two((200_000, 160_000), (200_000, 160_050))),
        Situation("Not decided", two((9000, 8100), (9000, 8105))),
    ),
    "Unequal splits": (
        Situation(
            "40 of 41 against 3,653 of 4,059",
            {"a": (4059, {"buy": 3653}), "b": (41, {"buy": 40})},
            Design(weights={"a": 99, "b": 1}),
        ),
        Situation(
            "A winner at 90 to 10",
            two((90_000, 4500), (10_000, 700)),
            Design(control="blue", weights={"blue": 9, "red": 1}),
        ),
        Situation(
            "A variant without a weight",
            two((5000, 250), (5000, 340), stray=(3, 3)),
            Design(control="blue", weights={"blue": 1, "red": 1}),
        ),
    ),
    "Counting noise": (
        Situation(
            "It hides what is sought",
            two((10**6, 400_000), (10**6, 400_500)),
            Design(control="blue", lift=0.01),
            precision="1",
        ),
        Situation(
            "It hides what was seen",
            two((10**6, 400_000), (10**6, 414_000)),
            precision="1",
        ),
    ),
    "Unknown start": (
        Situation("Not decided", two((5000, 250), (5000, 300)), days=None),
        Situation("A variant wins", two((20_000, 1000), (20_000, 1250)), days=None),
    ),
    "A planned number of visitors": (
        Situation(
            "It was not enough",
            two((5000, 250), (5000, 260)),
            Design(control="blue", visitors=10_000),
        ),
        Situation(
            "It was more than needed",
            two((20_000, 1000), (20_000, 1250)),
            Design(control="blue", visitors=100_000),
        ),
    ),
    "A control that is only assumed": (
        Situation("It loses", two((20_000, 1000), (20_000, 1250)), Design()),
        Situation("It wins", two((20_000, 1250), (20_000, 1000)), Design()),
        Situation(
            "A variant with a longer name",
            {
                "Today": (20_000, {"buy: now": 1000}),
                'Try "plus": 50% off, 14 days': (20_000, {"buy: now": 1250}),
            },
            Design(),
        ),
    ),
}

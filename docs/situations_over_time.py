"""Situations of experiments that were looked at before, for verdicts.md. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from situations import BLUE, Situation, Variants, goals, two

from gimel.analysis.design import Design

GUARDED = Design(control="blue", goal="signup", guardrails=("buy",))


@dataclass(frozen=True)
class LaterSituation(Situation):
    """An experiment with a history.

    Attributes:
        earlier: What was counted until earlier days, by day.
    """

    earlier: Mapping[int, Variants] = field(default_factory=dict)


WON = {11: two((20_000, 2000), (20_000, 2240))}
SAME = {20: two((100_000, 10_000), (100_000, 10_050))}

OVER_TIME: Mapping[str, tuple[LaterSituation, ...]] = {
    "Looked at before": (
        LaterSituation(
            "A winner stays",
            two((40_000, 4000), (40_000, 4230)),
            days=24,
            earlier=WON,
            precision="exact",
        ),
        LaterSituation(
            "A winner whose lift wore off",
            two((200_000, 20_000), (200_000, 20_100)),
            days=60,
            earlier=WON,
            precision="exact",
        ),
        LaterSituation(
            "One of two winners lost its lift",
            two((200_000, 20_000), (200_000, 20_400), green=(200_000, 22_400)),
            days=60,
            earlier={11: two((20_000, 2000), (20_000, 2600), green=(20_000, 2280))},
            precision="exact",
        ),
        LaterSituation(
            "No difference stays, although a single look would show one",
            two((150_000, 15_000), (150_000, 15_330)),
            days=30,
            earlier=SAME,
            precision="exact",
        ),
        LaterSituation(
            "A difference that came late",
            two((300_000, 30_000), (300_000, 36_000)),
            days=90,
            earlier=SAME,
            precision="exact",
        ),
        LaterSituation(
            "Harm that was found early",
            goals(40_000, blue={"signup": 2000, "buy": 4000}, red={"signup": 2010, "buy": 3700}),
            GUARDED,
            days=24,
            earlier={
                3: goals(
                    20_000, blue={"signup": 1000, "buy": 2000}, red={"signup": 1000, "buy": 1700}
                )
            },
            precision="exact",
        ),
        LaterSituation(
            "A split that went wrong",
            two((30_000, 3000), (28_600, 2860)),
            days=30,
            earlier={
                10: two((10_000, 1000), (10_010, 1001)),
                20: two((20_000, 2000), (20_010, 2001)),
                25: two((25_000, 2500), (24_300, 2430)),
            },
        ),
        LaterSituation(
            "Nobody came in the last week",
            two((5000, 250), (5000, 300)),
            BLUE,
            days=40,
            earlier={10: two((5000, 250), (5000, 300))},
        ),
    ),
}

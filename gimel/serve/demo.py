"""Made-up experiments for `gimel dashboard --demo`: at least one for every kind of verdict.

Nothing here was ever counted.
"""

from __future__ import annotations

from collections.abc import Mapping

from gimel.analysis.counts import Count, ExperimentCounts, NamespaceCounts
from gimel.analysis.experiment import LIMIT_REACHED, get_experiment

_DAY = 86400

Arms = Mapping[str, tuple[int, Mapping[str, int]]]


class Demo:
    """The made-up experiments, in every namespace, at the time `now` (seconds since 1970).

    Deleted experiments come back with the next run.
    """

    def __init__(self, now: float) -> None:
        self._experiments = list(_experiments(int(now)))

    def experiments(self, namespace: str) -> NamespaceCounts:
        return NamespaceCounts(tuple(self._experiments), {"bot": 12})

    def experiment(self, namespace: str, name: str) -> ExperimentCounts:
        """Return one experiment. Raises GimelError with the most similar names."""
        return get_experiment(self.experiments(namespace), name, namespace)

    def delete(self, namespace: str, experiment: str) -> None:
        self._experiments = [each for each in self._experiments if each.name != experiment]


def _experiments(now: int) -> tuple[ExperimentCounts, ...]:
    return (
        _counted(
            "button colour",
            now - 21 * _DAY,
            {
                "blue": (40_112, {"sign-up": 2006, "purchase": 401}),
                "red": (39_874, {"sign-up": 2408, "purchase": 432}),
            },
            ignored={"bot": 1204},
        ),
        _counted(
            "checkout steps",
            now - 34 * _DAY,
            {
                "original": (90_210, {"purchase": 6030}),
                "one page": (89_870, {"purchase": 5410}),
                "three pages": (90_035, {"purchase": 4790}),
            },
        ),
        _counted(
            "footer links",
            now - 60 * _DAY,
            {"control": (199_800, {"click": 20_010}), "short": (200_410, {"click": 20_120})},
        ),
        _counted(
            "free shipping banner",
            now - 4 * _DAY,
            {
                "baseline": (5020, {"purchase": 251}),
                "green": (4985, {"purchase": 262}),
                "yellow": (5012, {"purchase": 240}),
            },
        ),
        _counted(
            "headline",
            now - 9 * _DAY,
            {"control": (10_420, {"sign-up": 900}), "question": (9580, {"sign-up": 1100})},
        ),
        _counted(
            "menu with icons",
            now - 90 * _DAY,
            {
                "control": (1_000_000, {"sign-up": 50_000}),
                "icons": (1_001_200, {"sign-up": 52_300}),
            },
            precision="1",
        ),
        _counted(
            "newsletter pop-up",
            now - _DAY,
            {"after 10 s": (820, {}), "on leaving": (802, {})},
            goals=("subscribe",),
        ),
        _counted("pricing table", now - 3600, {"yearly first": (640, {"sign-up": 31})}),
        _counted("search box", None, {}, goals=(), ignored={"experiment not allowed": 3}),
        _counted(
            "video on the start page",
            now - 12 * _DAY,
            {"control": (1010, {"play": 1500}), "video": (1000, {"play": 1800})},
            ignored={LIMIT_REACHED: 41},
            unreadable=1,
        ),
    )


def _counted(
    name: str,
    since: int | None,
    arms: Arms,
    goals: tuple[str, ...] | None = None,
    precision: str = "16",
    ignored: Mapping[str, int] | None = None,
    unreadable: int = 0,
) -> ExperimentCounts:
    reached = (
        sorted({goal for _, conversions in arms.values() for goal in conversions})
        if goals is None
        else goals
    )
    return ExperimentCounts(
        name,
        {
            variant: Count.from_parts({precision: visitors})
            for variant, (visitors, _) in arms.items()
        },
        {
            goal: {
                variant: Count.from_parts({precision: conversions.get(goal, 0)})
                for variant, (_, conversions) in arms.items()
            }
            for goal in reached
        },
        since,
        ignored or {},
        unreadable,
    )

"""Made-up experiments for `gimel dashboard --demo`: at least one for every kind of verdict.

Nothing here was ever counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gimel.analysis import concluded
from gimel.analysis.concluded import Concluded
from gimel.analysis.counts import Count, ExperimentCounts, NamespaceCounts, Point
from gimel.analysis.design import Design
from gimel.analysis.experiment import LIMIT_REACHED, get_experiment
from gimel.analysis.failed import FAILED_EVENT
from gimel.errors import GimelError
from gimel.runtime.fields import DEFAULT_NAMESPACE
from gimel.serve.demo_history import with_history

_DAY = 86400

DESIGNS: Mapping[str, Design] = {
    "button colour": Design(
        control="blue", goal="sign-up", guardrails=("purchase",), decrease=("refund",)
    ),
    "login with a link": Design(control="password", visitors=60_000),
    "menu with icons": Design(lift=0.03),
    "price with tax": Design(
        control="without tax", goal="purchase", guardrails=("refund",), decrease=("refund",)
    ),
}
"""The designs of the experiments that have one."""

Arms = Mapping[str, tuple[int, Mapping[str, int]]]


class Demo:
    """The made-up experiments, in one namespace, at the time `now` (seconds since 1970).

    Deleted and concluded experiments come back with the next run.
    """

    def __init__(self, now: float, namespace: str = DEFAULT_NAMESPACE) -> None:
        self._experiments = list(_experiments(int(now)))
        self._namespace = namespace
        self._now = int(now)
        self._concluded: dict[str, ExperimentCounts] = {}
        self._records: dict[str, Concluded] = {}

    def experiments(self, namespace: str, *, history: bool = False) -> NamespaceCounts:
        names = (self._namespace,) if self._experiments else ()
        if namespace != self._namespace:
            return NamespaceCounts((), {}, names)
        found = self._experiments
        if history:
            found = [with_history(each, self._now) for each in found]
        return NamespaceCounts(tuple(found), {"bot": 12}, names)

    def experiment(self, namespace: str, name: str, *, history: bool = False) -> ExperimentCounts:
        """Return one experiment. Raises GimelError with the most similar names."""
        found = get_experiment(self.experiments(namespace), name, namespace)
        return with_history(found, self._now) if history else found

    def conclude(self, namespace: str, experiment: str, record: Mapping[str, Any]) -> int:
        """End an experiment. Raises GimelError if it does not exist."""
        ended = self.experiment(namespace, experiment)
        self.delete(namespace, experiment)
        self._concluded[experiment] = ended
        kept = {**record, "at": self._now}
        self._records[experiment] = concluded.read(
            kept,
            experiment,
            since=ended.since,
            history=(Point(self._now, ended.visitors, ended.goals),),
        )
        return 1

    def reopen(self, namespace: str, experiment: str) -> int:
        """Continue an experiment. Raises GimelError if it was not concluded."""
        if experiment not in self._records:
            raise GimelError("The experiment is not concluded.")
        del self._records[experiment]
        self._experiments.append(self._concluded.pop(experiment))
        return 1

    def concluded(self, namespace: str, scope: str | None = None) -> tuple[Concluded, ...]:
        """Return the concluded experiments, or that of the name `scope`."""
        found = self._records.values() if namespace == self._namespace else ()
        return tuple(each for each in found if scope in (None, each.name))

    def delete(self, namespace: str, experiment: str) -> None:
        if namespace == self._namespace:
            self._experiments = [each for each in self._experiments if each.name != experiment]
            self._records.pop(experiment, None)


def _experiments(now: int) -> tuple[ExperimentCounts, ...]:
    return (
        _counted(
            "button colour",
            now - 21 * _DAY,
            {
                "blue": (40_112, {"sign-up": 2006, "purchase": 4010, "refund": 160}),
                "red": (39_874, {"sign-up": 2408, "purchase": 4025, "refund": 149}),
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
            "login with a link",
            now - 16 * _DAY,
            {
                "password": (24_050, {"sign-in": 21_640}),
                "link": (23_980, {"sign-in": 22_010, FAILED_EVENT: 36}),
            },
        ),
        _counted(
            "menu with icons",
            now - 90 * _DAY,
            {
                "control": (1_000_000, {"sign-up": 50_000}),
                "icons": (1_001_200, {"sign-up": 50_400}),
            },
            precision="1",
        ),
        _counted(
            "newsletter pop-up",
            now - _DAY,
            {"after 10 s": (820, {}), "on leaving": (802, {})},
            goals=("subscribe",),
        ),
        _counted(
            "price with tax",
            now - 25 * _DAY,
            {
                "with tax": (50_210, {"purchase": 3015, "refund": 402}),
                "without tax": (50_040, {"purchase": 2502, "refund": 250}),
            },
        ),
        _counted("pricing table", now - 3600, {"yearly first": (640, {"sign-up": 31})}),
        _counted(
            "product photos",
            now - 3 * _DAY,
            {"control": (9020, {"purchase": 451}), "large": (8985, {"purchase": 612})},
        ),
        _counted(
            "quick checkout",
            now - 18 * _DAY,
            {
                "old": (30_020, {"purchase": 1502, FAILED_EVENT: 12}),
                "new": (29_950, {"purchase": 1910, FAILED_EVENT: 17_960}),
            },
        ),
        _counted(
            "related products",
            now - 45 * _DAY,
            {"off": (200_150, {"purchase": 10_010}), "on": (199_900, {"purchase": 10_425})},
        ),
        _counted("search box", None, {}, goals=(), ignored={"experiment not allowed": 3}),
        _counted(
            "sign-up form",
            now - 30 * _DAY,
            {
                "long": (40_020, {"sign-up": 2001, "newsletter": 1010}),
                "short": (39_950, {"sign-up": 2405, "newsletter": 705}),
            },
        ),
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

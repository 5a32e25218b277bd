"""When a verdict was reached, and with what later data disagrees.

Knows what was decided at which look, and decides nothing. Days are in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence

from gimel.analysis import sentences
from gimel.analysis.case import Case
from gimel.analysis.comparison import Comparison
from gimel.analysis.phrases import day


def no_difference_since(case: Case, undecided: Sequence[Comparison]) -> int | None:
    """Return when "no difference" became known, in seconds since 1970; None if it is not.

    That is the first look after which any difference was known to be small, and at which no
    fixed-horizon interval excluded zero. A variant that was decided by then does not count.
    """
    decided = [each for each in case.judged if each.direction]
    for time in sorted({look.time for each in undecided for look in each.looks}):
        open_then = [*undecided, *(each for each in decided if decided_at(case, each) > time)]
        if all(
            each.small_at is not None and each.small_at <= time and not each.leant(time)
            for each in open_then
        ):
            return time
    return None


def decided_at(case: Case, comparison: Comparison) -> int:
    """Return the time of the look at which a difference was first known."""
    return case.now if comparison.decided_at is None else comparison.decided_at


def known_since(case: Case, reached: int) -> str:
    """Return since which day a verdict is known, with a space in front; '' if since today."""
    return f" Known since {day(reached)}." if day(reached) != day(case.now) else ""


def disputes(comparisons: Sequence[Comparison]) -> str:
    """Return with which decisions later data disagrees, with a space in front; '' if none."""
    parts = []
    for direction, state in ((1, "better"), (-1, "worse"), (0, "about the same")):
        changed = [each for each in comparisons if each.disagrees and each.direction == direction]
        disputed = sentences.mention(changed, state)
        parts.append(f" Later data disagrees that{disputed}" if disputed else "")
    return "".join(parts)

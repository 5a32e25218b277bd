"""Why the counts of an experiment allow no verdict: too little to compare, or not to be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gimel.analysis.counts import Arm
from gimel.analysis.phrases import day, pluralize, quote, quote_names
from gimel.analysis.shares import ShareCheck, check_shares
from gimel.analysis.verdict import NO_DATA, Kind, Verdict

_MOST_SHARES = 4  # of a wrong split, beyond which the sentence names only the worst one


def refuse(arms: Sequence[Arm], mismatch_since: int | None = None) -> Verdict | None:
    """Return why the arms, the control first, allow no verdict; None if they do.

    `mismatch_since` is the time at which a split mismatch began, in seconds since 1970; None if it
    was always there, or nobody knows.
    """
    split = check_shares(arms)
    if split.is_mismatch:
        return Verdict(Kind.SPLIT_MISMATCH, *_explain_mismatch(arms, split, mismatch_since))
    misused = [arm for arm in arms if not arm.is_conversion]
    if misused:
        worst = max(misused, key=lambda arm: arm.conversions.value - arm.visitors.value)
        goals = pluralize(worst.conversions.value, "goal")
        visitors = pluralize(worst.visitors.value, "visitor")
        found = f"{quote(worst.name)}: {goals}, {visitors}"
        sentence = f"Not a conversion: more goals than visitors ({found})."
        return Verdict(Kind.NOT_A_CONVERSION, sentence, worst.name)
    seen = [arm for arm in arms if arm.visitors.value]
    if not seen:
        return NO_DATA
    if len(seen) == 1:
        sentence = f"Nothing to compare: only {quote(seen[0].name)} has visitors."
        return Verdict(Kind.SINGLE_VARIANT, sentence, seen[0].name)
    if not any(arm.conversions.value for arm in arms):
        visitors = pluralize(math.fsum(arm.visitors.value for arm in arms), "visitor")
        return Verdict(Kind.NO_CONVERSIONS, f"No conversions yet among {visitors}.")
    control, *others = arms
    if not control.visitors.value:
        sentence = f"Nothing to compare with: {quote(control.name)}, the control, has no visitors."
        return Verdict(Kind.SINGLE_VARIANT, sentence, control.name)
    if not any(arm.weight and arm.visitors.value for arm in others):
        sentence = "Nothing to compare: only the control has both visitors and a weight."
        return Verdict(Kind.SINGLE_VARIANT, sentence, control.name)
    return None


def _explain_mismatch(arms: Sequence[Arm], split: ShareCheck, since: int | None) -> tuple[str, str]:
    """Return the sentence on a wrong split, and the arm that it is about.

    Names all shares of up to four arms; of more arms, the share that is furthest off. Visitors of
    an arm that has none may have been sent under another name.
    """
    cells = [cell for cell in zip(split.observed, split.expected, arms, strict=True) if cell[1]]
    observed, expected, worst = max(
        cells, key=lambda cell: abs(cell[0] - cell[1]) / math.sqrt(cell[1])
    )
    missing = [arm.name for _, _, arm in cells if not arm.visitors.value]
    if missing:
        counted = quote_names(arm.name for arm in arms if arm.visitors.value)
        sentence = (
            f"Do not trust this: no visitors were counted for {quote_names(missing)}. Check that"
            f" the page and config.json use the same names (counted: {counted})."
        )
        return sentence, missing[0]
    digits = _distinguishing_digits(100 * observed, 100 * expected)
    if len(cells) <= _MOST_SHARES:
        found = "/".join(f"{100 * share:.{digits}f}" for share, _, _ in cells)
        wanted = "/".join(f"{100 * share:.{digits}f}" for _, share, _ in cells)
        problem = f"visitors are split {found}, expected {wanted}"
    else:
        found, wanted = (f"{100 * share:.{digits}f}%" for share in (observed, expected))
        problem = f"{quote(worst.name)} has {found} of visitors, expected {wanted}"
    p = split.p
    shown = f"= {p:.{-math.floor(math.log10(p))}f}" if p >= 1e-6 else "< 0.000001"
    began = "" if since is None else f" It began about {day(since)}."
    return f"Do not trust this: {problem} (p {shown}).{began}", worst.name


def _distinguishing_digits(first: float, second: float) -> int:
    """Return the fewest decimal places at which two numbers differ, at most three."""
    for digits in range(3):
        if f"{first:.{digits}f}" != f"{second:.{digits}f}":
            return digits
    return 3

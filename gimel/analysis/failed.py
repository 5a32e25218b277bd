"""Variants that failed in the browser.

When a variant's code throws, gimel.js shows the control and sends an event with a reserved name,
once per visitor. The visitor stays in the variant that was assigned: visitors whose browsers fail
differ from others, so a comparison without them would be biased. The price is that any effect is
diluted by those who saw the control.

Knows counts, and nothing of goals or verdicts: the event is not a goal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gimel.analysis.counts import Arm, Count
from gimel.analysis.phrases import percent, pluralize, quote
from gimel.analysis.sentences import label_control

FAILED_EVENT = "gimel:error"
"""The event of a visitor for whom a variant failed."""

_LEAST_SHARE = 0.01  # 1% dilutes a lift of 10% to 9.9%; a stray browser extension fails for less


@dataclass(frozen=True)
class FailedVariant:
    """A variant that failed for some of its visitors.

    Attributes:
        arm: The variant, with these visitors in place of the conversions.
        is_control: Whether it is the control.
        control_is_guess: Whether the control was chosen only because it is first by name.
    """

    arm: Arm
    is_control: bool = False
    control_is_guess: bool = False

    @property
    def name(self) -> str:
        return self.arm.name

    @property
    def share(self) -> float:
        """The share of the variant's visitors for whom it failed; 1 without visitors."""
        return self.arm.rate if self.arm.visitors.value else 1.0

    @property
    def matters(self) -> bool:
        """Whether the reader must know before using any figure.

        A variant without a weight has no part in the verdict.
        """
        return bool(self.arm.weight) and self.share >= _LEAST_SHARE

    @property
    def words(self) -> str:
        """For how many visitors it failed: "“red” failed for 1,203 of 2,000 visitors (60%)"."""
        name = quote(self.name)
        if self.is_control:
            name = label_control(self.name, self.control_is_guess)
        failed = round(self.arm.conversions.value)
        visitors = round(self.arm.visitors.value)
        if self._has_lost_visitors:
            counted = f"only {visitors:,} were" if visitors else "none was"
            return f"{name} failed for {pluralize(failed, 'visitor')}, of whom {counted} counted"
        if failed >= visitors:
            return f"{name} failed for all of its visitors ({visitors:,})"
        return f"{name} failed for {failed:,} of {pluralize(visitors, 'visitor')} ({self._percent})"

    @property
    def brief(self) -> str:
        """The same in a list, after its name: "failed for 60%", "failed for all"."""
        return "failed for all" if self.share == 1 else f"failed for {self._percent}"

    @property
    def sentence(self) -> str:
        """The same, with what these visitors saw and what that does to the verdict."""
        if self.is_control:
            return f"{self.words}: they may have seen a broken page."
        result = ""
        if self.matters and not self._has_lost_visitors:
            result = ", so any difference looks smaller than it is"
            if self.share == 1:
                result = ", so it was not tested"
        return f"{self.words}: they saw the control{result}."

    @property
    def _has_lost_visitors(self) -> bool:
        """Whether it failed for more visitors than were counted, by more than noise explains."""
        return not self.arm.visitors.value or not self.arm.is_conversion

    @property
    def _percent(self) -> str:
        """The share in percent, which is not rounded to nobody or everybody."""
        text = percent(self.share)
        return {"100%": "over 99.9%", "0%": "under 0.01%"}.get(text, text)


def find_failed(
    arms: Sequence[Arm], failed: Mapping[str, Count], control_is_guess: bool
) -> tuple[FailedVariant, ...]:
    """Return the variants that failed: those that matter first, else in the order of the arms.

    The first of the arms is the control.
    """
    found = [
        FailedVariant(
            Arm(arm.name, arm.visitors, failed[arm.name], arm.weight),
            number == 0,
            control_is_guess,
        )
        for number, arm in enumerate(arms)
        if arm.name in failed and failed[arm.name].value
    ]
    return tuple(sorted(found, key=lambda each: not each.matters))

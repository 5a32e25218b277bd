"""The kinds of numbers that several commands take."""

from __future__ import annotations

import math
from typing import Any

import click

from gimel.config.kinds import LARGEST_LIFT, LEAST_LIFT, NotAllowedError, check_lift


class Number(click.FloatRange):
    """A finite number in a range: click itself accepts "nan" and "inf"."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


class _LiftWorthDetecting(click.FloatRange):
    """A lift worth detecting, with the limits of the configuration."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            return check_lift(click.FLOAT.convert(value, param, ctx))
        except NotAllowedError as error:
            self.fail(f"{value!r} {error.allowed}. {error.hint}", param, ctx)


CONFIDENCE = Number(0.5, 0.9999)
LIFT_WORTH_DETECTING = _LiftWorthDetecting(LEAST_LIFT, LARGEST_LIFT)

"""The sections of config.json: every key with its type, its range and its description.

A file of Gimel 1.5.0 is valid as it is. What the runtime reads has its defaults there
(`gimel.runtime.settings`).
"""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator, model_validator
from typing_extensions import Self

from gimel.analysis.design import LIFT_WORTH_DETECTING, MINIMUM_DAYS, Design
from gimel.analysis.duration import MOST_VISITORS
from gimel.config.alarms import Alarms
from gimel.config.alerts import Alerts
from gimel.config.aws import Aws
from gimel.config.entries import Entry
from gimel.config.kinds import (
    Days,
    Goal,
    Goals,
    Lift,
    Limit,
    Name,
    NotAllowedError,
    Origin,
    Section,
    Weights,
    one_of,
)
from gimel.config.redis import Redis
from gimel.errors import suggest
from gimel.runtime.keys import PRECISIONS


class Limits(Section):
    """The most that the public endpoint may create; events that would create more are ignored."""

    namespaces: Limit | None = Field(None, description="Maximum namespaces")
    experiments: Limit | None = Field(None, description="Maximum experiments per namespace")
    counters: Limit | None = Field(
        None, description="Maximum counters per namespace: one for each goal of each variant"
    )
    counters_per_experiment: Limit | None = Field(
        None, description="Maximum counters per experiment"
    )


class Experiment(Section):
    """The design of an experiment; the runtime reads none of it."""

    control: Name | None = Field(
        None,
        description="Variant that the others are compared with; by default chosen by its name",
    )
    weights: Weights | None = Field(
        None,
        description='Expected split, like {"red": 2, "blue": 1}; by default equal. It does not '
        "change which variant the page shows",
    )
    goal: Goal | None = Field(
        None, description="Primary goal, which decides; by default all goals count equally"
    )
    guardrails: Goals = Field([], description="Goals that must not get worse; they require `goal`")
    decrease: Goals = Field([], description="Goals where fewer conversions are better")
    lift: Lift = Field(
        LIFT_WORTH_DETECTING,
        description="Lift worth detecting, as a share of 1; above a rate of 50%, that of the "
        "failures",
    )
    minimum_days: Days = Field(
        MINIMUM_DAYS, description="Days before which a variant is ahead at most, not the winner"
    )
    visitors: Annotated[int, Field(ge=1, le=int(MOST_VISITORS))] | None = Field(
        None, description="Planned visitors of all variants together"
    )

    @model_validator(mode="after")
    def _check_goals(self) -> Self:
        if self.goal is None:
            if self.guardrails:
                raise NotAllowedError("must have a goal, because it has guardrails")
        elif self.goal in self.guardrails:
            raise NotAllowedError(f"must not list its goal {_quoted(self.goal)} in guardrails")
        return self

    @model_validator(mode="after")
    def _check_control(self) -> Self:
        if self.control and self.weights and not self.weights.get(self.control):
            raise NotAllowedError(
                f"must give its control {_quoted(self.control)} a weight above 0",
                suggest(self.control, [name for name in self.weights if self.weights[name]]),
            )
        return self

    def design(self) -> Design:
        """Return the design as the analysis takes it."""
        return Design(
            control=self.control,
            weights=self.weights,
            goal=self.goal,
            guardrails=tuple(self.guardrails),
            decrease=tuple(self.decrease),
            lift=self.lift,
            minimum_days=self.minimum_days,
            visitors=self.visitors,
        )


class Document(Section):
    """The whole of config.json."""

    redis: Redis | None = Field(None, description="The connection to Redis")
    extra_wiring: list[Entry] = Field(
        [], description="Additional routes and functions: see WIRING.md"
    )
    precision: Annotated[int, one_of(PRECISIONS)] | None = Field(
        None,
        description="HyperLogLogs per counter; "
        "the counting error is 0.7% divided by the square root of this number. A change applies to "
        "new experiments",
    )
    bot_filter: bool | None = Field(
        None, description="Ignore events from crawlers and headless browsers"
    )
    allowed_origins: Annotated[list[Origin], Field(min_length=1)] | None = Field(
        None,
        description='Origins whose pages may read the responses (CORS), like "https://example.com"',
    )
    allowed_namespaces: Annotated[list[Name], Field(min_length=1)] | None = Field(
        None,
        description="The only namespaces to count; null allows any. The limit on namespaces does "
        "not apply to those listed",
    )
    allowed_experiments: Annotated[list[Name], Field(min_length=1)] | None = Field(
        None,
        description="The only experiments to count; null allows any. No limit but "
        "counters_per_experiment applies to those listed",
    )
    limits: Limits | None = Field(None, description="The most that the public endpoint may create")
    experiments: dict[Name, Experiment] = Field(
        {},
        description="Designs of experiments, by name. No limit but counters_per_experiment "
        "applies to them",
    )
    snapshots: bool = Field(
        True, description="Record the counts of every experiment once a day, and send the alerts"
    )
    alerts: Alerts = Field(
        Alerts(), description="Where the daily snapshot reports what has changed"
    )
    alarms: Alarms | None = Field(
        None,
        description="Alarms of AWS when the deployment stops working, off by default: see "
        "docs/monitoring.md",
    )
    aws: Aws = Field(Aws(), description="How `gimel deploy` sets up its AWS resources")

    @field_validator("alerts")
    @classmethod
    def _check_alerts(cls, alerts: Alerts, info: ValidationInfo) -> Alerts:
        if alerts.is_on and info.data.get("snapshots") is False:
            raise NotAllowedError(
                'must not be set with "snapshots": false, because the daily snapshot sends them',
                "Remove one of them.",
            )
        return alerts


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)

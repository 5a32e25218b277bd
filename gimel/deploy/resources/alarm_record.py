"""The record that a deployment has alarms: a tag of the REST API.

CloudWatch and SNS are only asked where the configuration has alarms, or where this tag says that an
earlier one had: whoever never used alarms needs no permission on those services.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gimel.deploy.desired import Desired
from gimel.deploy.resources.base import Look, Observed, Resource, Run, Step
from gimel.deploy.resources.tag_record import TAG_RECORD

TAG = "gimel:alarms"


class AlarmRecord(Resource[bool]):
    """Observed as whether the tag exists. It is set before the first alarm is made."""

    def observe(self, look: Look) -> bool:
        return TAG in (look.of(TAG_RECORD) or {})

    def provide(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        if desired.config.document.alarms is not None and not observed.of(self):
            yield RecordAlarms(observed.identity.name)

    def retire(self, desired: Desired, observed: Observed) -> Iterator[Step]:
        if desired.config.document.alarms is None and observed.of(self):
            yield ForgetAlarms(observed.identity.name)


ALARM_RECORD = AlarmRecord()


def may_have_alarms(look: Look) -> bool:
    """Return whether alarms are desired or recorded."""
    wanted = look.desired is not None and look.desired.config.document.alarms is not None
    return wanted or look.of(ALARM_RECORD)


@dataclass(frozen=True)
class RecordAlarms(Step):
    name: str

    def __str__(self) -> str:
        return f"Tag the REST API {self.name}: record that there are alarms"

    def perform(self, run: Run) -> None:
        arn = run.identity.rest_api(run.ids["api"])
        run.aws.call("apigateway", "tag_resource", resourceArn=arn, tags={TAG: "on"})


@dataclass(frozen=True)
class ForgetAlarms(Step):
    name: str

    def __str__(self) -> str:
        return f"Tag the REST API {self.name}: record that there are no alarms"

    def perform(self, run: Run) -> None:
        arn = run.identity.rest_api(run.ids["api"])
        run.aws.call("apigateway", "untag_resource", resourceArn=arn, tagKeys=[TAG])

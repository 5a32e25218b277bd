"""Changes of records in a hosted zone of Route 53."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gimel.deploy.aws_errors import DENIED, Refused
from gimel.deploy.resources.base import Run, Step
from gimel.deploy.resources.observed_domain import RecordSet, plain_name, records_at

_IN_SYNC, _WAIT = 120.0, 5.0  # seconds; Route 53 usually takes less than one minute


def create_records(run: Run, zone: str, target: str, records: list[dict[str, Any]]) -> None:
    """Create the records of one name that lead to a target, as far as they do not exist.

    Waits until all of Route 53 knows: whoever asks for a record before that may remember for
    minutes that it does not exist.
    """

    def missing() -> list[dict[str, Any]]:
        there = records_at(run.aws, zone, plain_name(records[0]["Name"]))
        done = {each.type for each in there if each.target == plain_name(target)}
        return [each for each in records if each["Type"] not in done]

    wanted = missing()
    if not wanted:
        return
    try:
        change = _change(run, zone, "CREATE", wanted)
    except Refused as refused:
        if refused.code in DENIED:
            values = ", ".join(f"{each['Type']} {each['Name']} {target}" for each in wanted)
            hint = f"You may create it yourself, and run `gimel deploy` again: {values}"
            raise Refused(refused.code, refused.message, hint, permanent=True) from None
        # An attempt whose answer was lost may have been done.
        if refused.code != "InvalidChangeBatch" or missing():
            raise
        return
    started = run.aws.clock()
    while change.get("Status") == "PENDING" and run.aws.clock() - started < _IN_SYNC:
        run.aws.on_wait("Route 53 distributes the record")
        run.aws.sleep(_WAIT)
        which = {"Id": change["Id"].rpartition("/")[2]}
        change = run.aws.call("route53", "get_change", **which)["ChangeInfo"]


@dataclass(frozen=True)
class DeleteRecord(Step):
    """Delete a record as it was seen: one that has been changed since is somebody else's."""

    record: RecordSet

    def __str__(self) -> str:
        return f"Delete the DNS record {self.record.type} {self.record.name}"

    def perform(self, run: Run) -> None:
        try:
            _change(run, self.record.zone, "DELETE", [self.record.answer])
        except Refused as refused:
            there = records_at(run.aws, self.record.zone, self.record.name)
            if refused.code != "InvalidChangeBatch" or self.record in there:
                raise


def _change(run: Run, zone: str, action: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    """Change records, all or none. Return how far Route 53 has distributed that."""
    changes = [{"Action": action, "ResourceRecordSet": each} for each in records]
    batch = {"Comment": f"Gimel, deployment {run.identity.name}", "Changes": changes}
    answer = run.aws.call(
        "route53", "change_resource_record_sets", HostedZoneId=zone, ChangeBatch=batch
    )
    return dict(answer.get("ChangeInfo", {}))

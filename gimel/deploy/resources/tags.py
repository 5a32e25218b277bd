"""Tags, which several services give and take in their own ways.

The tags of the role are the record of what everything else was tagged with, so the role is tagged
last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gimel.deploy.resources.base import Run, Step


@dataclass(frozen=True)
class _Calls:
    """The calls and parameters of one service. `pairs` says that it takes a list of pairs."""

    tag: str
    untag: str
    tags: str
    keys: str
    pairs: bool = False


_CALLS = {
    "iam": _Calls("tag_role", "untag_role", "Tags", "TagKeys", pairs=True),
    "lambda": _Calls("tag_resource", "untag_resource", "Tags", "TagKeys"),
    "logs": _Calls("tag_resource", "untag_resource", "tags", "tagKeys"),
    "apigateway": _Calls("tag_resource", "untag_resource", "tags", "tagKeys"),
}


@dataclass(frozen=True)
class Tag(Step):
    """Set tags on something that exists, and remove others.

    `what` names it in the sentence; `target` is the parameter that names it in the calls.
    """

    what: str
    service: str
    target: Mapping[str, str]
    tags: Mapping[str, str]
    removed: tuple[str, ...]

    def __str__(self) -> str:
        return f"Tag the {self.what}"

    def perform(self, run: Run) -> None:
        calls = _CALLS[self.service]
        if self.tags:
            tags: Any = as_pairs(self.tags) if calls.pairs else dict(self.tags)
            run.aws.call(self.service, calls.tag, **self.target, **{calls.tags: tags})
        if self.removed:
            keys = {calls.keys: list(self.removed)}
            run.aws.call(self.service, calls.untag, **self.target, **keys)


def retag(
    what: str,
    service: str,
    target: Mapping[str, str],
    tags: Mapping[str, str],
    recorded: Mapping[str, str] | None,
) -> Iterator[Step]:
    """Yield the step that tags something, where the recorded tags are not the wanted ones.

    `recorded` is None where there is no record: then everything is about to be created.
    """
    if recorded is not None and dict(recorded) != dict(tags):
        yield Tag(what, service, target, tags, tuple(sorted(set(recorded) - set(tags))))


def given(**parameters: Any) -> dict[str, Any]:
    """Return the parameters that are not empty: even an empty set of tags needs a permission."""
    return {name: value for name, value in parameters.items() if value}


def as_pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags in the form of IAM."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]

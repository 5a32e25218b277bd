"""Tags, which several services give and take in their own ways.

`gimel` marks what belongs to a deployment; its value is the deployment's name. The other tags are
those of the configuration. Which of them were given is recorded in a tag of the REST API, which is
tagged last, so that a tag that has left the configuration is removed and one that somebody else
gave is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gimel.deploy.resources.base import Run, Step

MARK, RECORD = "gimel", "gimel:tags"


@dataclass(frozen=True)
class _Calls:
    """The calls and parameters of one service. `pairs` says that it takes a list of pairs.

    `key_pairs` says that it also takes the keys to remove as pairs, `several` a list of targets.
    """

    tag: str
    untag: str
    tags: str
    keys: str
    pairs: bool = False
    key_pairs: bool = False
    several: bool = False


_CALLS = {
    "iam": _Calls("tag_role", "untag_role", "Tags", "TagKeys", pairs=True),
    "lambda": _Calls("tag_resource", "untag_resource", "Tags", "TagKeys"),
    "logs": _Calls("tag_resource", "untag_resource", "tags", "tagKeys"),
    "apigateway": _Calls("tag_resource", "untag_resource", "tags", "tagKeys"),
    "ec2": _Calls(
        "create_tags",
        "delete_tags",
        "Tags",
        "Tags",
        pairs=True,
        key_pairs=True,
        several=True,
    ),
    "elasticache": _Calls(
        "add_tags_to_resource", "remove_tags_from_resource", "Tags", "TagKeys", pairs=True
    ),
    "events": _Calls("tag_resource", "untag_resource", "Tags", "TagKeys", pairs=True),
    "acm": _Calls(
        "add_tags_to_certificate",
        "remove_tags_from_certificate",
        "Tags",
        "Tags",
        pairs=True,
        key_pairs=True,
    ),
    "cloudwatch": _Calls("tag_resource", "untag_resource", "Tags", "TagKeys", pairs=True),
    "sns": _Calls("tag_resource", "untag_resource", "Tags", "TagKeys", pairs=True),
}


@dataclass(frozen=True)
class Tag(Step):
    """Set tags on something that exists, and remove others.

    `what` names it in the sentence; `target` is the parameter that names it in the calls, empty for
    a REST API that has yet to be created.
    """

    what: str
    service: str
    target: Mapping[str, str]
    tags: Mapping[str, str]
    removed: tuple[str, ...]

    def __str__(self) -> str:
        given = [f"{key}={value}" for key, value in self.tags.items() if key != RECORD]
        changes = [f"set {', '.join(given)}"] if given else []
        gone = [key for key in self.removed if key != RECORD]
        changes += [f"remove {', '.join(gone)}"] if gone else []
        return f"Tag the {self.what}: {'; '.join(changes) or 'record which tags were given'}"

    def perform(self, run: Run) -> None:
        calls = _CALLS[self.service]
        target: Mapping[str, Any]
        target = self.target or {"resourceArn": run.identity.rest_api(run.ids["api"])}
        if calls.several:
            target = {name: [value] for name, value in target.items()}
        if self.tags:
            tags: Any = as_pairs(self.tags) if calls.pairs else dict(self.tags)
            run.aws.call(self.service, calls.tag, **target, **{calls.tags: tags})
        if self.removed:
            keys: Any = [{"Key": key} for key in self.removed]
            removed = {calls.keys: keys if calls.key_pairs else list(self.removed)}
            run.aws.call(self.service, calls.untag, **target, **removed)


def marked(name: str, tags: Mapping[str, str]) -> dict[str, str]:
    """Return a configuration's tags with the mark of a deployment."""
    return {MARK: name, **tags}


def record_of(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tag that records the keys of a configuration's tags, none without any."""
    return {RECORD: " ".join(sorted(map(_short, tags)))} if tags else {}


def recorded_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return those of the REST API's tags that a deploy gave to everything."""
    record = tags.get(RECORD, "").split()
    return {key: tags[key] for key in tags if key == MARK or _short(key) in record}


def _short(key: str) -> str:
    """Return a hash of a key: 45 of them fit into a tag's 256 characters."""
    return hashlib.sha256(key.encode()).hexdigest()[:4]


def retag(
    what: str,
    service: str,
    target: Mapping[str, str],
    tags: Mapping[str, str],
    before: Mapping[str, str],
) -> Iterator[Step]:
    """Yield the step that gives something its tags, where those before were others."""
    changed = {key: tags[key] for key in tags if before.get(key) != tags[key]}
    removed = tuple(sorted(set(before) - set(tags)))
    if changed or removed:
        yield Tag(what, service, target, changed, removed)


def given(**parameters: Any) -> dict[str, Any]:
    """Return the parameters that are not empty: even an empty set of tags needs a permission."""
    return {name: value for name, value in parameters.items() if value}


def as_pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags in the form of IAM and EventBridge."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]

"""The history of deploys, kept by AWS beside the versions that they made live.

The description of a function's alias lists which deploy made which version live, newest first. It
is written by the very call that moves the alias, so that the two cannot disagree. The description
of a version says which deploy published it, who ran that deploy, and what it changed. Nothing else
is stored, and nothing on the operator's machine.

- A deploy has the number after the newest one, or the same number again if that deploy asked for
  the same: then it continues one that was interrupted. It adds an entry to the functions that it
  changes. A function that already runs what is desired is not touched.
- A rollback removes the entries of the newest deploy, and each of its functions goes to the
  version in the entry before. The other functions stay. A function that the deploy created has no
  entry before: it stays, and its entry gets number 0, so that it belongs to no deploy.

So a rollback leads to what was live before the deploy, a second one to what was live before the
deploy before it, and one that was interrupted completes when it is run again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

KEPT_VERSIONS = 5
"""Versions of a function that a rollback can reach, the live one included."""

UNPUBLISHED = 0
"""Stands for $LATEST, to which an alias can be pointed by hand."""

MAX_DESCRIPTION = 256  # characters, for an alias and a version alike

_NO_DEPLOY = 0
_ALIAS = re.compile(r"gimel((?: \d+:\d+(?:@\S+)?)+)( \.\.\.)?(?: =(\w+))?")
_ENTRY = re.compile(r"(\d+):(\d+)(?:@(\S+))?")
_VERSION = re.compile(r"gimel deploy (\d+) =(\w+) by (\S*)(?:: (.*))?", re.DOTALL)


@dataclass(frozen=True)
class Deploy:
    """A deploy: its number, from 1, and the fingerprint of what it asked for."""

    number: int
    fingerprint: str


@dataclass(frozen=True)
class Entry:
    """A version that a deploy made live, and when: "2026-11-26T12:24Z", "" if not known."""

    deploy: int
    version: int
    since: str = ""


@dataclass(frozen=True)
class Publication:
    """What a version's description says: the deploy that published it, who ran it, what changed."""

    deploy: Deploy
    by: str
    changes: str = ""

    def describe(self) -> str:
        """Return the description of a version."""
        about = f": {self.changes}" if self.changes else ""
        made = f"gimel deploy {self.deploy.number} ={self.deploy.fingerprint} by {self.by}{about}"
        return made if len(made) <= MAX_DESCRIPTION else f"{made[: MAX_DESCRIPTION - 3]}..."


@dataclass(frozen=True)
class History:
    """The deploys of one function, newest first; the version of the first is live.

    `fingerprint` is that of the deploy that is live, "" after a rollback. `is_cut` says that older
    entries are no longer kept.
    """

    entries: tuple[Entry, ...] = ()
    fingerprint: str = ""
    is_cut: bool = False

    @property
    def newest(self) -> int:
        """The number of the deploy that is live; 0 if none is known."""
        return self.entries[0].deploy if self.entries else _NO_DEPLOY

    @property
    def versions(self) -> frozenset[int]:
        """The versions that a rollback may need."""
        return frozenset(entry.version for entry in self.entries)

    def after(self, deploy: Deploy, version: int, since: str) -> History:
        """Return the history once a deploy has made a version live."""
        earlier = [
            entry
            for entry in self.entries
            if entry.deploy < deploy.number and entry.version != UNPUBLISHED
        ]
        entries = (Entry(deploy.number, version, since), *earlier)
        is_cut = self.is_cut or len(entries) > KEPT_VERSIONS
        return History(entries[:KEPT_VERSIONS], deploy.fingerprint, is_cut)

    def before(self, deploy: int) -> History:
        """Return the history without this deploy and all later ones.

        Without an earlier one, the oldest entry is kept under no deploy's number.
        """
        earlier = tuple(entry for entry in self.entries if entry.deploy < deploy)
        if not earlier and self.entries:
            earlier = (replace(self.entries[-1], deploy=_NO_DEPLOY),)
        return replace(self, entries=earlier, fingerprint="")

    def begins_with(self, deploy: int) -> bool:
        """Return whether no earlier deploy is known: this one created the function."""
        return all(entry.deploy >= deploy for entry in self.entries)

    def describe(self) -> str:
        """Return the description of an alias."""
        words = ["gimel"]
        for entry in self.entries:
            since = f"@{entry.since}" if entry.since else ""
            words.append(f"{entry.deploy}:{entry.version}{since}")
        words += ["..."] if self.is_cut else []
        words += [f"={self.fingerprint}"] if self.fingerprint else []
        return " ".join(words)


NO_HISTORY = History()


def parse_history(description: str, live: int) -> History | None:
    """Return what an alias's description says, None if it is not Gimel's.

    Its first entry follows the version that is `live`, which may have been changed by hand.
    """
    found = _ALIAS.fullmatch(description)
    if found is None:
        return None
    first, *others = (
        Entry(int(deploy), int(version), since)
        for deploy, version, since in _ENTRY.findall(found[1])
    )
    if first.version != live:
        first = Entry(first.deploy, live)
    return History((first, *others), found[3] or "", bool(found[2]))


def parse_publication(description: str) -> Publication | None:
    """Return what a version's description says, None if it is not Gimel's."""
    found = _VERSION.fullmatch(description)
    if found is None:
        return None
    return Publication(Deploy(int(found[1]), found[2]), found[3], found[4] or "")


def history_of_versions(versions: Mapping[int, Publication | None]) -> History:
    """Return the history of a function without a record, from its versions up to the live one.

    The deploys are those that published them: other functions have the same. Gimel 1.5.0, which
    did not describe them, published a version of every function with each deploy.
    """
    described = {number: each.deploy.number for number, each in versions.items() if each}
    deploys = described if len(described) == len(versions) else {each: each for each in versions}
    entries = (Entry(deploys[number], number) for number in sorted(versions, reverse=True))
    return History(tuple(entries))


def next_deploy(
    fingerprint: str, histories: list[History], publications: list[Publication]
) -> Deploy:
    """Return the deploy that asks for what `fingerprint` stands for."""
    known = [Deploy(each.newest, each.fingerprint) for each in histories if each.entries]
    known += [each.deploy for each in publications]
    newest = max((each.number for each in known), default=_NO_DEPLOY)
    if newest and Deploy(newest, fingerprint) in known:
        return Deploy(newest, fingerprint)
    return Deploy(newest + 1, fingerprint)

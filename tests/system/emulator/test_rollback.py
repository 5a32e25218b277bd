"""Rolling back, on an account that executes what is live.

The oracle is a stack of what was live after each deploy. It knows nothing of versions and aliases.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import redis

from gimel.cli import deploy
from gimel.deploy.aws import Aws
from gimel.deploy.checks import smoke
from gimel.deploy.checks.findings import Finding, failed
from gimel.errors import GimelError, Interrupted
from tests.support.account import Account, variables
from tests.support.command import gimel_here
from tests.support.configurations import WITH_ROUTES
from tests.support.events import EVENT

SIZES = (128, 192, 256, 320)
MOST_UNDONE = 3

Sizes = tuple[int, ...]


def sized(sizes: Sizes) -> dict[str, Any]:
    """Return a configuration that gives each function so many MB."""
    functions = {name: {"memory": size} for name, size in zip(WITH_ROUTES, sizes, strict=True)}
    return {"aws": {"functions": functions}}


def live(account: Account) -> Sizes:
    """Return the memory of each function's live version."""
    client = account.client("lambda")
    return tuple(
        client.get_function(FunctionName=name, Qualifier="live")["Configuration"]["MemorySize"]
        for name in WITH_ROUTES
    )


class Interruptions:
    """Ctrl-C before or after a call that changes something, once the budget is used up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.budget: int | None = None
        self.after = False
        attempt = Aws._attempt

        def interrupted(aws: Aws, service: str, operation: str, parameters: Any) -> Any:
            changes = not operation.startswith(("get_", "list_", "describe_", "invoke"))
            if self.budget is None or not changes:
                return attempt(aws, service, operation, parameters)
            self.budget -= 1
            if self.budget > 0:
                return attempt(aws, service, operation, parameters)
            self.budget = None
            if self.after:
                attempt(aws, service, operation, parameters)
            raise KeyboardInterrupt

        monkeypatch.setattr(Aws, "_attempt", interrupted)

    def until_done(self, action: Callable[[], object], chance: random.Random) -> None:
        """Run an action as an operator does who runs it again after each interruption."""
        for _ in range(2):
            self.budget = chance.choice((None, 1, 2, 3, 4, 5))
            self.after = chance.random() < 0.5
            try:
                action()
                return
            except Interrupted:
                continue
            finally:
                self.budget = None
        action()


@pytest.fixture
def interruptions(monkeypatch: pytest.MonkeyPatch) -> Interruptions:
    return Interruptions(monkeypatch)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_rollback_leads_to_what_was_live_before(
    deployed: Account, interruptions: Interruptions, seed: int
) -> None:
    """Through random changes, reverts and rollbacks, each interrupted up to twice."""
    chance = random.Random(seed)
    first: Sizes = live(deployed)
    stack = [first]
    undone = 0
    for _ in range(6):
        if len(stack) > 1 and undone < MOST_UNDONE and chance.random() < 0.4:
            interruptions.until_done(deployed.rollback, chance)
            stack.pop()
            undone += 1
        else:
            kept = stack[-1]
            wanted = tuple(chance.choice(SIZES) if chance.random() < 0.5 else size for size in kept)
            interruptions.until_done(partial(deployed.deploy, **sized(wanted)), chance)
            if wanted != kept:
                stack.append(wanted)
                undone = 0
        assert live(deployed) == stack[-1], stack
        assert all(deployed.ask("track", **EVENT).status == 200 for _ in range(2))
        assert all(len(deployed.versions(name)) <= 6 for name in WITH_ROUTES)


def test_stories_from_the_field(deployed: Account) -> None:
    """A bad deploy that was fixed forward is not gone back to, nor is one that was reverted."""
    good, bad, fixed = (128, 192, 256), (256, 128, 256), (320, 128, 128)
    first = live(deployed)
    deployed.deploy(**sized(good))
    deployed.deploy(**sized(bad))
    deployed.rollback()
    deployed.deploy(**sized(fixed))

    deployed.rollback()
    assert live(deployed) == good
    deployed.deploy(**sized(first))  # a revert, which publishes nothing
    assert live(deployed) == first
    deployed.rollback()
    assert live(deployed) == good
    deployed.rollback()
    assert live(deployed) == first
    with pytest.raises(GimelError, match="Nothing was rolled back"):
        deployed.rollback()


def test_a_version_that_no_longer_works_is_not_gone_back_to(
    deployed: Account, store: redis.Redis
) -> None:
    """After a new password, the version before has the old one: it is tried, and nothing moves."""
    store.config_set("requirepass", "new")
    try:
        store.execute_command("AUTH", "new")  # type: ignore[no-untyped-call]
        store.client_kill_filter(_type="normal", skipme=True)  # as it happens to idle ones
        deployed.redis["password"] = "new"
        deployed.deploy(**sized(SIZES[:3]))

        with pytest.raises(GimelError, match="gimel-track does not work in version 1"):
            deployed.rollback()

        assert live(deployed) == SIZES[:3]
        assert deployed.ask("track", **EVENT).status == 200
    finally:
        store.config_set("requirepass", "")
        del deployed.redis["password"]


def test_a_version_that_does_not_work_never_goes_live(deployed: Account) -> None:
    """Redis cannot be reached with the new settings: visitors are still counted by the old ones."""
    port = deployed.redis["port"]
    deployed.redis["port"] = 1
    with pytest.raises(GimelError, match="What visitors reach has not changed"):
        deployed.deploy()
    assert {deployed.live(name) for name in WITH_ROUTES} == {1}
    assert deployed.ask("track", **EVENT).status == 200

    deployed.redis["port"] = port

    assert deployed.deploy().sentences == []


def test_functions_go_back_if_the_urls_fail_although_the_versions_work(
    deployed: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command fails; the next deploy makes the same versions live."""
    broken = [failed("GET /track", "it answered 502")]
    monkeypatch.setattr(smoke, "smoke_test", lambda *_, **__: broken)
    before = live(deployed)
    deployed.configure(**sized(SIZES[:3]))

    done = gimel_here("deploy", "--yes", home=deployed.file.parent, **variables(deployed.url))

    assert done.returncode == 1
    assert "The functions went back to what was live before." in done.stderr
    assert live(deployed) == before
    assert "MoveAlias" in {
        type(step).__name__ for step in deployed.deploy(**sized(SIZES[:3])).steps
    }
    assert deployed.versions("gimel-all-experiments") == [1, 2]


@pytest.mark.parametrize(
    ("document", "says"),
    [({}, "stays as it is"), ({"aws": {"throttle": {"rate": 5}}}, "replaced no version")],
    ids=["no change", "a change of the API"],
)
def test_where_no_version_was_replaced_none_goes_back(
    deployed: Account, monkeypatch: pytest.MonkeyPatch, document: dict[str, Any], says: str
) -> None:
    """The error does not claim that nothing was live."""
    monkeypatch.setattr(smoke, "smoke_test", lambda *_, **__: [failed("GET /track", "502")])
    deployed.configure(**document)

    done = gimel_here("deploy", "--yes", home=deployed.file.parent, **variables(deployed.url))

    assert done.returncode == 1
    assert "1 of 1 checks failed" in done.stderr
    assert says in done.stderr


def test_going_back_that_fails_hides_neither_the_failure_nor_the_way_back(
    deployed: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new versions stay live, and the error says so."""

    def denied(*_: Any, **__: Any) -> None:
        raise GimelError("AWS refused it. Nothing was rolled back.", "Log in again.")

    monkeypatch.setattr(smoke, "smoke_test", lambda *_, **__: [failed("GET /track", "502")])
    monkeypatch.setattr(deploy, "apply_all_or_none", denied)
    deployed.configure(**sized(SIZES[:3]))

    done = gimel_here("deploy", "--yes", home=deployed.file.parent, **variables(deployed.url))

    assert "does not work: 1 of 1 checks failed" in done.stderr
    assert "could not go back: AWS refused it." in done.stderr
    assert "`gimel rollback` goes back to what was live before." in done.stderr
    assert live(deployed) == SIZES[:3]


def test_functions_stay_if_this_machine_reaches_nothing(
    deployed: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own network says nothing about the deployment."""
    unreached = [Finding("failed", "GET /track", "no such host", is_unreached=True)]
    monkeypatch.setattr(smoke, "smoke_test", lambda *_, **__: unreached)
    deployed.configure(**sized(SIZES[:3]))

    done = gimel_here("deploy", "--yes", home=deployed.file.parent, **variables(deployed.url))

    assert done.returncode == 1
    assert "Deployed, but not checked" in done.stderr
    assert live(deployed) == SIZES[:3]

"""The AWS commands as a user types them, each in a separate process.

`commands` starts most of them. `python -m gimel` starts those about a terminal and a broken pipe.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from tests.support.account import Account, variables
from tests.support.command import environment
from tests.support.configurations import SECOND_PATH, memory
from tests.support.warm_process import Commands

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(unprepared: Account, commands: Commands) -> Run:
    """Run a command in the folder of config.json, with the account's environment."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        home = unprepared.file.parent
        return commands.run(*arguments, home=home, **variables(unprepared.url))

    return run


@pytest.fixture
def account(account: Account) -> Account:
    """The empty account, with a configuration file."""
    account.configure()
    return account


def test_deploy_prints_what_a_user_needs(account: Account, run: Run, store: redis.Redis) -> None:
    """URLs, key, cost and snippet on stdout; checks on stderr, which leave nothing in Redis."""
    done = run("deploy", "--yes", "--snippet")

    assert done.returncode == 0, done.stderr
    track = f"{account.url}/restapis/{account.api()}/prod/_user_request_/e"
    assert f"GET     {track}\n" in done.stdout
    assert f'gimel({{ url: "{track}" }})' in done.stdout.split("<script>")[-1]
    (key,) = account.client("apigateway").get_api_keys(includeValues=True)["items"]
    assert key["value"] not in done.stdout
    assert "API key not shown; `gimel status --show-key`" in done.stdout
    assert "A million events cost about $3." in done.stdout
    assert "43 steps, 8 checks passed." in done.stdout
    assert "Worst month that the throttle allows: about $237" in done.stderr
    assert (
        f"proxy_pass http://$gimel{track.partition(str(account.url))[2]}$"
        in run("proxy", "nginx").stdout
    )
    assert "the marked event was read back" in done.stderr
    assert "the marked event was removed" in done.stderr
    assert store.keys() == []


def test_json_of_a_dry_run_is_json_of_the_deploy(account: Account, run: Run) -> None:
    """Step for step; the second deploy has none."""
    planned = json.loads(run("deploy", "--dry-run", "--json").stdout)["steps"]
    done = json.loads(run("deploy", "--yes", "--json").stdout)

    assert done["steps"] == planned
    assert len(planned) == 43
    assert json.loads(run("deploy", "--json").stdout)["steps"] == []
    assert {check["status"] for check in done["checks"]} == {"ok"}


def test_a_deploy_that_does_not_work_says_so_and_nothing_is_live(
    account: Account, run: Run
) -> None:
    """The functions cannot reach Redis, without preflight: exit 1 and the reason, but no API."""
    account.redis["port"] = 1
    account.configure()

    done = run("deploy", "--yes", "--no-preflight")

    assert done.returncode == 1
    assert (
        "The function gimel-delete-experiment does not work in version 1: no connection"
        in done.stderr
    )
    assert "What visitors reach has not changed." in done.stderr
    assert "Run the command again" not in done.stderr
    assert not account.listing()["apis"]


def test_preflight_stops_a_deploy_before_anything_is_created(account: Account, run: Run) -> None:
    """An unreachable Redis is a failed check: exit 1, and the account is empty."""
    account.redis["port"] = 1
    account.configure()

    done = run("deploy", "--yes")

    assert done.returncode == 1
    assert "could not connect to" in done.stderr
    assert not any(account.listing().values())


def test_preflight_reports_each_check(account: Account, run: Run, store: redis.Redis) -> None:
    """One finding per check; a store that may evict counters is a warning."""
    store.config_set("maxmemory-policy", "allkeys-lru")
    try:
        done = run("preflight", "--json")
    finally:
        store.config_set("maxmemory-policy", "noeviction")

    found = {each["name"]: each["status"] for each in json.loads(done.stdout)}
    assert done.returncode == 0
    assert found["Redis maxmemory-policy"] == "warning"
    assert {
        found[name] for name in ("configuration", "AWS", "permissions", "runtime", "Redis")
    } == {"ok"}


def test_preflight_without_a_configuration_says_so_once(account: Account, run: Run) -> None:
    """It does not report every missing setting."""
    account.file.unlink()

    done = run("preflight", "--json")

    found = [each for each in json.loads(done.stdout) if each["status"] == "failed"]
    assert done.returncode == 1
    assert [(each["name"], each["hint"]) for each in found] == [
        ("configuration", "Run `gimel configure`.")
    ]


def test_preflight_warns_of_results_that_anybody_can_read(account: Account, run: Run) -> None:
    """The wiring may drop the key, which may be intended."""
    entry = {
        "lambda": {"FunctionName": "gimel-all-experiments", "Handler": "gimel.all"},
        "api_gateway": {"pathPart": "open", "method": {"httpMethod": "GET"}},
    }
    account.configure(extra_wiring=[entry])

    found = {each["name"]: each["status"] for each in json.loads(run("preflight", "--json").stdout)}

    assert found["GET /open"] == "warning"
    assert not {"GET /e", "GET /track", "GET /experiments", "DELETE /delete"} & set(found)


def test_a_no_changes_nothing(account: Account, tmp_path: Path) -> None:
    """On a terminal the plan precedes the question; the answer n is confirmed."""
    terminal, other_end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "gimel", "deploy", "--no-preflight"],
        cwd=tmp_path,
        env=environment(tmp_path, **variables(account.url)),
        stdin=other_end,
        stdout=other_end,
        stderr=other_end,
    )
    os.close(other_end)
    os.write(terminal, b"n\n")
    shown = b""
    with contextlib.suppress(OSError):  # which is how a terminal ends
        while piece := os.read(terminal, 65536):
            shown += piece
    os.close(terminal)

    assert process.wait(60) == 1
    plan, answer = shown.decode().split("Apply this plan?")
    assert "Create the REST API gimel" in plan
    assert "Nothing was changed." in answer
    assert not any(account.listing().values())


def test_a_deploy_whose_reader_goes_away_finishes(account: Account, tmp_path: Path) -> None:
    """As `gimel deploy 2>&1 | head -2` leaves it."""
    with subprocess.Popen(
        [sys.executable, "-m", "gimel", "deploy", "--yes", "--no-preflight"],
        cwd=tmp_path,
        env=environment(tmp_path, **variables(account.url)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        assert b"Deployment gimel" in process.stdout.readline()
        process.stdout.close()
        process.wait(60)

    assert account.plan() == ()


def test_status_rollback_and_deploy_again(deployed: Account, run: Run) -> None:
    """Rollback makes the previous version live, status shows that, and deploy goes forward."""
    deployed.configure(aws=memory(256))
    run("deploy", "--yes")

    listed = run("status", "--history").stdout
    rolled = run("rollback")

    assert "`gimel rollback --to 1` goes back to it" in listed
    assert (rolled.returncode, deployed.live("gimel-track")) == (0, 1)
    assert rolled.stdout == "Rolled back. Deploy 1 is live.\n"
    status = json.loads(run("status", "--json").stdout)
    assert [step["step"] for step in status["differences"]] == ["TryVersions", "MoveAlias"]
    assert [(each["deploy"], each["undone"]) for each in status["deploys"]] == [
        (2, True),
        (1, False),
    ]
    assert run("deploy", "--yes").returncode == 0
    assert deployed.live("gimel-track") == 2
    status = json.loads(run("status", "--json").stdout)
    assert status["differences"] == []
    throttle = status["throttle"]
    assert (throttle["rate"], throttle["worst_month_dollars"]) == (3, 237.25)  # with 256 MB


def test_status_warns_of_urls_that_ad_blockers_block(deployed: Account, run: Run) -> None:
    """It marks 1.5.0's URL among those that exist, and warns of what the configuration adds."""
    gateway = {"pathPart": "hitcount", "method": {"httpMethod": "GET"}}
    deployed.configure(extra_wiring=[{**SECOND_PATH, "api_gateway": gateway}])

    shown = run("status")
    document = json.loads(run("status", "--json").stdout)
    daily = {"function": "gimel-snapshot", "schedule": "cron(5 0 * * ? *)", "enabled": True}
    assert "Snapshots: daily at 00:05 UTC" in shown.stdout
    assert document["schedules"] == [daily]

    blocked = [line for line in shown.stdout.splitlines() if "ad blockers block it" in line]
    assert len(blocked) == 1
    assert "/track  (" in blocked[0]
    assert "/hitcount: ad blockers block requests with a query" in shown.stderr
    assert [each["name"] for each in document["warnings"]] == ["/hitcount"]
    assert [
        f"{each['method']} {each['url'].rsplit('/', 1)[1]}"
        for each in document["endpoints"]
        if each["blocked_by_ad_blockers"]
    ] == ["GET track"]


def test_delete_finds_the_api_by_itself(deployed: Account, run: Run) -> None:
    """The counts of an experiment are gone."""
    (key,) = deployed.client("apigateway").get_api_keys(includeValues=True)["items"]
    deployed.ask("track", experiment="old", variant="v", event="participate", uuid="u")

    done = run("delete", "old", "--yes")

    assert (done.returncode, done.stdout) == (0, "Deleted 1 counter of 'old'.\n")
    rows = deployed.ask("experiments", key=key["value"]).body
    assert [row for row in rows if "experiment" in row] == []


def test_results_find_the_api_by_themselves(deployed: Account, run: Run) -> None:
    """With its key, from the account alone."""
    deployed.ask("track", experiment="shop", variant="v", event="participate", uuid="u")

    done = run("results", "shop", "--json")

    assert done.returncode == 0, done.stderr
    assert [experiment["experiment"] for experiment in json.loads(done.stdout)["experiments"]] == [
        "shop"
    ]


def test_destroy_needs_yes_where_it_cannot_ask(deployed: Account, run: Run) -> None:
    """Without a terminal and --yes nothing is removed, with --yes everything; then it says so."""
    refused = run("destroy")
    kept = deployed.api()
    removed = run("destroy", "--yes")

    assert (refused.returncode, removed.returncode) == (1, 0)
    assert "--yes" in refused.stderr
    assert kept
    assert not any(deployed.listing().values())
    assert "No Gimel deployment found" in run("destroy", "--yes").stdout


def test_open_results_are_not_a_failure(account: Account, run: Run) -> None:
    """Where extra_wiring drops the key, the check does not require it."""
    entry = {
        "lambda": {"FunctionName": "gimel-all-experiments", "Handler": "gimel.all"},
        "api_gateway": {"pathPart": "experiments", "method": {"httpMethod": "GET"}},
    }
    account.configure(extra_wiring=[entry])

    done = run("deploy", "--yes")

    assert done.returncode == 0, done.stderr
    assert "the marked event was read back" in done.stderr


def test_a_redis_user_with_few_permissions_is_enough(
    account: Account, run: Run, store: redis.Redis
) -> None:
    """One that may count but not run INFO: a warning, and the deploy continues."""
    allowed = "on >secret ~* +@read +@write +@connection +@scripting +@transaction -info"
    store.execute_command("ACL", "SETUSER", "counter", *allowed.split())  # type: ignore[no-untyped-call]
    account.redis |= {"username": "counter", "password": "secret"}
    account.configure()
    try:
        checked = run("preflight", "--json")
        done = run("deploy", "--yes")
    finally:
        store.acl_deluser("counter")

    found = {each["name"]: each["status"] for each in json.loads(checked.stdout)}
    assert (checked.returncode, found["Redis"]) == (0, "warning")
    assert done.returncode == 0, done.stderr


def test_another_key_replaces_the_old_one(deployed: Account, run: Run) -> None:
    """Also those that an interrupted rotation left. The old key opens nothing any more."""
    gateway = deployed.client("apigateway")
    (old,) = gateway.get_api_keys(includeValues=True)["items"]
    gateway.create_api_key(name="gimel", tags={"gimel": "gimel"})

    done = run("key", "rotate", "--yes", "--show-key")

    assert done.returncode == 0, done.stderr
    (new,) = gateway.get_api_keys(includeValues=True)["items"]
    assert done.stdout == f"API key {new['value']}\n"
    assert new["value"] != old["value"]
    assert deployed.ask("experiments", key=new["value"]).status == 200
    assert deployed.ask("experiments", key=old["value"]).status == 403
    assert deployed.deploy().steps == ()


def test_another_key_needs_a_deployment(account: Account, run: Run) -> None:
    """Nothing is created in an account without one."""
    done = run("key", "rotate", "--yes")

    assert done.returncode == 1
    assert "No Gimel deployment found" in done.stderr
    assert not any(account.listing().values())

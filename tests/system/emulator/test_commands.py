"""The commands about AWS as a user types them, each a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.support.account import Account, live, variables
from tests.support.command import environment, gimel

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(account: Account, tmp_path: Path) -> Run:
    """Run a command in the folder of config.json, with the account's environment and what is given beside."""
    account.configure()

    def run(*arguments: str, **beside: str | None) -> subprocess.CompletedProcess[str]:
        given = {**variables(account.url), **beside}
        return gimel(
            *arguments,
            home=tmp_path,
            **{name: value for name, value in given.items() if value is not None},
        )

    return run


def test_deploy_prints_what_a_user_needs(account: Account, run: Run) -> None:
    """URLs in the emulator's form, the key, the cost and the snippet on stdout; the steps and checks on stderr."""
    done = run("deploy", "--yes")

    assert done.returncode == 0, done.stderr
    track = f"{account.url}/restapis/{account.api()}/prod/_user_request_/track"
    assert f"GET     {track}\n" in done.stdout
    assert track in done.stdout.split("<script>")[1]
    (key,) = account.client("apigateway").get_api_keys(includeValues=True)["items"]
    assert f"API key {key['value']}" in done.stdout
    assert "A million events cost about $3." in done.stdout
    assert "the marked event was read back" in done.stderr
    assert "the marked event was removed" in done.stderr


def test_the_check_leaves_nothing_in_redis(run: Run, store: redis.Redis) -> None:
    """The marked event is gone after the deploy."""
    run("deploy", "--yes")

    assert store.keys() == []


def test_json_of_a_dry_run_is_json_of_the_deploy(run: Run) -> None:
    """Step for step; and the second time there is none."""
    told = json.loads(run("deploy", "--dry-run", "--json").stdout)["steps"]
    done = json.loads(run("deploy", "--yes", "--json").stdout)

    assert done["steps"] == told
    assert len(told) == 32
    assert json.loads(run("deploy", "--json").stdout)["steps"] == []
    assert {check["status"] for check in done["checks"]} == {"ok"}


def test_a_deploy_whose_result_does_not_work_says_so_and_stays(account: Account, run: Run) -> None:
    """With a Redis that the functions cannot reach, and preflight left out: exit 1, the reason, and the API is there."""
    account.redis["port"] = 1
    account.configure()

    done = run("deploy", "--yes", "--no-preflight")

    assert done.returncode == 1
    assert "It is deployed, and does not work" in done.stderr
    assert "503" in done.stderr
    assert account.api()


def test_preflight_stops_a_deploy_before_anything_is_made(account: Account, run: Run) -> None:
    """An unreachable Redis is a failed check: exit 1, and the account is empty."""
    account.redis["port"] = 1
    account.configure()

    done = run("deploy", "--yes")

    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert not any(account.listing().values())


def test_preflight_reports_each_check(run: Run, store: redis.Redis) -> None:
    """As JSON a finding a check; a store that may drop counters is a warning."""
    store.config_set("maxmemory-policy", "allkeys-lru")
    try:
        done = run("preflight", "--json")
    finally:
        store.config_set("maxmemory-policy", "noeviction")

    found = {each["name"]: each["status"] for each in json.loads(done.stdout)}
    assert done.returncode == 0
    assert found["Redis maxmemory-policy"] == "warning"
    assert {found[name] for name in ("configuration", "AWS", "rights", "runtime", "Redis")} == {
        "ok"
    }


def test_preflight_without_a_configuration_says_so_once(account: Account, run: Run) -> None:
    """What the file would say is not missed line by line."""
    account.file.unlink()

    done = run("preflight", "--json")

    found = [each for each in json.loads(done.stdout) if each["status"] == "failed"]
    assert done.returncode == 1
    assert [(each["name"], each["hint"]) for each in found] == [
        ("configuration", "Run `gimel configure`.")
    ]


def test_preflight_warns_of_results_that_anybody_can_read(account: Account, run: Run) -> None:
    """The wiring may leave out the key, which may be meant."""
    method = {"httpMethod": "GET"}
    entry = {
        "lambda": {"FunctionName": "gimel-all-experiments", "Handler": "gimel.all"},
        "api_gateway": {"pathPart": "open", "method": method},
    }
    account.configure(extra_wiring=[entry])

    found = {each["name"]: each["status"] for each in json.loads(run("preflight", "--json").stdout)}

    assert found["GET /open"] == "warning"
    assert not {"GET /track", "GET /experiments", "DELETE /delete"} & set(found)


def test_a_no_changes_nothing(account: Account, run: Run, tmp_path: Path) -> None:
    """On a terminal the plan comes before the question; whoever answers n is told that nothing was changed."""
    account.configure()
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
    plan, answer = shown.decode().split("Do this?")
    assert "Create the REST API gimel" in plan
    assert "Nothing was changed." in answer
    assert not any(account.listing().values())


def test_status_rollback_and_deploy_again(account: Account, run: Run) -> None:
    """After a changed deploy, rollback makes the former version live; status tells the difference; deploy goes forward."""
    run("deploy", "--yes")
    account.configure(aws={"functions": {"gimel-track": {"memory": 256}}})
    run("deploy", "--yes")

    rolled = run("rollback")

    assert (rolled.returncode, live(account, "gimel-track")) == (0, 1)
    status = json.loads(run("status", "--json").stdout)
    assert [step["step"] for step in status["differences"]] == ["MoveAlias"]
    assert run("deploy", "--yes").returncode == 0
    assert live(account, "gimel-track") == 2
    assert json.loads(run("status", "--json").stdout)["differences"] == []


def test_delete_finds_the_api_by_itself(account: Account, run: Run) -> None:
    """The counts of an experiment are gone."""
    key = json.loads(run("deploy", "--yes", "--json").stdout)["api_key"]
    account.ask("track", experiment="old", variant="v", event="participate", uuid="u")

    done = run("delete", "old", "--yes")

    assert (done.returncode, done.stdout) == (0, "Deleted 1 counter of 'old'.\n")
    assert [row for row in account.ask("experiments", key=key).body if "experiment" in row] == []


def test_results_find_the_api_by_themselves(account: Account, run: Run) -> None:
    """With its key, from the account alone."""
    run("deploy", "--yes")
    account.ask("track", experiment="shop", variant="v", event="participate", uuid="u")

    done = run("results", "shop", "--json")

    assert done.returncode == 0, done.stderr
    assert [experiment["experiment"] for experiment in json.loads(done.stdout)["experiments"]] == [
        "shop"
    ]


def test_destroy_asks_for_yes_where_nobody_can_be_asked(account: Account, run: Run) -> None:
    """Without a terminal and --yes nothing is removed; with it, all is, and the second time there is nothing."""
    run("deploy", "--yes")

    refused = run("destroy")
    removed = run("destroy", "--yes")

    assert (refused.returncode, removed.returncode) == (1, 0)
    assert "--yes" in refused.stderr
    assert not any(account.listing().values())
    assert "Nothing of Gimel's" in run("destroy", "--yes").stdout


FOREIGN = {"name": "gimel", "description": "somebody else's"}


def two_of_ours(account: Account) -> None:
    for _ in range(2):
        account.client("apigateway").create_rest_api(name="gimel", description="Gimel API")


def two_of_theirs(account: Account) -> None:
    for _ in range(2):
        account.client("apigateway").create_rest_api(**FOREIGN)


def their_function(account: Account) -> None:
    role = account.client("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument="{}")[
        "Role"
    ]["Arn"]
    account.deploy()
    account.client("lambda").update_function_configuration(FunctionName="gimel-track", Role=role)
    time.sleep(0.6)
    version = account.client("lambda").publish_version(FunctionName="gimel-track")["Version"]
    account.client("lambda").update_alias(
        FunctionName="gimel-track", Name="live", FunctionVersion=version
    )


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (two_of_ours, "Several REST APIs are named gimel"),
        (two_of_theirs, "A REST API named gimel is there that Gimel did not make"),
        (their_function, "A function gimel-track is there that Gimel did not make"),
    ],
    ids=["two APIs of ours", "two APIs of theirs", "their function"],
)
def test_a_name_of_somebody_elses_is_an_error(
    account: Account, run: Run, prepare: Callable[[Account], None], message: str
) -> None:
    """Nothing of theirs is changed, and no trace is shown."""
    prepare(account)
    before = account.listing()

    done = run("deploy", "--yes", "--no-preflight")

    assert_error(done, message)
    assert account.listing() == before


@pytest.mark.parametrize(
    "command", ["deploy", "status", "rollback", "destroy", "iam-policy", "delete x"]
)
@pytest.mark.parametrize(
    ("beside", "message"),
    [
        (
            {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
            "No AWS credentials were found.",
        ),
        ({"AWS_DEFAULT_REGION": None}, "No AWS region is set."),
        ({"AWS_PROFILE": "nobody"}, "(nobody) could not be found"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "AWS cannot be reached"),
    ],
    ids=["no credentials", "no region", "no such profile", "unreachable"],
)
def test_without_aws_there_is_an_error_and_no_trace(
    run: Run, command: str, beside: dict[str, str | None], message: str
) -> None:
    """Every command says what is missing and what to do."""
    arguments = command.split()
    if arguments[0] == "deploy":
        arguments.append("--no-preflight")

    assert_error(run(*arguments, **beside), message)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            {
                "precision": 4,
                "allowed_experiments": ["x" * 190 + str(number) for number in range(30)],
            },
            "bytes of the 4096",
        ),
        (
            {
                "extra_wiring": [
                    {"lambda": {"FunctionName": "f", "Handler": "gimel.track", "Timeout": "3"}}
                ]
            },
            "extra_wiring[0].lambda.Timeout",
        ),
        ({"extra_wiring": {"lambda": {}}}, "extra_wiring must be a list"),
        (
            {
                "extra_wiring": [
                    {"lambda": {"FunctionName": "f", "Handler": "gimel.all"}, "function_url": True}
                ]
            },
            "extra_wiring[0].function_url",
        ),
        ({"aws": {"functions": {"gimel-trck": {}}}}, "no function is called 'gimel-trck'"),
    ],
    ids=[
        "over-long environment",
        "wrong type",
        "no list",
        "url of a closed handler",
        "unknown function",
    ],
)
def test_a_configuration_that_cannot_be_deployed_is_an_error(
    account: Account, run: Run, document: dict[str, Any], message: str
) -> None:
    """It is named before anything is made."""
    account.file.write_text(json.dumps({"redis": account.redis, **document}))

    assert_error(run("deploy", "--yes"), message)
    assert not any(account.listing().values())


def assert_error(done: subprocess.CompletedProcess[str], message: str) -> None:
    assert done.returncode == 1
    assert message in done.stderr
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert "something unexpected" not in done.stderr


def test_a_deploy_whose_reader_goes_away_is_done_to_its_end(
    account: Account, run: Run, tmp_path: Path
) -> None:
    """As `gimel deploy 2>&1 | head -2` leaves it."""
    account.configure()
    with subprocess.Popen(
        [sys.executable, "-m", "gimel", "deploy", "--yes", "--no-preflight"],
        cwd=tmp_path,
        env=environment(tmp_path, **variables(account.url)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        assert b"Region" in process.stdout.readline()
        process.stdout.close()
        process.wait(60)

    assert account.plan() == ()


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_the_policy_is_written_for_the_regions_part_of_aws(
    run: Run, region: str, partition: str
) -> None:
    """Without credentials too: every ARN begins with it."""
    done = run("iam-policy", "--account", "123456789012", "--region", region)

    resources = [
        each
        for statement in json.loads(done.stdout)["Statement"]
        for each in statement["Resource"]
        if each != "*"
    ]
    assert {each.split(":")[1] for each in resources} == {partition}


def test_results_that_are_open_on_purpose_are_no_failure(run: Run, account: Account) -> None:
    """Where extra_wiring takes the key away, the check does not ask for it."""
    lambda_ = {"FunctionName": "gimel-all-experiments", "Handler": "gimel.all"}
    route = {"pathPart": "experiments", "method": {"httpMethod": "GET"}}
    account.configure(extra_wiring=[{"lambda": lambda_, "api_gateway": route}])

    done = run("deploy", "--yes")

    assert done.returncode == 0, done.stderr
    assert "the marked event was read back" in done.stderr


def test_a_redis_user_of_little_right_is_let_through(
    run: Run, account: Account, store: redis.Redis
) -> None:
    """One who may count and not ask INFO: a warning, and the deploy goes on."""
    rights = [
        "on",
        ">secret",
        "~*",
        "+@read",
        "+@write",
        "+@connection",
        "+@scripting",
        "+@transaction",
        "-info",
    ]
    store.execute_command("ACL", "SETUSER", "counter", *rights)  # type: ignore[no-untyped-call]
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

"""The password of Redis in the emulator's own Parameter Store and Secrets Manager."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gimel.config import Config
from gimel.deploy.checks.secrets import with_password
from gimel.runtime.redis import secrets
from gimel.runtime.redis.client import Client
from gimel.runtime.settings import RedisOptions
from tests.support.account import Account
from tests.support.servers import Store, running_store

EVENT = {"experiment": "e", "variant": "red", "event": "participate", "uuid": "u1"}
SSM, SECRET = {"ssm": "/gimel/redis"}, {"secretsmanager": "gimel/redis", "key": "password"}


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Store]:
    """A store with a password."""
    secrets.forget()
    with running_store(tmp_path, "--requirepass", "s3cret") as store:
        yield store


def keep(account: Account, password: str) -> None:
    """Keep a password in both services."""
    account.client("ssm").put_parameter(
        Name="/gimel/redis", Value=password, Type="SecureString", Overwrite=True
    )
    account.client("secretsmanager").create_secret(
        Name="gimel/redis", SecretString=f'{{"username": "default", "password": "{password}"}}'
    )


def test_functions_read_the_password_and_so_do_the_checks(account: Account, locked: Store) -> None:
    """From both services. The functions get the name of the secret alone."""
    keep(account, "s3cret")

    for password in (SSM, SECRET):
        config: Config = account.configure(
            redis={"host": "127.0.0.1", "port": locked.port, "password": password}
        )
        usable, (finding,) = with_password(config, account.aws())
        assert (usable and usable.lambda_redis()["password"], finding.status) == ("s3cret", "ok")
        ours = Client(RedisOptions(config.lambda_redis()))
        assert ours.execute([("PING",)]) == ["PONG"]
        ours.close()


def test_a_deployment_with_a_secret_counts(account: Account, locked: Store) -> None:
    """The first deploy tries the function, which reads the secret. A second one changes nothing."""
    keep(account, "s3cret")
    redis = {"host": "127.0.0.1", "port": locked.port, "password": SSM}

    account.deploy(redis=redis)

    assert account.ask("e", **EVENT).body == {"status": "ok"}
    assert account.plan(redis=redis) == ()
    live = account.client("lambda").get_function_configuration(
        FunctionName="gimel-track", Qualifier="live"
    )
    assert "s3cret" not in str(live)

"""What can be checked before a deploy: configuration, AWS, permissions, quotas and Redis.

Every check ends in findings, and changes nothing.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from gimel.config import Config
from gimel.config.redis import LOCAL_OPTIONS
from gimel.deploy.aws import Aws
from gimel.deploy.checks.ad_blockers import check_ad_blockers
from gimel.deploy.checks.address import check_address
from gimel.deploy.checks.domain_setup import check_domain_setup
from gimel.deploy.checks.findings import Finding, failed, ok, warning
from gimel.deploy.checks.permissions import check_permissions
from gimel.deploy.checks.quotas import check_quotas
from gimel.deploy.checks.receivers import check_receivers
from gimel.deploy.checks.redis import check_redis
from gimel.deploy.checks.secrets import with_password
from gimel.deploy.checks.store import check_created_store
from gimel.deploy.desired import desired_state
from gimel.errors import GimelError
from gimel.wiring import GATEWAY_SECONDS

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
# From then on, functions of a runtime get no security patches.
END_OF_LIFE = {
    "python3.10": datetime.date(2026, 10, 31),
    "python3.11": datetime.date(2027, 6, 30),
    "python3.12": datetime.date(2028, 10, 31),
    "python3.13": datetime.date(2029, 6, 30),
    "python3.14": datetime.date(2029, 6, 30),
}
_RECOMMENDED = "python3.13"
_SOON = datetime.timedelta(days=180)


def preflight(
    config: Config, aws: Aws | None, today: datetime.date, *, before_deploy: bool = False
) -> list[Finding]:
    """Run every check and return the findings.

    Without `aws`, the checks of AWS are skipped; without a configuration file, those of its
    content. `before_deploy` skips what the deploy itself does at once.
    """
    findings = [_check_configuration(config), check_runtime(config.document.aws.runtime, today)]
    if config.path is not None:
        findings += [*_check_settings(config), *_check_routes(config), *_check_functions(config)]
        findings += [*check_ad_blockers(config), *check_receivers(config)]
    if aws is not None:
        of_aws = list(_check_aws(aws, config, before_deploy))
        findings += of_aws
        if config.provisions and of_aws[0].status == "failed":
            aws = None  # the check of the store would repeat the reason
    if config.path is not None:
        findings += check_store(config, aws, before_deploy=before_deploy)
    return findings


def check_store(
    config: Config, aws: Aws | None, *, before_deploy: bool = False
) -> Iterable[Finding]:
    """Return the findings about the store alone."""
    if config.provisions:
        return check_created_store(aws, config, before_deploy=before_deploy)
    return _check_redis(config, aws)


def check_runtime(name: str, today: datetime.date) -> Finding:
    """Return for how long a Lambda runtime is supported."""
    end = END_OF_LIFE[name]
    hint = f'Set aws.runtime to "{_RECOMMENDED}".'
    if end < today:
        # AWS still accepts and runs such a function for a while.
        message = f"{name} has been out of support since {end} and gets no security patches"
        return warning("runtime", message, hint)
    if end - today < _SOON:
        return warning("runtime", f"support of {name} ends on {end}", hint)
    return ok("runtime", f"{name} is supported until {end}")


def _check_configuration(config: Config) -> Finding:
    if config.path is None:
        return failed("configuration", "there is no config.json", "Run `gimel configure`.")
    return ok("configuration", f"{config.path} is valid")


def _check_routes(config: Config) -> Iterable[Finding]:
    """Gimel's own wiring protects reading and deleting; extra_wiring may leave them open."""
    for route in config.wiring.routes:
        handler = config.wiring.function(route.function).handler
        if not route.api_key_required and handler != "gimel.track":
            yield warning(
                f"{route.method} /{route.path}",
                "requires no API key: anyone can read the results, or delete them",
                'Add "apiKeyRequired": true to its method, unless this is intended.',
            )


def _check_functions(config: Config) -> Iterable[Finding]:
    """A configuration of 1.5.0 may have longer time-outs, so they are not refused."""
    routed = {route.function for route in config.wiring.routes}
    for function in config.wiring.functions:
        options = config.document.aws.functions.get(function.name)
        timeout = (options and options.timeout) or function.timeout
        if function.name in routed and timeout > GATEWAY_SECONDS:
            yield warning(
                f"{function.name} timeout",
                f"{timeout} s, but API Gateway ends a request after {GATEWAY_SECONDS} s and "
                "answers 504",
                f"Set its Timeout, or aws.functions.{function.name}.timeout, to "
                f"{GATEWAY_SECONDS} at most.",
            )
        if options and options.reserved_concurrency == 0:
            yield warning(
                f"{function.name} reserved_concurrency",
                "0: AWS Lambda never runs the function",
                f"Remove aws.functions.{function.name}.reserved_concurrency, unless this is "
                "intended.",
            )


def _check_settings(config: Config) -> list[Finding]:
    try:
        desired_state(config, b"")
    except GimelError as error:
        return [failed("settings", error.message, error.hint)]
    return []


def _check_redis(config: Config, aws: Aws | None) -> Iterable[Finding]:
    """Check what AWS Lambda will connect to. An emulator's functions run on this machine."""
    try:
        given = config.require_redis()
    except GimelError as error:
        yield failed("Redis", error.message, error.hint)
        return
    if local_only := [key for key in LOCAL_OPTIONS if getattr(given, key) is not None]:
        keys = ", ".join(f"redis.{key}" for key in local_only)
        yield warning(
            "Redis options", f"AWS Lambda has no files of this machine: it ignores {keys}"
        )
    vpc = config.document.aws.vpc is not None
    emulated = aws is not None and aws.endpoint is not None
    unreachable = None if emulated else check_address(str(given.host), vpc=vpc)
    if unreachable is not None:
        yield unreachable
        return
    usable, findings = with_password(config, aws)
    yield from findings
    if usable is not None:
        yield from check_redis(usable)


def _check_aws(aws: Aws, config: Config, before_deploy: bool) -> Iterable[Finding]:
    try:
        identity = aws.identity()
    except GimelError as error:
        yield failed("AWS", error.message, error.hint)
        return
    yield ok("AWS", f"{identity.arn}, account {identity.account}, region {identity.region}")
    try:
        desired = desired_state(config, b"")
    except GimelError:
        return  # _check_settings reports it
    yield check_permissions(aws, identity, desired, before_deploy=before_deploy)
    yield from check_quotas(aws, desired, before_deploy=before_deploy)
    if not before_deploy:
        yield from check_domain_setup(aws, desired)

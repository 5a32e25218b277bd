"""The configuration and the wiring as what should be on AWS. Pure."""

from __future__ import annotations

from gimel.config import Config
from gimel.deploy import bundle
from gimel.deploy.models import (
    SETTINGS_VARIABLE,
    Configuration,
    Desired,
    DesiredFunction,
    Preflight,
)
from gimel.errors import GimelError

MOST_ENVIRONMENT = 4096  # bytes of names and values: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html


def desire(config: Config, archive: bytes | None = None) -> Desired:
    """Return what a configuration asks for. Raises GimelError where no Redis is configured, or the settings are too long."""
    settings = config.runtime_settings()
    size = len(SETTINGS_VARIABLE) + len(settings.encode("utf-8"))
    if size > MOST_ENVIRONMENT:
        raise GimelError(
            f"The settings take {size} bytes of the {MOST_ENVIRONMENT} that AWS Lambda has for them. "
            f"The longest: {_longest(config)}.",
            "Shorten it: of a CA file keep only the certificate that signed the server's.",
        )
    archive = bundle.build() if archive is None else archive
    aws = config.document.aws
    functions = []
    for function in config.wiring.functions:
        options = aws.functions.get(function.name)
        configuration = Configuration(
            handler=function.handler,
            runtime=aws.runtime,
            architecture=aws.architecture,
            memory=(options and options.memory) or function.memory,
            timeout=(options and options.timeout) or function.timeout,
            subnets=tuple(sorted(aws.vpc.subnets)) if aws.vpc else (),
            security_groups=tuple(sorted(aws.vpc.security_groups)) if aws.vpc else (),
            settings=settings,
            code_sha256=bundle.code_sha256(archive),
        )
        reserved = options.reserved_concurrency if options else None
        functions.append(
            DesiredFunction(function.name, configuration, archive, reserved, function.url)
        )
    paths = dict.fromkeys(route.path for route in config.wiring.routes)
    return Desired(
        functions=tuple(functions),
        routes=config.wiring.routes,
        preflights=tuple(Preflight(path, config.wiring.methods(path)) for path in paths),
        tags=dict(aws.tags),
        log_retention_days=aws.log_retention_days,
        throttle_rate=aws.throttle.rate,
        throttle_burst=aws.throttle.burst,
        vpc=aws.vpc is not None,
    )


def _longest(config: Config) -> str:
    document = config.document.model_dump(exclude_none=True, exclude={"extra_wiring", "aws"})
    parts = {f"redis.{key}": value for key, value in document.pop("redis", {}).items()} | document
    if parts.pop("redis.ssl_ca_certs", None):
        parts["redis.ssl_ca_certs"] = config.runtime_settings()
    return max(parts, key=lambda key: len(str(parts[key])))

"""The `redis` section of config.json."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from gimel.config.address import check_host, parse_redis_url
from gimel.config.kinds import (
    NotAllowedError,
    RedisCertificateCheck,
    RedisDatabase,
    RedisFlag,
    RedisLogin,
    RedisPort,
    Seconds,
    Section,
)
from gimel.config.secret import Password
from gimel.errors import suggest

LOCAL_OPTIONS = ("unix_socket_path", "ssl_certfile", "ssl_keyfile")
"""What names a file on the machine of the Redis client: only `gimel serve --redis` can use it."""

ALLOWED_BESIDE = ("provision", "socket_connect_timeout", "socket_timeout")
"""The keys of `redis` that may be set with `provision`."""

_IN_URL = ("host", "port", "db", "username", "password", "ssl", "unix_socket_path")


def _check_url(url: str) -> str:
    if "unix_socket_path" in read_redis_url(url):
        raise NotAllowedError("must not lead to a Unix socket, which AWS Lambda cannot reach")
    return url


class Redis(Section):
    """The connection to Redis, in redis-py's names; those that change nothing are accepted.

    Once it has been validated, the options of `url` are in the other fields, and `url` is None.
    """

    provision: Literal["valkey-serverless"] | None = Field(
        None,
        description='"valkey-serverless": `gimel deploy` creates a store on ElastiCache, which '
        "replaces the address and the login",
    )
    url: Annotated[str, AfterValidator(_check_url)] | None = Field(
        None,
        description="URL that replaces host, port, db, username, password and ssl: "
        "redis://[user:password@]host[:port][/db], or rediss:// for TLS",
    )
    host: Annotated[str, AfterValidator(check_host)] | None = Field(
        None, description="Host name or IP address, as AWS Lambda reaches it"
    )
    port: RedisPort | None = Field(None, description="Port")
    db: RedisDatabase | None = Field(None, description="Database number")
    username: RedisLogin | None = Field(None, description="User name, if Redis uses ACLs")
    password: Password = Field(
        None, description="Password, or an object that names where AWS keeps it"
    )
    ssl: RedisFlag | None = Field(None, description="Connect over TLS")
    ssl_cert_reqs: RedisCertificateCheck = Field(
        None, description='"none" disables verification of the server\'s certificate'
    )
    ssl_check_hostname: RedisFlag | None = Field(
        None, description="Verify that the certificate matches the host name"
    )
    ssl_ca_certs: str | None = Field(
        None, description="File with the CA certificates to trust (PEM), read when deploying"
    )
    ssl_ca_data: str | None = Field(None, description="The CA certificates as text")
    ssl_certfile: str | None = Field(
        None, description="File with a client certificate; AWS Lambda does not use it"
    )
    ssl_keyfile: str | None = Field(
        None, description="File with the client certificate's key; AWS Lambda does not use it"
    )
    unix_socket_path: str | None = Field(
        None, description="Unix socket; AWS Lambda does not use it"
    )
    socket_connect_timeout: Seconds | None = Field(
        None, description="Seconds to wait for a connection and login"
    )
    socket_timeout: Seconds | None = Field(None, description="Seconds to wait for a reply")

    charset: Any = Field(None, exclude=True)
    client_name: Any = Field(None, exclude=True)
    decode_responses: Any = Field(None, exclude=True)
    encoding: Any = Field(None, exclude=True)
    encoding_errors: Any = Field(None, exclude=True)
    errors: Any = Field(None, exclude=True)
    health_check_interval: Any = Field(None, exclude=True)
    max_connections: Any = Field(None, exclude=True)
    retry_on_timeout: Any = Field(None, exclude=True)
    single_connection_client: Any = Field(None, exclude=True)
    socket_keepalive: Any = Field(None, exclude=True)
    socket_keepalive_options: Any = Field(None, exclude=True)

    @model_validator(mode="after")
    def _check_alone(self) -> Redis:
        names = sorted({name for name, value in self if value is not None} - {*ALLOWED_BESIDE})
        if self.provision is not None and names:
            raise NotAllowedError(
                f"must not have both provision and {', '.join(names)}",
                "The store that Gimel creates has its own address and login. Remove the other "
                "keys, or provision.",
            )
        return self

    @model_validator(mode="after")
    def _read_url(self) -> Redis:
        if self.url is None:
            return self
        options = read_redis_url(self.url)
        names = sorted({*_IN_URL, *options} & self._set_names())
        if names:
            raise NotAllowedError(
                f"must not have both url and {', '.join(names)}",
                "The URL holds the whole address. Remove the other keys, or the URL.",
            )
        return self.model_copy(update={**options, "url": None})

    def _set_names(self) -> set[str]:
        return {name for name, value in self if value is not None} - {"url", "provision"}


def read_redis_url(url: str) -> dict[str, Any]:
    """Return the options of a redis://, rediss:// or unix:// URL, as the section has them.

    Raises NotAllowedError, which says what such a URL must be and does not quote it.
    """
    options = parse_redis_url(url)
    if "provision" in options:
        raise NotAllowedError("must not have the option 'provision'")
    try:
        return Redis.model_validate(options).model_dump(exclude_none=True)
    except ValidationError as error:
        raise _refused_option(error.errors()[0]) from None


def _refused_option(mistake: ErrorDetails) -> NotAllowedError:
    name = str(mistake["loc"][0])
    if mistake["type"] == "extra_forbidden":
        keys = Redis.keys()
        others = [each for each in keys if each not in ("provision", "url", *_IN_URL)]
        return NotAllowedError(f"must not have the option {name!r}", suggest(name, others))
    cause = mistake.get("ctx", {}).get("error")
    if isinstance(cause, NotAllowedError):
        return NotAllowedError(f"must have a valid {name}: it {cause.allowed}", cause.hint)
    return NotAllowedError(f"must have a valid {name}")

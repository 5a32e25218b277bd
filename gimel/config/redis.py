"""The `redis` section of config.json."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from gimel.config.kinds import (
    RedisCertificateCheck,
    RedisDatabase,
    RedisFlag,
    RedisPort,
    RedisText,
    Seconds,
    Section,
)


class Redis(Section):
    """The connection to Redis, in redis-py's names; those that change nothing are accepted."""

    host: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Host name or IP address, as AWS Lambda reaches it"
    )
    port: RedisPort | None = Field(None, description="Port")
    db: RedisDatabase | None = Field(None, description="Database number")
    username: RedisText | None = Field(None, description="User name, if Redis uses ACLs")
    password: RedisText | None = Field(None, description="Password")
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
        None, description="File with a client certificate (`gimel serve` only)"
    )
    ssl_keyfile: str | None = Field(
        None, description="File with the client certificate's key (`gimel serve` only)"
    )
    unix_socket_path: str | None = Field(None, description="Unix socket (`gimel serve` only)")
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

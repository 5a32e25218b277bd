"""The configuration: config.json as a valid value, or an error that says what is wrong with it."""

from gimel.config.loading import (
    Config,
    config_path,
    create,
    find_config,
    load,
    redis_from_url,
    template,
)
from gimel.config.messages import ConfigError
from gimel.config.schema import Document

__all__ = [
    "Config",
    "ConfigError",
    "Document",
    "config_path",
    "create",
    "find_config",
    "load",
    "redis_from_url",
    "template",
]

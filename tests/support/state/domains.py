"""The domain names of a State, which has none: `tests.support.domain_account` has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gimel.deploy.resources.base import Resource
from gimel.deploy.resources.base_path_mappings import BASE_PATH_MAPPINGS
from gimel.deploy.resources.certificates import CERTIFICATES
from gimel.deploy.resources.dns_records import DNS_RECORDS
from gimel.deploy.resources.domain_names import DOMAIN_NAMES
from gimel.deploy.resources.domains import DOMAINS
from gimel.deploy.resources.validation_records import VALIDATION_RECORDS

NO_DOMAINS: Mapping[Resource[Any], Any] = {
    DOMAINS: {},
    CERTIFICATES: None,
    VALIDATION_RECORDS: None,
    DOMAIN_NAMES: None,
    BASE_PATH_MAPPINGS: None,
    DNS_RECORDS: None,
}

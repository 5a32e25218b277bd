"""The order: which resources there are, and which steps lead from what exists to what should.

Pure: the same values give the same steps. The order keeps what is live working: the role's policy
comes before the functions that need it, a version before the alias that points to it, a permission
before the deployment that relies on it. Things are deleted last, when nothing live needs them.
Whatever step an interrupted deploy performed last, planning again leads to the same end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gimel.deploy.desired import Desired
from gimel.deploy.identity import Identity
from gimel.deploy.policies import Policy, operator_policy
from gimel.deploy.preflight_permissions import preflight_permissions
from gimel.deploy.resources.alarm_record import ALARM_RECORD
from gimel.deploy.resources.alarm_topic import ALARM_TOPIC
from gimel.deploy.resources.alarms import ALARMS
from gimel.deploy.resources.aliases import ALIASES
from gimel.deploy.resources.api_key import API_KEY, CreateKey, DeleteOtherKeys, MarkKey
from gimel.deploy.resources.base import Look, Observed, Resource, Step
from gimel.deploy.resources.base_path_mappings import BASE_PATH_MAPPINGS
from gimel.deploy.resources.certificates import CERTIFICATES
from gimel.deploy.resources.concurrency import CONCURRENCY
from gimel.deploy.resources.cors_preflights import CORS_PREFLIGHTS
from gimel.deploy.resources.dns_records import DNS_RECORDS
from gimel.deploy.resources.domain_names import DOMAIN_NAMES
from gimel.deploy.resources.domains import DOMAINS, desired_domain
from gimel.deploy.resources.function_urls import FUNCTION_URLS
from gimel.deploy.resources.functions import FUNCTIONS
from gimel.deploy.resources.gateway_responses import GATEWAY_RESPONSES
from gimel.deploy.resources.log_groups import LOG_GROUPS
from gimel.deploy.resources.methods import METHODS
from gimel.deploy.resources.permissions import PERMISSIONS
from gimel.deploy.resources.rest_api import REST_API
from gimel.deploy.resources.role import ROLE
from gimel.deploy.resources.role_policy import ROLE_POLICY
from gimel.deploy.resources.rule_targets import RULE_TARGETS
from gimel.deploy.resources.rules import RULES
from gimel.deploy.resources.security_group import SECURITY_GROUP
from gimel.deploy.resources.stage import STAGE_OF_API
from gimel.deploy.resources.store import STORE
from gimel.deploy.resources.store_user import STORE_USER
from gimel.deploy.resources.tag_record import TAG_RECORD
from gimel.deploy.resources.trials import TRIALS
from gimel.deploy.resources.usage_plan import USAGE_PLAN, AddKeyToPlan
from gimel.deploy.resources.validation_records import VALIDATION_RECORDS
from gimel.deploy.resources.versions import VERSIONS
from gimel.deploy.watch_permissions import watch_permissions
from gimel.errors import GimelError

Resources = Sequence[Resource[Any]]

RESOURCES: Resources = (
    TAG_RECORD,
    ROLE,
    ROLE_POLICY,
    SECURITY_GROUP,
    STORE_USER,
    STORE,
    LOG_GROUPS,
    FUNCTIONS,
    VERSIONS,
    TRIALS,
    ALIASES,
    CONCURRENCY,
    REST_API,
    DOMAINS,
    CERTIFICATES,
    VALIDATION_RECORDS,
    METHODS,
    CORS_PREFLIGHTS,
    GATEWAY_RESPONSES,
    PERMISSIONS,
    RULES,
    RULE_TARGETS,
    STAGE_OF_API,
    API_KEY,
    USAGE_PLAN,
    FUNCTION_URLS,
    DOMAIN_NAMES,
    BASE_PATH_MAPPINGS,
    DNS_RECORDS,
    ALARM_RECORD,
    ALARM_TOPIC,
    ALARMS,
)


def observe(look: Look, resources: Resources = RESOURCES) -> Observed:
    """Return what exists of all resources. Raises GimelError."""
    parts = {resource: look.of(resource) for resource in resources}
    return Observed(look.identity, parts, tuple(look.foreign), look.with_data)


def known_ids(observed: Observed, resources: Resources = RESOURCES) -> dict[str, str]:
    """Return the ids of what exists, as steps need them."""
    ids: dict[str, str] = {}
    for each in resources:
        ids |= each.ids(observed.of(each))
    return ids


def plan(
    desired: Desired, observed: Observed, resources: Resources = RESOURCES
) -> tuple[Step, ...]:
    """Return the steps of a deploy, none where everything is as it should be.

    Raises GimelError where a name belongs to somebody else.
    """
    if observed.foreign:
        raise GimelError(
            f"These exist and were not created by Gimel: {'; '.join(observed.foreign)}.",
            "Rename or delete them, or set another aws.name in the configuration."
            + (" A domain name can only be in one deployment." if desired_domain(desired) else ""),
        )
    desired = desired.reaching(known_ids(observed, resources))
    backwards = resources[::-1]
    return (
        *(step for each in resources for step in each.provide(desired, observed)),
        *(step for each in backwards for step in each.retire(desired, observed)),
        *(step for each in backwards for step in each.tag(desired, observed)),
    )


def plan_destroy(observed: Observed, resources: Resources = RESOURCES) -> tuple[Step, ...]:
    """Return the steps that delete everything that Gimel made, the role last.

    Its policy is the record of the rest.
    """
    return tuple(step for each in resources[::-1] for step in each.remove(observed))


def plan_key_rotation(observed: Observed) -> tuple[Step, ...]:
    """Return the steps that replace the API key, the old one deleted last.

    Raises GimelError where there is no deployment.
    """
    if observed.of(REST_API) is None or observed.of(USAGE_PLAN) is None:
        raise GimelError(
            observed.identity.deployment.describe_absence(observed.identity.region),
            "Run `gimel deploy`, or choose another --region.",
        )
    name, key = observed.identity.name, observed.of(API_KEY)
    marking = () if key is None or key.is_marked else (MarkKey(name),)
    return (
        *marking,
        CreateKey(name, is_another=True),
        AddKeyToPlan(name),
        DeleteOtherKeys(name),
    )


def required_permissions(
    identity: Identity, desired: Desired, resources: Resources = RESOURCES
) -> Policy:
    """Return the least-privilege policy of preflight, deploy, status, rollback and destroy."""
    return operator_policy(
        [
            *(needed for each in resources for needed in each.permissions(identity, desired)),
            *preflight_permissions(identity),
            *watch_permissions(identity, desired),
        ]
    )

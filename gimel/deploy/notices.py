"""What a plan's steps do not show: what cannot be undone, and what changes for pages. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gimel.deploy.alarms import desired_alarms, monthly_dollars
from gimel.deploy.desired import Desired
from gimel.deploy.resources.alarm_topic import confirmation_notice, unconfirmed
from gimel.deploy.resources.alarms import ALARMS
from gimel.deploy.resources.aliases import MoveBack
from gimel.deploy.resources.api_key import API_KEY
from gimel.deploy.resources.base import Observed, Step
from gimel.deploy.resources.domains import DOMAINS, retired_domains
from gimel.deploy.resources.functions import FUNCTIONS
from gimel.deploy.resources.permissions import PERMISSIONS
from gimel.deploy.resources.rest_api import REST_API
from gimel.deploy.resources.role_policy import is_of_1_5_0_elsewhere
from gimel.deploy.resources.stage import STAGE_OF_API
from gimel.deploy.resources.store import MOST_ECPUS, MOST_GB, STORE
from gimel.deploy.resources.usage_plan import USAGE_PLAN
from gimel.deploy.store_cost import describe_store_cost, most_per_month, store_at_rest
from gimel.deploy.throttle import FORMER_DEFAULT, worst_month


@dataclass(frozen=True)
class Notice:
    """A sentence for the operator. `asks` if it requires consent, like a deletion."""

    text: str
    asks: bool = False


def notices(desired: Desired, observed: Observed) -> Iterator[Notice]:
    """Yield what to know before a plan is applied."""
    api, key = observed.of(REST_API), observed.of(API_KEY)
    live = [each.live.configuration.settings for each in observed.of(FUNCTIONS) if each.live]
    if None in live:
        yield Notice(
            "This takes over a deployment of Gimel 1.5.0. Its URLs, its API key and the counts "
            "stay, but a rollback to 1.5.0 is not possible. 1.5.0 in another region uses the same "
            "role: it does not work until it is taken over too.",
            asks=True,
        )
    if is_of_1_5_0_elsewhere(observed):
        yield Notice(
            f"The role {observed.identity.name} is that of Gimel 1.5.0 in another region, which "
            "does not work once the role is limited. Take it over right afterwards, or set another "
            "aws.name.",
            asks=True,
        )
    # A first deploy that was interrupted has functions, and never had an API.
    had_api = None in live or any(
        each.api_callers is not None for each in observed.of(PERMISSIONS).values()
    )
    if had_api and api is None:
        kept = [name for name, domain in observed.of(DOMAINS).items() if domain.regional]
        yield Notice(
            "The REST API no longer exists. The new one has another URL: every page that sends "
            f"events must be changed{f', unless it uses {kept[0]}' if kept else ''}.",
            asks=True,
        )
    if live and api and key is None and observed.of(USAGE_PLAN) is not None:
        yield Notice("The API key no longer exists. Programs that use it need the new one.")
    for name in retired_domains(desired, observed):
        there = observed.of(DOMAINS)[name]
        happens = "no longer leads to this API" if there.is_used_by_others else "is deleted"
        after = "" if there.zones else " Afterwards, delete its DNS records at its DNS provider."
        yield Notice(
            f"The domain name {name} {happens}. Pages that send events to {name} must be changed "
            f"first: their events are lost.{after}",
            asks=True,
        )
    yield from _of_lower_throttle(desired, observed, takes_over=None in live)
    yield from _of_alarms(desired, observed)
    now = desired.functions[0].configuration.settings
    yield from _of_other_stores((settings, now) for settings in live)
    yield from _of_own_store(desired, observed)


def _of_own_store(desired: Desired, observed: Observed) -> Iterator[Notice]:
    """Yield what to know about the store that Gimel creates, or has created."""
    name, store = observed.identity.store, observed.of(STORE)
    live = [each.live.configuration.settings for each in observed.of(FUNCTIONS) if each.live]
    if not desired.config.provisions:
        if store is not None:
            yield Notice(kept_store(name))
        return
    if store is not None:
        return
    most = most_per_month(MOST_GB, MOST_ECPUS)
    yield Notice(
        f"The store {name} will cost {describe_store_cost()}. Its limits allow ${most:.0f} a month "
        "at most."
    )
    if any(_store_name(settings) == name for settings in live):
        yield Notice(
            f"The store {name} no longer exists. The new one is empty: the counts so far are "
            "missing.",
            asks=True,
        )


def kept_store(name: str) -> str:
    """Return the sentence that a store is not deleted."""
    return (
        f"The store {name} on ElastiCache and its counts are kept, for about "
        f"${store_at_rest():.2f} a month. `gimel destroy --with-data` deletes them."
    )


def _of_alarms(desired: Desired, observed: Observed) -> Iterator[Notice]:
    """Yield the price of new alarms, and what has to happen before they arrive."""
    alarms = desired_alarms(desired, observed.identity)
    if any(each.name not in observed.of(ALARMS) for each in alarms):
        yield Notice(
            f"{len(alarms)} alarms cost about ${monthly_dollars(alarms):.2f} a month, less in an "
            "account with fewer than 10 other alarm metrics."
        )
    if address := unconfirmed(desired, observed):
        yield Notice(confirmation_notice(address))


def destroy_notices(observed: Observed) -> Iterator[str]:
    """Yield what a destroy leaves."""
    if observed.of(STORE) is not None and not observed.with_data:
        yield kept_store(observed.identity.store)
    for each in observed.foreign:
        yield f"Not created by Gimel, and left alone: {each}."
    for name, domain in observed.of(DOMAINS).items():
        if domain.is_used_by_others:
            yield (
                f"The domain name {name} stays, with its certificate and its records: other APIs "
                "are mapped to it."
            )
        elif not domain.zones and (domain.regional or domain.certificates):
            yield f"Delete the DNS records of {name} yourself, at its DNS provider."
    if is_of_1_5_0_elsewhere(observed):
        yield (
            f"Left alone: the role {observed.identity.name}, which Gimel 1.5.0 in another region "
            "may use."
        )


def rollback_notices(observed: Observed, steps: Sequence[Step]) -> Iterator[Notice]:
    """Yield what to know before a rollback is applied."""
    numbers = {step.function: step.number for step in steps if isinstance(step, MoveBack)}
    yield from _of_other_stores(
        (function.live.configuration.settings, version.configuration.settings)
        for function in observed.of(FUNCTIONS)
        for version in function.versions
        if function.live and version.number == numbers.get(function.name)
    )


def _of_lower_throttle(desired: Desired, observed: Observed, takes_over: bool) -> Iterator[Notice]:
    """Yield a notice if the configuration sets no rate, and the API takes more than the default.

    It was FORMER_DEFAULT, or none at all in Gimel 1.5.0, or it was set before.
    """
    stage, throttle = observed.of(STAGE_OF_API), desired.config.document.aws.throttle
    if stage is None or "rate" in throttle.model_fields_set:
        return
    if takes_over and stage.throttle_rate is None:
        before = "as many requests as the account allows"
    elif stage.throttle_rate is not None and stage.throttle_rate > throttle.rate:
        before = f"{stage.throttle_rate:,.15g} requests per second"
    else:
        return
    now, former = (worst_month(desired, rate) for rate in (throttle.rate, FORMER_DEFAULT))
    yield Notice(
        f"Each method of the API takes {before}. Afterwards it takes {throttle.rate:.15g} per "
        f"second, so that a flood costs at most ${now:,.0f} a month. Beyond that, events get the "
        "status 429: gimel.js sends them again later, but snippets of Gimel 1.5.0 may lose them. "
        f"To allow more, set aws.throttle.rate: with {FORMER_DEFAULT}, a flood may cost "
        f"${former:,.0f} a month.",
        asks=True,
    )


def _of_other_stores(changes: Iterable[tuple[str | None, str | None]]) -> Iterator[Notice]:
    """Yield a notice for each change of settings, (before, after), that leads to another Redis."""
    stores = dict.fromkeys(
        (_store(before), _store(after)) for before, after in changes if before and after
    )
    for before, after in stores:
        if before != after:
            yield Notice(
                f"The live functions count in {before}. Afterwards they count in {after}, where "
                "the counts so far are missing. `gimel export` and `gimel import` move them.",
                asks=True,
            )


def _store_name(settings: str | None) -> str | None:
    """Return the name of the store on ElastiCache that settings lead to, None for another Redis."""
    redis = json.loads(settings or "{}").get("redis", {})
    return str(redis["iam"]) if redis.get("iam") else None


def _store(settings: str | None) -> str:
    """Return which Redis settings lead to, without login."""
    redis = json.loads(settings or "{}").get("redis", {})
    if name := _store_name(settings):
        return f"the store {name} on ElastiCache"
    address = f"the Redis at {redis.get('host')}:{redis.get('port', 6379)}"
    return f"{address}, database {redis['db']}" if redis.get("db") else address

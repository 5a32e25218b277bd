"""The smoke check of a backend that is a few lines here, by a clock that only waiting moves."""

from __future__ import annotations

import pytest

from gimel.api.http import NoAnswer, UnknownHost
from gimel.deploy.checks import smoke
from gimel.deploy.checks.smoke import Reply
from gimel.deploy.resources.trials import NAMESPACE
from tests.support.configurations import SECOND_PATH, URL
from tests.support.smoke_backend import (
    CHECKS,
    FINE,
    TRACK_CHECKS,
    Backend,
    Spoil,
    answer,
    statuses,
    unanswered,
)
from tests.support.state.cloud import ALL, KEY_VALUE, TRACK, url_of


def test_a_marked_event_goes_in_is_read_back_and_is_removed() -> None:
    """Every route is tried, each by its own method, and nothing is left."""
    backend = Backend()

    assert statuses(backend.check()) == FINE
    assert backend.counted == {NAMESPACE: set()}
    assert [request.route for request in backend.requests] == [
        *TRACK_CHECKS,
        "GET /experiments",
        "GET /experiments",
        "DELETE /delete",
        "OPTIONS /e",
    ]
    assert backend.now == 0


def test_the_events_are_those_of_a_browser() -> None:
    """Otherwise the bot filter would ignore them; each has its own uuid."""
    backend = Backend()

    backend.check()

    events = [{**each.query, **each.body} for each in backend.requests[: len(TRACK_CHECKS)]]
    assert all("Mozilla" in each.headers["User-Agent"] for each in backend.requests)
    assert len({each["uuid"] for each in events}) == len(TRACK_CHECKS)
    assert len({each["experiment"] for each in events}) == 1


def test_the_key_is_sent_only_where_it_is_needed() -> None:
    """Not with events, and not with the request that finds out whether the results are closed."""
    backend = Backend()

    backend.check()

    sent = [(each.route, "x-api-key" in each.headers) for each in backend.requests]
    assert sent == [
        *((route, False) for route in TRACK_CHECKS),
        ("GET /experiments", False),
        ("GET /experiments", True),
        ("DELETE /delete", True),
        ("OPTIONS /e", False),
    ]


def on(route: str, given: Reply) -> Spoil:
    """Reply so on one route."""
    return lambda request, now: given if request.route == route else None


def of(key: bool, given: Reply) -> Spoil:
    """Reply so to requests for the results with or without the key."""
    return lambda request, now: (
        given
        if request.route == "GET /experiments" and ("x-api-key" in request.headers) is key
        else None
    )


REFUSED = NoAnswer("The connection was refused.", "Check that it is running.")
UNKNOWN = UnknownHost("Could not find the host.", passes=True)
RESET = NoAnswer("The connection was lost.", passes=True)
UNTRUSTED = NoAnswer("The certificate is not trusted.", "Set $AWS_CA_BUNDLE.")


@pytest.mark.parametrize(
    ("spoil", "broken", "says"),
    [
        (on("GET /e", answer(503, error="Redis is away")), "GET /e", "503"),
        (on("GET /e", answer(503, error="Redis is away")), "GET /e", "away"),
        (on("GET /e", answer(400, error="uuid")), "GET /e", "400: uuid"),
        (on("POST /e", answer(502, message="Internal")), "POST /e", "502"),
        (on("POST /e", Reply(500, None, {})), "POST /e", "500"),
        (on("GET /e", Reply(200, None, {})), "GET /e", "200"),
        (on("GET /e", Reply(200, [], {})), "GET /e", "200"),
        (on("GET /e", unanswered(REFUSED)), "GET /e", "refused"),
        (on("GET /track", answer(502, message="Internal")), "GET /track", "502"),
        (of(False, Reply(200, [], {})), "closed", "200"),
        (of(True, Reply(200, [{"meta": {}}], {})), "results", ""),
        (of(True, answer(403, message="Forbidden")), "results", "Forbidden"),
        (of(True, Reply(200, {"a": 1}, {})), "results", "200"),
        (on("DELETE /delete", answer(504)), "delete", "504"),
        (on("OPTIONS /e", Reply(200, None, {})), "preflight", "200"),
        (
            on("OPTIONS /e", Reply(200, None, {"access-control-allow-methods": "POST"})),
            "preflight",
            "200",
        ),
        (on("OPTIONS /e", Reply(403, None, {})), "preflight", "403"),
    ],
    ids=[
        "Redis is away",
        "and the reason is shown",
        "event refused",
        "function cannot be called",
        "function fails",
        "no JSON",
        "another JSON",
        "cannot be reached",
        "the path of 1.5.0",
        "results are open",
        "event not among the results",
        "key does not open",
        "results are another JSON",
        "delete times out",
        "preflight without methods",
        "preflight of other methods",
        "preflight refused",
    ],
)
def test_what_does_not_work_is_found(spoil: Spoil, broken: str, says: str) -> None:
    """By its own check, with what was answered; the others still pass."""
    found = Backend(spoil).check()

    assert statuses(found) == {**FINE, broken: "failed"}
    assert says in found[CHECKS.index(broken)].message


def test_an_event_that_is_ignored_is_a_warning() -> None:
    """It works, and counts nothing: the reason is shown."""
    ignored = answer(200, status="ignored", reason="limit reached")

    found = Backend(on("GET /e", ignored)).check()

    assert statuses(found) == {**FINE, "GET /e": "warning"}
    assert "limit reached" in found[0].message


def test_a_namespace_that_is_full_is_no_failure() -> None:
    """All its events are ignored, so that none can be read back: the functions work."""
    ignored = answer(200, status="ignored", reason="limit reached")
    backend = Backend(lambda request, now: ignored if request.route in TRACK_CHECKS else None)

    assert statuses(backend.check()) == {**FINE, **dict.fromkeys(TRACK_CHECKS, "warning")}


def test_where_no_event_was_counted_none_is_read_back() -> None:
    """The error of the first check says why; that the results lack the event is one more."""
    down = answer(503, error="Redis is away")

    broken = (*TRACK_CHECKS, "OPTIONS /e")
    found = Backend(lambda request, now: down if request.route in broken else None).check()

    assert [name for name, status in statuses(found).items() if status == "failed"] == [
        *TRACK_CHECKS,
        "results",
        "preflight",
    ]


def test_the_event_goes_into_a_namespace_that_is_allowed() -> None:
    """A separate one if all are allowed, else the first of the list."""
    backend = Backend()

    assert statuses(backend.check(allowed_namespaces=["shop", "blog"])) == FINE
    assert set(backend.counted) == {"shop"}


def test_experiments_on_an_allow_list_are_not_reported_as_missing() -> None:
    """The marked event is not on the list, so it is right that it is ignored."""
    ignored = answer(200, status="ignored", reason="not allowed")
    backend = Backend(lambda request, now: ignored if request.route in TRACK_CHECKS else None)

    assert statuses(backend.check(allowed_experiments=["red-or-blue"])) == FINE


def test_the_cors_preflight_is_checked_where_new_pages_send_events() -> None:
    """An entry of extra_wiring may have taken GET /e: then that is /track."""
    taken = {
        "lambda": {"FunctionName": "our-experiment", "Handler": "gimel.experiment"},
        "api_gateway": {"pathPart": "e", "method": {"httpMethod": "GET", "apiKeyRequired": True}},
    }
    backend = Backend()

    backend.check(extra_wiring=[taken])

    assert [each.route for each in backend.requests if each.method == "OPTIONS"] == [
        "OPTIONS /track"
    ]


OPEN_RESULTS = {
    "lambda": {"FunctionName": ALL, "Handler": "gimel.all"},
    "api_gateway": {"pathPart": "experiments", "method": {"httpMethod": "GET"}},
}


def test_results_that_are_open_on_purpose_are_no_failure() -> None:
    """If extra_wiring removes the key, the smoke test does not expect a refusal."""
    findings = Backend().check(extra_wiring=[OPEN_RESULTS])

    assert [each.status for each in findings] == ["ok"] * (len(CHECKS) - 1)


def test_every_url_that_tracks_is_tried() -> None:
    """A second path, and a function's own URL."""
    findings = Backend().check({TRACK: url_of(TRACK)}, extra_wiring=[SECOND_PATH, URL])

    assert [each.status for each in findings] == ["ok"] * (len(CHECKS) + 2)
    assert url_of(TRACK) in findings[len(TRACK_CHECKS) + 1].name


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (answer(403, message="Forbidden"), "403: Forbidden"),
        (answer(403, message="Missing Authentication Token"), "403: Missing"),
        (Reply(404, None, {}), "404"),
        (answer(429, message="Too Many Requests"), "429: Too Many Requests"),
        (answer(500, message="Internal server error"), "500: Internal server error"),
        (answer(503, message="Service Unavailable"), "503: Service Unavailable"),
        (Reply(502, None, {}), "502"),
        (unanswered(UNKNOWN), "Could not find the host"),
        (unanswered(RESET), "The connection was lost"),
    ],
    ids=[
        "forbidden",
        "no such path",
        "not found",
        "throttled",
        "fails",
        "unavailable",
        "bad gateway",
        "unknown host",
        "reset",
    ],
)
def test_what_passes_is_waited_for(given: Reply, reason: str) -> None:
    """A new stage, key or function takes a while to be everywhere; the wait has a reason."""
    backend = Backend(lambda request, now: given if now < 40 else None)

    assert statuses(backend.check()) == FINE
    assert 40 <= backend.now < 50
    assert all(each.startswith("GET https://") and reason in each for each in backend.reasons)
    assert backend.reasons


def test_results_that_are_still_open_are_waited_for() -> None:
    """The previous stage, which may need no key, answers for some seconds."""
    opened = of(False, Reply(200, [], {}))
    backend = Backend(lambda request, now: opened(request, now) if now < 10 else None)

    assert statuses(backend.check()) == FINE
    assert 10 <= backend.now < 20


def test_the_host_of_an_old_deployment_is_not_waited_for() -> None:
    """Its name has long been in the DNS, so that the network of this machine is at fault."""
    backend = Backend(lambda request, now: unanswered(UNKNOWN), new_hosts=False)

    assert set(statuses(backend.check()).values()) == {"failed"}
    assert backend.now == 0


def test_what_never_passes_is_waited_for_once() -> None:
    """All checks share 90 seconds, each of them a chance; none is waited for much longer."""
    backend = Backend(lambda request, now: answer(500))

    found = backend.check()

    assert set(statuses(found).values()) == {"failed"}
    assert 80 < backend.now <= smoke.PATIENCE == 90


@pytest.mark.parametrize(
    "given",
    [
        answer(503, error="Redis is away"),
        answer(400),
        answer(500, error="no settings"),
        Reply(302, None, {}),
        unanswered(REFUSED),
        unanswered(UNTRUSTED),
    ],
    ids=[
        "Redis away",
        "malformed",
        "the handler's own error",
        "redirect",
        "connection refused",
        "certificate",
    ],
)
def test_what_does_not_pass_is_final(given: Reply) -> None:
    """Waiting changes neither what the backend itself answers, nor the network of this machine."""
    backend = Backend(on("GET /e", given))

    found = backend.check()

    assert statuses(found) == {**FINE, "GET /e": "failed"}
    assert backend.now == 0
    assert given.failure is None or given.failure.hint in found[0].hint


def test_neither_key_nor_uuid_is_shown() -> None:
    """A finding may be shown in CI's log."""
    backend = Backend(lambda request, now: answer(500))

    shown = str(backend.check())

    assert KEY_VALUE not in shown
    assert backend.requests[0].query["uuid"] not in shown

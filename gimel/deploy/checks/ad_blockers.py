"""Check what the configuration adds to the URLs of events against the filter lists of ad blockers.

Gimel's own routes are not checked: /track stays for the pages of Gimel 1.5.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gimel.config import Config
from gimel.deploy.checks.findings import Finding, warning
from gimel.page.filter_lists import blocked_methods, blocked_part
from gimel.wiring import TRACK_PATH, WIRING

_CAUSES = {
    ("GET",): "requests with a query, as AlephBet sends them",
    ("POST",): "requests without a query, as gimel.js sends them",
    ("GET", "POST"): "all requests",
}


def check_ad_blockers(config: Config) -> Iterator[Finding]:
    """Yield a warning for each configured path and name that known rules match."""
    yield from _check_paths(config)
    yield from _check_names(config)


def _check_paths(config: Config) -> Iterator[Finding]:
    known = {route.path for route in WIRING.routes}
    routes = [
        route
        for route in config.wiring.routes
        if config.wiring.function(route.function).handler == "gimel.track"
    ]
    for path in dict.fromkeys(route.path for route in routes if route.path not in known):
        wired = config.wiring.methods(path)
        if blocked := tuple(each for each in blocked_methods(path) if each in wired):
            yield warning(
                f"/{path}",
                f"ad blockers block {_CAUSES[blocked]}: EasyPrivacy or a similar list matches this "
                "path",
                f"Let pages use /{TRACK_PATH}, or choose another pathPart: see WIRING.md.",
            )


def _check_names(config: Config) -> Iterator[Finding]:
    for name in dict.fromkeys(_names(config)):
        if part := blocked_part(name):
            yield warning(
                f'name "{name}"',
                f'ad blockers block requests that contain "{part}", as they do in AlephBet\'s URLs',
                "Choose another name, or use gimel.js, which sends no names in URLs.",
            )


def _names(config: Config) -> Iterable[str]:
    """Yield the configured namespaces, experiments, variants and goals."""
    document = config.document
    yield from document.allowed_namespaces or ()
    yield from document.allowed_experiments or ()
    for name, experiment in document.experiments.items():
        yield name
        design = experiment.design()
        yield from filter(None, (design.control, design.goal))
        yield from design.weights or ()
        yield from design.guardrails
        yield from design.decrease

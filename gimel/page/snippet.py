"""The HTML to paste into a page: a client, an experiment with its variants, and its goals.

The client is gimel.js, or AlephBet with a script that keeps it from harming the page. Both have the
same functions, so the experiment reads the same. Every name becomes a JavaScript string in ASCII,
which nothing can break out of, whatever the page's encoding.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from gimel import templating
from gimel.page.client import script
from gimel.page.track_url import check_track_url
from gimel.runtime.fields import DEFAULT_NAMESPACE


@dataclass(frozen=True)
class Release:
    """A release of the AlephBet JavaScript client on npm.

    Attributes:
        version: Its version.
        integrity: The Subresource Integrity hash of its dist/alephbet.min.js.
    """

    version: str
    integrity: str

    @property
    def url(self) -> str:
        """The URL of that file in a public CDN."""
        return f"https://unpkg.com/alephbet@{self.version}/dist/alephbet.min.js"


ALEPHBET = Release(
    "0.27.0", "sha384-4VEL32ya6Zl4KzeC363t/ySCI+riTrRthoaev9aFmg7i5aF8/44TAI0fCz7Vvzha"
)


@dataclass(frozen=True)
class Design:
    """An experiment as a page runs it.

    Attributes:
        name: Its name.
        variants: The names of the variants. The first one is the control.
        weights: The weight of each variant, or none at all for equal shares. AlephBet needs
            integers: with fractions it assigns other shares.
        goals: The goals, each with the CSS selector of what a visitor clicks or submits to reach
            it, or None if the page reports it by a call.
        attribute: The attribute of <html> that tells style sheets the variant. The default is
            derived from the name.
    """

    name: str
    variants: tuple[str, ...]
    weights: tuple[int, ...] = ()
    goals: Mapping[str, str | None] = field(default_factory=dict)
    attribute: str = ""


EXAMPLE = Design(
    "buy button colour",
    ("blue", "red"),
    goals={"bought": ".buy-button"},
    attribute="data-buy-button",
)


def snippet(
    track_url: str,
    namespace: str = DEFAULT_NAMESPACE,
    design: Design = EXAMPLE,
    *,
    alephbet: bool = False,
    file: str | None = None,
) -> str:
    """Return the HTML for a page that sends its events to `track_url`.

    gimel.js is part of it unless `file` is the URL of the site's own copy. For AlephBet, `file`
    replaces the one in the CDN.

    Raises:
        GimelError: `track_url` cannot be a track URL.
    """
    check_track_url(track_url)
    source = file or ALEPHBET.url
    if alephbet:
        client = templating.render(
            "gimel.page", "alephbet.js.j2", version=ALEPHBET.version, file=_javascript(source)
        )
    else:
        client = script()
    weights = design.weights or (None,) * len(design.variants)
    return templating.render(
        "gimel.page",
        "snippet.html.j2",
        client=Markup(client),  # noqa: S704  (nothing in it ends a script)
        client_file=None if alephbet else file,
        alephbet={"file": source, "integrity": None if file else ALEPHBET.integrity}
        if alephbet
        else None,
        function="gimelAlephBet" if alephbet else "gimel",
        url=_javascript(track_url),
        namespace=None if namespace == DEFAULT_NAMESPACE else _javascript(namespace),
        attribute=design.attribute or _attribute(design.name),
        name=_javascript(design.name),
        variants=[
            {"key": _key(name), "name": _javascript(name), "weight": weight}
            for name, weight in zip(design.variants, weights, strict=True)
        ],
        selectors=[
            (_key(goal), _javascript(selector))
            for goal, selector in design.goals.items()
            if selector is not None
        ],
        calls=[_javascript(goal) for goal, selector in design.goals.items() if selector is None],
    )


def _javascript(text: str) -> Markup:
    """Return a JavaScript string in ASCII that contains no tag."""
    return Markup(json.dumps(text).replace("<", "\\u003c"))  # noqa: S704


def _key(name: str) -> Markup:
    """Return a key of an object literal: the bare name where JavaScript allows it."""
    if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
        return Markup(name)  # noqa: S704
    return _javascript(name)


def _attribute(experiment: str) -> str:
    """Return an attribute that no other experiment has, even if their names look alike in ASCII."""
    words = "-".join(re.findall(r"[a-z0-9]+", experiment.lower()))
    attribute = f"data-{words[:40].rstrip('-') or 'variant'}"
    if experiment.isascii() and 0 < len(words) <= 40:
        return attribute
    return f"{attribute}-{hashlib.sha256(experiment.encode()).hexdigest()[:6]}"

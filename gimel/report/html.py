"""Experiments as HTML pages. Values come in, text goes out; nothing is read, sent or kept.

The views say what a page shows, the templates lay it out. Every page carries its own style and
script, named by their hashes in a Content-Security-Policy that allows nothing else: a saved report
needs no other file, and a name can never run.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import gimel
from gimel import templating
from gimel.analysis.counts import ExperimentCounts
from gimel.analysis.experiment import Experiment, NotFound, select_goal
from gimel.analysis.phrases import pluralize, quote
from gimel.errors import GimelError
from gimel.report import REFRESH_SECONDS, views, wording
from gimel.report import overview as overviews
from gimel.report.figures import shorten, visible
from gimel.report.over_time import over_time

BASE = "/dashboard"
"""The path of all pages of the dashboard."""

USUAL_CONFIDENCE = 0.95
CONFIDENCES = (0.8, 0.9, USUAL_CONFIDENCE, 0.99, 0.999)
"""The confidence levels offered in the form."""

_LONGEST_OPTION = 60
_LISTED = 10  # names that are suggested


@dataclass(frozen=True)
class Choices:
    """What a reader chose to see.

    Attributes:
        namespace: The namespace shown.
        usual: The namespace of an address that names none.
        goal: The only goal shown; None for all.
        control: The control; None for the design's.
        confidence: The confidence level of intervals and verdicts.
    """

    namespace: str
    usual: str
    goal: str | None = None
    control: str | None = None
    confidence: float = USUAL_CONFIDENCE

    def address(self, path: str = "", **more: str) -> str:
        """Return the address of a page with these choices, omitting the usual ones."""
        query = dict(more)
        if self.namespace != self.usual:
            query["namespace"] = self.namespace
        if self.confidence != USUAL_CONFIDENCE:
            query["confidence"] = f"{self.confidence:g}"
        for name, value in (("control", self.control), ("goal", self.goal)):
            if value is not None and path == "/experiment":
                query[name] = value
        return f"{BASE}{path}{'?' if query else ''}{urlencode(query, errors='replace')}"


@dataclass(frozen=True)
class Frame:
    """What surrounds every page.

    Attributes:
        source: Where the figures come from: "counted by https://...".
        is_demo: Whether the experiments are made up.
        csrf: The token that a form must send back.
        keyed: Whether the reader signed in with a key, and so can sign out.
    """

    source: str
    is_demo: bool = False
    csrf: str = ""
    keyed: bool = False


@dataclass(frozen=True)
class Option:
    """An option of a select field: what is sent, what is shown, whether it is selected."""

    value: str
    label: str
    selected: bool


@dataclass(frozen=True)
class Options:
    """The options of each select field of a page's form."""

    confidences: tuple[Option, ...]
    goals: tuple[Option, ...] = ()
    controls: tuple[Option, ...] = ()
    sorts: tuple[Option, ...] = ()


def overview(
    experiments: Sequence[Experiment],
    ignored: Mapping[str, int],
    choices: Choices,
    frame: Frame,
    now: float,
    deleted: str | None = None,
    chosen: overviews.Filter | None = None,
    namespaces: Collection[str] = (),
) -> str:
    """Return the page of all experiments, as they are chosen.

    `ignored` are the ignored events of experiments that do not exist, by reason; `deleted` is the
    name of an experiment that was just deleted. Without experiments the page links to the first ten
    of the `namespaces`.
    """

    def address(experiment: Experiment) -> str:
        return choices.address("/experiment", name=experiment.name)

    chosen = chosen or overviews.Filter()
    kept = {"q": chosen.query, "sort": chosen.sort if chosen.sort != overviews.SORTS[0] else ""}

    def state_address(state: str) -> str:
        more = {name: value for name, value in {"state": state, **kept}.items() if value}
        return choices.address(**more)

    return page(
        "overview",
        "Experiments",
        frame,
        choices,
        now,
        view=overviews.overview(
            experiments, now, address, state_address, chosen.state, chosen.query, chosen.sort
        ),
        chosen=chosen,
        limit=wording.limit_warning(experiments, ignored),
        ignored=wording.unknown_events(ignored),
        deleted=visible(deleted) if deleted else None,
        concluded=choices.address("/concluded"),
        namespaces=_other_namespaces(namespaces, choices),
        options=Options(
            _confidences(choices),
            sorts=tuple(Option(sort, sort, sort == chosen.sort) for sort in overviews.SORTS),
        ),
    )


def experiment(found: Experiment, choices: Choices, frame: Frame, now: float) -> str:
    """Return the page of one experiment. Raises NotFound if it does not have the chosen goal."""
    (shown,) = (found,) if choices.goal is None else select_goal([found], choices.goal)
    goals = [Option("", "all goals", choices.goal is None)]
    goals += [Option(e.name, _label(e.name), e.name == choices.goal) for e in found.goals]
    control = found.control.name if found.control else None
    controls = [
        Option(name, _label(name), name == control)
        for name in sorted(arm.name for arm in found.arms)
    ]
    return page(
        "experiment",
        visible(found.name),
        frame,
        choices,
        now,
        view=views.experiment_view(shown, now),
        plots=over_time(shown),
        limit=wording.limit_warning([found], {}),
        raw_name=found.name,
        options=Options(_confidences(choices), tuple(goals), tuple(controls)),
        delete=choices.address("/delete", name=found.name),
        conclude=choices.address("/conclude", name=found.name),
    )


def delete(counts: ExperimentCounts, choices: Choices, frame: Frame, now: float) -> str:
    """Return the page that asks whether to delete an experiment."""
    visitors = sum(count.value for count in counts.visitors.values())
    return page(
        "delete",
        f"Delete {visible(counts.name)}?",
        frame,
        choices,
        now,
        name=visible(counts.name),
        raw_name=counts.name,
        visitors=pluralize(visitors, "visitor"),
        back=choices.address("/experiment", name=counts.name),
    )


def failure(error: GimelError, choices: Choices, frame: Frame, now: float) -> str:
    """Return the page that says what went wrong and what to do."""
    title = "Not found" if isinstance(error, NotFound) else "Something went wrong"
    message, hint = visible(error.message), visible(error.hint)
    return page("failure", title, frame, choices, now, message=message, hint=hint)


def missing(
    name: str,
    names: Sequence[str],
    namespaces: Collection[str],
    choices: Choices,
    frame: Frame,
    now: float,
) -> str:
    """Return the page of an experiment that does not exist.

    It links to the first ten of the experiments `names` and of the other namespaces.
    """
    quoted = visible(quote(name))
    links = [(visible(each), choices.address("/experiment", name=each)) for each in names[:_LISTED]]
    return page(
        "missing",
        f"No experiment named {quoted}",
        frame,
        choices,
        now,
        quoted=quoted,
        names=links,
        namespaces=_other_namespaces(namespaces, choices),
    )


def sign_in(
    wrong: bool,
    choices: Choices,
    frame: Frame,
    now: float,
    *,
    hours: int,
    days: int,
    used: bool = False,
) -> str:
    """Return the page that asks for the API key.

    `wrong` if the last key given was wrong, `used` if the reader's link no longer signs in. A
    session ends after `hours` without use, and after `days` at the latest.
    """
    words = {"wrong": wrong, "used": used, "hours": hours, "days": days}
    return page("sign_in", "Sign in", frame, choices, now, **words)


def report(
    experiments: Sequence[Experiment],
    ignored: Mapping[str, int],
    choices: Choices,
    frame: Frame,
    now: float,
) -> str:
    """Return one page that has everything and needs no other file."""

    def address(experiment: Experiment) -> str:
        return f"#{views.anchor(experiment.name)}"

    return page(
        "report",
        "Experiments",
        frame,
        choices,
        now,
        view=overviews.overview(experiments, now, address),
        limit=wording.limit_warning(experiments, ignored),
        views=[(views.experiment_view(each, now), over_time(each)) for each in experiments],
        ignored=wording.unknown_events(ignored),
    )


def policy(inline: bool = False) -> str:
    """Return the Content-Security-Policy of the pages.

    `inline` is that of a report, which has no script and sends nothing.
    """
    style = f"default-src 'none'; img-src data:; style-src {_hash(_style())}"
    if inline:
        return f"{style}; form-action 'none'; base-uri 'none'"
    return (
        f"{style}; script-src {_hash(_script())}; connect-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    )


def page(
    kind: str, title: str, frame: Frame, choices: Choices, now: float, **values: object
) -> str:
    """Return the page of a template, with these values and those that every page has."""
    is_report = kind == "report"
    return templating.render(
        "gimel.report",
        f"{kind}.html.j2",
        title=title,
        frame=frame,
        choices=choices,
        namespace=visible(choices.namespace),
        home=choices.address(),
        base=BASE,
        updated=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now)),
        seconds=REFRESH_SECONDS,
        interval=f"{100 * choices.confidence:g}% interval",
        outside=f"{100 * (1 - choices.confidence):.6g}%",
        details=wording.DETAILS,
        how_to_read_details=wording.HOW_TO_READ_DETAILS,
        policy=policy(inline=True) if is_report else None,
        style=_style(),
        script=None if is_report else _script(),
        version=gimel.__version__,
        **values,
    )


def _style() -> str:
    return _joined("style.css", "over_time.css")


def _script() -> str:
    return _joined("over_time.js", "script.js")


def _joined(*files: str) -> str:
    return "".join(templating.source("gimel.report", file) for file in files)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _other_namespaces(names: Iterable[str], choices: Choices) -> list[tuple[str, str]]:
    """Return the first ten names of namespaces that are not shown, each with its address."""
    others = [name for name in names if name != choices.namespace][:_LISTED]
    return [(visible(each), replace(choices, namespace=each).address()) for each in others]


def _label(name: str) -> str:
    return shorten(visible(name), _LONGEST_OPTION)


def _confidences(choices: Choices) -> tuple[Option, ...]:
    return tuple(
        Option(f"{level:g}", f"{100 * level:g}%", level == choices.confidence)
        for level in sorted({*CONFIDENCES, choices.confidence})
    )

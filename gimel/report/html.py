"""Experiments as HTML: what stands on each page, in which words. Values come in, text goes out; nothing is asked or kept here.

Templates only lay out what the views of this module hold. Every page carries its own style and script, named by their hashes in
a Content-Security-Policy that allows nothing else: a saved report needs no other file, and a name can never run.
"""

from __future__ import annotations

import base64
import hashlib
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

import gimel
from gimel import templating
from gimel.analysis.counts import EXACT, ExperimentCounts
from gimel.analysis.experiment import Experiment, Goal, NotFound
from gimel.analysis.verdict import Kind, Verdict
from gimel.errors import GimelError, suggest
from gimel.report import figures, plots, wording
from gimel.report.figures import NONE, visible
from gimel.report.plots import Plot

BASE = "/dashboard"
CONFIDENCES = (0.8, 0.9, 0.95, 0.99, 0.999)
SECONDS_BETWEEN_LOOKS = 10

_UNTRUSTED = (Kind.SPLIT_MISMATCH, Kind.NOT_A_CONVERSION)


@dataclass(frozen=True)
class Choices:
    """What a reader chose to see. `usual` is the namespace of an address that names none."""

    namespace: str
    usual: str
    goal: str | None = None
    control: str | None = None
    confidence: float = 0.95

    def address(self, path: str = "", **more: str) -> str:
        """Return the address of a page with these choices, those that are usual left out."""
        query = dict(more)
        if self.namespace != self.usual:
            query["namespace"] = self.namespace
        if self.confidence != 0.95:
            query["confidence"] = f"{self.confidence:g}"
        for name, value in (("control", self.control), ("goal", self.goal)):
            if value is not None and path == "/experiment":
                query[name] = value
        return f"{BASE}{path}{'?' if query else ''}{urlencode(query, errors='replace')}"


@dataclass(frozen=True)
class Frame:
    """What surrounds every page. `source` says where the figures come from; `keyed` that a key was given, to be forgotten."""

    source: str
    is_demo: bool = False
    csrf: str = ""
    keyed: bool = False


@dataclass(frozen=True)
class Table:
    """A table whose first column names the row; the others hold figures."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Said:
    """A verdict: its mark (`stop`, `go`, `doubt`), the goal that it is about, '' for none, and the sentence."""

    mark: str
    goal: str
    sentence: str
    anchor: str = ""


@dataclass(frozen=True)
class GoalView:
    anchor: str
    name: str
    said: Said
    rates: Plot | None
    lifts: Plot | None
    rate_table: Table
    lift_table: Table | None


@dataclass(frozen=True)
class ExperimentView:
    anchor: str
    name: str
    facts: str
    doubts: tuple[str, ...]
    notes: tuple[str, ...]
    verdicts: tuple[Said, ...]
    participants: Table | None
    goals: tuple[GoalView, ...]


@dataclass(frozen=True)
class Line:
    """An experiment in the overview."""

    anchor: str
    name: str
    address: str
    since: str
    visitors: str
    said: Said
    doubts: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """One of the options of a field: what is sent, what is shown."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class Options:
    """The options of each field of an experiment's form."""

    goals: tuple[Choice, ...] = ()
    controls: tuple[Choice, ...] = ()
    confidences: tuple[Choice, ...] = field(default=())


def overview(
    experiments: Sequence[Experiment],
    ignored: Mapping[str, int],
    choices: Choices,
    frame: Frame,
    now: float,
    deleted: str | None = None,
) -> str:
    """Return the page of all experiments, in the order given.

    `ignored` are the events of no known experiment, by reason; `deleted` is an experiment that is just gone.
    """
    return _page(
        "overview",
        "Experiments",
        frame,
        choices,
        now,
        lines=_lines(experiments, choices, now),
        ignored=wording.reasons(ignored),
        deleted=visible(deleted) if deleted else None,
        options=Options(confidences=_confidences(choices)),
    )


def experiment(found: Experiment, choices: Choices, frame: Frame, now: float) -> str:
    """Return the page of one experiment. Raises NotFound where it has no goal of the name chosen."""
    shown = found if choices.goal is None else _with_goal(found, choices.goal)
    options = Options(
        (
            Choice("", "all goals", choices.goal is None),
            *(
                Choice(goal.name, _label(goal.name), goal.name == choices.goal)
                for goal in found.goals
            ),
        ),
        tuple(
            Choice(name, _label(name), found.control is not None and name == found.control.name)
            for name in sorted(arm.name for arm in found.arms)
        ),
        _confidences(choices),
    )
    return _page(
        "experiment",
        visible(found.name),
        frame,
        choices,
        now,
        view=_experiment(shown, now),
        raw_name=found.name,
        options=options,
        delete=choices.address("/delete", name=found.name),
    )


def delete(found: ExperimentCounts, choices: Choices, frame: Frame, now: float) -> str:
    """Return the page that asks whether an experiment is to be deleted."""
    visitors = figures.count(sum(count.value for count in found.visitors.values()))
    return _page(
        "delete",
        f"Delete {visible(found.name)}?",
        frame,
        choices,
        now,
        name=visible(found.name),
        raw_name=found.name,
        visitors=visitors,
        back=choices.address("/experiment", name=found.name),
    )


def failure(error: GimelError, choices: Choices, frame: Frame, now: float) -> str:
    """Return the page that says what went wrong and what to do."""
    message, hint = visible(error.message), visible(error.hint)
    return _page("failure", "This did not work", frame, choices, now, message=message, hint=hint)


def sign_in(wrong: bool, choices: Choices, frame: Frame, now: float) -> str:
    """Return the page that asks for the API key; `wrong` where another was given."""
    return _page("sign_in", "API key", frame, choices, now, wrong=wrong)


def report(
    experiments: Sequence[Experiment],
    ignored: Mapping[str, int],
    choices: Choices,
    frame: Frame,
    now: float,
) -> str:
    """Return one page that holds everything and needs no other file."""
    lines = tuple(
        replace(line, address=f"#{line.anchor}") for line in _lines(experiments, choices, now)
    )
    views = [_experiment(each, now) for each in experiments]
    return _page(
        "report",
        "Experiments",
        frame,
        choices,
        now,
        lines=lines,
        views=views,
        ignored=wording.reasons(ignored),
    )


def policy(inline: bool = False) -> str:
    """Return the Content-Security-Policy of the pages; `inline` is that of a report, which has no script and sends nothing."""
    style = f"default-src 'none'; img-src data:; style-src {_hash(_style())}"
    if inline:
        return f"{style}; form-action 'none'; base-uri 'none'"
    script = _hash(_script())
    return f"{style}; script-src {script}; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def _page(
    kind: str, title: str, frame: Frame, choices: Choices, now: float, **values: object
) -> str:
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
        as_of=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now)),
        seconds=SECONDS_BETWEEN_LOOKS,
        how_to_read=wording.HOW_TO_READ,
        policy=policy(inline=True) if is_report else None,
        style=_style(),
        script=None if is_report else _script(),
        version=gimel.__version__,
        **values,
    )


def _style() -> str:
    return templating.source("gimel.report", "style.css")


def _script() -> str:
    return templating.source("gimel.report", "script.js")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _anchor(*names: str) -> str:
    """Return an id that stays the same while others come and go."""
    joined = "\0".join(names).encode("utf-8", "replace")
    return f"at-{zlib.crc32(joined):08x}"


def _lines(experiments: Iterable[Experiment], choices: Choices, now: float) -> tuple[Line, ...]:
    return tuple(
        Line(
            _anchor(each.name),
            visible(each.name),
            choices.address("/experiment", name=each.name),
            figures.since(each.since, now) if each.since is not None else NONE,
            figures.count(each.visitors),
            _said(*each.headline, each.is_doubtful),
            tuple(visible(doubt) for doubt in each.doubts if doubt != each.headline[1].sentence),
        )
        for each in experiments
    )


def _said(
    goal: str,
    verdict: Verdict,
    is_doubtful: bool = False,
    sentence: str | None = None,
    anchor: str = "",
) -> Said:
    mark = (
        "doubt"
        if verdict.kind in _UNTRUSTED or is_doubtful
        else "stop"
        if verdict.safe_to_stop
        else "go"
    )
    return Said(
        mark, visible(goal), visible(verdict.sentence) if sentence is None else sentence, anchor
    )


def _experiment(found: Experiment, now: float) -> ExperimentView:
    facts = [f"{figures.count(found.visitors)} visitors"]
    if found.since is not None:
        facts.insert(0, f"since {figures.since(found.since, now)}")
    if found.control and len(found.arms) > 1:
        facts.append(f"control: {visible(found.control.name)}")
    misused = [
        f"{goal.name}: {goal.verdict.sentence}"
        for goal in found.goals
        if goal.verdict.kind is Kind.NOT_A_CONVERSION
    ]
    verdicts = [
        _said(
            goal,
            verdict,
            sentence=wording.below_doubts(verdict),
            anchor=_anchor(found.name, goal) if goal else "",
        )
        for goal, verdict in found.verdicts
    ]
    return ExperimentView(
        _anchor(found.name),
        visible(found.name),
        "; ".join(facts),
        tuple(visible(doubt) for doubt in (*found.doubts, *misused)),
        tuple(wording.notes(found)),
        tuple(verdicts),
        _participants(found) if found.arms else None,
        tuple(_goal(found, goal) for goal in found.goals),
    )


def _with_goal(found: Experiment, name: str) -> Experiment:
    goals = tuple(goal for goal in found.goals if goal.name == name)
    if not goals:
        hint = suggest(name, [goal.name for goal in found.goals])
        raise NotFound(f"The experiment {found.name!r} has no goal {name!r}.", hint)
    return replace(found, goals=goals)


def _goal(found: Experiment, goal: Goal) -> GoalView:
    return GoalView(
        _anchor(found.name, goal.name),
        visible(goal.name),
        _said(goal.name, goal.verdict, sentence=wording.below_doubts(goal.verdict)),
        plots.rates(goal) if goal.is_conversion else None,
        plots.lifts(goal) if goal.is_conversion else None,
        _rates(goal) if goal.is_conversion else _per_visitor(goal),
        _lifts(goal) if goal.is_conversion and len(goal.arms) > 1 else None,
    )


def _participants(found: Experiment) -> Table:
    split, rows = found.split, []
    for arm, observed, expected in zip(found.arms, split.observed, split.expected, strict=True):
        error = "exact" if arm.visitors.precision == EXACT else figures.count(arm.visitors.error)
        shares = [f"{100 * share:.1f}%" if arm.weight else NONE for share in (observed, expected)]
        rows.append(
            (
                visible(arm.name),
                figures.count(arm.visitors.value),
                error if arm.visitors.value else NONE,
                *shares,
            )
        )
    return Table(
        "Visitors of each variant",
        ("variant", "visitors", "counting error", "share", "meant"),
        tuple(rows),
    )


def _rates(goal: Goal) -> Table:
    places = figures.digits(variant.rate for variant in goal.variants if variant.arm.visitors.value)
    rows = []
    for variant in goal.variants:
        arm = variant.arm
        rate, between = (
            wording.interval(variant.rate, places) if arm.visitors.value else (NONE, NONE)
        )
        counts = figures.count(arm.visitors.value), figures.count(arm.conversions.value)
        rows.append((visible(arm.name), *counts, rate, between, figures.chance(variant.best)))
    columns = (
        "variant",
        "visitors",
        "conversions",
        "rate, %",
        f"{100 * goal.confidence:g}% interval",
        "best",
    )
    return Table(f"Rate of {visible(goal.name)}", columns, tuple(rows))


def _lifts(goal: Goal) -> Table:
    compared = [variant for variant in goal.variants if variant.comparison]
    anytime = [
        each.comparison.anytime_lift
        for each in compared
        if each.comparison and each.comparison.anytime_lift
    ]
    places = figures.digits(anytime)
    rows = []
    for variant in compared:
        lift = variant.comparison.anytime_lift if variant.comparison else None
        wide = wording.interval(lift, places, sign=True)[1] if lift else NONE
        rows.append((visible(variant.arm.name), *wording.compared(variant, goal), wide))
    columns = (
        "variant",
        "difference, points",
        "lift, %",
        "p (Holm)",
        "beats it",
        "lift at any look, %",
    )
    return Table(
        f"{visible(goal.name)} against {visible(goal.control.name)}, the control",
        columns,
        tuple(rows),
    )


def _per_visitor(goal: Goal) -> Table:
    rows = tuple(
        (
            visible(arm.name),
            figures.count(arm.visitors.value),
            figures.count(arm.conversions.value),
            f"{arm.per_visitor:,.2f}" if arm.visitors.value else NONE,
        )
        for arm in goal.arms
    )
    return Table(
        f"Goals per visitor of {visible(goal.name)}",
        ("variant", "visitors", "goals", "goals per visitor"),
        rows,
    )


def _label(name: str) -> str:
    return figures.shortened(visible(name), 60)


def _confidences(choices: Choices) -> tuple[Choice, ...]:
    return tuple(
        Choice(f"{each:g}", f"{100 * each:g}%", each == choices.confidence)
        for each in sorted({*CONFIDENCES, choices.confidence})
    )

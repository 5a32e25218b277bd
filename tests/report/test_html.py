"""The pages as HTML: what they say, where they link to, and that no name can run."""

from __future__ import annotations

import re

import pytest

from gimel.analysis.counts import Count, ExperimentCounts
from gimel.analysis.experiment import Experiment, analyse
from gimel.api import answers
from gimel.errors import GimelError
from gimel.report import html
from gimel.report.html import Choices, Frame
from tests.support.answers import analysed, answer, row, two
from tests.support.pages import text_of

NOW = 1_700_000_000 + 21 * 86400.0
CHOICES = Choices("alephbet", "alephbet")
FRAME = Frame("counted by https://host/prod")
HOSTILE = "<script>alert(1)</script>"


def overview(*experiments: Experiment, choices: Choices = CHOICES, **ignored: int) -> str:
    return html.overview(experiments, ignored, choices, FRAME, NOW)


@pytest.mark.parametrize(
    ("choices", "path", "more", "address"),
    [
        (CHOICES, "", {}, "/dashboard"),
        (CHOICES, "/experiment", {"name": "a b&c"}, "/dashboard/experiment?name=a+b%26c"),
        (Choices("shop", "alephbet"), "", {}, "/dashboard?namespace=shop"),
        (
            Choices("a", "a", "buy", "red", 0.99),
            "/experiment",
            {"name": "e"},
            "/dashboard/experiment?name=e&confidence=0.99&control=red&goal=buy",
        ),
        (Choices("a", "a", "buy", "red"), "/delete", {"name": "e"}, "/dashboard/delete?name=e"),
    ],
    ids=["usual", "a name", "a namespace", "all choices", "for one experiment only"],
)
def test_an_address_has_the_unusual_choices(
    choices: Choices, path: str, more: dict[str, str], address: str
) -> None:
    """Goal and control are kept only on the page of the experiment."""
    assert choices.address(path, **more) == address


@pytest.mark.parametrize("kind", ["overview", "experiment", "report"])
def test_a_reached_limit_comes_before_the_figures(kind: str) -> None:
    """On every page, with what to do about it."""
    found = analysed(two(ignored={"limit reached": 41}))
    pages = {
        "overview": html.overview([found], {}, CHOICES, FRAME, NOW),
        "experiment": html.experiment(found, CHOICES, FRAME, NOW),
        "report": html.report([found], {}, CHOICES, FRAME, NOW),
    }

    shown = text_of(pages[kind])

    assert "! A limit was reached: 41 events were not counted." in shown
    assert shown.index("gimel delete") < shown.index("20,000")
    assert "<code>gimel delete</code>" in pages[kind]


@pytest.mark.parametrize(
    ("visitors", "text"), [(1, "(1 visitor)"), (1234, "(1,234 visitors)")], ids=str
)
def test_deleting_says_how_much_is_lost(visitors: int, text: str) -> None:
    """And that it cannot be undone."""
    counts = ExperimentCounts("e", {"a": Count(visitors)}, {})

    shown = text_of(html.delete(counts, CHOICES, FRAME, NOW))

    assert f"This permanently deletes everything counted in this experiment {text}." in shown
    assert "It cannot be undone." in shown


def test_a_failure_has_its_hint_and_a_way_back() -> None:
    """Message and hint are shown as text; the link leads to the namespace's experiments."""
    error = GimelError("\x07 went wrong.", "Try again.")

    page = html.failure(error, Choices("shop", "alephbet"), FRAME, NOW)

    assert "\\u0007 went wrong. Try again." in text_of(page)
    assert '<a href="/dashboard?namespace=shop">All experiments</a>' in page


WORDS = [
    "lift",
    "95% interval",
    "the bars",
    "needs attention, decided, running",
    "better, worse",
    "perhaps 5 days",
    "wait 5 days",
    "leans better, leans worse",
    "decided 3 May, known since 3 May",
    "over time",
    "control",
    "primary goal, guardrail, secondary goal",
    "safe to stop",
    "failed for 60%, few failed",
    "guardrail open, harm not ruled out yet",
    "expected split",
    "counting error",
    "unlikely to be decided",
    "failures to convert",
]


@pytest.mark.parametrize("kind", ["overview", "empty", "experiment", "report"])
def test_the_words_are_explained(kind: str) -> None:
    """At the end of every page with figures, and once."""
    found = analysed(two())
    pages = {
        "overview": overview(found),
        "empty": overview(),
        "experiment": html.experiment(found, CHOICES, FRAME, NOW),
        "report": html.report([found], {}, CHOICES, FRAME, NOW),
    }

    assert re.findall(r"<dt>([^<]+)</dt>", pages[kind]) == WORDS


@pytest.mark.parametrize("kind", ["overview", "experiment", "report"])
def test_the_interval_is_named_by_its_confidence(kind: str) -> None:
    """In the headings and the glossary alike."""
    counts = answers.parse(answer(two(red=(10_000, 700)))).experiments[0]
    found = analyse(counts, now=NOW, confidence=0.99)
    choices = Choices("alephbet", "alephbet", confidence=0.99)
    pages = {
        "overview": overview(found, choices=choices),
        "experiment": html.experiment(found, choices, FRAME, NOW),
        "report": html.report([found], {}, choices, FRAME, NOW),
    }

    shown = text_of(pages[kind])
    assert "95% interval" not in shown
    assert "lift 99% interval" in shown
    assert "the true lift is ever outside in at most 1% of experiments" in shown


@pytest.mark.parametrize("wrong", [False, True])
def test_a_wrong_key_is_reported(wrong: bool) -> None:
    """Only after one was given."""
    shown = text_of(html.sign_in(wrong, CHOICES, FRAME, NOW, hours=12, days=30))

    assert ("This API key is wrong." in shown) is wrong
    assert "open for 12 hours, and after 30 days in any case." in shown


@pytest.mark.parametrize(
    ("frame", "text", "shown"),
    [
        (Frame("counted by X"), "Sign out", False),
        (Frame("counted by X", keyed=True), "Sign out", True),
        (Frame("counted by X"), "Made-up experiments.", False),
        (Frame("made up", is_demo=True), "Made-up experiments.", True),
    ],
)
def test_the_frame_of_a_page(frame: Frame, text: str, shown: bool) -> None:
    """Readers with a key can sign out, and a demo says that it is one."""
    assert (text in html.overview([], {}, CHOICES, frame, NOW)) is shown


def test_a_report_links_to_its_own_parts() -> None:
    """Every name in the overview leads to an id on the same page."""
    experiments = [analysed(two("one")), analysed(two("two"))]

    page = html.report(experiments, {}, CHOICES, FRAME, NOW)

    links = re.findall(r'<a id="[^"]+" href="#(at-\w+)"', page)
    assert len(links) == 2
    assert all(f'id="{link}"' in page for link in links)


def test_a_report_needs_nothing_else() -> None:
    """It has no script, no form and no address of another file."""
    page = html.report([analysed(two())], {}, CHOICES, FRAME, NOW)

    assert not re.search(r"<(script|form|link rel=.stylesheet)", page)
    assert not re.search(r'(src|href)="(?!#|data:)', page)


@pytest.mark.parametrize("inline", [False, True], ids=["page", "report"])
def test_the_policy_allows_only_what_the_page_has(inline: bool) -> None:
    """Style and script are named by their hashes; a report has no script to allow."""
    policy = html.policy(inline)

    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy
    assert ("script-src" in policy) is not inline


HOSTILE_EXPERIMENT = analysed(
    row(HOSTILE, {HOSTILE: (99, {HOSTILE: 9}), "z": (99, {})}, (HOSTILE,))
)
HOSTILE_CHOICES = Choices(HOSTILE, "n")


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            html.overview([HOSTILE_EXPERIMENT], {HOSTILE: 1}, HOSTILE_CHOICES, FRAME, NOW, HOSTILE),
            id="overview",
        ),
        pytest.param(
            html.experiment(HOSTILE_EXPERIMENT, HOSTILE_CHOICES, FRAME, NOW), id="experiment"
        ),
        pytest.param(
            html.delete(
                ExperimentCounts(HOSTILE, {HOSTILE: Count(9)}, {}), HOSTILE_CHOICES, FRAME, NOW
            ),
            id="delete",
        ),
        pytest.param(
            html.failure(GimelError(HOSTILE, HOSTILE), HOSTILE_CHOICES, FRAME, NOW), id="failure"
        ),
        pytest.param(
            html.report([HOSTILE_EXPERIMENT], {HOSTILE: 1}, HOSTILE_CHOICES, FRAME, NOW),
            id="report",
        ),
    ],
)
def test_a_hostile_name_is_text(page: str) -> None:
    """As experiment, variant, goal, namespace, reason and message it never becomes a tag."""
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page

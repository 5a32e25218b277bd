"""`gimel sample-size`: visitors and days for a lift, or the lift for days, as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from gimel.analysis.plan import Assumptions, make_plan
from gimel.analysis.sample_size import always_valid, fixed_horizon
from tests.support.runner import invoke

USUAL = ("sample-size", "--rate", "0.05", "--lift", "0.1")


def options_as_id(value: object) -> str:
    return " ".join(value) if isinstance(value, list) else ""


def printed(home: Path, *options: str) -> list[str]:
    done = invoke("sample-size", *options, home=home)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    return lines


def answered(home: Path, *options: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(invoke("sample-size", *options, "--json", home=home).stdout)
    return answer


def test_the_sample_size_is_printed(tmp_path: Path) -> None:
    """Per variant, in total and in days, for both ways of looking; and what counting costs."""
    shown = printed(tmp_path, *USUAL[1:], "--visitors-per-day", "5000")

    assert shown == [
        "To detect a lift of +10% (from 5% to 5.5%) with 80% power at 95% confidence:",
        "",
        "  visitors                               per variant           total     days",
        "  always valid: look whenever you like        57,681         115,362       24",
        "  fixed horizon: look once, at the end        31,442          62,884       13",
        "",
        "Counting at precision 16 needs 1.3% more visitors than exact counting.",
    ]


def test_without_visitors_per_day_there_are_no_days(tmp_path: Path) -> None:
    """The column is omitted."""
    shown = printed(tmp_path, *USUAL[1:])

    assert shown[2].endswith("total")
    assert shown[4] == "  fixed horizon: look once, at the end        31,442          62,884"


def test_the_lift_for_a_number_of_days_is_printed(tmp_path: Path) -> None:
    """With the rates it leads from and to, by both methods."""
    options = ("--rate", "0.05", "--days", "14", "--visitors-per-day", "5000")

    assert printed(tmp_path, *options) == [
        "Detectable in 14 days (35,000 visitors per variant) with 80% power at 95%",
        "confidence:",
        "",
        "                                         smallest lift                     rate",
        "  always valid: look whenever you like          +12.9%             5% to 5.645%",
        "  fixed horizon: look once, at the end          +9.48%             5% to 5.474%",
        "",
        "Counting at precision 16 needs 0.76% more visitors than exact counting.",
    ]


@pytest.mark.parametrize("rate", ["0.05", "0.9"])
@pytest.mark.parametrize("variants", ["2", "3"])
@pytest.mark.parametrize(
    ("method", "row"), [("always_valid", "always valid"), ("fixed_horizon", "fixed horizon")]
)
def test_the_lift_that_days_detect_takes_these_days(
    rate: str, variants: str, method: str, row: str, tmp_path: Path
) -> None:
    """Both the figure in JSON and the rounded one that is printed."""
    others = ("--rate", rate, "--variants", variants, "--visitors-per-day", "5001")
    exactly = str(answered(tmp_path, *others, "--days", "17")[method]["lift"])
    [line] = [
        line for line in printed(tmp_path, *others, "--days", "17") if line.strip().startswith(row)
    ]
    rounded = str(float(line.split()[-4].strip("+%")) / 100)

    for lift in (exactly, rounded):
        assert answered(tmp_path, *others, "--lift", lift)[method]["days"] == 17


@pytest.mark.parametrize(
    ("lift", "heading"),
    [
        ("0.2", "To detect 20% fewer failures (a rate from 90% to 92%)"),
        ("-0.2", "To detect 20% more failures (a rate from 90% to 88%)"),
    ],
)
def test_above_one_half_a_lift_is_one_of_the_failures(
    lift: str, heading: str, tmp_path: Path
) -> None:
    """The heading names the rates, and a sentence says what a failure is."""
    shown = printed(tmp_path, "--rate", "0.9", "--lift", lift)

    assert shown[:2] == [f"{heading} with 80% power at 95%", "confidence:"]
    assert "Failures are the visitors who do not convert." in shown


def test_above_one_half_days_detect_fewer_failures(tmp_path: Path) -> None:
    """The share by which they fall, and a costly way of counting has advice."""
    shown = printed(tmp_path, "--rate", "0.9", "--days", "14", "--visitors-per-day", "5000")

    assert shown[3:] == [
        "                                        fewer failures                     rate",
        "  always valid: look whenever you like           12.8%            90% to 91.28%",
        "  fixed horizon: look once, at the end           9.44%           90% to 90.944%",
        "",
        "Failures are the visitors who do not convert.",
        "",
        "Counting at precision 16 needs 2.3 times the visitors of exact counting. A",
        "higher --precision needs fewer.",
    ]


def test_a_negative_lift_is_a_drop(tmp_path: Path) -> None:
    """It needs fewer visitors than a rise by the same share, because the variance falls."""
    shown = printed(tmp_path, "--rate", "0.05", "--lift", "-0.1")

    assert shown[0].startswith("To detect a lift of -10% (from 5% to 4.5%) with")
    assert shown[3].split()[-2:] == ["52,063", "104,126"]


@pytest.mark.parametrize(
    ("options", "has_advice"),
    [
        (["--lift", "0.1", "--visitors-per-day", "8000"], False),
        (["--lift", "0.1", "--visitors-per-day", "11000"], True),
        (["--lift", "0.1"], False),
        (["--days", "6", "--visitors-per-day", "10000"], True),
        (["--days", "7", "--visitors-per-day", "10000"], False),
    ],
    ids=options_as_id,
)
def test_less_than_a_week_is_advised_against(
    options: list[str], has_advice: bool, tmp_path: Path
) -> None:
    """If either method needs fewer days."""
    text = " ".join(printed(tmp_path, "--rate", "0.05", *options))
    assert ("Run the experiment for at least 7 days, so that each day" in text) is has_advice


def test_json_has_the_question_and_a_plan_by_each_method(tmp_path: Path) -> None:
    """Days that were not asked for are null."""
    options = ("--power", "0.9", "--confidence", "0.99", "--variants", "3", "--precision", "1")
    shown = answered(tmp_path, *USUAL[1:], *options)

    question = Assumptions(0.05, 0.1, None, None, 0.9, 0.99, 3, 1)
    assert question.comparison.alpha == pytest.approx(0.005)
    assert shown == {
        "rate": 0.05,
        "lift": 0.1,
        "days": None,
        "visitors_per_day": None,
        "power": 0.9,
        "confidence": 0.99,
        "variants": 3,
        "precision": 1,
        "always_valid": asdict(make_plan(question, always_valid)),
        "fixed_horizon": asdict(make_plan(question, fixed_horizon)),
    }
    plan = shown["fixed_horizon"]
    assert (plan["lift"], plan["days"]) == (0.1, None)
    assert plan["lifted_rate"] == pytest.approx(0.055)
    assert plan["visitors"] == 3 * plan["visitors_per_variant"]
    assert plan["visitors_per_variant"] > plan["exact_visitors_per_variant"] > 0


def test_json_has_the_same_shape_for_days(tmp_path: Path) -> None:
    """What was given is in the question; each plan has the lift, the visitors and the days."""
    options = ("--rate", "0.05", "--days", "14", "--visitors-per-day", "5000", "--variants", "4")
    shown = answered(tmp_path, *options)
    other = answered(tmp_path, *USUAL[1:])

    assert (shown["lift"], shown["days"], shown["visitors_per_day"]) == (None, 14, 5000)
    plan = shown["always_valid"]
    assert (plan["visitors_per_variant"], plan["visitors"], plan["days"]) == (17500, 70000, 14)
    assert list(shown) == list(other)
    assert list(plan) == list(other["always_valid"])


@pytest.mark.parametrize(
    ("options", "precision"), [((), 4), (("--precision", "64"), 64)], ids=["file", "option"]
)
def test_the_precision_is_the_configurations(
    options: tuple[str, ...], precision: int, tmp_path: Path
) -> None:
    """The option overrides it."""
    config = tmp_path / "config.json"
    config.write_text('{"precision": 4}')

    done = invoke("--config", str(config), *USUAL, *options, "--json", home=tmp_path)

    assert json.loads(done.stdout)["precision"] == precision


def test_a_lift_that_counting_hides_is_explained(tmp_path: Path) -> None:
    """With the number of visitors that exact counting would need."""
    options = ("--rate", "0.05", "--lift", "0.01", "--precision", "1", "--visitors-per-day", "9")

    assert printed(tmp_path, *options)[3:] == [
        "  always valid: look whenever you like             -               -        -",
        "  fixed horizon: look once, at the end             -               -        -",
        "",
        "Counting at precision 1 hides this lift from the verdict, however many visitors",
        "come. Counted exactly, it would need 5,533,535 per variant. Choose a larger",
        "--lift or a higher --precision.",
    ]


@pytest.mark.parametrize(
    ("options", "explanation"),
    [
        (
            ["--rate", "0.05", "--lift", "1e-7"],
            "The verdict needs more than 1,000,000,000,000 visitors. Choose a larger --lift.",
        ),
        (
            ["--rate", "0.05", "--days", "7", "--visitors-per-day", "1"],
            "These are too few visitors for the verdict: not even a rate of 100% would be"
            " detected. Choose more --days.",
        ),
        (
            ["--rate", "0.99", "--days", "99", "--visitors-per-day", "1e6", "--precision", "1"],
            "Counting at precision 1 hides every lift from the verdict, even one to a rate of"
            " 100%. Choose a higher --precision.",
        ),
        (
            ["--rate", "0.9999", "--lift", "0.1", "--precision", "256"],
            "Counting at precision 256 hides this lift from the verdict, however many visitors"
            " come. Counted exactly, it would need 28,256,595 per variant. Choose a larger --lift.",
        ),
    ],
    ids=["small", "few", "hidden", "finest"],
)
def test_a_plan_that_is_out_of_reach_is_explained(
    options: list[str], explanation: str, tmp_path: Path
) -> None:
    """The advice fits the reason."""
    assert " ".join(printed(tmp_path, *options)).endswith(explanation)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--lift", "0.1"], "Missing option '--rate'"),
        (["--rate", "0", "--lift", "0.1"], "--rate"),
        (["--rate", "1", "--lift", "0.1"], "--rate"),
        (["--rate", "0.05"], "Give --lift to calculate the visitors it needs, or --days"),
        (
            ["--rate", "0.05", "--lift", "0.1", "--days", "3"],
            "--lift and --days cannot be combined",
        ),
        (["--rate", "0.05", "--days", "3"], "--days needs --visitors-per-day"),
        (["--rate", "0.05", "--days", "0", "--visitors-per-day", "9"], "--days"),
        (["--rate", "0.05", "--days", "9", "--visitors-per-day", "1e12"], "gives more than 1,000"),
        (["--rate", "0.05", "--lift", "0"], "--lift 0 does not change the rate."),
        (["--rate", "0.4", "--lift", "2"], "choose a lift between -1 (a rate of 0) and 1.5 (a"),
        (["--rate", "0.6", "--lift", "1.1"], "choose a lift between -1.5 (a rate of 0) and 1 (a"),
        (["--rate", "0.6", "--lift", "-1.6"], "--lift -1.6 is not possible."),
        (["--rate", "0.05", "--lift", "inf"], "--lift inf is not possible."),
        (["--rate", "0.05", "--lift", "nan"], "--lift nan is not possible."),
        (["--rate", "0.05", "--lift", "0.1", "--visitors-per-day", "nan"], "--visitors-per-day"),
        (["--rate", "0.05", "--lift", "0.1", "--visitors-per-day", "0"], "--visitors-per-day"),
        (["--rate", "0.05", "--lift", "0.1", "--power", "0.1"], "--power"),
        (["--rate", "0.05", "--lift", "0.1", "--precision", "2"], "--precision"),
    ],
    ids=options_as_id,
)
def test_wrong_usage_exits_with_2(options: list[str], message: str, tmp_path: Path) -> None:
    """The message says what is wrong."""
    done = invoke("sample-size", *options, home=tmp_path)

    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr

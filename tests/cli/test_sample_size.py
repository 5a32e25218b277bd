"""`gimel sample-size`: visitors and days for an experiment, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gimel.analysis.sample_size import sample_size
from tests.support.runner import invoke

USUAL = ("sample-size", "--rate", "0.05", "--lift", "0.1")


def test_the_sample_size_is_printed(tmp_path: Path) -> None:
    """Per variant, in total and in days, for both ways of looking; and what counting costs."""
    done = invoke(*USUAL, "--visitors-per-day", "5000", home=tmp_path)

    assert done.stdout.splitlines() == [
        "To detect a lift of +10% (from 5% to 5.5%) with 80% power at 95% confidence:",
        "",
        "  visitors                                   per variant            total   days",
        "  always valid: look whenever you like            72,248          144,496     29",
        "  fixed horizon: look once, at the end            31,442           62,884     13",
        "",
        "Counting at precision 16 needs 0.67% more visitors than exact counting.",
    ]


def test_without_visitors_per_day_there_are_no_days(tmp_path: Path) -> None:
    """The column is omitted."""
    shown = invoke(*USUAL, home=tmp_path).stdout

    assert "days" not in shown
    assert "  fixed horizon: look once, at the end            31,442           62,884\n" in shown


def test_json_has_the_question_and_the_figures(tmp_path: Path) -> None:
    """Days that were not asked for are null."""
    options = ("--power", "0.9", "--confidence", "0.99", "--variants", "3", "--precision", "1")
    shown = json.loads(invoke(*USUAL, *options, "--json", home=tmp_path).stdout)

    expected = sample_size(0.05, 0.1, 0.99, 0.9, precision=1, comparisons=2)
    assert shown == {
        "rate": 0.05,
        "lift": 0.1,
        "power": 0.9,
        "confidence": 0.99,
        "variants": 3,
        "precision": 1,
        "visitors_per_variant": {
            "fixed": expected.fixed,
            "fixed_exact": expected.fixed_exact,
            "anytime": expected.anytime,
        },
        "counting_noise": expected.widening,
        "days": {"fixed": None, "fixed_exact": None, "anytime": None},
    }


@pytest.mark.parametrize(
    ("options", "precision"), [((), 4), (("--precision", "64"), 64)], ids=["file", "option"]
)
def test_the_precision_is_the_configurations(
    options: tuple[str, ...], precision: int, tmp_path: Path
) -> None:
    """The option goes before it."""
    config = tmp_path / "config.json"
    config.write_text('{"precision": 4}')

    done = invoke("--config", str(config), *USUAL, *options, "--json", home=tmp_path)

    assert json.loads(done.stdout)["precision"] == precision


def test_a_lift_that_counting_hides_is_explained(tmp_path: Path) -> None:
    """With the number of visitors that exact counting would need."""
    options = ("--rate", "0.05", "--lift", "0.01", "--precision", "1", "--visitors-per-day", "9")
    done = invoke("sample-size", *options, home=tmp_path)

    assert done.exit_code == 0
    assert done.stdout.splitlines()[3:] == [
        "  always valid: look whenever you like                 -                -      -",
        "  fixed horizon: look once, at the end                 -                -      -",
        "",
        "Counting at precision 1 can never detect this lift. Counted exactly, one look needs",
        "2,996,736 visitors per variant. Choose a higher --precision or a larger --lift.",
    ]


def test_a_lift_too_small_for_any_experiment_is_explained(tmp_path: Path) -> None:
    """The advice is to choose a larger one."""
    done = invoke("sample-size", "--rate", "0.05", "--lift", "1e-7", home=tmp_path)

    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == (
        "More than 1,000,000,000,000 visitors per variant would be needed. Choose a larger --lift."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rate", "0.05"], "Missing option '--lift'"),
        (["--rate", "0.05", "--lift", "0"], "gives a rate of 0.05. Choose a lift"),
        (["--rate", "0.6", "--lift", "1"], "gives a rate of 1.2. Choose a lift"),
        (["--rate", "0.05", "--lift", "inf"], "--lift"),
        (["--rate", "0.05", "--lift", "0.1", "--visitors-per-day", "nan"], "--visitors-per-day"),
        (["--rate", "0.05", "--lift", "0.1", "--precision", "2"], "--precision"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_exits_with_2(options: list[str], message: str, tmp_path: Path) -> None:
    """The message says what is wrong."""
    done = invoke("sample-size", *options, home=tmp_path)

    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr

"""The control: chosen, designed, found by its name, or only guessed."""

from __future__ import annotations

import pytest

from gimel.analysis.design import Design, default_control
from gimel.analysis.experiment import NotFound, analyse_all
from gimel.api import answers
from tests.support.answers import SINCE, analysed, answer, row, two


@pytest.mark.parametrize(
    ("variants", "control", "is_guess"),
    [
        (["Amber", "Control", "baseline"], "Control", False),
        (["AMBER", "ORIGINAL", "baseline"], "ORIGINAL", False),
        (["Amber", "Baseline", "a"], "Baseline", False),
        (["new", "old"], "old", False),
        (["A", "B"], "A", False),
        (["1", "0"], "0", False),
        (["off", "on"], "off", False),
        (["current", "improved"], "current", False),
        (["alternative", "default"], "default", False),
        (["red", "blue"], "blue", True),
        (["controlled", "b"], "b", True),
        ([], None, False),
    ],
    ids=str,
)
def test_the_control_is_found_by_its_name(
    variants: list[str], control: str | None, is_guess: bool
) -> None:
    """It is the variant with a usual name of a control in any case, else a guess: the first."""
    assert default_control(variants) == (control, is_guess)


def test_the_control_comes_first() -> None:
    """In an experiment and under each goal it comes before the others, which are in order."""
    experiment = analysed(row("e", {name: (100, {"buy": 5}) for name in ("b", "control", "a")}))

    assert [arm.name for arm in experiment.arms] == ["control", "a", "b"]
    variants = experiment.goals[0].variants
    assert [(each.arm.name, each.is_control) for each in variants] == [
        ("control", True),
        ("a", False),
        ("b", False),
    ]


@pytest.mark.parametrize(("chosen", "control"), [(None, "b"), ("c", "c")], ids=["design", "choice"])
def test_a_chosen_control_goes_before_the_designs(chosen: str | None, control: str) -> None:
    """Both go before the variant that is called control."""
    item = row("e", {name: (100, {}) for name in ("a", "b", "c", "control")})

    assert analysed(item, Design(control="b"), control=chosen).arms[0].name == control


def test_a_control_that_does_not_exist_is_refused() -> None:
    """The error suggests similar names."""
    with pytest.raises(NotFound, match="no variant 'Blu'") as failure:
        analysed(two(), control="Blu")

    assert failure.value.hint == "Did you mean 'blue'?"


@pytest.mark.parametrize(
    ("names", "design", "control", "is_guess"),
    [
        (("old", "new"), None, None, False),
        (("red", "blue"), None, None, True),
        (("red", "blue"), Design(control="blue"), None, False),
        (("red", "blue"), None, "blue", False),
        (("red",), None, None, False),
    ],
    ids=["by name", "guess", "design", "choice", "no other"],
)
def test_a_guessed_control_is_marked(
    names: tuple[str, ...], design: Design | None, control: str | None, is_guess: bool
) -> None:
    """Nobody called it the control, and another variant could be it as well."""
    experiment = analysed(row("e", {name: (100, {"buy": 5}) for name in names}), design, control)

    assert experiment.control_is_guess is is_guess


def test_a_control_for_all_is_used_where_it_exists() -> None:
    """An experiment without such a variant keeps its own control."""
    counts = answers.parse(answer(two("a"), row("b", {"x": (10, {}), "y": (10, {})})))

    first, second = analyse_all(counts, {}, now=SINCE, control="red")

    assert (first.arms[0].name, second.arms[0].name) == ("red", "x")


def test_a_control_that_no_experiment_has_is_refused() -> None:
    """The error suggests similar names of any experiment."""
    counts = answers.parse(answer(two("a"), row("b", {"x": (10, {})})))

    with pytest.raises(NotFound, match="No experiment has a variant 'redd'") as failure:
        analyse_all(counts, {}, now=SINCE, control="redd")

    assert failure.value.hint == "Did you mean 'red'?"

"""The made-up experiments of `gimel dashboard --demo`."""

from __future__ import annotations

import pytest

from gimel.analysis.experiment import NotFound, analyse_all
from gimel.analysis.verdict import Kind
from gimel.serve.demo import DESIGNS, Demo

NOW = 1_790_000_000


def test_the_demo_has_every_verdict() -> None:
    """At least once, whatever verdicts there are."""
    found = analyse_all(Demo(NOW).experiments("alephbet"), DESIGNS, now=NOW)
    kinds = {each.headline.kind for each in found}
    kinds |= {goal.verdict.kind for each in found for goal in each.goals}
    assert kinds == set(Kind)


def test_the_demo_has_one_namespace() -> None:
    """Others are empty, and nothing can be deleted there."""
    demo = Demo(NOW, "shop")
    assert demo.experiments("shop").namespaces == ("shop",)
    assert demo.experiments("alephbet").experiments == ()
    assert demo.experiments("alephbet").namespaces == ("shop",)
    demo.delete("alephbet", "headline")
    assert demo.experiment("shop", "headline")


def test_a_deleted_experiment_is_gone() -> None:
    """Until the next run."""
    demo = Demo(NOW)
    demo.delete("alephbet", "headline")
    with pytest.raises(NotFound):
        demo.experiment("alephbet", "headline")
    assert Demo(NOW).experiment("alephbet", "headline")


def test_the_demo_has_variants_that_failed() -> None:
    """For many visitors, and for few."""
    found = analyse_all(Demo(NOW).experiments("alephbet"), DESIGNS, now=NOW)
    assert {failed.matters for each in found for failed in each.failed} == {True, False}

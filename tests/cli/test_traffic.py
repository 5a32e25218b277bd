"""The options of `gimel simulate` that describe visitors: every wrong value is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import gimel_here


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rates", "red"], "expected VARIANT=RATE with a rate from 0 to 1"),
        (["--rates", "red=5"], "got 'red=5'"),
        (["--rates", "red=-0.1"], "got 'red=-0.1'"),
        (["--rates", "red=nan"], "got 'red=nan'"),
        (["--rates", "=0.5"], "got '=0.5'"),
        (["--rates", ""], "got ''"),
        (["--rates", "red=0.1..2"], "got 'red=0.1..2'"),
        (["--rates", "red=0.1.."], "got 'red=0.1..'"),
        (["--rates", "red=0.1/"], "got 'red=0.1/'"),
        (["--rates", "red=0.1,red=0.2"], "'red' is given twice"),
        (["--rates", f"{'r' * 201}=0.1"], "the name is longer than 200 characters"),
        (
            ["--weights", "red=-1,blue=2"],
            "expected VARIANT=WEIGHT with a weight from 0 to 1,000,000",
        ),
        (["--weights", "red=inf,blue=2"], "got 'red=inf'"),
        (["--weights", "red=1000001,blue=2"], "got 'red=1000001'"),
        (["--weights", "red=0,blue=0"], "at least one weight must be above 0"),
        (["--weights", "red=1,red=2"], "'red' is given twice"),
        (["--weights", "red=1"], "--weights has no weight for 'blue'"),
        (
            ["--weights", "red=1,bleu=1"],
            "--weights has a weight for the unknown variant 'bleu'. Did you mean 'blue'?",
        ),
        (["--goal", "participate"], "a goal cannot be named 'participate'"),
        (["--goal", "participate:red=0.1"], "a goal cannot be named 'participate'"),
        (["--goal", "gimel:error"], "a goal cannot be named 'gimel:error'"),
        (["--goal", "buy", "--goal", "buy:red=0.1"], "'buy' is given twice"),
        (["--goal", ""], "the name is empty"),
        (["--goal", ":red=0.1"], "the name is empty"),
        (["--goal", "red=0.1"], "expected NAME or NAME:RATES, like buy:red=0.05,blue=0.06"),
        (["--goal", "buy:red=2"], "got 'red=2'"),
        (
            ["--goal", "buy", "--goal", "cart:red=0.1,green=0.1"],
            "The goal 'cart' has a rate for the unknown variant 'green'. Available: 'red', 'blue'.",
        ),
        (["--goal", "buy", "--goal", "cart:red=0.1"], "The goal 'cart' has no rate for 'blue'."),
        (["--goal", "buy:red=0.1", "--rates", "red=0.1"], "--rates is not needed"),
        ([f"--goal=g{each}" for each in range(100)], "at most 99 goals are possible, not 100"),
        (["--experiment", ""], "the name is empty"),
        (["--experiment", "a\nb"], "the name contains a control character"),
        (["--namespace", ""], "the name is empty"),
        (["--visitors", "0"], "--visitors"),
        (["--seed", "-1"], "--seed"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_wrong_usage_exits_with_2(options: list[str], message: str, tmp_path: Path) -> None:
    """Before anything is sent."""
    done = gimel_here("simulate", *options, home=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in " ".join(done.stderr.split())

"""`gimel snippet`: HTML to paste into a page."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gimel.analysis import design
from gimel.config.schema import Experiment
from gimel.page.snippet import Design, snippet
from gimel.runtime.fields import DEFAULT_NAMESPACE
from tests.cli.conftest import Done

URL = "https://abc.example.com/prod/e"
EXPERIMENT = ("--experiment", "price", "--variants", "low,high", "--goal", "bought")


def test_without_options_it_is_an_example_for_gimel_serve(run: Callable[..., Done]) -> None:
    """Ready to paste, with the track URL of `gimel serve`."""
    done = run("snippet")
    assert done == Done(0, snippet("http://127.0.0.1:8000/e", DEFAULT_NAMESPACE), "")
    assert '"buy button colour"' in done.stdout


def test_the_options_describe_the_experiment(run: Callable[..., Done]) -> None:
    """Names with commas and spaces, weights as integers, goals with selectors and without."""
    done = run(
        "snippet",
        *("--experiment", "price, new", "--variants", 'low,"high, but fair", free', "--weights"),
        *("0.5,1, 2.5", "--goal", "bought=.buy, form[action='/buy']", "--goal", "signed up"),
        *("--url", URL, "--namespace", "shop", "--file", "/gimel.js"),
    )
    experiment = Design(
        "price, new",
        ("low", "high, but fair", "free"),
        (1, 2, 5),
        {"bought": ".buy, form[action='/buy']", "signed up": None},
    )
    assert (done.code, done.stdout) == (0, snippet(URL, "shop", experiment, file="/gimel.js"))


@pytest.mark.parametrize("weights", ["2,1", "3,3", None])
def test_weights_come_with_what_config_json_needs(
    run: Callable[..., Done], weights: str | None
) -> None:
    """Without it, results say that the split is wrong. Equal weights need nothing."""
    done = run("snippet", *EXPERIMENT, "--url", URL, *(["--weights", weights] if weights else []))
    if weights != "2,1":
        assert done.stderr == ""
        return
    experiments = json.loads(done.stderr.partition('"experiments": ')[2])
    assert Experiment(**experiments["price"]).design() == design.Design(
        control="low", weights={"low": 2, "high": 1}
    )


@pytest.mark.parametrize("file", [None, "/alephbet.min.js"])
def test_alephbet_is_an_option(file: str | None, run: Callable[..., Done]) -> None:
    """From a CDN, or from the site."""
    given = () if file is None else ("--file", file)
    done = run("snippet", *EXPERIMENT, "--url", URL, "--alephbet", *given)
    design = Design("price", ("low", "high"), goals={"bought": None})
    assert done == Done(0, snippet(URL, design=design, alephbet=True, file=file), "")


def test_the_snippet_lets_nothing_break_out(run: Callable[..., Done]) -> None:
    """A name with markup stays a JavaScript string."""
    done = run("snippet", "--namespace", '</script><b>"')
    assert done.stdout.count("</script>") == 2
    assert "<b>" not in done.stdout


def test_an_insecure_url_is_printed_with_a_warning(run: Callable[..., Done]) -> None:
    """On stderr, so that the HTML can be redirected into a file."""
    done = run("snippet", "--url", "http://192.168.0.2:8000/e")
    assert done.code == 0
    assert done.stdout == snippet("http://192.168.0.2:8000/e")
    assert done.stderr.startswith("Warning: browsers do not let an HTTPS page send events to ")


def test_the_snippet_needs_a_track_url(run: Callable[..., Done]) -> None:
    """The page would take a URL without scheme and host as relative."""
    done = run("snippet", "--url", "example.com/track")
    assert (done.code, done.stdout) == (1, "")
    assert "Error: 'example.com/track' is not the URL" in done.stderr


def given(**options: str) -> list[str]:
    """Return complete options, some of them replaced; "" removes one."""
    values = {"experiment": "price", "variants": "low,high", "goal": "bought", **options}
    return [word for name, value in values.items() if value for word in (f"--{name}", value)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (given(experiment=""), "--experiment is missing."),
        (given(variants=""), "--variants is missing."),
        (given(goal=""), "--goal is missing: without a goal there is nothing to compare."),
        (["--weights", "1,2"], "--experiment is missing."),
        (given(experiment=" "), "a name is empty."),
        (given(experiment="x" * 201), "a name is longer than 200 characters."),
        (given(experiment="a\tb"), "a name contains a control character."),
        (given(experiment="__proto__"), "'__proto__' has a special meaning in JavaScript."),
        (given(namespace=" "), "a name is empty."),
        (given(variants="low"), "an experiment needs at least two variants"),
        (given(variants="low,"), "a name is empty."),
        (given(variants="low,low"), "'low' is given twice."),
        (given(variants="low,__proto__"), "'__proto__' has a special meaning in JavaScript."),
        (given(variants='low,"high'), "the quotes in 'low,\"high' do not match."),
        (given(variants="low\nhigh,free"), "do not match"),
        (given(weights="1"), "--weights needs one weight for each of 2 variants, not 1."),
        (given(weights="1,2,3"), "--weights needs one weight for each of 2 variants, not 3."),
        (given(weights="0,1"), "a weight is a number above 0"),
        (given(weights="-1,1"), "a weight is a number above 0"),
        (given(weights="1000001,1"), "and up to 1,000,000"),
        (given(weights="0.0000001,1"), "with at most six decimals, not '0.0000001'"),
        (given(weights="1e-999999999,1"), "with at most six decimals"),
        (given(weights="1e999999999,1"), "and up to 1,000,000"),
        (given(weights="low,1"), "not 'low'"),
        (given(weights="NaN,1"), "not 'NaN'"),
        (given(weights="Infinity,1"), "not 'Infinity'"),
        (given(weights="1,"), "not ''"),
        (given(goal="participate"), "'participate': every visitor sends that event."),
        (given(goal="gimel:error=.a"), "'gimel:error': the client sends that event when a"),
        ([*given(), "--goal", "bought=.buy"], "'bought' is given twice."),
        (given(goal="=.buy"), "a name is empty."),
        (given(goal="bought="), "the selector of 'bought' is empty. Remove the '='."),
        (given(goal="bought=[data-x"), "'[data-x' is not a CSS selector."),
        (given(goal="bought=.a) b"), "'.a) b' is not a CSS selector."),
        (given(goal="bought=a['x]"), "is not a CSS selector."),
        (given(goal="bought=.a { color: red }"), "is not a CSS selector."),
        (given(goal="bought=.a\n.b"), "the selector of 'bought' contains a control character."),
        ([*given(goal="variant"), "--alephbet"], "AlephBet cannot count a goal named 'variant'."),
        ([*given(goal="in_sample"), "--alephbet"], "AlephBet cannot count a goal named"),
        (["--file", "javascript:alert(1)"], "is not a path of your site"),
        (["--file", "file:///tmp/gimel.js"], "is not a path of your site"),
        (["--file", ""], "'' is empty or contains a character that no URL may have."),
        (["--file", '/a"b.js'], "contains a character that no URL may have."),
    ],
)
def test_what_would_not_work_is_wrong_usage(
    options: list[str], message: str, run: Callable[..., Done]
) -> None:
    """With the reason. Nothing is printed that somebody might paste."""
    done = run("snippet", *options)
    assert message in " ".join(done.stderr.split())
    assert (done.code, done.stdout) == (2, "")


@pytest.mark.parametrize(
    "selector",
    [
        ".buy-button",
        "a[href^='/buy']:not(.off, [data-x=\"]\"]) > b",
        "#buy, form.sign-up",
        r".w-1\/2",
        "a:is(.b:not(.c))",
        "[data-名='値']",
    ],
)
def test_selectors_are_accepted(selector: str, run: Callable[..., Done]) -> None:
    """Also those with '=' and quotes."""
    done = run("snippet", *given(goal=f"bought={selector}"), "--url", URL)
    design = Design("price", ("low", "high"), goals={"bought": selector})
    assert done == Done(0, snippet(URL, design=design), "")

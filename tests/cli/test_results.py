"""`gimel results`: what it fetches, and how it prints that."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gimel.analysis.counts import Count
from tests.support.answers import SINCE, answer, row, two
from tests.support.command import environment, gimel
from tests.support.runner import invoke
from tests.support.served import serving
from tests.support.stubs import answering

KEY = "secret-key-0123456789"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An API with two experiments, that of "shop" with two goals."""
    shop = row(
        "shop",
        {
            "control": (10_000, {"buy": 500, "look": 3000}),
            "red": (10_000, {"buy": 700, "look": 3100}),
        },
        ("buy", "look"),
    )
    with answering(body=answer(shop, two("button"), bot=3)) as stub:
        yield stub.url


def read(home: Path, url: str, *options: str) -> list[dict[str, Any]]:
    """Return the experiments that `gimel results --json` prints."""
    done = invoke("results", "--url", url, "--api-key", KEY, "--json", *options, home=home)
    assert done.exit_code == 0, done.stderr
    experiments: list[dict[str, Any]] = json.loads(done.stdout)["experiments"]
    return experiments


def test_what_was_sent_is_what_is_shown(tmp_path: Path) -> None:
    """Every count is the truth within its counting error, and the better variant wins."""
    with serving(tmp_path) as served:
        simulation = ("--visitors", "9000", "--rates", "control=0.05,red=0.10,blue=0.05")
        fixed = ("--url", f"{served.url}/track", "--goal", "buy", "--seed", "1", "--json")
        truth = json.loads(gimel("simulate", *simulation, *fixed, home=tmp_path).stdout)
        shown = gimel("results", "--local", "--url", served.url, "--json", home=tmp_path)
    (experiment,) = json.loads(shown.stdout)["experiments"]
    (goal,) = experiment["goals"]
    verdict = experiment["headline"]

    assert (experiment["experiment"], experiment["control"]) == ("simulation", "control")
    assert not experiment["split"]["mismatch"]
    assert [each["variant"] for each in goal["variants"]] == ["control", "blue", "red"]
    for each in goal["variants"]:
        sent = truth["variants"][each["variant"]]
        assert abs(each["visitors"] - sent["visitors"]) <= 4 * each["visitors_error"] + 1
        assert abs(each["conversions"] - sent["goals"]["buy"]) <= 4 * each["conversions_error"] + 1
        error = Count.from_parts({"16": sent["visitors"]}).error
        assert each["visitors_error"] == pytest.approx(error, rel=0.01)
    rate = {
        name: sent["goals"]["buy"] / sent["visitors"] for name, sent in truth["variants"].items()
    }
    red = goal["variants"][2]
    details = red["details"]
    assert red["rate"] == details["rate"]["value"] == pytest.approx(rate["red"], rel=0.01)
    assert details["rate"]["low"] < 0.10 < details["rate"]["high"]
    assert red["lift"]["value"] == pytest.approx(rate["red"] / rate["control"] - 1, abs=0.04)
    assert red["lift"]["low"] < 1.0 < red["lift"]["high"]
    difference = pytest.approx(rate["red"] - rate["control"], abs=0.002)
    assert details["difference"]["value"] == difference
    assert details["best"] > 0.999
    # Ahead, not yet the winner: the events came within seconds.
    assert (verdict["kind"], verdict["variant"], verdict["days_left"]) == ("ahead", "red", 7)
    assert goal["verdict"]["kind"] == "ahead"


def test_a_wrong_split_is_shown_first(tmp_path: Path) -> None:
    """One variant was shown to twice as many visitors: no figure can be trusted."""
    with answering(body=answer(two(blue=(1000, 100), red=(2000, 200)))) as stub:
        options = ("--url", stub.url, "--api-key", KEY)
        done = invoke("results", *options, home=tmp_path)
        whole = invoke("results", "--all", *options, home=tmp_path)
        (experiment,) = read(tmp_path, stub.url)

    assert done.stdout.splitlines()[1].split() == [
        "!",
        "needs",
        "attention",
        "e",
        "3,000",
        "-",
        "wrong",
        "split",
    ]
    assert whole.stdout.splitlines()[2].startswith("! Do not trust this: visitors are split")
    assert experiment["headline"]["kind"] == "split-mismatch"
    assert experiment["goals"][0]["verdict"]["kind"] == "split-mismatch"


def test_the_configuration_has_control_and_weights(tmp_path: Path) -> None:
    """The same split is as expected, and the verdict is against the designed control."""
    design = {"experiments": {"e": {"control": "red", "weights": {"red": 2, "blue": 1}}}}
    config = tmp_path / "config.json"
    config.write_text(json.dumps(design))

    with answering(body=answer(two(blue=(1000, 100), red=(2000, 200)))) as stub:
        options = ("--url", stub.url, "--api-key", KEY, "--json")
        done = invoke("--config", str(config), "results", *options, home=tmp_path)
    (experiment,) = json.loads(done.stdout)["experiments"]

    assert (experiment["control"], experiment["split"]["mismatch"]) == ("red", False)
    assert [each["expected_share"] for each in experiment["participants"]] == [
        pytest.approx(2 / 3),
        pytest.approx(1 / 3),
    ]


@pytest.mark.parametrize(
    ("document", "configured"),
    [({"precision": 4}, 4), ({"precision": 16}, None), ({}, None)],
    ids=["another precision", "the same", "the default, which is the same"],
)
def test_the_configured_precision_is_for_new_experiments(
    tmp_path: Path, url: str, document: dict[str, Any], configured: int | None
) -> None:
    """The results say so where an experiment has another one."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps(document))

    done = invoke("--config", str(config), "results", "--url", url, "--api-key", KEY, home=tmp_path)

    text = " ".join(done.stdout.split())
    assert ("applies to new experiments" in text) == (configured is not None)
    assert configured is None or f"The configured precision, {configured}, applies" in text


def test_all_experiments_are_shown(tmp_path: Path, url: str) -> None:
    """In the order of the API, with the ignored events of unknown experiments."""
    done = invoke("results", "--url", url, "--api-key", KEY, "--json", home=tmp_path)

    document = json.loads(done.stdout)
    assert [each["experiment"] for each in document["experiments"]] == ["shop", "button"]
    assert document["ignored"] == {"bot": 3}


def test_an_experiment_is_chosen_by_its_name(tmp_path: Path, url: str) -> None:
    """Ignored events of others do not belong to it."""
    done = invoke("results", "button", "--url", url, "--api-key", KEY, "--json", home=tmp_path)

    document = json.loads(done.stdout)
    assert [each["experiment"] for each in document["experiments"]] == ["button"]
    assert document["ignored"] == {}


@pytest.mark.parametrize(
    ("goal", "experiments"),
    [("look", {"shop": ["look"]}), ("buy", {"shop": ["buy"], "button": ["buy"]})],
)
def test_a_goal_is_chosen_by_its_name(
    goal: str, experiments: dict[str, list[str]], tmp_path: Path, url: str
) -> None:
    """Experiments without it are not shown."""
    shown = read(tmp_path, url, "--goal", goal)

    assert {
        each["experiment"]: [goal["goal"] for goal in each["goals"]] for each in shown
    } == experiments


def test_a_goal_keeps_the_headline_of_the_experiment(tmp_path: Path, url: str) -> None:
    """It is about all goals, not only the one that is shown."""
    (whole,) = read(tmp_path, url, "shop")
    (chosen,) = read(tmp_path, url, "shop", "--goal", "look")

    reached = whole["headline"]["reached"]  # now, which a second call has later
    assert chosen["headline"] | {"reached": reached} == whole["headline"]
    assert chosen["headline"]["sentence"].startswith("“buy”: Choose “red”")


def test_the_configuration_has_goals(tmp_path: Path, url: str) -> None:
    """The primary goal comes first and has the headline; the guardrail follows."""
    config = tmp_path / "config.json"
    design = {"goal": "look", "guardrails": ["buy"], "visitors": 50_000}
    config.write_text(json.dumps({"experiments": {"shop": design}}))
    arguments = ("results", "shop", "--url", url, "--api-key", KEY)

    shown = invoke("--config", str(config), *arguments, home=tmp_path).stdout
    done = invoke("--config", str(config), *arguments, "--json", home=tmp_path)

    (shop,) = json.loads(done.stdout)["experiments"]
    assert [(goal["goal"], goal["role"]) for goal in shop["goals"]] == [
        ("look", "primary"),
        ("buy", "guardrail"),
    ]
    assert shop["headline"]["sentence"].startswith("“look”: ")
    assert shop["design"]["visitors"] == 50_000
    assert "20,000 of 50,000 planned visitors" in shown


@pytest.mark.parametrize(
    ("design", "is_guess"), [({}, True), ({"control": "blue"}, False)], ids=["guess", "design"]
)
def test_a_guessed_control_is_marked(
    design: dict[str, str], is_guess: bool, tmp_path: Path, url: str
) -> None:
    """In the table, in JSON and in CSV. A designed one is not a guess, nor is a chosen one."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"experiments": {"button": design}}))
    arguments = ("--config", str(config), "results", "button", "--url", url, "--api-key", KEY)

    shown = invoke(*arguments, home=tmp_path).stdout
    document = json.loads(invoke(*arguments, "--json", home=tmp_path).stdout)
    table = csv.DictReader(io.StringIO(invoke(*arguments, "--csv", home=tmp_path).stdout))
    chosen = json.loads(invoke(*arguments, "--json", "--control", "blue", home=tmp_path).stdout)

    assert ("control: blue (assumed)" in shown) == is_guess
    assert ("blue (control?)" in shown, "blue (control)" in shown) == (is_guess, not is_guess)
    assert document["experiments"][0]["control_is_guess"] == is_guess
    assert {each["control_is_guess"] for each in table} == {str(is_guess).lower()}
    assert not chosen["experiments"][0]["control_is_guess"]


def test_the_history_is_shown_on_request(tmp_path: Path) -> None:
    """A row per day in the terminal and in CSV, arrays in JSON; without a name, of every one."""
    columns = [["participate", "blue", "16"], ["participate", "red", "16"]]
    columns += [["buy", "blue", "16"], ["buy", "red", "16"]]
    points = [[SINCE + day * 86_400, *(day * n for n in (900, 910, 40, 42))] for day in (1, 2, 3)]
    item = two(history={"columns": columns, "points": points})
    with answering(body=answer(item)) as stub:
        arguments = ("results", "--url", stub.url, "--api-key", KEY)
        usual = invoke(*arguments, "e", home=tmp_path).stdout
        days = invoke(*arguments, "--history", home=tmp_path).stdout
        table = invoke(*arguments, "e", "--history", "--csv", home=tmp_path).stdout
        document = invoke(*arguments, "e", "--history", "--json", home=tmp_path).stdout

    assert "until (UTC)" not in usual
    assert "New visitors per day  " in usual
    assert days.count("2023-11-15 22:13") == 1
    assert "1,810" in days
    assert len(list(csv.DictReader(io.StringIO(table)))) == 4 * 2
    (described,) = json.loads(document)["experiments"]
    assert [len(described["history"]), len(described["goals"][0]["history"])] == [4, 4]


def test_details_are_shown_on_request(tmp_path: Path, url: str) -> None:
    """Without --details there is one interval; JSON always has all figures."""
    arguments = ("results", "button", "--url", url, "--api-key", KEY)

    usual = invoke(*arguments, home=tmp_path).stdout
    detailed = invoke(*arguments, "--details", home=tmp_path).stdout
    (button,) = read(tmp_path, url, "button")

    for words in ("Details for statisticians", "p (Holm)", "chance to be best", "fixed-horizon"):
        assert words not in usual
        assert words in detailed
    assert usual.count("95% interval") == 1
    assert detailed.count("95% interval") == 2
    assert button["goals"][0]["variants"][1]["details"]["p"] == pytest.approx(0.52, abs=0.01)


def test_a_control_is_chosen_by_its_name(tmp_path: Path, url: str) -> None:
    """The others are compared with it."""
    (shop,) = read(tmp_path, url, "shop", "--control", "red")

    assert shop["control"] == "red"
    assert shop["goals"][0]["variants"][0]["is_control"]


def test_a_lower_confidence_narrows_the_intervals(tmp_path: Path, url: str) -> None:
    """It applies to intervals and verdicts."""
    (usual,) = read(tmp_path, url, "button")
    (lower,) = read(tmp_path, url, "button", "--confidence", "0.5")

    assert (usual["confidence"], lower["confidence"]) == (0.95, 0.5)
    wide, narrow = (each["goals"][0]["variants"][1] for each in (usual, lower))
    for before, after in (
        (wide["lift"], narrow["lift"]),
        (wide["details"]["rate"], narrow["details"]["rate"]),
    ):
        assert before["low"] < after["low"] < after["high"] < before["high"]


def test_csv_is_a_table(tmp_path: Path) -> None:
    """A name may have commas, quotes and semicolons."""
    variants = {'r"e,d;': (300, {"buy": 150}), "blue": (310, {"buy": 140})}
    with answering(body=answer(row("e", variants))) as stub:
        done = invoke("results", "--url", stub.url, "--api-key", KEY, "--csv", home=tmp_path)

    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {each["variant"]: float(each["visitors"]) for each in rows} == {
        'r"e,d;': 300,
        "blue": 310,
    }


ENCODINGS = pytest.mark.parametrize(
    ("encoding", "name", "mark", "bar"),
    [
        ("utf-8", "[red]größe[/red]", "… running", "├"),
        ("ascii", "[red]gr\\xf6\\xdfe[/red]", ". running", "|-"),
    ],
)


@ENCODINGS
def test_a_pipe_has_80_columns_and_no_colour(
    encoding: str, name: str, mark: str, bar: str, tmp_path: Path
) -> None:
    """An encoding without lines and umlauts gets ASCII."""
    with answering(body=answer(two("[red]größe[/red]"))) as stub:
        options = ("--url", stub.url, "--api-key", KEY)
        listed = gimel("results", *options, home=tmp_path, PYTHONIOENCODING=encoding)
        done = gimel("results", "--all", *options, home=tmp_path, PYTHONIOENCODING=encoding)

    assert (listed.returncode, done.returncode) == (0, 0), done.stderr
    assert listed.stdout.splitlines()[1].startswith(f"{mark}  {name}  ")
    assert name in done.stdout
    assert bar in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b" not in listed.stdout + done.stdout


def test_a_pipe_gets_every_experiment_on_a_line(tmp_path: Path) -> None:
    """With its whole name and a minus that can be typed, so that `grep` finds it."""
    name = f"{'long name ' * 15}end"
    with answering(body=answer(two(name, red=(10_000, 350)))) as stub:
        options = ("--url", stub.url, "--api-key", KEY)
        done = gimel("results", *options, home=tmp_path, PYTHONIOENCODING="utf-8")

    line = done.stdout.splitlines()[1]
    assert line == f'✓ decided  {name}    20,000  red      -30% (-44% to -13%)  keep "blue"'


def test_the_list_ends_with_the_command_that_shows_more(tmp_path: Path, url: str) -> None:
    """With the same options; the key is a secret and is not repeated."""
    options = ("--url", url, "--api-key", KEY, "--lift", "0.2", "--namespace", "my shop")
    done = invoke("results", *options, "--goal", "buy", "--state", "decided", home=tmp_path)

    assert done.stdout.splitlines()[-1] == (
        f"  gimel results --lift 0.2 --namespace 'my shop' --url {url} --api-key KEY NAME"
    )
    assert KEY not in done.stdout


def test_without_a_name_all_experiments_are_listed(tmp_path: Path, url: str) -> None:
    """One line each: first broken ones, then decided ones, then running ones."""
    options = ("--url", url, "--api-key", KEY)
    done = invoke("results", *options, home=tmp_path)
    whole = invoke("results", "--all", *options, home=tmp_path)
    one = invoke("results", "button", *options, home=tmp_path)

    header, *lines = done.stdout.splitlines()[:3]
    assert header.split()[:2] == ["state", "name"]
    assert [line.split()[1:3] for line in lines] == [["decided", "shop"], ["running", "button"]]
    assert [line for line in whole.stdout.splitlines() if line in ("shop", "button")] == [
        "shop",
        "button",
    ]
    assert one.stdout.splitlines()[0] == "button"


@pytest.mark.parametrize(
    ("states", "names"),
    [
        (("decided",), ["shop"]),
        (("running", "decided"), ["shop", "button"]),
        (("attention",), []),
    ],
    ids=["one", "two", "none"],
)
def test_a_state_is_chosen(
    states: tuple[str, ...], names: list[str], tmp_path: Path, url: str
) -> None:
    """In every form. A state without experiments is not an error."""
    chosen = [word for state in states for word in ("--state", state)]
    options = (*chosen, "--url", url, "--api-key", KEY)

    shown = [
        invoke("results", *options, *form, home=tmp_path)
        for form in ((), ("--all",), ("--json",), ("--csv",))
    ]

    assert [done.exit_code for done in shown] == [0] * 4
    listed, whole, document, table = (done.stdout for done in shown)
    assert [name for name in ("shop", "button") if f"  {name}  " in listed] == names
    assert [line for line in whole.splitlines() if line in ("shop", "button")] == names
    assert [each["experiment"] for each in json.loads(document)["experiments"]] == names
    assert {each["experiment"] for each in csv.DictReader(io.StringIO(table))} == {*names}
    assert ("No experiment is in the state: needs attention." in listed) == (not names)


def test_the_lift_worth_detecting_is_chosen(tmp_path: Path, url: str) -> None:
    """For every experiment, whatever its design; all else of the design remains."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"experiments": {"button": {"lift": 0.03, "control": "red"}}}))
    arguments = ("--config", str(config), "results", "--url", url, "--api-key", KEY, "--json")

    for name in ((), ("button",)):
        usual = invoke(*arguments, *name, home=tmp_path)
        chosen = invoke(*arguments, *name, "--lift", "0.25", home=tmp_path)

        *_, before = json.loads(usual.stdout)["experiments"]
        experiments = json.loads(chosen.stdout)["experiments"]
        assert before["design"]["lift"] == 0.03
        assert {each["design"]["lift"] for each in experiments} == {0.25}
        assert experiments[-1]["control"] == "red"


def test_excel_reads_any_name(tmp_path: Path) -> None:
    """Its bytes begin with a mark; --csv has none and is UTF-8 whatever the terminal's encoding."""
    with answering(body=answer(two("größe 変種"))) as stub:
        options = ("results", "--url", stub.url, "--api-key", KEY)
        found = {
            form: subprocess.run(
                [sys.executable, "-m", "gimel", *options, *form],
                cwd=tmp_path,
                env=environment(tmp_path, PYTHONIOENCODING="latin-1"),
                capture_output=True,
                check=True,
            ).stdout
            for form in (("--csv",), ("--excel",), ("--csv", "--excel"))
        }

    plain, excel, both = found.values()
    assert both == excel == b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n")
    assert "größe 変種" in plain.decode()


@pytest.mark.parametrize(
    ("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)], ids=["colour", "NO_COLOR"]
)
def test_colour_is_for_terminals_that_want_it(
    variables: dict[str, str], coloured: bool, tmp_path: Path, url: str
) -> None:
    """NO_COLOR turns it off."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "gimel", "results", "shop", "--url", url, "--api-key", KEY]
    own = environment(tmp_path, TERM="xterm-256color", **variables)
    with subprocess.Popen(
        command, cwd=tmp_path, env=own, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # which is how a terminal ends
            while piece := os.read(ours, 4096):
                shown += piece
        assert process.wait(30) == 0
    os.close(ours)
    assert bool(re.search(rb"\x1b\[[0-9;]*3[0-9]m", shown)) == coloured

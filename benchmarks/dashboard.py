"""How long the dashboard's pages take to make, and how large they are, with 200 experiments of 3 goals and 4 variants.

    python -m benchmarks.dashboard [--experiments 200] [--rounds 5]

Server time is CPU time from the API's parsed JSON to the finished page, the best of the rounds, no figure kept from one to the
next.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable

from gimel.analysis.experiment import analyse, analyse_all
from gimel.api import answers
from gimel.report import html
from tests.support.answers import answer, row

GOALS = ("buy", "sign up", "watch the video")
VARIANTS = ("control", "green", "red", "yellow")
MOST_SECONDS, MOST_BYTES = 1.0, 2_000_000

CHOICES = html.Choices("alephbet", "alephbet")
FRAME = html.Frame("counted by a benchmark")


def made_up(number: int) -> list[object]:
    """Return what the API would answer for so many experiments."""
    draw = random.Random(1)
    rows = []
    for index in range(number):
        visitors, lift = draw.randrange(2000, 60_000), 1 + 0.3 * (index % 3 == 0)
        variants = {
            variant: (
                visitors + draw.randrange(-50, 50),
                {
                    goal: int(visitors * draw.uniform(0.04, 0.06) * (lift if place else 1))
                    for goal in GOALS
                },
            )
            for place, variant in enumerate(VARIANTS)
        }
        rows.append(
            row(
                f"experiment {index:03} of the shop's front page",
                variants,
                GOALS,
                ignored={"bot": index},
            )
        )
    return answer(*rows)


def overview(document: list[object]) -> str:
    read = answers.parse(document)
    return html.overview(analyse_all(read, {}), read.ignored, CHOICES, FRAME, 1_800_000_000)


def experiment(document: list[object]) -> str:
    read = answers.parse(document[:2])
    return html.experiment(analyse(read.experiments[0]), CHOICES, FRAME, 1_800_000_000)


def report(document: list[object]) -> str:
    read = answers.parse(document)
    return html.report(analyse_all(read, {}), read.ignored, CHOICES, FRAME, 1_800_000_000)


def measured(
    make: Callable[[list[object]], str], document: list[object], rounds: int
) -> tuple[float, int]:
    """Return the seconds of the fastest round, and the page's bytes."""
    fastest, size = float("inf"), 0
    for _ in range(rounds):
        started = time.process_time()
        size = len(make(document).encode())
        fastest = min(fastest, time.process_time() - started)
    return fastest, size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--experiments", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    document = made_up(arguments.experiments)
    kept = True
    for name, make, is_page in (
        ("overview", overview, True),
        ("experiment", experiment, True),
        ("report", report, False),
    ):
        seconds, size = measured(make, document, arguments.rounds)
        print(f"{name:10}  {1000 * seconds:7.0f} ms  {size / 1000:8,.0f} KB")
        kept = kept and (not is_page or (seconds < MOST_SECONDS and size < MOST_BYTES))
    print(
        f"wanted of a page: less than {MOST_SECONDS:g} s and {MOST_BYTES / 1_000_000:g} MB; a report is all pages in one file"
    )
    if not kept:
        sys.exit("a page is slower or larger than that")


if __name__ == "__main__":
    main()

"""How long the dashboard's pages take to render, and how large they are.

    python -m benchmarks.dashboard [--experiments 200] [--many 500] [--rounds 5]

Every experiment has 3 goals and 4 variants; the many of a further overview have 1 goal and 2
variants. The time is CPU time from the JSON of the API to the
finished page, the best of the rounds; no figure is kept from one round to the next.
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
NOW = 1_800_000_000
MOST_SECONDS, MOST_BYTES = 1.0, 2_000_000

CHOICES = html.Choices("alephbet", "alephbet")
FRAME = html.Frame("counted by a benchmark")


def make_answer(
    experiments: int, goals: tuple[str, ...] = GOALS, names: tuple[str, ...] = VARIANTS
) -> list[object]:
    """Return an answer of the API with so many experiments."""
    draw = random.Random(1)
    rows = []
    for number in range(experiments):
        visitors, lift = draw.randrange(2000, 60_000), 1 + 0.3 * (number % 3 == 0)
        variants = {
            variant: (
                visitors + draw.randrange(-50, 50),
                {
                    goal: int(visitors * draw.uniform(0.04, 0.06) * (lift if index else 1))
                    for goal in goals
                },
            )
            for index, variant in enumerate(names)
        }
        rows.append(
            row(
                f"experiment {number:03} of the shop's front page",
                variants,
                goals,
                ignored={"bot": number},
            )
        )
    return answer(*rows)


def overview(document: list[object]) -> str:
    read = answers.parse(document)
    return html.overview(analyse_all(read, {}, now=NOW), read.ignored, CHOICES, FRAME, NOW)


def experiment(document: list[object]) -> str:
    read = answers.parse(document[:2])
    return html.experiment(analyse(read.experiments[0], now=NOW), CHOICES, FRAME, NOW)


def report(document: list[object]) -> str:
    read = answers.parse(document)
    return html.report(analyse_all(read, {}, now=NOW), read.ignored, CHOICES, FRAME, NOW)


def measure(
    make: Callable[[list[object]], str], document: list[object], rounds: int
) -> tuple[float, int]:
    """Return the CPU seconds of the fastest round, and the bytes of the page."""
    fastest, size = float("inf"), 0
    for _ in range(rounds):
        started = time.process_time()
        size = len(make(document).encode())
        fastest = min(fastest, time.process_time() - started)
    return fastest, size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--experiments", type=int, default=200)
    parser.add_argument("--many", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    document = make_answer(arguments.experiments)
    many = make_answer(arguments.many, GOALS[:1], VARIANTS[:2])
    is_met = True
    for name, make, shown, is_page in (
        (f"overview of {arguments.experiments}", overview, document, True),
        (f"overview of {arguments.many}", overview, many, True),
        ("experiment", experiment, document, True),
        ("report", report, document, False),
    ):
        seconds, size = measure(make, shown, arguments.rounds)
        print(f"{name:16}  {1000 * seconds:7.0f} ms  {size / 1000:8,.0f} KB")
        is_met = is_met and (not is_page or (seconds < MOST_SECONDS and size < MOST_BYTES))
    print(
        f"target for a page: less than {MOST_SECONDS:g} s and {MOST_BYTES / 1_000_000:g} MB;"
        " a report is all pages in one file"
    )
    if not is_met:
        sys.exit("a page misses the target")


if __name__ == "__main__":
    main()

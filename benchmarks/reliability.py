"""What outages cost; writes the tables of docs/reliability.md.

    python -m benchmarks.reliability [--events 20000] [TABLE ...]

The table `outages` takes about three minutes: for each outage of tests/faults/outages.py, clients
send so many events with the outage in the middle of them. Exits with 1 if a drill has shown a
problem; the table then has the figures as they are, and stderr says more.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.marked_tables import fill, markdown
from tests.faults.drill import CLIENTS, Verdict, run
from tests.faults.outages import OUTAGES

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
OUTAGE_COLUMNS = (
    "outage",
    "calls answered 503",
    "events lost",
    "misplaced",
    "wrong answers",
    "not listed",
    "longest call",
    "recovered at once",
)


def outage_row(verdict: Verdict) -> list[str]:
    """Return a row of the table `outages`."""
    return [
        verdict.outage,
        f"{verdict.refused:,}",
        str(verdict.undelivered + len(verdict.lost)),
        str(len(verdict.misplaced)),
        str(len(verdict.wrong)),
        str(len(verdict.unlisted)),
        f"{verdict.longest:.2f} s",
        f"{verdict.recovered} of {verdict.clients}",
    ]


def outages(events: int) -> tuple[str, list[str]]:
    """Run every drill. Return the table and the problems."""
    rows, problems = [], []
    for outage in OUTAGES:
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as directory:
            verdict = run(outage, events, Path(directory))
        rows.append(outage_row(verdict))
        problems += [f"{outage.name}: {problem}" for problem in verdict.problems()]
        print(f"{outage.name}: {time.monotonic() - begin:.0f} s", file=sys.stderr)
    note = f"{events:,} events per outage, {CLIENTS} clients.\n\n"
    return note + markdown(OUTAGE_COLUMNS, rows), problems


TABLES: dict[str, Callable[[int], tuple[str, list[str]]]] = {"outages": outages}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(TABLES)}")
    arguments = parser.parse_args()
    if unknown := set(arguments.tables) - TABLES.keys():
        parser.error(f"unknown table: {', '.join(sorted(unknown))}")
    problems = []
    for name in arguments.tables or TABLES:
        table, found = TABLES[name](arguments.events)
        fill(PAGE, name, table)
        problems += found
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()

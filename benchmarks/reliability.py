"""What outages cost; writes the tables of docs/reliability.md.

    python -m benchmarks.reliability [--events 20000] [TABLE ...]

The table `outages` takes about three minutes, and `cluster` about two: for each outage of
tests/faults/outages.py and each change of tests/faults/cluster.py, clients send so many events with
the outage or the change in the middle of them. Exits with 1 if a drill has shown a
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
from tests.faults import cluster_drill
from tests.faults.cluster import CHANGES, cluster_with_replicas
from tests.faults.cluster_drill import ClusterVerdict
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


CLUSTER_COLUMNS = (
    "change",
    "calls answered 503",
    "events lost",
    "lost with the primary",
    "misplaced",
    "longest call",
    "results read",
    "experiments deleted",
)


def cluster_row(verdict: ClusterVerdict) -> list[str]:
    """Return a row of the table `cluster`."""
    events = verdict.events
    return [
        events.outage,
        f"{events.refused:,}",
        str(events.undelivered + len(events.lost)),
        str(verdict.lost_with_primary),
        str(len(events.misplaced) + len(events.wrong) + len(events.unlisted)),
        f"{events.longest:.2f} s",
        f"{verdict.results} of {verdict.results + verdict.results_failed}",
        f"{verdict.deletes} of {verdict.deletes + verdict.deletes_failed}",
    ]


def cluster(events: int) -> tuple[str, list[str]]:
    """Run every drill on one cluster. Return the table and the problems."""
    rows, problems = [], []
    with (
        tempfile.TemporaryDirectory() as directory,
        cluster_with_replicas(Path(directory)) as running,
    ):
        for kind in CHANGES:
            begin = time.monotonic()
            running.flush()
            with tempfile.TemporaryDirectory() as logs:
                verdict = cluster_drill.run(kind(), events, running, Path(logs))
            rows.append(cluster_row(verdict))
            problems += [f"{kind.name}: {problem}" for problem in verdict.problems()]
            print(f"{kind.name}: {time.monotonic() - begin:.0f} s", file=sys.stderr)
    note = f"{events:,} events per change, {CLIENTS} clients.\n\n"
    return note + markdown(CLUSTER_COLUMNS, rows), problems


TABLES: dict[str, Callable[[int], tuple[str, list[str]]]] = {"outages": outages, "cluster": cluster}


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

"""What outages cost; writes the tables of docs/reliability.md.

    python -m benchmarks.reliability [--events 20000] [--visitors 2000] [TABLE ...]

The table `outages` takes about three minutes, and `cluster` about two: for each outage of
tests/faults/outages.py and each change of tests/faults/cluster.py, clients send so many events with
the outage or the change in the middle of them. `crowds` takes about half an hour: for each client
and each case of tests/faults/crowd_cases.py, so many visitors use Chromium, or a tenth of them
where hundreds are enough. Exits with 1 if anything has shown a problem; the table then has the
figures as they are, and stderr says more.
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
from tests.faults.crowd import CLIENTS as PAGE_CLIENTS
from tests.faults.crowd import Outcome, town
from tests.faults.crowd_cases import CASES, CROWDED
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


CROWD_COLUMNS = ("client and case", "visitors", "page views", "events", "counted", "noise")


def crowd_row(outcome: Outcome) -> list[str]:
    """Return a row of the table `crowds`."""
    return [
        f"{outcome.client}: {outcome.case}",
        f"{outcome.visitors:,}",
        f"{outcome.views:,}",
        f"{outcome.events:,}",
        f"{outcome.counted_events:,.0f}",
        f"±{outcome.tolerance:.0f}",
    ]


def crowds(visitors: int) -> tuple[str, list[str]]:
    """Drive every crowd. Return the table and the problems."""
    rows, problems = [], []
    with town() as running:
        for client in PAGE_CLIENTS:
            for name, case in CASES.items():
                begin = time.monotonic()
                outcome = case(running, client, visitors if name in CROWDED else visitors // 10)
                rows.append(crowd_row(outcome))
                problems += [
                    f"{client.name}, {outcome.case}: {problem}"
                    for problem in outcome.all_problems()
                ]
                for line in (*outcome.sentences(), f"  {time.monotonic() - begin:.0f} s"):
                    print(line, file=sys.stderr)
    return markdown(CROWD_COLUMNS, rows), problems


TABLES = ("outages", "cluster", "crowds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--visitors", type=int, default=2000)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(TABLES)}")
    arguments = parser.parse_args()
    if unknown := set(arguments.tables) - set(TABLES):
        parser.error(f"unknown table: {', '.join(sorted(unknown))}")
    makers: dict[str, Callable[[], tuple[str, list[str]]]] = {
        "outages": lambda: outages(arguments.events),
        "cluster": lambda: cluster(arguments.events),
        "crowds": lambda: crowds(arguments.visitors),
    }
    problems = []
    for name in arguments.tables or TABLES:
        table, found = makers[name]()
        fill(PAGE, name, table)
        problems += found
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()

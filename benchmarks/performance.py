"""How fast Gimel is and how much memory it needs; writes the table of docs/performance.md.

    python -m benchmarks.performance [--quick] [--write] [track] [start] [all] [limits]

It takes three minutes, or half a minute with `--quick`, which is less accurate. Nothing else should
run on the machine. Needs Linux, two cores, taskset (Debian: util-linux) and a C compiler.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import cold_start, event_path, reading
from benchmarks.competitors import Row, empty_store
from tests.support.command import REPOSITORY

PAGE = REPOSITORY / "docs" / "performance.md"
BEGIN = "<!-- benchmarks.performance writes what follows -->"
END = "<!-- benchmarks.performance wrote what precedes -->"


@dataclass(frozen=True)
class Effort:
    """How many rounds are measured; each result is a median over the rounds."""

    track_rounds: int
    track_events: int
    start_rounds: int
    all_rounds: int
    limit_rounds: int


FULL = Effort(9, 5000, 25, 7, 3)
QUICK = Effort(3, 1000, 5, 2, 1)

PARTS: dict[str, Callable[[Effort], list[Row]]] = {
    "track": lambda effort: event_path.rows(effort.track_rounds, effort.track_events),
    "start": lambda effort: cold_start.rows(effort.start_rounds),
    "all": lambda effort: reading.speed_rows(effort.all_rounds),
    "limits": lambda effort: reading.limit_rows(effort.limit_rounds),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; by default all of them")
    parser.add_argument("--quick", action="store_true", help="measure fewer rounds")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown part: {', '.join(sorted(unknown))}")
    if options.write and (options.quick or options.parts):
        parser.error("--write needs the complete measurement: no parts, no --quick")
    effort = QUICK if options.quick else FULL
    measured = [row for name in options.parts or PARTS for row in PARTS[name](effort)]
    text = f"{machine()}\n\n{table(measured)}"
    if options.write:
        PAGE.write_text(insert(PAGE.read_text("utf-8"), text), "utf-8")
    print(text)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = [("measured", "result", "figures"), ("---", "---:", "---")]
    lines += [(row.measured, row.result, row.figures) for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def insert(page: str, text: str) -> str:
    """Return the page with this text between the markers. Raises ValueError without markers."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def machine() -> str:
    """Describe when, and on which machine and with which software, this process measures."""
    described = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in described if line.startswith("model name")]
    with empty_store() as store, store.client() as redis:
        server: Any = redis.info("server")
    names = [("Valkey", server.get("valkey_version")), ("Redis", server["redis_version"])]
    name, version = next((name, version) for name, version in names if version)
    optimized = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    return (
        f"Measured on {datetime.date.today().isoformat()}: {len(models)} cores of"
        f" {models[0] if models else platform.machine()}, {platform.system()} {platform.release()},"
        f" Python {platform.python_version()}"
        f" (built {'with' if optimized else 'without'} `--enable-optimizations`),"
        f" {name} {version}."
    )


if __name__ == "__main__":
    main()

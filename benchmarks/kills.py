"""`python benchmarks/kills.py [--kills 200] [--victim drain|hail|valkey] [--seed N]`

Counts over HTTP on a real deployment. Kills its drains, its hail server or its store with SIGKILL
again and again. Then compares every cell of the store with what was acknowledged. Ends with 1 if
anything is lost, counted twice or wrong.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    # As a script it has its own folder on the path, and not the repository it lies in.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tests.faults.harness import Assault, Report, Victim, run

_COLUMNS = (
    "victim",
    "kills",
    "acknowledged",
    "refused",
    "unknown (counted)",
    "sent again",
    "counted",
    "lost",
    "doubled",
    "cells",
    "wrong",
    "cut plans",
    "minutes",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the assaults asked for, all three by default, and print their table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how many of each victim (200)")
    parser.add_argument("--victim", choices=[victim.value for victim in Victim])
    parser.add_argument("--seed", type=int, default=1, help="of the events and the moments (1)")
    parser.add_argument("--drains", type=int, default=2, help="drain processes (2)")
    parser.add_argument(
        "--fsync",
        default="always",
        choices=["always", "everysec"],
        help="of the store (always, as by default; everysec loses what was not synced yet)",
    )
    args = parser.parse_args(argv)
    # So that what was started is stopped, however this is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    victims = [Victim(args.victim)] if args.victim else list(Victim)
    reports = []
    for victim in victims:
        assault = Assault(victim, args.kills, args.seed, args.drains, args.fsync)
        reports.append(run(assault, lambda kills: _show_progress(kills, args.kills)))
        for example in reports[-1].verdict.examples:
            print(example, file=sys.stderr)
    print(table(reports))
    return 0 if all(report.verdict.exact for report in reports) else 1


def table(reports: Sequence[Report]) -> str:
    """One line a report under headings, the figures right-aligned."""
    rows = [_COLUMNS, *map(_cells, reports)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join(lines)


def _cells(report: Report) -> tuple[str, ...]:
    verdict = report.verdict
    return (
        report.assault.victim.value,
        f"{report.kills}",
        f"{verdict.acknowledged:,}",
        f"{verdict.refused:,}",
        f"{verdict.unknown:,} ({verdict.unknown_counted:,})",
        f"{report.sent_again:,}",
        f"{verdict.counted:,}",
        f"{verdict.lost}",
        f"{verdict.doubled + verdict.unrefused}",
        f"{verdict.cells:,}",
        f"{verdict.wrong}",
        f"{report.cut_plans}",
        f"{report.duration_s / 60:.1f}",
    )


def _show_progress(kills: int, of: int) -> None:
    if kills % 10 == 0 or kills == of:
        print(f"{kills} of {of} kills", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

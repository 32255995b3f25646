"""`python -m benchmarks [BENCH …] [--quick] [--json FILE]`: run benches and print their table."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import accept, decide, drain, fsync, graphs, growth, lag, memory, read, servers, top
from benchmarks.compare import COMPARE, compare, comparison
from benchmarks.decisions import race
from benchmarks.measuring import Effort, Row, table
from benchmarks.serving import FSYNC

BENCHES: dict[str, Callable[[Effort], list[Row]]] = {
    "accept": accept.run,
    "drain": drain.run,
    "lag": lag.run,
    "read": read.run,
    "top": top.run,
    "memory": memory.run,
    "decide": decide.run,
    "graphs": graphs.run,
    "growth": growth.run,
    "servers": servers.run,
    "fsync": fsync.run,
}


DECISIONS = "decisions"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benches named, all of them by default."""
    names = [*BENCHES, COMPARE, DECISIONS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("benches", nargs="*", metavar="BENCH", help=", ".join(names))
    parser.add_argument(
        "--quick", action="store_true", help="small sizes: shows that all runs, not how fast"
    )
    parser.add_argument(
        "--json", metavar="FILE", type=Path, help="write what was measured there, too"
    )
    args = parser.parse_args(argv)
    chosen, effort = args.benches or names, Effort(args.quick)
    unknown = [name for name in chosen if name not in names]
    if unknown:
        parser.error(f"no bench {unknown[0]!r}; there are {', '.join(names)}")
    rows: list[Row] = []
    for name in chosen:
        if name in BENCHES:
            _say(f"measuring {name} …")
            rows += BENCHES[name](effort)
    found = compare(effort, say=_say) if COMPARE in chosen else []
    raced = race.run(effort, say=_say) if DECISIONS in chosen else ""
    setting = f"Valkey ran with HAILWHALE_FSYNC={FSYNC} unless a row says otherwise."
    texts = (rows and f"{table(rows)}\n\n{setting}", found and comparison(found), raced)
    print("\n\n".join(text for text in texts if text))
    if args.json:
        result = {
            **_run_on(args.quick),
            "rows": [row.as_json() for row in rows],
            "comparison": [one.as_json() for one in found],
            "decisions": raced,
        }
        args.json.write_text(json.dumps(result, indent=1, ensure_ascii=False, default=str) + "\n")
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _run_on(quick: bool) -> dict[str, Any]:
    """When and where it was measured, as far as it matters to whoever compares."""
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "quick": quick,
        "cores": os.cpu_count(),
        "fsync": FSYNC,
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())

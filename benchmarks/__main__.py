"""`python -m benchmarks [BENCH …] [--quick]`: run benches and print their table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from benchmarks import accept, drain, memory, read, top
from benchmarks.measuring import Effort, Row, table

BENCHES: dict[str, Callable[[Effort], list[Row]]] = {
    "accept": accept.run,
    "drain": drain.run,
    "read": read.run,
    "top": top.run,
    "memory": memory.run,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benches named, all of them by default."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("benches", nargs="*", metavar="BENCH", help=", ".join(BENCHES))
    parser.add_argument(
        "--quick", action="store_true", help="small sizes: shows that all runs, not how fast"
    )
    args = parser.parse_args(argv)
    unknown = [name for name in args.benches if name not in BENCHES]
    if unknown:
        parser.error(f"no bench {unknown[0]!r}; there are {', '.join(BENCHES)}")
    rows: list[Row] = []
    for name in args.benches or BENCHES:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        rows += BENCHES[name](Effort(args.quick))
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())

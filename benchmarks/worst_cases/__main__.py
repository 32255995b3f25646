"""`python -m benchmarks.worst_cases [--quick]`: measure the costliest requests, print their table.

Takes some minutes. docs/security.rst has the table.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing

from benchmarks import serving
from benchmarks.measuring import Effort
from benchmarks.worst_cases.cases import CASES
from benchmarks.worst_cases.heavy_store import fill
from benchmarks.worst_cases.measured import Case, Measured, costliest, table
from hailwhale.services.container import Services, assemble
from hailwhale.settings import Settings
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.store import RedisStore

_SERVER = {"HAILWHALE_WORKERS": "1", "HAILWHALE_BUFFER_LIMIT": str(Settings().buffer_limit)}


def main(argv: Sequence[str] | None = None) -> int:
    """Fill a store, send the requests and print what each costs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worst_cases", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small store: that it runs")
    parser.add_argument("routes", nargs="*", metavar="ROUTE", help="such as /rank; default: all")
    args = parser.parse_args(argv)
    print(table(run(Effort(args.quick), args.routes)))
    return 0


def run(effort: Effort, routes: Sequence[str] = ()) -> list[Measured]:
    """Return what the cases of these routes cost, of all routes by default."""
    with serving.valkey(fsync="no") as valkey:
        with closing(_services(valkey.url)) as services:
            fill(services, effort)
        found = []
        for case in CASES:
            if not routes or case.route in routes:
                found.append(_alone(case, valkey.url, valkey.pid))
                print(found[-1], file=sys.stderr, flush=True)
        return found


def _alone(case: Case, url: str, store: int) -> Measured:
    """Return what a case costs a server of its own, whose memory nothing else has used."""
    server = serving.web_server(
        serving.SERVE, url, "/healthz", server="gunicorn", variables=_SERVER
    )
    with server as web:
        return costliest(case, web, store)


def _services(url: str) -> Services:
    """Services with the default limits on what may be counted."""
    return assemble(Settings.from_env({}), RedisStore(serving.client_on(url), Keys("hw")))


if __name__ == "__main__":
    sys.exit(main())

"""servers: durable /count under each WSGI server, with few threads in each worker and with many.

What the defaults of HAILWHALE_SERVER and HAILWHALE_THREADS were chosen by. Each row is measured as
`accept` measures its own.
"""

from __future__ import annotations

from benchmarks.accept import SERVERS, accept_row
from benchmarks.measuring import NO_GOAL, Effort, Row


def run(effort: Effort) -> list[Row]:
    """Requests a second of hail, and of the bare program, by server and threads."""
    servers, counts = effort.pick(SERVERS, SERVERS[:1]), effort.pick((4, 8, 16, 32), (4,))
    return [
        accept_row(server, effort, NO_GOAL, threads) for server in servers for threads in counts
    ]

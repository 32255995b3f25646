"""Waits for replicas (WAIT) before a write is acknowledged.

Replication is asynchronous: a primary answers before its replicas have the write. If it then fails,
an acknowledged write is lost. WAIT returns how many replicas have confirmed everything that this
connection wrote, so it is sent on the same connection, after the writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hailwhale.errors import StoreUnavailable


@dataclass(frozen=True, slots=True)
class ReplicaAck:
    """The number of replicas that must confirm a write, and their time limit in milliseconds.

    `within_ms` must be less than the connection's own timeout.
    """

    replicas: int
    within_ms: int

    @property
    def command(self) -> tuple[object, ...]:
        """Return the command that waits for the replicas."""
        return ("WAIT", self.replicas, self.within_ms)

    def checked(self, answers: Sequence[Any], confirmed: object) -> list[Any]:
        """Return the answers to the writes, each an error if too few replicas have it.

        `confirmed` is the answer to `command`: a number of replicas, or an exception.

        >>> ReplicaAck(2, 100).checked([b"OK"], 1)
        [StoreUnavailable('1 of 2 replicas confirmed in time; it may be counted, or lost')]
        """
        if isinstance(confirmed, int) and confirmed >= self.replicas:
            return list(answers)
        number = confirmed if isinstance(confirmed, int) else 0
        why = f"{number} of {self.replicas} replicas confirmed in time"
        fault = StoreUnavailable(f"{why}; it may be counted, or lost")
        return [answer if isinstance(answer, Exception) else fault for answer in answers]

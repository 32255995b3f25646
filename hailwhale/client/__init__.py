"""HTTP client of HailWhale: counts in the background from machines without access to the store.

Uses the standard library alone, for programs that only count. Knows nothing of how a service
counts: from the package it imports the errors and the core.
"""

from hailwhale.client.api import AsyncClient, Client
from hailwhale.client.outbox import Stats

__all__ = ["AsyncClient", "Client", "Stats"]

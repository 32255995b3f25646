"""A client of HailWhale for machines without its store: counts over HTTP, in the background.

Owns what a program that only counts needs, with the standard library alone. It must not know how a
service counts: of the package it imports the faults and the core.
"""

from hailwhale.client.api import AsyncClient, Client
from hailwhale.client.outbox import Stats

__all__ = ["AsyncClient", "Client", "Stats"]

"""What is kept of alerts and reports: a text by name, changed only by who knows the one before.

Owns the calls of swap.lua. What a text says is not its business.
"""

from __future__ import annotations

from hailwhale.store.redis.client import Client, Script, ask, faults_named
from hailwhale.store.redis.keys import Keys


class AlertState:
    """Keeps a hash of texts."""

    def __init__(self, client: Client, keys: Keys) -> None:
        self._client = client
        self._key = keys.notices()
        self._swap = Script(client, "swap")

    def notice(self, name: str) -> bytes:
        """See `Store.notice`."""
        with faults_named():
            [found] = ask(self._client, [("HGET", self._key, name)])
        return found or b""

    def swap_notice(self, name: str, before: bytes, after: bytes) -> bool:
        """See `Store.swap_notice`."""
        with faults_named():
            return bool(self._swap([self._key], [name, before, after]))
